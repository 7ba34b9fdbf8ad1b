from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as transforms

from builders import views
from smallsight.conditions.families import FAMILIES
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import resize

HEIGHT, WIDTH = 60, 80
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


@pytest.fixture(scope="module")
def picture(noise):
    """Noise without the colour that interventions fill with."""
    picture = noise(HEIGHT, WIDTH).copy()
    picture[(picture == views.COLOUR).all(axis=2)] += 1
    picture.setflags(write=False)
    return picture


def changed(view, name, **options):
    return FAMILIES[name].change(view, **options)


def touched(box, height=HEIGHT, width=WIDTH):
    """(height, width), bool: what the box overlaps."""
    rows, columns = np.mgrid[:height, :width]
    across = (box.x < columns + 1) & (columns < box.x + box.w)
    return across & (box.y < rows + 1) & (rows < box.y + box.h)


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
    for name in ("object_only", "context_only", "bg_swap", "zoom_object"):
        options = {"donor": "same"} if name == "bg_swap" else {}
        as_mask, as_box = (
            changed(view, name, region=region, **options).picture for region in REGIONS
        )
        due = as_box if name == "context_only" else as_mask
        assert (changed(view, name, **options).picture == due).all()
        assert (as_mask != as_box).any()


@places
@pytest.mark.parametrize("name", ["object_only", "context_only", "bg_swap", "zoom_object"])
def test_an_object_without_pixels_of_its_own_is_its_box(picture, name, place):
    options = {"donor": "same"} if name == "bg_swap" else {}
    view = views.seen(picture, BOXES[place])
    due = changed(view, name, region="box", **options).picture
    for mask in (None, np.zeros_like(view.mask)):
        found = changed(replace(view, mask=mask), name, region="mask", **options).picture
        assert (found == due).all()


# Other surroundings.


@places
@regions
def test_swap_keeps_the_object_and_shows_the_donors_picture_without_its_object(
    picture, noise, place, region
):
    donors = {"same": noise(HEIGHT, WIDTH, 1), "other": noise(HEIGHT, WIDTH, 2)}
    view = views.seen(picture, BOXES[place], given=views.donors(**donors))
    inside = view.mask if region == "mask" else touched(view.box)
    blanked = touched(views.DONOR_BOX)
    for kind, surroundings in donors.items():
        swapped = changed(view, "bg_swap", donor=kind, region=region).picture
        assert (swapped[inside] == picture[inside]).all()
        assert (swapped[~inside & blanked] == views.COLOUR).all()
        assert (swapped[~inside & ~blanked] == surroundings[~inside & ~blanked]).all()


@pytest.mark.parametrize(("height", "width"), [(30, 130), (120, 40), (97, 61)])
def test_swap_brings_a_donor_of_any_size_to_the_pictures(picture, noise, height, width):
    surroundings = noise(height, width, 3)
    given = views.donors(surroundings, surroundings)
    view = views.seen(picture, BOXES["one pixel"], given=given)
    blanked = surroundings.copy()
    blanked[touched(views.DONOR_BOX, height, width)] = views.COLOUR
    due = transforms.resize(
        torch.from_numpy(blanked).permute(2, 0, 1).double(), [HEIGHT, WIDTH], antialias=True
    ).permute(1, 2, 0)
    swapped = changed(view, "bg_swap", donor="same").picture
    # Pillow rounds after each of its two passes.
    assert np.abs(swapped - due.numpy())[~view.mask].max() <= 1.01
    assert (swapped[view.mask] == picture[view.mask]).all()


@pytest.mark.parametrize(("height", "width"), [(HEIGHT, WIDTH), (131, 97), (40, 50)])
def test_nothing_of_the_donors_object_is_seen(picture, noise, height, width):
    def swapped(surroundings):
        view = views.seen(picture, BOXES["inside"], given=views.donors(surroundings, None))
        return changed(view, "bg_swap", donor="same").picture

    surroundings = noise(height, width, 3)
    other = surroundings.copy()
    thing = touched(views.DONOR_BOX, height, width)
    other[thing] = 255 - other[thing]
    assert (swapped(other) == swapped(surroundings)).all()
    other[np.roll(thing, 1, axis=0) & ~thing] = 0
    assert (swapped(other) != swapped(surroundings)).any()


@regions
def test_swap_without_a_donor_leaves_the_object_alone(picture, noise, region):
    given = views.donors(noise(50, 70, 1), noise(50, 70, 2))
    due = changed(views.seen(picture, BOXES["inside"]), "object_only", region=region).picture
    for missing, kind in (("same", "other"), ("other", "same")):
        one = views.seen(picture, BOXES["inside"], given={kind: given[kind]})
        found = changed(one, "bg_swap", donor=missing, region=region).picture
        assert (found == due).all()
        assert (changed(one, "bg_swap", donor=kind, region=region).picture != due).any()


def test_a_donor_is_read_by_the_intervention_that_shows_it_alone(picture, noise):
    read = []

    def donor(kind):
        return lambda: read.append(kind) or views.donor(noise(50, 70, 1))

    given = {kind: donor(kind) for kind in ("same", "other")}
    view = views.seen(picture, BOXES["inside"], given=given)
    for name in ("object_only", "context_only", "zoom_matched", "zoom_object"):
        changed(view, name)
    changed(view, "crop_low", margin=0.25)
    assert read == []
    for kind in ("other", "same"):
        changed(view, "bg_swap", donor=kind)
        assert read.pop() == kind
        assert read == []


# The crop without its pixels.


