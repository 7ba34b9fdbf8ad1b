import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from builders.readings import opener_of
from builders.remedy_bench import (
    HEADS,
    MARGIN,
    SIZE,
    Colours,
    anew,
    bench_on,
    drawn,
    seen_by,
    shown_by,
)
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import read_features
from smallsight.conditions.rendered.names import Condition
from smallsight.conditions.rendered.store import read_pictures
from smallsight.conditions.rendered.views import read_views
from smallsight.conditions.rendering.views import View
from smallsight.conditions.rendering.windows import cropped
from smallsight.evaluation.crossfit import fit_heads, out_of_fold_logits
from smallsight.imaging import kept
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import InputFormat, read_picture, resize
from smallsight.remedies import bench as benches
from smallsight.vocabulary import TASKS

both_tasks = pytest.mark.parametrize("task", TASKS)


@pytest.fixture(scope="module")
def scenes():
    return drawn()


@pytest.fixture(scope="module")
def bench(scenes, tmp_path_factory):
    return bench_on(tmp_path_factory.mktemp("bench"), scenes, Colours())


def as_it_is(picture, number):
    return [picture]


def shown(scenes, task):
    """What a task's pictures show, in order, without the bench."""
    sample, pictures = scenes
    if task == "scene":
        return list(pictures.values())
    return [
        cropped(
            View(
                pictures[one.image_id],
                Box(one.bbox_x, one.bbox_y, one.bbox_w, one.bbox_h),
                None,
                None,
            ),
            margin=MARGIN,
        ).picture
        for one in sample.itertuples()
    ]


PICTURES, BYTES = 10, 60 * 80 * 3


@pytest.mark.parametrize(
    ("room", "found"), [(PICTURES * BYTES, 10), (3 * BYTES, 3), (2 * BYTES, 0)]
)
def test_decoded_pictures_are_kept_from_look_to_look_unless_they_are_far_too_many(
    bench, monkeypatch, room, found
):
    monkeypatch.setattr(benches, "ROOM", room)
    read = []
    monkeypatch.setattr(kept, "read_picture", lambda path: read.append(path) or read_picture(path))
    fresh = anew(bench)
    fresh.look("scene", as_it_is)
    assert len(read) == PICTURES
    fresh.look("scene", as_it_is)
    assert len(read) == 2 * PICTURES - found


# What is stored.


def test_objects_of_an_image_share_its_whole_picture_and_have_windows_of_their_own(bench, scenes):
    sample, pictures = scenes
    order = list(pictures)
    assert bench.row("scene").tolist() == [order.index(one) for one in sample["image_id"]]
    assert bench.row("object").tolist() == list(range(len(sample)))


def test_each_task_has_its_untouched_pictures(bench):
    for task in ("scene", "object"):
        assert bench.untouched(task) == Condition("orig_full", "default", True, task)


@both_tasks
def test_heads_are_those_of_untouched_features(bench, task):
    seen = read_features(bench.features, bench.untouched(task), "scene")
    fitted = fit_heads(bench.splits, seen, settings=HEADS)
    for name in ("weight", "bias"):
        np.testing.assert_array_equal(getattr(bench.heads(task), name), getattr(fitted, name))
    np.testing.assert_array_equal(
        bench.logits(bench.heads(task), seen.plain),
        out_of_fold_logits(bench.splits, fitted, seen.plain),
    )
    np.testing.assert_array_equal(bench.stored(task).plain, seen.plain)
    assert bench.heads(task) is bench.heads(task)


@both_tasks
def test_readouts_are_those_that_are_stored(bench, task):
    stored = [name for name in ("scene", "box", "pyramid", "fpn") if bench.has_readout(task, name)]
    assert stored == ["scene", "box", "pyramid"]
    dimensions = [bench.stored(task, name).plain.shape[1] for name in stored]
    assert dimensions == [4, 4, 12]


# What is computed once.


def test_what_is_asked_for_again_is_not_computed_again(bench):
    made = []
    for key in ("a", "b", "a"):
        assert bench.once(("test", key), lambda key=key: made.append(key) or key) == key
    assert made == ["a", "b"]


