import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as transforms

from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import resize, resized

WIDTH, HEIGHT = 23, 17
PLACE = st.floats(-30, 40)
EXTENT = st.floats(0.05, 60)
BOXES = st.builds(Box, PLACE, PLACE, EXTENT, EXTENT)
FEW = settings(deadline=None, max_examples=100)


def close(one, other):
    parts = ("x", "y", "w", "h")
    return all(abs(getattr(one, part) - getattr(other, part)) < 1e-9 for part in parts)


@given(BOXES, st.floats(0, 2))
@FEW
def test_growing_keeps_the_centre_and_adds_the_share_on_each_side(box, share):
    grown = box.grown(share)
    assert close(grown, Box(box.x - share * box.w, box.y - share * box.h,
                            (1 + 2 * share) * box.w, (1 + 2 * share) * box.h))  # fmt: skip


@given(BOXES, st.floats(0.01, 1))
@FEW
def test_shrinking_keeps_the_centre(box, ratio):
    small = box.shrunk_to(ratio)
    assert small.w == pytest.approx(ratio * box.w)
    assert small.h == pytest.approx(ratio * box.h)
    assert small.x + small.w / 2 == pytest.approx(box.x + box.w / 2)
    assert small.y + small.h / 2 == pytest.approx(box.y + box.h / 2)


@given(BOXES, PLACE, PLACE, st.floats(0.1, 3), st.floats(0.1, 3))
@FEW
def test_moving_and_scaling_move_the_corners(box, dx, dy, across, down):
    moved, scaled = box.shifted(dx, dy), box.scaled(across, down)
    assert close(moved, Box(box.x + dx, box.y + dy, box.w, box.h))
    assert scaled.x + scaled.w == pytest.approx((box.x + box.w) * across, abs=1e-9)
    assert scaled.y + scaled.h == pytest.approx((box.y + box.h) * down, abs=1e-9)
    assert scaled.side == pytest.approx(box.side * np.sqrt(across * down))


@given(BOXES)
@FEW
def test_clipping_is_the_intersection_with_the_picture(box):
    clipped = box.clipped(WIDTH, HEIGHT)
    assert clipped.w >= 0
    assert clipped.h >= 0
    assert 0 <= clipped.x <= clipped.x + clipped.w <= WIDTH
    assert 0 <= clipped.y <= clipped.y + clipped.h <= HEIGHT
    across = max(min(box.x + box.w, WIDTH) - max(box.x, 0), 0)
    down = max(min(box.y + box.h, HEIGHT) - max(box.y, 0), 0)
    assert clipped.w * clipped.h == pytest.approx(across * down, abs=1e-9)
    assert clipped.clipped(WIDTH, HEIGHT) == clipped


@given(BOXES)
@FEW
def test_pixels_are_those_whose_centres_lie_in_the_box(box):
    chosen = np.zeros((HEIGHT, WIDTH), bool)
    chosen[box.pixels()] = True
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    # A centre on the very edge may count either way.
    edges = [abs(columns - box.x), abs(columns - box.x - box.w)]
    edges += [abs(rows - box.y), abs(rows - box.y - box.h)]
    assume(min(edge.min() for edge in edges) > 1e-9)
    across = (box.x < columns) & (columns < box.x + box.w)
    assert (chosen == (across & (box.y < rows) & (rows < box.y + box.h))).all()


@given(BOXES)
@FEW
def test_touched_pixels_are_those_the_box_overlaps(box):
    chosen = np.zeros((HEIGHT, WIDTH), bool)
    chosen[box.touched_pixels(WIDTH, HEIGHT)] = True
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    across = (columns < box.x + box.w) & (box.x < columns + 1)
    overlapped = across & (rows < box.y + box.h) & (box.y < rows + 1)
    assert chosen.any()
    if overlapped.any():
        assert (chosen == overlapped).all()


@pytest.mark.parametrize(
    ("height", "width", "down", "across"),
    [(96, 128, 64, 64), (33, 57, 64, 64), (64, 64, 64, 64), (200, 37, 48, 48), (60, 80, 97, 21),
     (50, 30, 1, 70)],
)  # fmt: skip
def test_resizing_is_antialiased_bilinear(noise, height, width, down, across):
    picture = noise(height, width)
    found = resized(picture, across, down)
    assert found.dtype == np.uint8
    exact = transforms.resize(
        torch.from_numpy(picture.copy()).permute(2, 0, 1).double(), [down, across], antialias=True
    )
    # Pillow rounds after each of its two passes.
    assert np.abs(found - exact.permute(1, 2, 0).numpy()).max() <= 1.01


@pytest.mark.parametrize("size", [24, 70])
def test_resize_has_width_and_height_alike(noise, size):
    assert (resize(noise(60, 45), size) == resized(noise(60, 45), size, size)).all()


def test_resizing_to_the_same_size_changes_nothing(noise):
    assert (resize(noise(40, 40), 40) == noise(40, 40)).all()
    assert (resized(noise(40, 30), 30, 40) == noise(40, 30)).all()


def test_resize_averages_what_it_drops():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    inner = resize(stripes, 8)[:, 1:-1]
    assert np.ptp(inner) <= 4
    assert abs(inner.mean() - 100) < 2


@given(st.integers(0, 9), st.integers(0, 5), st.integers(1, 8), st.integers(1, 8))
@settings(deadline=None, max_examples=25)
def test_resize_squashes_and_the_box_follows(x, y, w, h):
    picture = np.zeros((60, 90, 3), np.uint8)
    picture[5 * y : 5 * (y + h), 5 * x : 5 * (x + w)] = 255
    size = 120
    box = Box(5 * x, 5 * y, 5 * w, 5 * h).clipped(90, 60).scaled(size / 90, size / 60)
    rows, columns = np.nonzero(resize(picture, size)[..., 0] > 127)
    found = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    due = (box.x, box.y, box.x + box.w, box.y + box.h)
    assert max(abs(one - other) for one, other in zip(found, due, strict=True)) <= 1
