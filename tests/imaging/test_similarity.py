import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from smallsight.imaging import similarity
from smallsight.imaging.boxes import Box

SIZE = 48
BOXES = st.builds(Box, st.floats(0, 44), st.floats(0, 44), st.floats(0.2, 30), st.floats(0.2, 30))


def smooth(picture, sigma):
    return gaussian_filter(picture, (sigma, sigma, 0))


def in_box(picture, box, reference, there):
    luminances = similarity.Luminance(picture), similarity.Luminance(reference)
    return similarity.Comparison(*luminances).in_box(box, there)


@pytest.fixture(scope="module")
def picture(noise):
    return noise(SIZE, SIZE)


@given(BOXES)
@settings(deadline=None, max_examples=60)
def test_an_object_is_wholly_like_itself_wherever_and_however_small(box):
    picture = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    box = box.clipped(SIZE, SIZE)
    assert in_box(picture, box, picture, box) == pytest.approx(1)


@given(BOXES, BOXES)
@settings(deadline=None, max_examples=60)
def test_similarity_is_symmetric_and_at_most_one(box, there):
    one, other = np.random.default_rng(1).integers(0, 128, (2, SIZE, SIZE, 3), np.uint8)
    other += 128  # no pixel of one picture is as bright as any of the other
    box, there = box.clipped(SIZE, SIZE), there.clipped(SIZE, SIZE)
    found = in_box(one, box, other, there)
    assert found == pytest.approx(in_box(other, there, one, box))
    assert -1 <= found < 1


def test_similarity_falls_the_more_a_picture_is_blurred(picture):
    box = Box(10, 12, 20, 16)
    found = [in_box(smooth(picture, sigma), box, picture, box) for sigma in (0, 0.4, 0.7, 1.2, 3)]
    assert found[0] == pytest.approx(1)
    assert (np.diff(found) < -0.01).all()


def test_what_lies_outside_the_box_does_not_matter(picture, noise):
    other = noise(SIZE, SIZE, seed=5).copy()
    blurred = smooth(picture, 1)
    box = Box(10, 12, 20, 16)
    due = in_box(blurred, box, picture, box)
    rows, columns = slice(12, 28), slice(10, 30)
    other[rows, columns] = blurred[rows, columns]
    assert in_box(other, box, picture, box) == due
    other[20, 20] = 255 - other[20, 20]
    assert in_box(other, box, picture, box) != due


@pytest.mark.parametrize("box", [Box(5, 5, 1, 1), Box(47, 47, 1, 1), Box(5.2, 7.9, 0.01, 0.01)])
def test_one_pixel_has_a_similarity_that_tells_light_from_dark(box):
    grey = np.full((SIZE, SIZE, 3), 100, np.uint8)
    found = [in_box(np.full_like(grey, value), box, grey, box) for value in (100, 110, 160, 255)]
    assert found[0] == pytest.approx(1)
    assert (np.diff(found) < 0).all()


@pytest.mark.parametrize(("width", "height"), [(48, 48), (7, 48), (48, 8), (3, 48), (1, 1)])
def test_similarity_is_scikit_images_of_the_luminance(picture, width, height):
    views = [one[:height, :width] for one in (smooth(picture, 1), picture)]
    grey = [np.asarray(Image.fromarray(view).convert("L")) for view in views]
    lack = [max(7 - length, 0) for length in (height, width)]
    edges = [(one // 2, one - one // 2) for one in lack]
    due = structural_similarity(*(np.pad(one, edges, mode="symmetric") for one in grey))
    assert similarity.similarity(*views) == pytest.approx(due, abs=1e-11)


def test_a_box_in_one_place_has_the_similarity_of_its_pixels_alone(picture):
    blurred = smooth(picture, 1)
    alone = similarity.similarity(blurred[12:28, 10:31], picture[12:28, 10:31])
    assert in_box(blurred, Box(10.4, 12, 20, 16), picture, Box(10.4, 12, 20, 16)) == alone


def test_detail_that_only_the_larger_view_holds_counts_as_a_difference(picture):
    """The same object, once at half the size and enlarged again."""
    box, half = Box(8, 8, 32, 32), Box(4, 4, 16, 16)
    small = picture.reshape(24, 2, 24, 2, 3).mean(axis=(1, 3)).astype(np.uint8)
    found = in_box(small, half, picture, box)
    assert found < 0.8
    flat = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)
    assert in_box(small, half, flat, box) > found + 0.1