def low(picture, *, size, margin=0.25):
    view = views.seen(picture, BOXES["inside"], size=size)
    return changed(view, "crop_low", margin=margin).picture.astype(float)


@places
@pytest.mark.parametrize("margin", [0, 0.25, 3])
def test_crop_low_cuts_out_what_the_crop_does(picture, place, margin):
    view = views.seen(picture, BOXES[place])
    one, other = (changed(view, name, margin=margin) for name in ("crop_low", "orig_crop"))
    assert one.picture.shape == other.picture.shape
    assert one.box == other.box
    assert (one.mask == other.mask).all()


@pytest.mark.parametrize("size", [12, 24, 40])
def test_crop_low_holds_no_more_pixels_than_the_crop_has_at_the_input(size):
    """Whatever the picture, its rows (and columns) are mixtures of so many at most."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (12, HEIGHT, WIDTH, 3), np.uint8)
    crops = np.stack([low(picture, size=size) for picture in pictures])
    for axis, length in ((1, HEIGHT), (2, WIDTH)):
        n = crops.shape[axis]
        lines = np.moveaxis(crops, axis, -1).reshape(-1, n)
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
    view = views.seen(stripes, BOXES["inside"])
    assert np.ptp(changed(view, "orig_crop", margin=0.25).picture) == 160
    inner = low(stripes, size=size)[6:-6, 8:-8]
    assert np.ptp(inner) < 40
    assert abs(inner.mean() - 120) < 10


@pytest.mark.parametrize("size", [24, 40, 96])
def test_crop_low_keeps_what_the_input_can_hold(size):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    smooth = 128 + 60 * np.sin(rows / 12) + 60 * np.cos(columns / 15)
    smooth = np.repeat(np.rint(smooth).astype(np.uint8)[..., None], 3, axis=2)
    view = views.seen(smooth, BOXES["inside"])
    crop = changed(view, "orig_crop", margin=0.25).picture
    assert np.ptp(crop) > 100
    assert np.abs(low(smooth, size=size) - crop).mean() < 5
    # Where the object is in the untouched input, the same is seen.
    untouched = resize(smooth, size)
    seen = resize(low(smooth, size=size, margin=0).astype(np.uint8), size)
    box = view.box.scaled(size / WIDTH, size / HEIGHT)
    middle = untouched[int(box.y + box.h / 2), int(box.x + box.w / 2)].astype(float)
    assert np.abs(seen[size // 2, size // 2] - middle).max() < 12


def test_crop_low_loses_more_the_smaller_the_input(picture):
    crop = changed(views.seen(picture, BOXES["inside"]), "orig_crop", margin=0.25).picture
    lost = [np.abs(low(picture, size=size) - crop).mean() for size in (80, 40, 20, 10)]
    assert (np.diff(lost) > 1).all()


# One size for all objects.


@given(
    st.builds(Box, st.floats(-1, 60), st.floats(-1, 45), st.floats(1, 80), st.floats(1, 60)),
    st.floats(0.05, 0.95),
)
@settings(deadline=None, max_examples=200)
def test_zoom_matched_brings_every_object_to_the_side_that_its_window_allows(box, side):
    view = views.seen(np.zeros((HEIGHT, WIDTH, 3), np.uint8), box, side=side)
    zoomed = changed(view, "zoom_matched")
    height, width = zoomed.picture.shape[:2]
    room = min(WIDTH / box.w, HEIGHT / box.h) / 1.5
    closer = side / view.side
    # A window has whole pixels: up to one more each way than was asked for.
    due = min(closer, max(room, 1))
    least = box.side / np.sqrt((WIDTH / due + 1) * (HEIGHT / due + 1))
    assert least <= zoomed.side <= due * view.side + 1e-9
    if closer < 1:
        assert width > WIDTH
        assert height > HEIGHT
    else:
        assert width <= WIDTH
        assert height <= HEIGHT


@pytest.mark.parametrize("box", [Box(30, 20, 6, 8), Box(5, 5, 70, 50), Box(40, 2, 24, 18)])
def test_small_and_large_objects_come_out_alike(noise, box):
    view = views.seen(noise(480, 640), box.scaled(8, 8), side=0.4)
    assert changed(view, "zoom_matched").side == pytest.approx(0.4, rel=0.02)


def test_objects_too_wide_for_their_side_are_shown_whole(picture):
    view = views.seen(picture, Box(8, 20, 64, 4), side=0.6)
    zoomed = changed(view, "zoom_matched")
    assert zoomed.side == pytest.approx(view.side, rel=0.02)
    assert 0 <= zoomed.box.x <= zoomed.picture.shape[1] - 64


@places
@regions
@pytest.mark.parametrize("side", [0.1, 0.4, 0.8])
def test_zoom_object_is_what_object_only_makes_of_it(picture, place, region, side):
    view = views.seen(picture, BOXES[place], side=side)
    found = changed(view, "zoom_object", region=region)
    due = changed(changed(view, "zoom_matched"), "object_only", region=region)
    assert (found.picture == due.picture).all()
    assert found.box == due.box
    assert (found.mask == due.mask).all()


@places
@pytest.mark.parametrize("side", [0.1, 0.4])
def test_zoom_object_shows_no_reflection_of_the_object(place, side):
    view = views.seen(np.zeros((HEIGHT, WIDTH, 3), np.uint8), BOXES[place], side=side)
    painted = view.picture.copy()
    painted[view.mask] = 255
    found = changed(view.showing(painted), "zoom_object")
    assert (found.picture[found.mask] == 255).all()
    assert (found.picture[~found.mask] == views.COLOUR).all()
    assert found.mask.any()
