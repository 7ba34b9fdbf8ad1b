"""Probes: families that take the object, its pixels and its surroundings apart."""

from typing import Literal

import numpy as np

from smallsight.conditions.families.corruptions import orig_crop, zoom
from smallsight.conditions.registry import family
from smallsight.conditions.views import InterventionInputs, View
from smallsight.imaging.pictures import resized
from smallsight.params import NotNegative

Region = Literal["mask", "box"]
"""What counts as the object: its own pixels where they are known, or its whole box."""


Donor = Literal["same", "other"]
"""Whether surroundings come from an instance of the same category or of another one."""


@family(
    label="Object only",
    description="everything around the object has the pictures' mean colour",
    is_probe=True,
)
def object_only(view: View, *, region: Region = "mask") -> View:
    """Fill what lies outside the object with the mean colour."""
    colour = np.array(_material(view).colour, np.uint8)
    return view.showing(np.where(_inside(view, region)[..., None], view.picture, colour))


@family(
    label="Context only",
    description="the object's box has the pictures' mean colour",
    is_probe=True,
)
def context_only(view: View, *, region: Region = "box") -> View:
    """Fill the object with the mean colour.

    The whole box by default, because the outline of a mask would show what was there.
    """
    colour = np.array(_material(view).colour, np.uint8)
    return view.showing(np.where(_inside(view, region)[..., None], colour, view.picture))


@family(
    label="Background swap",
    description="the object stands in the surroundings of another one",
    is_probe=True,
)
def bg_swap(view: View, *, donor: Donor, region: Region = "mask") -> View:
    """Put the object, where it is, before the surroundings of an instance in another picture.

    The donor's picture is brought to the size of the object's own, and the donor's box has the
    mean colour (after Mixed-Same and Mixed-Rand of Xiao et al., Noise or Signal, ICLR 2021).
    Where the study has no donor, all around the object has that colour.
    """
    donors = _material(view).donors
    if donor not in donors:
        return object_only(view, region=region)
    height, width = view.picture.shape[:2]
    surroundings = resized(context_only(donors[donor]()).picture, width, height)
    return view.showing(np.where(_inside(view, region)[..., None], view.picture, surroundings))


@family(
    label="Crop, few pixels",
    description="the crop with no more pixels than it has in the whole picture",
    is_probe=True,
)
def crop_low(view: View, *, margin: NotNegative) -> View:
    """Reduce the crop to its size in the untouched picture's input, then enlarge it again.

    The context goes as with `orig_crop`, but nothing is gained in pixels.
    """
    height, width = view.picture.shape[:2]
    size = _material(view).input_size
    crop = orig_crop(view, margin=margin)
    down, across = crop.picture.shape[:2]
    few = max(round(across * size / width), 1), max(round(down * size / height), 1)
    return crop.showing(resized(resized(crop.picture, *few), across, down))


@family(
    label="Zoom to one size",
    description="a window in which the object is as large as large objects are",
    is_probe=True,
)
def zoom_matched(view: View) -> View:
    """Bring the object to the matched side by `zoom`, as near as its window allows."""
    return zoom(view, factor=_material(view).matched_side / view.side)


@family(
    label="Object only, one size",
    description="the object as large as large objects are, the pictures' mean colour around it",
    is_probe=True,
)
def zoom_object(view: View, *, region: Region = "mask") -> View:
    """Bring the object to the matched side, then fill what lies outside it."""
    return object_only(zoom_matched(view), region=region)


def _material(view: View) -> InterventionInputs:
    if view.material is None:
        raise ValueError("a probe needs a view with material")
    return view.material


def _inside(view: View, region: Region) -> np.ndarray:
    """(height, width), bool: the object's pixels, or those that its box touches."""
    if region == "mask" and view.mask is not None and view.mask.any():
        return view.mask
    height, width = view.picture.shape[:2]
    inside = np.zeros((height, width), bool)
    inside[view.box.touched_pixels(width, height)] = True
    return inside
