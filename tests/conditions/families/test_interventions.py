from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as transforms

from builders import views
from builders.families import level
from builders.views import HEIGHT, WIDTH, touched
from smallsight.conditions.families import FAMILIES
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import resize

BOXES = {
    "inside": Box(20, 12, 32, 24),
    "fractional": Box(20.37, 11.81, 17.4, 9.93),
    "one pixel": Box(40, 30, 1, 1),
    "corner": Box(WIDTH - 10.5, HEIGHT - 8, 11, 8),
    "whole picture": Box(0, 0, WIDTH, HEIGHT),
}
REGIONS = ["mask", "box"]
places = pytest.mark.parametrize("place", BOXES)
regions = pytest.mark.parametrize("region", REGIONS)
donor_places = pytest.mark.parametrize(
    "box",
    [Box(20, 12, 32, 24), Box(10.5, 8.25, 20.0, 15.5), Box(0, 40, 30, 20), Box(-0.5, 0, 9, 70),
     Box(3, 3, 5, 2)],
    ids=["whole pixels", "fractional", "at an edge", "beyond an edge", "much smaller"],
)  # fmt: skip


@pytest.fixture(scope="module")
def picture(noise):
    """Noise without the colour that interventions fill with."""
    picture = noise(HEIGHT, WIDTH).copy()
    picture[(picture == views.COLOUR).all(axis=2)] += 1
    picture.setflags(write=False)
    return picture


def changed(view, name, **options):
    """A whole picture changed."""
    return FAMILIES[name].change(view, **options)


def shown(view, name, **options):
    """What the object task shows of a view."""
    return level(name, **options).apply(view)


# The object, its surroundings.


@places
@regions
def test_object_and_context_are_each_others_complement(picture, place, region):
    view = views.seen(picture, BOXES[place])
    inside = view.mask if region == "mask" else touched(view.box)
    thing, context = (
        changed(view, name, region=region).picture for name in ("object_only", "context_only")
    )
    assert (thing[inside] == picture[inside]).all()
    assert (thing[~inside] == views.COLOUR).all()
    assert (context[inside] == views.COLOUR).all()
    assert (context[~inside] == picture[~inside]).all()


def test_the_object_is_its_mask_and_what_is_hidden_its_box_unless_said_otherwise(picture):
    view = views.seen(picture, BOXES["inside"])
    for name in ("object_only", "context_only", "bg_swap", "object_alone"):
        options = {"donor": "same"} if name == "bg_swap" else {}
        as_mask, as_box = (
            shown(view, name, region=region, **options).picture for region in REGIONS
        )
        due = as_box if name == "context_only" else as_mask
        assert (shown(view, name, **options).picture == due).all()
        assert (as_mask != as_box).any()


@places
@pytest.mark.parametrize("name", ["object_only", "context_only", "bg_swap", "object_alone"])
def test_an_object_without_pixels_of_its_own_is_its_box(picture, name, place):
    options = {"donor": "same"} if name == "bg_swap" else {}
    view = views.seen(picture, BOXES[place])
    due = shown(view, name, region="box", **options).picture
    for mask in (None, np.zeros_like(view.mask)):
        found = shown(replace(view, mask=mask), name, region="mask", **options).picture
        assert (found == due).all()


# Other surroundings.


@places
@regions
def test_swaps_differ_outside_the_objects_box_alone(picture, noise, place, region):
    given = views.donors(noise(50, 70, 1), noise(55, 64, 2))
    view = views.seen(picture, BOXES[place], given=given)
    cut = views.window(view)
    height, width = cut.picture.shape[:2]
    inside = touched(cut.box, height, width)
    thing = cut.mask if region == "mask" else inside
    same, other = (
        shown(view, "bg_swap", donor=kind, region=region).picture for kind in ("same", "other")
    )
    assert same.shape == other.shape == cut.picture.shape
    assert (same[inside] == other[inside]).all()
    assert (same[thing] == cut.picture[thing]).all()
    assert (same[inside & ~thing] == views.COLOUR).all()
    if not inside.all():
        assert (same != other).any(axis=2)[~inside].mean() > 0.8


def test_swap_shows_what_surrounds_the_donor_where_it_surrounds_the_object(picture, noise):
    """A donor of the same size, elsewhere in another picture: whole pixels, nothing resized."""
    view = views.seen(picture, Box(20, 12, 32, 24))
    surroundings = noise(90, 110, 1)
    given = {"same": lambda: views.donor(surroundings, Box(60, 40, 32, 24))}
    found = shown(replace(view, inputs=replace(view.inputs, donors=given)), "bg_swap", donor="same")
    outside = ~touched(found.box, 36, 48)
    due = surroundings[34 : 34 + 36, 52 : 52 + 48]
    assert (found.picture[outside] == due[outside]).all()