def test_two_threads_that_ask_at_once_get_what_one_of_them_computes(bench):
    made, started = [], threading.Barrier(2, timeout=10)

    def make():
        time.sleep(0.05)
        # The inner one may be asked for while the outer one is made.
        made.append(bench.once("inner", object))
        return made[-1]

    def ask(_):
        started.wait()
        return bench.once("outer", make)

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(ask, range(2))
    assert one is other
    assert len(made) == 1


def test_what_is_shelved_is_made_once_and_lies_on_disk_meanwhile(bench):
    made = []

    def make():
        made.append(np.arange(6, dtype=np.float32).reshape(2, 3))
        return {"one": made[-1], "other": [made[-1] + 1]}

    one, (other,) = (bench.shelved("numbers", part, make) for part in ("one", "other"))
    again = bench.shelved("more", "one", make)
    assert len(made) == 2
    for found, due in ((one, made[0]), (other, made[0] + 1), (again, made[1])):
        assert found is not due
        assert (found.dtype, found.tolist()) == (due.dtype, due.tolist())
    assert bench.shelved("numbers", "one", make).tolist() == made[0].tolist()


def test_a_failure_is_not_kept(bench):
    with pytest.raises(ZeroDivisionError):
        bench.once("failed", lambda: 1 / 0)
    assert bench.once("failed", lambda: 1) == 1


# What the network is shown.


@both_tasks
def test_untouched_pictures_are_those_that_rendering_shows(bench, scenes, task):
    """Windows are cut as `cropped` does, then resized; features are those that are stored."""
    cut = {}
    look = bench.look(task, lambda picture, number: [cut.setdefault(number, picture)])
    due = shown(scenes, task)
    assert sorted(cut) == list(range(len(due)))
    for number, picture in enumerate(due):
        np.testing.assert_array_equal(cut[number], picture)
    rendered = read_pictures(
        bench.conditions / bench.untouched(task).folder,
        read_views(bench.conditions, bench.untouched(task)),
    )
    for index, number in enumerate(bench.row(task)):
        np.testing.assert_array_equal(resize(due[number], SIZE), rendered[index])
    features = np.concatenate(look.features)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features[bench.row(task)], bench.stored(task).plain)


@pytest.mark.parametrize(
    "box",
    [(0, 0, 80, 60), (-3.5, 40.2, 20, 30), (79.5, 59.5, 0.5, 0.5), (40.3, 30.4, 0.3, 0.3)],
    ids=["all", "beyond", "corner", "less than a pixel"],
)
def test_windows_of_extreme_boxes_are_cut_as_rendering_cuts_them(bench, scenes, box):
    sample, pictures = scenes
    boxes = dict(zip(("bbox_x", "bbox_y", "bbox_w", "bbox_h"), box, strict=True))
    moved = bench.splits.sample.assign(**boxes)
    other = replace(bench, splits=replace(bench.splits, sample=moved))
    cut = {}
    other.look("object", lambda picture, number: [cut.setdefault(number, picture)], most=2)
    assert len(cut) == 2
    for number, picture in enumerate(shown((sample.assign(**boxes)[:2], pictures), "object")):
        np.testing.assert_array_equal(cut[number], picture)


@both_tasks
def test_every_picture_may_become_several_inputs(bench, scenes, task):
    def cut(picture, number):
        return [picture[: 20 - 5 * place, :10] for place in range(1 + number % 3)]

    due = shown(scenes, task)
    assert len(due) > Backbone.batch_size
    look = bench.look(task, cut)
    assert [len(one) for one in look.features] == [1 + n % 3 for n in range(len(due))]
    for number, (found, picture) in enumerate(zip(look.features, due, strict=True)):
        np.testing.assert_allclose(found, seen_by(Colours(), cut(picture, number)), atol=1e-6)


def test_more_inputs_than_fit_one_pass_are_seen_in_several(bench, scenes):
    look = bench.look("scene", lambda picture, number: [picture[k:, k:] for k in range(5)], most=9)
    assert [len(one) for one in look.features] == [5] * 9
    picture = shown(scenes, "scene")[8]
    due = seen_by(Colours(), [picture[k:, k:] for k in range(5)])
    np.testing.assert_allclose(look.features[8], due, atol=1e-6)


