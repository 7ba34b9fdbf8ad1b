import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallsight import conditions
from smallsight.conditions import FAMILIES, View, ladder, ladders
from smallsight.errors import ParameterError
from smallsight.geometry import Box

HEIGHT, WIDTH = 60, 80
BOX = Box(20, 12, 32, 24)
EXTREME = {
    "top left": Box(0, 0, 10, 8),
    "bottom right": Box(WIDTH - 10, HEIGHT - 8, 10, 8),
    "one pixel": Box(40, 30, 1, 1),
    "last pixel": Box(WIDTH - 1, HEIGHT - 1, 1, 1),
    "less than a pixel": Box(40.3, 30.4, 0.3, 0.3),
    "whole picture": Box(0, 0, WIDTH, HEIGHT),
    "bigger than the picture": Box(-10, -10, WIDTH + 20, HEIGHT + 20),
    "fractional": Box(20.37, 11.81, 17.4, 9.93),
    "one pixel beyond": Box(-1, HEIGHT - 9, 12, 10),
    "full width": Box(0, 30.5, WIDTH, 1.25),
}
INNER = st.builds(
    Box, st.floats(1, 40), st.floats(1, 25), st.floats(3, 38), st.floats(3, 33)
)  # fmt: skip
"""Boxes inside the picture, so big that 0.35 of them holds a pixel's centre."""


@pytest.fixture(scope="module")
def picture(noise):
    return noise(HEIGHT, WIDTH)


@pytest.fixture(scope="module")
def references(study):
    return {name: steps[0] for name, steps in ladders(study.conditions).items()}


def changed(picture, box, name, **options):
    return FAMILIES[name].change(View(picture, box), **options)


