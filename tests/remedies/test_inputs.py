import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from builders.remedy_bench import (
    SIZE,
    Colours,
    anew,
    bench_on,
    drawn,
    seen_by,
    shown_by,
    untouched_logits,
)
from smallsight.backbones.feature_store import read_features
from smallsight.evaluation.heads import LinearHeads
from smallsight.imaging.pictures import resize
from smallsight.remedies import inputs
from smallsight.remedies.bench import ENOUGH, Bench
from smallsight.remedies.inputs import (
    FACTORS,
    GUIDED_ZOOM,
    TILE,
    ZOOMS,
    both_ways,
    centre_windows,
    clahe,
    equalised,
    flip,
    guided_zoom,
    larger,
    look_larger,
    mirrored,
    peak_cells,
    sharpened,
    tiles,
    tiles_maximum,
    tiles_mean,
    unsharp_mask,
    window_at_peak,
    zoom,
)
from smallsight.vocabulary import TASKS

both_tasks = pytest.mark.parametrize("task", TASKS)
SIDES = st.integers(1, 60)
MAPS = array_shapes(min_dims=2, max_dims=2, max_side=9).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.floats(-5, 5, width=32))
)
CHANGES = pytest.mark.parametrize("change", [sharpened, equalised])


@pytest.fixture(scope="module")
def scenes():
    return drawn()


@pytest.fixture(scope="module")
def bench(scenes, tmp_path_factory):
    return bench_on(tmp_path_factory.mktemp("bench"), scenes, Colours())


def numbered(height, width):
    """A picture whose pixels tell their row and column."""
    return np.stack(np.mgrid[:height, :width], axis=2)


def logits_of(bench, task, pictures):
    """Logits of the heads of untouched pictures, for one picture per instance."""
    return bench.logits(bench.heads(task), seen_by(Colours(), pictures))


def whole_pictures(bench, scenes):
    """Each instance's whole picture."""
    sample, pictures = scenes
    return [pictures[image_id] for image_id in sample["image_id"]]


# Windows.


@settings(deadline=None)
@given(height=SIDES, width=SIDES)
def test_windows_at_the_centre_are_smaller_by_their_factor_and_in_the_middle(height, width):
    found = centre_windows(numbered(height, width), 0)
    assert len(found) == len(ZOOMS)
    for zoomed, window in zip(ZOOMS, found, strict=True):
        for axis, side in enumerate((height, width)):
            assert window.shape[axis] == pytest.approx(side / zoomed, abs=1)
            first, last = window[0, 0, axis], window[-1, -1, axis]
            assert first >= 0
            assert last < side
            # As much is cut off on either side.
            assert abs(first - (side - 1 - last)) <= 1


@settings(deadline=None)
@given(height=st.integers(1, 60), width=st.integers(1, 60))
def test_tiles_overlap_and_cover_the_picture(height, width):
    picture = numbered(height, width)
    found = tiles(picture, 0)
    assert len(found) == 4
    seen = np.zeros((height, width), int)
    for tile in found:
        assert tile.shape == found[0].shape
        rows, columns = tile[..., 0], tile[..., 1]
        np.testing.assert_array_equal(tile, picture[rows, columns])
        seen[rows, columns] += 1
        for side, whole in zip(tile.shape, picture.shape[:2], strict=False):
            assert side == max(round(TILE * whole), 1)
    assert (seen >= 1).all()
    if min(height, width) >= 5:
        # The middle lies in all four.
        assert seen[height // 2, width // 2] == 4
    corners = {(tile[0, 0, 0] == 0, tile[0, 0, 1] == 0) for tile in found}
    assert len(corners) == 4 or min(height, width) < 3


def test_mirror_images_are_turned_from_left_to_right():
    picture = numbered(3, 4)
    (turned,) = mirrored(picture, 0)
    assert turned[1].tolist() == picture[1][::-1].tolist()
    one, other = both_ways(picture, 0)
    assert (one == picture).all()
    assert (other == turned).all()


@settings(deadline=None)
@given(evidence=MAPS, width=SIDES, height=SIDES)
def test_the_window_at_the_peak_is_inside_the_picture_for_any_map(evidence, width, height):
    box = window_at_peak(evidence, width=width, height=height)
    assert (box.w, box.h) == (max(width / GUIDED_ZOOM, 1), max(height / GUIDED_ZOOM, 1))
    assert min(box.x, box.y) >= 0
    assert box.x + box.w <= width + 1e-6
    assert box.y + box.h <= height + 1e-6
    window = numbered(height, width)[box.pixels()]
    for axis, side in enumerate((height, width)):
        assert window.shape[axis] >= 1
        assert window.shape[axis] == pytest.approx(side / GUIDED_ZOOM, abs=1)
    # It holds the middle of the cell of most evidence, and has it in its own middle if it can.
    rows, columns = evidence.shape
    row, column = np.unravel_index(evidence.argmax(), evidence.shape)
    for start, length, side, middle in (
        (box.x, box.w, width, (column + 0.5) / columns * width),
        (box.y, box.h, height, (row + 0.5) / rows * height),
    ):
        assert start - 1e-6 <= middle <= start + length + 1e-6
        at_an_edge = start in (0, side - length)
        assert at_an_edge or start + length / 2 == pytest.approx(middle)


# Filters.


@CHANGES
@settings(deadline=None, max_examples=40)
@given(
    picture=st.tuples(st.integers(8, 24), st.integers(8, 24), st.just(3)).flatmap(
        lambda shape: arrays(np.uint8, shape)
    )
)
def test_a_changed_picture_is_one_of_the_same_size(change, picture):
    before = picture.copy()
    found = change(picture)
    assert found.dtype == np.uint8
    assert found.shape == picture.shape
    np.testing.assert_array_equal(picture, before)


@CHANGES
def test_a_change_does_something(change, noise):
    picture = noise(24, 24) // 4 + 90
    found = change(picture)
    assert (found != picture).mean() > 0.5
    assert found.std() > 1.2 * picture.std()


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (13, 200, 90)], ids=str)
def test_sharpening_leaves_a_flat_picture_as_it_is(colour):
    picture = np.full((20, 20, 3), colour, np.uint8)
    np.testing.assert_array_equal(sharpened(picture), picture)


