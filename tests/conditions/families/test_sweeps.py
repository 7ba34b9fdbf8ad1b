"""Families whose levels are analysed together: objects of few pixels, pictures moved a little."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as transforms

from builders import views
from builders.families import level, levels
from smallsight.imaging.boxes import Box
from smallsight.runtime.randomness import derive

HEIGHT, WIDTH = 240, 320
SIZE = 24
"""Of the network's input."""
REACH = 6
BOX = Box(80, 60, 128, 96)
PLACES = {
    "inside": BOX,
    "fractional": Box(71.3, 50.8, 97.6, 61.9),
    "corner": Box(WIDTH - 70.5, HEIGHT - 66, 71, 66),
    "whole picture": Box(0, 0, WIDTH, HEIGHT),
}
places = pytest.mark.parametrize("place", PLACES)
tasks = pytest.mark.parametrize("task", ["scene", "object"])


@pytest.fixture(scope="module")
def picture(noise):
    return noise(HEIGHT, WIDTH)


# Objects of few pixels.


def reduced(view, side):
    return level("pixels", side=side).apply(view)


def resized(picture, height, width):
    """A picture resized by another library, with antialiasing; not rounded."""
    tensor = torch.from_numpy(np.array(picture)).permute(2, 0, 1).double()
    return transforms.resize(tensor, [height, width], antialias=True).permute(1, 2, 0).numpy()


@places
@pytest.mark.parametrize("side", [6, 24, 48])
def test_the_window_is_reduced_until_the_box_has_so_many_pixels_and_enlarged(picture, place, side):
    view = views.seen(picture, PLACES[place])
    window = views.window(view)
    height, width = window.picture.shape[:2]
    found = reduced(view, side)
    few = round(height * side / view.box.side), round(width * side / view.box.side)
    due = resized(resized(window.picture, *few), height, width)
    # Pillow rounds after each of its four passes.
    assert np.abs(found.picture - due).max() <= 2.01
    # The box itself then has that side, up to the rounding of whole pixels.
    box_side = np.sqrt(few[0] / height * view.box.h * few[1] / width * view.box.w)
    assert box_side == pytest.approx(side, rel=0.5 / min(few))
    assert found.box == window.box
    assert (found.mask == window.mask).all()


def contrast(period, side, axis):
    """How much of the contrast of stripes remains, of a period in pixels of the reduced object."""
    native = period * BOX.side / side
    along = np.arange(WIDTH if axis else HEIGHT)
    wave = 127.5 + 100 * np.sin(2 * np.pi * along / native)
    stripes = np.broadcast_to(wave if axis else wave[:, None], (HEIGHT, WIDTH))
    stripes = np.repeat(np.rint(stripes).astype(np.uint8)[..., None], 3, axis=2)
    view = views.seen(stripes, BOX)
    # Away from the window's edges, beyond which there is nothing to take a mean of.
    there = slice(16, -16), slice(16, -16)
    return reduced(view, side).picture[there].std() / views.window(view).picture[there].std()


@pytest.mark.parametrize("side", [6, 12, 24])
@pytest.mark.parametrize("axis", [0, 1], ids=["down", "across"])
def test_no_detail_finer_than_the_pixels_is_left_and_coarse_detail_is(side, axis):
    assert contrast(1, side, axis) < 0.06
    assert contrast(1.4, side, axis) < 0.2
    assert contrast(6, side, axis) > 0.6


def test_fewer_pixels_leave_less(picture):
    view = views.seen(picture, BOX)
    deviations = [reduced(view, side).picture.std() for side in (6, 8, 12, 16, 24, 32, 48, 64)]
    assert (np.diff(deviations) > 0).all()


def test_as_many_pixels_as_the_object_has_change_nothing(picture):
    view = views.seen(picture, Box(40, 30, 64, 64))
    assert (reduced(view, 64).picture == views.window(view).picture).all()
    assert (reduced(view, 48).picture != views.window(view).picture).any()


def test_what_the_window_holds_does_not_depend_on_what_lies_outside(picture):
    view = views.seen(picture, BOX)
    outside = ~views.touched(views.grown(BOX), HEIGHT, WIDTH)
    other = picture.copy()
    other[outside] = 0
    assert (reduced(view, 6).picture == reduced(view.showing(other), 6).picture).all()