def spans(box):
    """Rows and columns whose pixels lie wholly in a box, and those that it touches at all."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    right, bottom = box.x + box.w, box.y + box.h
    inside = (box.x <= columns) & (columns + 1 <= right) & (box.y <= rows) & (rows + 1 <= bottom)
    touched = (box.x < columns + 1) & (columns < right) & (box.y < rows + 1) & (rows < bottom)
    return inside, touched


# What holds for every family.


@pytest.mark.parametrize("place", EXTREME)
@pytest.mark.parametrize("name", FAMILIES)
def test_any_box_gives_a_picture_and_the_same_one_again(picture, references, name, place):
    view = View(picture, EXTREME[place])  # `picture` raises where it is written to
    before = picture.copy()
    first, second = references[name].apply(view), references[name].apply(view)
    assert first.picture.dtype == np.uint8
    assert first.picture.ndim == 3
    assert first.picture.shape[2] == 3
    assert min(first.picture.shape) >= 1
    assert (first.picture == second.picture).all()
    assert first.box == second.box
    assert (picture == before).all()
    assert view.box == EXTREME[place]
    height, width = first.picture.shape[:2]
    seen = first.box.clipped(width, height)
    assert seen.w > 0
    assert seen.h > 0


@pytest.mark.parametrize("name", set(FAMILIES) - {"orig_crop"})
def test_all_but_the_crop_keep_the_frame(picture, references, name):
    view = references[name].apply(View(picture, BOX))
    assert view.picture.shape == picture.shape
    assert view.box == BOX


@pytest.mark.parametrize("name", set(FAMILIES) - {"orig_full", "orig_crop", "occlusion"})
def test_an_even_picture_stays_even(references, name):
    even = np.full((HEIGHT, WIDTH, 3), (13, 200, 255), np.uint8)
    assert (references[name].apply(View(even, BOX)).picture == even).all()


# Each family, stated once more without its code.


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
    assert abs(left - max(box.x - margin * box.w, 0)) < 1
    assert abs(top - max(box.y - margin * box.h, 0)) < 1
    assert abs(right - min(box.x + (1 + margin) * box.w, WIDTH)) < 1
    assert abs(bottom - min(box.y + (1 + margin) * box.h, HEIGHT)) < 1
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
    # Pillow rounds after each of its four passes, two down and two up.
    assert np.abs(view.picture - up).max() <= 2.01
    assert np.abs(view.picture - up).mean() <= 1


@pytest.mark.parametrize("scale", [0.25, 0.6, 0.3, 0.05])
def test_downscale_by_any_scale_averages_areas(picture, scale):
    view = changed(picture, BOX, "downscale", scale=scale)
    assert np.abs(view.picture - reduced_and_enlarged(picture, scale)).max() <= 2.01


def test_downscale_of_odd_sizes_averages_areas(noise):
    picture = noise(43, 57)
    view = changed(picture, BOX, "downscale", scale=0.5)
    assert np.abs(view.picture - reduced_and_enlarged(picture, 0.5)).max() <= 2.01


def test_downscale_by_one_changes_nothing(picture):
    assert (changed(picture, BOX, "downscale", scale=1.0).picture == picture).all()


def test_downscale_of_a_tiny_picture_keeps_one_pixel(noise):
    few = noise(2, 3)
    view = changed(few, Box(0, 0, 1, 1), "downscale", scale=0.05)
    assert np.abs(view.picture - few.mean(axis=(0, 1))).max() <= 1


@pytest.mark.parametrize("length", [15, 5, 1])
def test_motion_blur_is_the_mean_along_a_line(picture, length):
    half = length // 2
    padded = np.pad(picture.astype(float), ((0, 0), (half, half), (0, 0)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, length, axis=1)
    view = changed(picture, BOX, "motion_blur", length=length)
    assert np.abs(view.picture - windows.mean(axis=-1)).max() <= 0.5 + 1e-3


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


# Names, levels and what is refused.


def test_names_and_levels():
    steps = ladder("downscale", {"downscale": {"scale": [0.5, 0.25, 1]}})
    assert [step.name for step in steps] == [
        "downscale", "downscale/scale=0.25", "downscale/scale=1",
    ]  # fmt: skip
    assert [step.level for step in steps] == ["scale=0.5", "scale=0.25", "scale=1"]
    assert [step.is_reference for step in steps] == [True, False, False]
    (only,) = ladder("orig_full", {"orig_full": {}})
    assert (only.name, only.level) == ("orig_full", "default")


def test_levels_are_every_combination_in_the_order_listed():
    listed = {"sigma": [3.5, 7], "margin": [0.1, 0.0, 0.3]}
    steps = ladder("bg_blur", {"bg_blur": listed})
    due = itertools.product(["3.5", "7"], ["0.1", "0", "0.3"])
    assert [step.level for step in steps] == [f"sigma={s},margin={m}" for s, m in due]
    assert steps[0].name == "bg_blur"
    assert all(step.name == f"bg_blur/{step.level}" for step in steps[1:])


def test_level_names_its_options_in_one_order_however_they_are_listed():
    one = ladder("bg_blur", {"bg_blur": {"sigma": 3.5, "margin": [0.1]}})
    other = ladder("bg_blur", {"bg_blur": {"margin": 0.1, "sigma": [3.5]}})
    assert one == other
    assert one[0].level == "sigma=3.5,margin=0.1"


def test_families_of_the_study_are_the_original_six(study):
    names = [step.name for steps in ladders(study.conditions).values() for step in steps]
    assert names == ["orig_full", "orig_crop", "downscale", "motion_blur", "occlusion", "bg_blur"]


def test_condition_applies_its_own_options(picture):
    strong, weak = ladder("bg_blur", {"bg_blur": {"sigma": [8.0, 1.2], "margin": 0.0}})
    for step, sigma in ((strong, 8.0), (weak, 1.2)):
        due = changed(picture, BOX, "bg_blur", sigma=sigma, margin=0.0)
        assert (step.apply(View(picture, BOX)).picture == due.picture).all()


def test_every_family_says_what_it_is():
    texts = [(family.label, family.description) for family in FAMILIES.values()]
    assert all(label and description for label, description in texts)
    assert len({label for label, _ in texts}) == len(FAMILIES)
    assert all(name == family.name for name, family in FAMILIES.items())


def test_a_new_family_needs_one_function(monkeypatch, picture):
    monkeypatch.setattr(conditions, "FAMILIES", dict(FAMILIES))

    @conditions.family(label="Inverted", description="light for dark")
    def inverted(view, *, strength: conditions.Share):
        return View(np.rint(view.picture * (1 - strength)).astype(np.uint8), view.box)

    (step,) = ladder("inverted", {"inverted": {"strength": 1.0}})
    assert (step.name, step.level) == ("inverted", "strength=1")
    assert not step.apply(View(picture, BOX)).picture.any()
    with pytest.raises(ParameterError, match=r"conditions\.inverted\.strength: 2"):
        ladder("inverted", {"inverted": {"strength": 2}})


@pytest.mark.parametrize(
    ("name", "options", "where", "found"),
    [
        ("downscale", {"scale": [0]}, "scale", "0"),
        ("downscale", {"scale": [0.5, 1.5]}, "scale", "1.5"),
        ("downscale", {"scale": "half"}, "scale", "'half'"),
        ("downscale", {"scale": True}, "scale", "True"),
        ("orig_crop", {"margin": [-0.1]}, "margin", "-0.1"),
        ("motion_blur", {"length": [0]}, "length", "0"),
        ("motion_blur", {"length": [2.5]}, "length", "2.5"),
        ("occlusion", {"ratio": [1.01]}, "ratio", "1.01"),
        ("bg_blur", {"sigma": [0], "margin": [0.1]}, "sigma", "0"),
        ("bg_blur", {"sigma": [1], "margin": [2]}, "margin", "2"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(name, options, where, found):
    with pytest.raises(ParameterError) as caught:
        ladder(name, {name: options})
    assert caught.value.where == f"conditions.{name}.{where}"
    assert caught.value.found == found
    assert len(str(caught.value).splitlines()) == 1


def test_an_unknown_option_lists_the_known_ones():
    with pytest.raises(ParameterError) as caught:
        ladder("bg_blur", {"bg_blur": {"sigma": 1.0, "margn": 0.1}})
    assert caught.value.where == "conditions.bg_blur.margn"
    assert caught.value.expected == "one of sigma, margin"


def test_a_missing_option_is_named():
    with pytest.raises(ParameterError) as caught:
        ladder("bg_blur", {"bg_blur": {"sigma": 1.0}})
    assert caught.value.where == "conditions.bg_blur.margin"


def test_an_unknown_family_lists_the_known_ones():
    with pytest.raises(ParameterError) as caught:
        ladders({"orig_full": {}, "downscal": {"scale": 0.5}})
    assert caught.value.where == "conditions.downscal"
    assert caught.value.expected == "one of " + ", ".join(FAMILIES)


def test_a_family_that_is_not_listed_names_those_that_are():
    with pytest.raises(ParameterError, match=r"conditions\.bg_blur: nothing; .* orig_full$"):
        ladder("bg_blur", {"orig_full": {}})


@pytest.mark.parametrize("scale", [[], [0.5, 0.5], [0.5, 0.50000001]])
def test_a_level_that_is_none_or_twice_is_refused(scale):
    with pytest.raises(ParameterError, match=r"^parameter error: conditions\.downscale: "):
        ladder("downscale", {"downscale": {"scale": scale}})


@pytest.mark.parametrize("listed", [{}, {"downscale": {"scale": 0.5}}])
def test_the_untouched_family_must_be_there(listed):
    with pytest.raises(ParameterError, match=r"expected orig_full$"):
        ladders(listed)