def test_what_lies_beyond_the_donors_picture_is_reflected(picture, noise):
    view = views.seen(picture, Box(20, 12, 32, 24))
    surroundings = noise(24, 40, 1)
    given = {"same": lambda: views.donor(surroundings, Box(4, 0, 32, 24))}
    found = shown(replace(view, inputs=replace(view.inputs, donors=given)), "bg_swap", donor="same")
    blanked = surroundings.copy()
    blanked[:, 4:36] = views.COLOUR
    due = np.pad(blanked, ((6, 6), (4, 4), (0, 0)), mode="symmetric")
    outside = ~touched(found.box, 36, 48)
    assert (found.picture[outside] == due[outside]).all()


@pytest.mark.parametrize("times", [2, 3, 0.5])
def test_swap_brings_the_donors_surroundings_to_the_objects_size(picture, noise, times):
    view = views.seen(picture, Box(20, 12, 32, 24))
    surroundings = noise(200, 300, 3)
    box = Box(64, 48, 32 * times, 24 * times)
    given = {"same": lambda: views.donor(surroundings, box)}
    found = shown(replace(view, inputs=replace(view.inputs, donors=given)), "bg_swap", donor="same")
    blanked = surroundings.copy()
    blanked[touched(box, 200, 300)] = views.COLOUR
    there = views.grown(box)
    cut = blanked[int(there.y) : int(there.y + there.h), int(there.x) : int(there.x + there.w)]
    due = transforms.resize(
        torch.from_numpy(cut).permute(2, 0, 1).double(), [36, 48], antialias=True
    ).permute(1, 2, 0)
    outside = ~touched(found.box, 36, 48)
    # Pillow rounds after each of its two passes.
    assert np.abs(found.picture - due.numpy())[outside].max() <= 1.01


@donor_places
@places
def test_nothing_of_the_donors_object_is_seen(picture, noise, place, box):
    def swapped(surroundings):
        given = {"same": lambda: views.donor(surroundings, box)}
        return shown(views.seen(picture, BOXES[place], given=given), "bg_swap", donor="same")

    surroundings = noise(HEIGHT, WIDTH, 3)
    other = surroundings.copy()
    other[touched(box)] = 255 - other[touched(box)]
    assert (swapped(other).picture == swapped(surroundings).picture).all()
    if place == "inside":
        other[touched(views.grown(box)) & ~touched(box)] = 0
        assert (swapped(other).picture != swapped(surroundings).picture).any()


@regions
def test_swap_without_a_donor_leaves_the_object_alone(picture, noise, region):
    given = views.donors(noise(50, 70, 1), noise(50, 70, 2))
    due = shown(views.seen(picture, BOXES["inside"]), "object_only", region=region).picture
    for missing, kind in (("same", "other"), ("other", "same")):
        one = views.seen(picture, BOXES["inside"], given={kind: given[kind]})
        found = shown(one, "bg_swap", donor=missing, region=region).picture
        assert (found == due).all()
        assert (shown(one, "bg_swap", donor=kind, region=region).picture != due).any()


def test_a_donor_is_read_by_the_intervention_that_shows_it_alone(picture, noise):
    read = []

    def donor(kind):
        return lambda: read.append(kind) or views.donor(noise(50, 70, 1))

    given = {kind: donor(kind) for kind in ("same", "other")}
    view = views.seen(picture, BOXES["inside"], given=given)
    for name in ("object_only", "context_only", "object_alone", "crop_low"):
        shown(view, name)
    assert read == []
    for kind in ("other", "same"):
        shown(view, "bg_swap", donor=kind)
        assert read.pop() == kind
        assert read == []


# The window without its pixels.


def low(picture, *, size):
    return shown(views.seen(picture, BOXES["inside"], size=size), "crop_low").picture.astype(float)


@places
def test_crop_low_shows_the_window(picture, place):
    view = views.seen(picture, BOXES[place])
    one, other = shown(view, "crop_low"), views.window(view)
    assert one.picture.shape == other.picture.shape
    assert one.box == other.box
    assert (one.mask == other.mask).all()