def test_only_objects_that_can_be_reduced_to_all_levels_are(picture):
    every = levels("pixels", side=[6, 64, 16])
    assert [one.condition.task for one in every] == ["object"] * 3
    for box, due in (
        (Box(9, 9, 64, 64), True),
        (Box(9, 9, 128, 32), True),
        (Box(9, 9, 63, 64), False),
    ):
        assert [one.suits(views.seen(picture, box)) for one in every] == [due] * 3


# Pictures moved a little.


def shifted(view, task, seed=0, reach=REACH):
    return level("shift", task, reach=reach, draw=1).apply(view, rng=np.random.default_rng(seed))


def still(view, task):
    return view if task == "scene" else views.window(view)


def moved(view, task, found):
    """By how many native pixels, right and down, the object has been moved."""
    before = still(view, task).box
    return round(found.box.x - before.x), round(found.box.y - before.y)


@places
@tasks
@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=15)
def test_the_picture_moves_and_its_border_is_reflected(place, task, seed):
    rng = np.random.default_rng(1)
    view = views.seen(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), PLACES[place])
    found = shifted(view, task, seed)
    right, down = moved(view, task, found)
    apart = ((HEIGHT, HEIGHT), (WIDTH, WIDTH))
    padded = np.pad(view.picture, (*apart, (0, 0)), mode="symmetric")
    mask = np.pad(view.mask, apart)
    base = still(view, task)
    top, left = round(view.box.y - base.box.y), round(view.box.x - base.box.x)
    height, width = base.picture.shape[:2]
    rows = slice(HEIGHT + top - down, HEIGHT + top - down + height)
    columns = slice(WIDTH + left - right, WIDTH + left - right + width)
    assert (found.picture == padded[rows, columns]).all()
    assert (found.mask == mask[rows, columns]).all()
    assert (found.box.w, found.box.h) == (base.box.w, base.box.h)
    assert found.box.x == pytest.approx(base.box.x + right)
    assert found.box.y == pytest.approx(base.box.y + down)


@places
def test_distances_are_in_input_pixels_of_what_is_shown_and_the_same_in_both_tasks(picture, place):
    view = views.seen(picture, PLACES[place], size=SIZE)
    for seed in range(20):
        at_input = {}
        for task in ("scene", "object"):
            height, width = still(view, task).picture.shape[:2]
            right, down = moved(view, task, shifted(view, task, seed))
            at_input[task] = right * SIZE / width, down * SIZE / height
            # A distance is a whole number of input pixels, and is rounded to native ones.
            tolerance = 0.5 * SIZE / np.array([width, height]) + 1e-9
            whole = np.rint(at_input[task])
            assert (np.abs(at_input[task] - whole) <= tolerance).all()
            assert (np.abs(whole) <= REACH).all()
        assert (np.rint(at_input["scene"]) == np.rint(at_input["object"])).all()


def test_all_distances_within_reach_are_equally_likely_along_both_axes():
    view = views.seen(np.zeros((SIZE, SIZE, 3), np.uint8), Box(4, 4, 8, 8), size=SIZE)
    found = np.array([moved(view, "scene", shifted(view, "scene", seed)) for seed in range(3000)])
    for axis in (0, 1):
        distances, counts = np.unique(found[:, axis], return_counts=True)
        assert distances.tolist() == list(range(-REACH, REACH + 1))
        due = 3000 / (2 * REACH + 1)
        assert (np.abs(counts - due) < 4 * np.sqrt(due)).all()
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.06


@tasks
def test_equal_seeds_give_equal_pictures_and_other_draws_and_objects_others(picture, task):
    """By the streams that rendering hands to a level and an instance."""
    view = views.seen(picture, BOX)
    made = [
        one for one in levels("shift", reach=REACH, draw=[1, 2, 3]) if one.condition.task == task
    ]
    # The scene task has the reference level alone.
    assert len(made) == (1 if task == "scene" else 3)

    def shown(one, seed=0, ann_id=7):
        rng = derive(seed, "shift", one.condition.level, 1, ann_id)
        return one.apply(view, rng=rng).picture.tobytes()

    found = [*map(shown, made), shown(made[0], seed=1), shown(made[0], ann_id=8)]
    assert shown(made[0]) == found[0]
    assert len(set(found)) == len(found)