def test_sharpening_makes_edges_steeper_in_every_channel_by_itself():
    picture = np.full((20, 20, 3), 100, np.uint8)
    picture[:, 10:, 0] = 160
    found = sharpened(picture).astype(int)
    assert (found[:, 9, 0] < 100).all()
    assert (found[:, 10, 0] > 160).all()
    assert (found[:, [0, 19], 0] == [100, 160]).all()
    assert (found[..., 1:] == 100).all()


def test_equalising_brings_out_what_a_dark_corner_hides():
    rng = np.random.default_rng(0)
    picture = np.full((32, 32, 3), 200, np.uint8)
    picture[:16, :16] = 20 + 4 * rng.integers(0, 2, (16, 16, 1))
    found = equalised(picture)
    assert found[:16, :16].std() > 3 * picture[:16, :16].std()


# Answers by several inputs.


@both_tasks
def test_flipping_averages_with_what_is_stored_of_mirror_images(bench, task):
    seen = bench.stored(task)
    fitted = bench.heads(task)
    due = (bench.logits(fitted, seen.plain) + bench.logits(fitted, seen.mirrored)) / 2
    found = flip(bench, task)
    np.testing.assert_allclose(found.logits, due, atol=1e-6)
    assert found.passes == 2
    assert (found.logits != untouched_logits(bench, task)).any()


@pytest.mark.parametrize(
    ("remedy", "cut", "join"),
    [(zoom, centre_windows, np.mean), (tiles_mean, tiles, np.mean), (tiles_maximum, tiles, np.max)],
    ids=["zoom", "mean of tiles", "maximum of tiles"],
)
def test_the_whole_picture_is_one_of_several_inputs(bench, scenes, remedy, cut, join):
    pictures = whole_pictures(bench, scenes)
    count = len(cut(pictures[0], 0))
    due = [untouched_logits(bench, "scene")] + [
        logits_of(bench, "scene", [cut(one, 0)[place] for one in pictures])
        for place in range(count)
    ]
    found = remedy(bench, "scene")
    np.testing.assert_allclose(found.logits, join(due, axis=0), atol=1e-5)
    assert found.passes == 1 + count


def test_tiles_are_seen_once_for_both_of_their_remedies(bench):
    own = anew(bench)
    one = tiles_mean(own, "scene")
    shown = len(shown_by(own))
    other = tiles_maximum(own, "scene")
    assert len(shown_by(own)) == shown
    assert (one.passes, one.ratio) == (other.passes, other.ratio)
    assert (other.logits >= one.logits - 1e-6).all()


# Answers by one input.


@both_tasks
@pytest.mark.parametrize(
    ("remedy", "change"), [(unsharp_mask, sharpened), (clahe, equalised)], ids=["sharp", "equal"]
)
def test_the_input_is_changed_at_its_own_size(bench, task, remedy, change):
    made = []
    bench.look(task, lambda picture, _: made.append(resize(picture, SIZE)) or [picture])
    pictures = [None] * len(made)
    bench.look(task, lambda picture, n: pictures.__setitem__(n, change(resize(picture, SIZE)))
               or [picture])  # fmt: skip
    found = remedy(bench, task)
    due = logits_of(bench, task, [pictures[number] for number in bench.row(task)])
    np.testing.assert_allclose(found.logits, due, atol=1e-5)
    assert found.passes == 1