@pytest.mark.parametrize("size", [12, 24, 40])
def test_crop_low_holds_no_more_pixels_than_the_whole_pictures_input_has_there(size):
    """Whatever the picture, its rows (and columns) are mixtures of so many at most."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (12, HEIGHT, WIDTH, 3), np.uint8)
    windows = np.stack([low(picture, size=size) for picture in pictures])
    for axis, length in ((1, HEIGHT), (2, WIDTH)):
        n = windows.shape[axis]
        lines = np.moveaxis(windows, axis, -1).reshape(-1, n)
        spread = np.linalg.svd(lines - lines.mean(), compute_uv=False) / np.sqrt(len(lines))
        pixels = int(n * size / length + 0.5)
        assert n > pixels + 4
        # What is beyond comes of rounding to whole levels; the levels go from 0 to 255.
        assert spread[pixels:].max() < 1
        assert spread[pixels - 1] > 5


@pytest.mark.parametrize(("size", "period"), [(10, 2), (10, 4), (20, 2)])
@pytest.mark.parametrize("axis", [0, 1])
def test_crop_low_loses_detail_finer_than_the_inputs_pixels(size, period, axis):
    """At 10 pixels one of the input's covers 6 rows or 8 columns, at 20 half as many."""
    cells = np.indices((HEIGHT, WIDTH))[axis] // (period // 2) % 2
    stripes = np.repeat((40 + 160 * cells).astype(np.uint8)[..., None], 3, axis=2)
    assert np.ptp(views.window(views.seen(stripes, BOXES["inside"])).picture) == 160
    inner = low(stripes, size=size)[6:-6, 8:-8]
    assert np.ptp(inner) < 40
    assert abs(inner.mean() - 120) < 10


@pytest.mark.parametrize("size", [24, 40, 96])
def test_crop_low_keeps_what_the_input_can_hold(size):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    smooth = 128 + 60 * np.sin(rows / 12) + 60 * np.cos(columns / 15)
    smooth = np.repeat(np.rint(smooth).astype(np.uint8)[..., None], 3, axis=2)
    view = views.seen(smooth, BOXES["inside"])
    window = views.window(view).picture
    assert np.ptp(window) > 100
    assert np.abs(low(smooth, size=size) - window).mean() < 5
    # Where the object is in the untouched input, the same is seen.
    untouched = resize(smooth, size)
    seen = resize(low(smooth, size=size).astype(np.uint8), size)
    box = view.box.scaled(size / WIDTH, size / HEIGHT)
    middle = untouched[int(box.y + box.h / 2), int(box.x + box.w / 2)].astype(float)
    assert np.abs(seen[size // 2, size // 2] - middle).max() < 12


def test_crop_low_loses_more_the_smaller_the_input(picture):
    window = views.window(views.seen(picture, BOXES["inside"])).picture
    lost = [np.abs(low(picture, size=size) - window).mean() for size in (80, 40, 20, 10)]
    assert (np.diff(lost) > 1).all()


# The object alone, at one size.


@given(st.floats(-1, 60), st.floats(-1, 45), st.floats(1, 80), st.floats(1, 60))
@settings(deadline=None, max_examples=200)
def test_every_object_has_the_same_place_and_size(x, y, w, h):
    """Two thirds of the width and height, in the middle, to a pixel or two of the picture."""
    # As in a sample, no box reaches more than a pixel beyond the picture.
    box = Box(x, y, min(w, WIDTH + 1 - x), min(h, HEIGHT + 1 - y))
    found = shown(views.seen(np.zeros((HEIGHT, WIDTH, 3), np.uint8), box), "object_alone")
    height, width = found.picture.shape[:2]
    seen = box.clipped(WIDTH, HEIGHT)
    assert abs(width - 1.5 * seen.w) <= 4
    assert abs(height - 1.5 * seen.h) <= 4
    here = found.box.clipped(width, height)
    assert abs(here.x + here.w / 2 - width / 2) <= 1.5
    assert abs(here.y + here.h / 2 - height / 2) <= 1.5


@pytest.mark.parametrize(
    "box", [Box(240, 160, 20, 24), Box(0, 0, 560, 400), Box(600, 0, 40, 60), Box(8, 420, 400, 60)]
)
def test_neither_size_nor_shape_nor_an_edge_changes_what_the_network_sees_of_it(noise, box):
    view = views.seen(noise(480, 640), box)
    found = shown(view, "object_alone")
    height, width = found.picture.shape[:2]
    here = found.box.scaled(1 / width, 1 / height)
    assert (here.x, here.y) == pytest.approx((1 / 6, 1 / 6), abs=0.02)
    assert (here.w, here.h) == pytest.approx((2 / 3, 2 / 3), abs=0.02)


@places
@regions
def test_object_alone_shows_the_object_and_nothing_else(picture, place, region):
    view = views.seen(picture, BOXES[place])
    found = shown(view, "object_alone", region=region)
    thing = view.mask if region == "mask" else touched(view.box)
    here = (found.picture != views.COLOUR).any(axis=2)
    assert here.sum() == thing.sum()
    if region == "mask":
        assert (here == found.mask).all()
    assert (found.picture[here] == picture[thing]).all()
