import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter1d
from skimage.filters import correlate_sparse, gaussian
from skimage.transform import resize, resize_local_mean

from builders.views import BOX, EXTREME, HEIGHT, INNER, WIDTH
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendering.views import View
from smallsight.imaging.boxes import Box

ROUNDING = 1e-9
ROUNDED = 0.5 + 1e-3
"""How far whole levels may be from the values that they stand for."""


@pytest.fixture(scope="module")
def picture(noise):
    return noise(HEIGHT, WIDTH)


def changed(picture, box, name, **options):
    return FAMILIES[name].change(View(picture, box), **options)


def spans(box):
    """Rows and columns whose pixels lie wholly in a box, and those that it touches at all."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    right, bottom = box.x + box.w, box.y + box.h
    inside = (box.x <= columns) & (columns + 1 <= right) & (box.y <= rows) & (rows + 1 <= bottom)
    touched = (box.x < columns + 1) & (columns < right) & (box.y < rows + 1) & (rows < bottom)
    return inside, touched


def test_untouched_is_untouched(picture):
    view = changed(picture, BOX, "orig_full")
    assert (view.picture == picture).all()
    assert view.box == BOX


@pytest.mark.parametrize(
    "box", [BOX, Box(0, 0, 8, 8), Box(64, 40, 16, 20), Box(4, 52, 12, 8), Box(0, 0, 80, 60)]
)
def test_crop_is_the_grown_box_cut_at_the_border(picture, box):
    view = changed(picture, box, "orig_crop", margin=0.25)
    left, right = max(box.x - box.w // 4, 0), min(box.x + box.w + box.w // 4, WIDTH)
    top, bottom = max(box.y - box.h // 4, 0), min(box.y + box.h + box.h // 4, HEIGHT)
    assert np.array_equal(view.picture, picture[top:bottom, left:right])
    assert view.box == Box(box.x - left, box.y - top, box.w, box.h)


@given(INNER, st.sampled_from([0, 0.25, 0.6, 3]))
@settings(deadline=None, max_examples=40)
def test_crop_of_any_box_is_right_within_a_pixel(box, margin):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.uint8)
    view = changed(np.dstack([rows, columns, columns]), box, "orig_crop", margin=margin)
    top, left = view.picture[0, 0, :2].astype(int)
    bottom, right = view.picture[-1, -1, :2].astype(int) + 1
    assert abs(left - max(box.x - margin * box.w, 0)) < 1 + ROUNDING
    assert abs(top - max(box.y - margin * box.h, 0)) < 1 + ROUNDING
    assert abs(right - min(box.x + (1 + margin) * box.w, WIDTH)) < 1 + ROUNDING
    assert abs(bottom - min(box.y + (1 + margin) * box.h, HEIGHT)) < 1 + ROUNDING
    assert (view.box.w, view.box.h) == (box.w, box.h)
    assert view.box.x + left == pytest.approx(box.x)
    assert view.box.y + top == pytest.approx(box.y)


def area_weights(many, few):
    """How much of each of `many` cells lies in each of `few`, as rows that sum to 1."""
    edges = np.arange(few + 1) * many / few
    cells = np.arange(many)
    shared = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    return shared.clip(0) * few / many


def linear_weights(few, many):
    """Bilinear enlargement with half-pixel centres; the border's values go on outside."""
    centres = ((np.arange(many) + 0.5) * few / many - 0.5).clip(0, few - 1)
    return (1 - np.abs(centres[:, None] - np.arange(few))).clip(0)


def reduced_and_enlarged(picture, scale):
    for axis in (0, 1):
        many = picture.shape[axis]
        few = round(many * scale)
        weights = linear_weights(few, many) @ area_weights(many, few)
        picture = np.moveaxis(np.tensordot(weights, picture, (1, axis)), 0, axis)
    return picture


