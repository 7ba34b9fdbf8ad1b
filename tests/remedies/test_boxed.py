import numpy as np
import pytest

from builders.remedy_bench import Colours, bench_on, drawn, untouched_logits
from smallsight.remedies.bench import ImpossibleError
from smallsight.remedies.boxed import REMEDIES, read_out, window_same_head
from smallsight.remedies.refitted import RESNET
from smallsight.vocabulary import TASKS

both_tasks = pytest.mark.parametrize("task", TASKS)


class OneStride(Colours):
    """Has no layers that a pyramid could join."""

    strides = (8,)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return bench_on(tmp_path_factory.mktemp("bench"), drawn(), Colours())


def test_windows_are_shown_to_the_heads_of_whole_pictures(bench):
    found = window_same_head(bench, "scene")
    due = bench.logits(bench.heads("scene"), bench.stored("object").plain)
    np.testing.assert_array_equal(found.logits, due)
    assert (found.passes, found.ratio) == (1, 1)


@both_tasks
@pytest.mark.parametrize("readout", ["box", "pyramid"])
def test_pictures_are_read_out_otherwise_by_heads_of_their_own(bench, task, readout):
    seen = bench.stored(task, readout)
    found = read_out(readout)(bench, task)
    np.testing.assert_array_equal(found.logits, bench.logits(bench.fit(seen), seen.plain))
    assert (found.passes, found.ratio) == (1, 1)


def test_another_tasks_pictures_are_read_where_it_says_so(bench):
    found = read_out("scene", "object")(bench, "scene")
    np.testing.assert_array_equal(found.logits, untouched_logits(bench, "object"))
    other = read_out("pyramid", "object")(bench, "scene")
    np.testing.assert_array_equal(other.logits, read_out("pyramid")(bench, "object").logits)


def test_without_a_pyramid_it_is_said_why_and_what_would_test_it(tmp_path):
    own = bench_on(tmp_path, drawn(), OneStride())
    for remedy, task in (("pyramid", "scene"), ("pyramid", "object"), ("window_pyramid", "scene")):
        (answer,) = (one.answer for one in REMEDIES if one.name == remedy)
        with pytest.raises(ImpossibleError, match="strides 8, 16 and 32") as caught:
            answer(own, task)
        assert caught.value.command == RESNET
    assert read_out("box")(own, "scene").logits.shape[2] == 3


def test_every_remedy_needs_the_box():
    for one in REMEDIES:
        assert set(one.needs.values()) <= {"box", "box_head"}
        assert "scene" in one.needs