@both_tasks
@pytest.mark.parametrize("factor", FACTORS)
def test_a_larger_input_is_shown_to_the_same_heads(bench, task, factor):
    own = anew(bench)
    found = larger(factor)(own, task)
    assert found.passes == factor**2
    assert set(shown_by(own)) == {SIZE, round(factor * SIZE)}
    plain = np.stack([one[0] for one in look_larger(own, task, factor).features])
    due = own.logits(own.heads(task), plain[own.row(task)])
    np.testing.assert_allclose(found.logits, due, atol=1e-6)


@both_tasks
def test_an_input_that_is_not_larger_changes_nothing(bench, task):
    found = larger(1.0)(bench, task)
    np.testing.assert_allclose(found.logits, untouched_logits(bench, task), atol=1e-6)
    assert found.passes == 1


def test_what_needs_no_features_is_timed_on_few_pictures(bench, monkeypatch):
    asked = []
    look = Bench.look

    def looked(*arguments, **settings):
        asked.append(settings.get("most"))
        return look(*arguments, **settings)

    monkeypatch.setattr(Bench, "look", looked)
    flip(bench, "scene")
    bench.plain_seconds("scene")
    assert asked == [ENOUGH, ENOUGH]


# The guided zoom.


def test_peaks_are_of_the_class_that_the_own_head_names(bench):
    seen = read_features(bench.features, bench.untouched("scene"), "scene", maps=True)
    fitted, splits = bench.heads("scene"), bench.splits
    found = peak_cells(bench, "scene")
    assert found.shape == splits.fold_of.shape
    for seed, folds in enumerate(splits.fold_of):
        for instance, fold in enumerate(folds):
            head = seed * splits.folds + fold
            logits = fitted.weight[head] @ seen.plain[instance] + fitted.bias[head]
            maps = seen.maps[seen.row[instance]]
            evidence = np.tensordot(fitted.weight[head, logits.argmax()], maps, 1)
            assert evidence.flat[found[seed, instance]] == pytest.approx(evidence.max(), abs=1e-5)


def test_every_head_is_shown_the_window_of_its_own_peak(bench, scenes):
    """Objects of one picture, and seeds, have windows of their own; each is seen once."""
    peaks = peak_cells(bench, "scene")
    shape = read_features(bench.features, bench.untouched("scene"), "scene", maps=True).maps.shape
    due = []
    for cells in peaks:
        windows = []
        for cell, picture in zip(cells, whole_pictures(bench, scenes), strict=True):
            evidence = np.zeros(shape[2:])
            evidence.flat[cell] = 1
            height, width = picture.shape[:2]
            box = window_at_peak(evidence, width=width, height=height)
            windows.append(picture[box.pixels()])
        due.append(windows)
    whole = untouched_logits(bench, "scene")
    found = guided_zoom(bench, "scene")
    for seed, windows in enumerate(due):
        zoomed = logits_of(bench, "scene", windows)[seed]
        np.testing.assert_allclose(found.logits[seed], (whole[seed] + zoomed) / 2, atol=1e-5)
    assert found.passes == 2
    # What is tested here is not the same window for all.
    assert len(np.unique(peaks)) > 2


@pytest.mark.parametrize("spot", [(0, 0), (1, 2), (3, 3)], ids=str)
def test_the_guided_zoom_goes_where_the_map_has_a_planted_spot(scenes, tmp_path, monkeypatch, spot):
    def plant(condition, seen, maps):
        maps = np.zeros_like(maps)
        maps[:, :, *spot] = 1
        return seen, maps

    own = bench_on(tmp_path, scenes, Colours(), plant=plant)
    folds = own.splits.folds * len(own.splits.seeds)
    fond = LinearHeads(np.ones((folds, 3, 4), np.float32), np.zeros((folds, 3), np.float32))
    monkeypatch.setattr(Bench, "heads", lambda bench, task: fond)
    assert (peak_cells(own, "scene") == 4 * spot[0] + spot[1]).all()
    shown = {}
    look = Bench.look

    def looked(bench, task, cut, **settings):
        def kept(picture, number):
            shown[number] = cut(picture, number)
            return shown[number]

        return look(bench, task, kept, **settings)

    monkeypatch.setattr(Bench, "look", looked)
    guided_zoom(own, "scene")
    for number, picture in enumerate(scenes[1].values()):
        (window,) = shown[number]
        assert window.shape == (30, 40, 3)
        # In cells of 15 x 20 pixels: round the spot's middle, and inside the picture.
        top, left = (np.clip(15 * spot[0] - 7.5, 0, 30), np.clip(20 * spot[1] - 10, 0, 40))
        due = picture[int(np.ceil(top - 0.5)) :, int(np.ceil(left - 0.5)) :][:30, :40]
        np.testing.assert_array_equal(window, due)


def test_every_remedy_is_of_a_picture_without_a_box_in_the_scene():
    for one in inputs.REMEDIES:
        assert one.needs["scene"] == "nothing"
        assert one.needs.get("object", "box") == "box"