def test_downscale_by_half_is_means_of_four_enlarged_again(picture):
    means = picture.reshape(HEIGHT // 2, 2, WIDTH // 2, 2, 3).mean(axis=(1, 3))
    up = np.einsum(
        "ik,kjc->ijc", linear_weights(HEIGHT // 2, HEIGHT),
        np.einsum("jk,ikc->ijc", linear_weights(WIDTH // 2, WIDTH), means),
    )  # fmt: skip
    view = changed(picture, BOX, "downscale", scale=0.5)
    assert (view.picture == np.rint(up)).all()


@pytest.mark.parametrize("scale", [0.5, 0.25, 0.125])
def test_downscale_by_powers_of_two_is_right_to_the_last_level(noise, scale):
    """No sum is rounded on the way, whatever its order, so that ties are ties on all processors."""
    picture = noise(96, 160)
    due = np.rint(reduced_and_enlarged(picture.astype(float), scale))
    assert (changed(picture, BOX, "downscale", scale=scale).picture == due).all()


@pytest.mark.parametrize("scale", [0.25, 0.6, 0.3, 0.05])
def test_downscale_by_any_scale_averages_areas(picture, scale):
    view = changed(picture, BOX, "downscale", scale=scale)
    assert np.abs(view.picture - reduced_and_enlarged(picture, scale)).max() <= ROUNDED


@pytest.mark.parametrize("scale", [0.7, 0.5, 0.3, 0.125])
def test_downscale_is_scikit_images(noise, scale):
    picture = noise(75, 110)
    few = round(75 * scale), round(110 * scale)
    means = resize_local_mean(picture.astype(float), few, channel_axis=-1)
    due = resize(means, picture.shape, order=1, mode="edge", anti_aliasing=False)
    view = changed(picture, BOX, "downscale", scale=scale)
    assert np.abs(view.picture - due).max() <= ROUNDED


def test_downscale_of_odd_sizes_averages_areas(noise):
    picture = noise(43, 57)
    view = changed(picture, BOX, "downscale", scale=0.5)
    assert np.abs(view.picture - reduced_and_enlarged(picture, 0.5)).max() <= ROUNDED


def test_downscale_by_one_changes_nothing(picture):
    assert (changed(picture, BOX, "downscale", scale=1.0).picture == picture).all()


def test_downscale_of_a_tiny_picture_keeps_one_pixel(noise):
    few = noise(2, 3)
    view = changed(few, Box(0, 0, 1, 1), "downscale", scale=0.05)
    assert np.abs(view.picture - few.mean(axis=(0, 1))).max() <= 1


@pytest.mark.parametrize("length", [15, 5, 17, 51])
def test_motion_blur_smears_a_bright_column_and_keeps_its_light(length):
    column = np.zeros((4, 101, 3), np.uint8)
    column[:, 40] = 255
    smear = changed(column, BOX, "motion_blur", length=length).picture
    due = np.zeros_like(column)
    due[:, 40 - length // 2 : 41 + length // 2] = 255 // length
    assert (smear == due).all()
    assert (smear.sum(axis=1) == 255).all()


@pytest.mark.parametrize("length", [4.3, 9, 31])
def test_motion_blur_is_scikit_images_correlation_with_a_line(noise, length):
    picture = noise(20, 90)
    edges = np.arange(-25, 27) - 0.5
    line = np.diff(edges.clip(-length / 2, length / 2)) / length
    view = changed(picture, BOX, "motion_blur", length=length)
    for channel in range(3):
        due = correlate_sparse(picture[..., channel].astype(float), line[None], mode="reflect")
        assert np.abs(view.picture[..., channel] - due).max() <= ROUNDED


@pytest.mark.parametrize("length", [15, 5, 1])
def test_motion_blur_of_an_odd_length_is_a_running_mean(picture, length):
    view = changed(picture, BOX, "motion_blur", length=length)
    due = uniform_filter1d(picture.astype(float), length, axis=1, mode="reflect")
    assert np.abs(view.picture - due).max() <= 0.5 + 1e-3
    assert view.box == BOX


@given(st.floats(0.1, 25))
@settings(deadline=None, max_examples=40)
def test_motion_blur_smears_a_point_over_its_length(length):
    column = np.zeros((3, 61, 3), np.uint8)
    column[1, 30] = 255
    smear = changed(column, BOX, "motion_blur", length=length).picture[1, :, 0] / 255
    left, right = 30.5 - max(length, 1) / 2, 30.5 + max(length, 1) / 2
    cells = np.arange(61)
    due = (np.minimum(cells + 1, right) - np.maximum(cells, left)).clip(0) / max(length, 1)
    assert np.abs(smear - due).max() <= 0.5 / 255 + 1e-6


@given(st.floats(0.1, 2.0), INNER)
@settings(deadline=None, max_examples=30)
def test_a_length_in_objects_is_that_many_sides(share, box):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    native = share * np.sqrt(box.w * box.h)
    for name, option, rest in (("motion_blur", "length", {}), ("bg_blur", "sigma", {"margin": 0})):
        relative = changed(picture, box, name, **{option: share}, **rest, unit="object")
        due = changed(picture, box, name, **{option: native}, **rest)
        assert (relative.picture == due.picture).all()


def test_motion_blur_keeps_rows_apart(picture):
    other = picture.copy()
    other[31] = 255 - other[31]
    one, two = (changed(part, BOX, "motion_blur", length=15).picture for part in (picture, other))
    differ = (one != two).any(axis=(1, 2))
    assert differ[31]
    assert differ.sum() == 1


def test_motion_blur_of_a_picture_narrower_than_the_line(noise):
    picture = noise(5, 6)
    padded = np.pad(picture.astype(float), ((0, 0), (7, 7), (0, 0)), mode="symmetric")
    due = np.stack([padded[:, c : c + 15].mean(axis=1) for c in range(6)], axis=1)
    view = changed(picture, Box(0, 0, 2, 2), "motion_blur", length=15)
    assert np.abs(view.picture - due).max() <= 0.5 + 1e-3


@given(INNER, st.sampled_from([0.35, 0.7, 1.0]))
@settings(deadline=None, max_examples=40)
def test_occlusion_is_a_centred_black_rectangle(box, ratio):
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    black = (changed(white, box, "occlusion", ratio=ratio).picture == 0).all(axis=2)
    rows, columns = (np.flatnonzero(black.any(axis=axis)) for axis in (1, 0))
    assert abs(len(columns) - ratio * box.w) <= 1
    assert abs(len(rows) - ratio * box.h) <= 1
    assert black.sum() == len(rows) * len(columns)
    if black.any():
        assert abs(columns.mean() + 0.5 - box.x - box.w / 2) <= 0.5 + 1e-9
        assert abs(rows.mean() + 0.5 - box.y - box.h / 2) <= 0.5 + 1e-9


def test_occlusion_changes_nothing_else(picture):
    view = changed(picture, BOX, "occlusion", ratio=0.35)
    # 0.35 of 32 x 24 is 11.2 x 8.4 around (36, 24).
    black = (slice(20, 28), slice(30, 42))
    due = picture.copy()
    due[black] = 0
    assert (view.picture == due).sum() >= due.size - 3 * 2 * (8 + 12)
    grown = np.zeros((HEIGHT, WIDTH), bool)
    grown[19:29, 29:43] = True
    assert (view.picture[~grown] == picture[~grown]).all()
    assert (view.picture[20:28, 31:41] == 0).all()


def blurred(picture, sigma):
    radius = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        width = [(radius, radius) if axis == other else (0, 0) for other in range(3)]
        padded = np.pad(np.asarray(picture, float), width, mode="symmetric")
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=axis)
        picture = windows @ kernel
    return picture


@pytest.mark.parametrize(("sigma", "margin"), [(3.5, 0.1), (1.2, 0.0), (8.0, 0.5)])
@pytest.mark.parametrize("place", ["inside", *EXTREME])
def test_background_blur_is_gaussian_outside_and_nothing_inside(picture, sigma, margin, place):
    box = EXTREME.get(place, BOX)
    view = changed(picture, box, "bg_blur", sigma=sigma, margin=margin)
    grown = Box(
        box.x - margin * box.w, box.y - margin * box.h,
        (1 + 2 * margin) * box.w, (1 + 2 * margin) * box.h,
    )  # fmt: skip
    inside, touched = spans(grown)
    assert (view.picture[inside] == picture[inside]).all()
    outside = view.picture[~touched] - blurred(picture, sigma)[~touched]
    assert np.abs(outside).max(initial=0) <= 0.5 + 1e-2
    # Pixels that the edge cuts are one or the other.
    sharp = (view.picture == picture).all(axis=2)
    smooth = (np.abs(view.picture - blurred(picture, sigma)) <= 0.51).all(axis=2)
    assert (sharp | smooth).all()


@pytest.mark.parametrize("sigma", [1.5, 3.5, 8, 16])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_blur_of_an_edge_has_the_standard_deviation(sigma, axis):
    """The area between an edge and its blur is sigma times the height times sqrt(2 / pi)."""
    edge = np.zeros((160, 160, 3), np.uint8)
    edge[80:] = 255
    edge = np.ascontiguousarray(np.moveaxis(edge, axis, 0))
    view = changed(edge, Box(1, 1, 1, 1), "bg_blur", sigma=sigma, margin=0.0)
    area = np.abs(view.picture.astype(float) - edge).sum(axis=axis)[8]
    assert area / (255 * np.sqrt(2 / np.pi)) == pytest.approx(sigma, rel=0.05, abs=0.02)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bg_blur", {"sigma": 5.0, "margin": 0.0}),
        ("motion_blur", {"length": 13.4}),
        ("downscale", {"scale": 0.25}),
    ],
)
def test_whole_picture_filters_keep_the_brightness_and_an_even_picture(picture, name, options):
    dark = picture // 3
    found = changed(dark, Box(70, 50, 0, 0), name, **options).picture
    assert found.mean(axis=(0, 1)) == pytest.approx(dark.mean(axis=(0, 1)), abs=0.05)
    assert found.std() < 0.7 * dark.std()
    even = np.full_like(picture, (0, 131, 255))
    assert (changed(even, BOX, name, **options).picture == even).all()


@pytest.mark.parametrize("sigma", [0.5, 3.5, 8, 16])
def test_background_blur_is_that_of_scikit_image(noise, sigma):
    picture = noise(120, 150)
    view = changed(picture, Box(60, 50, 1, 1), "bg_blur", sigma=sigma, margin=0.0)
    due = 255 * gaussian(picture, sigma=sigma, mode="reflect", truncate=4, channel_axis=-1)
    away = np.ones((120, 150), bool)
    away[49:52, 59:62] = False
    assert np.abs(view.picture - due)[away].max() <= ROUNDED


def window(picture, box, factor):
    """The window of `zoom`, by padding: its top and left corner and its content."""
    height, width = picture.shape[:2]
    down, across = int(np.ceil(height / factor)), int(np.ceil(width / factor))
    top = int(np.floor(box.y + box.h / 2 - down / 2))
    left = int(np.floor(box.x + box.w / 2 - across / 2))
    padded = np.pad(picture, ((height, height), (width, width), (0, 0)), mode="symmetric")
    rows, columns = slice(height + top, height + top + down), slice(width + left, None)
    return top, left, padded[rows, columns][:, :across]


@pytest.mark.parametrize("factor", [4, 2, 3.3, 1, 0.5])
@pytest.mark.parametrize("place", ["top left", "bottom right", "one pixel", "fractional"])
def test_zoom_is_a_window_around_the_object_mirrored_at_the_border(picture, factor, place):
    box = EXTREME[place]
    # The window that just holds the object and half of it again is as close as it gets.
    factor = min(factor, max(min(WIDTH / box.w, HEIGHT / box.h) / 1.5, 1))
    top, left, due = window(picture, box, factor)
    view = changed(picture, box, "zoom", factor=factor)
    assert np.array_equal(view.picture, due)
    assert (view.box.x, view.box.y) == pytest.approx((box.x - left, box.y - top))
    assert (view.box.w, view.box.h) == (box.w, box.h)


def test_zoom_within_the_picture_is_the_plain_crop(picture):
    view = changed(picture, Box(38, 27, 4, 6), "zoom", factor=4)
    assert np.array_equal(view.picture, picture[22:37, 30:50])
    assert view.box == Box(8, 5, 4, 6)


@given(
    st.builds(Box, st.floats(-5, 60), st.floats(-5, 45), st.floats(0.3, 80), st.floats(0.3, 60)),
    st.sampled_from([8.0, 4.0, 2.0, 1.0, 0.7, 0.5, 0.2]),
)
@settings(deadline=None, max_examples=150)
def test_zoom_never_cuts_the_object_and_holds_it_in_the_middle(box, factor):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.uint8)
    view = changed(np.dstack([rows, columns, columns]), box, "zoom", factor=factor)
    height, width = view.picture.shape[:2]
    across, down = WIDTH / width, HEIGHT / height
    assert max(across, down) <= factor + 1e-9
    if factor > 1:
        # As much closer as was asked for, unless the object is too large for that.
        tight = min(WIDTH / box.w, HEIGHT / box.h) < 1.5 * factor
        assert tight or width == np.ceil(WIDTH / factor)
        assert (width, height) <= (WIDTH, HEIGHT)
    else:
        assert (width, height) == (np.ceil(WIDTH / factor), np.ceil(HEIGHT / factor))
    if box.w <= WIDTH and box.h <= HEIGHT:
        # Whole pixels are cut out, which may cost a part of one where the box is the picture.
        assert view.box.x >= -1
        assert view.box.x + view.box.w <= width + 1
        assert view.box.y >= -1
        assert view.box.y + view.box.h <= height + 1
    assert abs(view.box.x + box.w / 2 - width / 2) <= 1
    assert abs(view.box.y + box.h / 2 - height / 2) <= 1
    # The box follows: what was under its centre still is, where that is in the picture.
    x, y = box.x + box.w / 2, box.y + box.h / 2
    if 0 <= x < WIDTH and 0 <= y < HEIGHT:
        seen = view.picture[int(y) + round(view.box.y - box.y), int(x) + round(view.box.x - box.x)]
        assert tuple(seen[:2]) == (int(y), int(x))
