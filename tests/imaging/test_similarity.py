import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from smallsight.imaging import similarity
from smallsight.imaging.boxes import Box

SIZE = 48
BOXES = st.builds(Box, st.floats(0, 44), st.floats(0, 44), st.floats(0.2, 30), st.floats(0.2, 30))


def smooth(picture, sigma):
    return gaussian_filter(picture, (sigma, sigma, 0))


@pytest.fixture(scope="module")
def picture(noise):
    return noise(SIZE, SIZE)


@given(BOXES)
@settings(deadline=None, max_examples=60)
def test_an_object_is_wholly_like_itself_wherever_and_however_small(box):
    picture = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    box = box.clipped(SIZE, SIZE)
    assert similarity.in_box_similarity(picture, box, picture, box) == pytest.approx(1)


@given(BOXES, BOXES)
@settings(deadline=None, max_examples=60)
def test_similarity_is_symmetric_and_at_most_one(box, there):
    one, other = np.random.default_rng(1).integers(0, 128, (2, SIZE, SIZE, 3), np.uint8)
    other += 128  # no pixel of one picture is as bright as any of the other
    box, there = box.clipped(SIZE, SIZE), there.clipped(SIZE, SIZE)
    found = similarity.in_box_similarity(one, box, other, there)
    assert found == pytest.approx(similarity.in_box_similarity(other, there, one, box))
    assert -1 <= found < 1


def test_similarity_falls_the_more_a_picture_is_blurred(picture):
    box = Box(10, 12, 20, 16)
    found = [
        similarity.in_box_similarity(smooth(picture, sigma), box, picture, box)
        for sigma in (0, 0.4, 0.7, 1.2, 3)
    ]
    assert found[0] == pytest.approx(1)
    assert (np.diff(found) < -0.01).all()


def test_what_lies_outside_the_box_does_not_matter(picture, noise):
    other = noise(SIZE, SIZE, seed=5).copy()
    blurred = smooth(picture, 1)
    box = Box(10, 12, 20, 16)
    due = similarity.in_box_similarity(blurred, box, picture, box)
    rows, columns = slice(12, 28), slice(10, 30)
    other[rows, columns] = blurred[rows, columns]
    assert similarity.in_box_similarity(other, box, picture, box) == due
    other[20, 20] = 255 - other[20, 20]
    assert similarity.in_box_similarity(other, box, picture, box) != due


@pytest.mark.parametrize("box", [Box(5, 5, 1, 1), Box(47, 47, 1, 1), Box(5.2, 7.9, 0.01, 0.01)])
def test_one_pixel_has_a_similarity_that_tells_light_from_dark(box):
    grey = np.full((SIZE, SIZE, 3), 100, np.uint8)
    found = [
        similarity.in_box_similarity(np.full_like(grey, value), box, grey, box)
        for value in (100, 110, 160, 255)
    ]
    assert found[0] == pytest.approx(1)
    assert (np.diff(found) < 0).all()


def test_similarity_is_scikit_images_of_the_luminance(picture):
    blurred = smooth(picture, 1)
    grey = [one @ np.array([0.299, 0.587, 0.114]) for one in (blurred, picture)]
    due = structural_similarity(*grey, data_range=255)
    assert similarity.similarity(blurred, picture) == pytest.approx(due, abs=5e-3)


def test_detail_that_only_the_larger_view_holds_counts_as_a_difference(picture):
    """The same object, once at half the size and enlarged again."""
    box, half = Box(8, 8, 32, 32), Box(4, 4, 16, 16)
    small = picture.reshape(24, 2, 24, 2, 3).mean(axis=(1, 3)).astype(np.uint8)
    found = similarity.in_box_similarity(small, half, picture, box)
    assert found < 0.8
    flat = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)
    assert similarity.in_box_similarity(small, half, flat, box) > found + 0.1