@both_tasks
def test_the_number_of_workers_does_not_matter(bench, task, monkeypatch):
    def cut(picture, number):
        return [picture, picture[::-1]][: 1 + number % 2]

    found = []
    for workers in "12":
        monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
        found.append(bench.look(task, cut).features)
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_inputs_have_the_size_that_is_asked_for_and_are_finished_there(bench, scenes):
    finished = []

    def darker(picture):
        finished.append((picture.shape, picture.dtype))
        return picture // 2

    look = bench.look("scene", as_it_is, size=48, finish=darker)
    assert finished == [((48, 48, 3), np.uint8)] * len(look.features)
    inputs = [np.array(Image.fromarray(one).resize((48, 48), Image.Resampling.BILINEAR)) // 2
              for one in shown(scenes, "scene")]  # fmt: skip
    due = seen_by(Colours(), inputs, size=48)
    np.testing.assert_allclose(np.concatenate(look.features), due, atol=1e-6)


def test_pictures_are_resized_as_the_network_expects(bench, scenes):
    other = replace(bench, input_format=InputFormat(SIZE, "bicubic"))
    inputs = [resize(one, SIZE, interpolation="bicubic") for one in shown(scenes, "scene")]
    found = np.concatenate(other.look("scene", as_it_is).features)
    np.testing.assert_allclose(found, seen_by(Colours(), inputs), atol=1e-6)
    assert (found[bench.row("scene")] != bench.stored("scene").plain).any()


def test_the_first_pictures_alone_are_shown_where_so_many_are_enough(bench):
    look = bench.look("object", as_it_is, most=3)
    np.testing.assert_array_equal(np.concatenate(look.features), bench.stored("object").plain[:3])


def test_another_network_is_shown_them_where_one_is_given(bench):
    class Other(Colours):
        def evidence(self, pictures):
            return 2 * super().evidence(pictures)

    look = bench.look("scene", as_it_is, other=opener_of(Other()))
    due = 2 * bench.stored("scene").plain
    np.testing.assert_allclose(np.concatenate(look.features)[bench.row("scene")], due, atol=1e-6)


# What it takes.


def test_planning_is_no_part_of_what_a_network_takes(bench, monkeypatch):
    clock = [0.0]

    class Planning(Colours):
        def evidence(self, pictures):
            clock[0] += 0 if clock[0] else 1000  # the first pass
            return super().evidence(pictures)

    monkeypatch.setattr(benches.time, "thread_time", lambda: clock[0])
    assert bench.look("scene", as_it_is, other=opener_of(Planning())).seconds == 0
    assert clock == [1000]


@pytest.fixture
def pixels_for_seconds(bench, monkeypatch):
    """A clock that runs by one second with every row of pixels that the network was shown."""
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "1")
    monkeypatch.setattr(benches.time, "thread_time", lambda: float(sum(shown_by(bench))))


@both_tasks
def test_times_are_of_one_input_beside_one_plain_picture(bench, task, pixels_for_seconds):
    for count, size in ((1, SIZE), (3, SIZE), (2, 2 * SIZE)):
        look = bench.look(task, lambda picture, _, count=count: [picture] * count, size=size)
        assert look.seconds == pytest.approx(size)
        assert look.plain_seconds == pytest.approx(SIZE)
    assert bench.plain_seconds(task) == pytest.approx(SIZE)


def test_plain_pictures_are_timed_by_the_studys_own_network(bench, pixels_for_seconds):
    """Another network's work does not move this clock."""
    look = bench.look("scene", as_it_is, size=2 * SIZE, other=opener_of(Colours()))
    assert look.seconds == 0
    assert look.plain_seconds == pytest.approx(SIZE)


def test_real_times_are_above_zero(bench):
    look = bench.look("scene", as_it_is)
    assert look.seconds > 0
    assert look.plain_seconds > 0
    assert bench.plain_seconds("object") > 0
