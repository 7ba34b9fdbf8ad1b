"""The object in the surroundings of another one."""

import math
from typing import Literal

import numpy as np

from smallsight.conditions.rendering.fills import (
    ObjectPixels,
    mean_colour_of,
    object_filled,
    object_pixels,
    surroundings_filled,
)
from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View, intervention_inputs
from smallsight.conditions.rendering.windows import reflected
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import resized

Donor = Literal["same", "other"]
"""Whether surroundings come from round an object of the same category or of another one."""


@family(
    label="Background swap",
    description="the object in its window, in the surroundings of another one",
    role="intervention",
    acts_on="window",
)
def bg_swap(view: View, *, donor: Donor, region: ObjectPixels = "mask") -> View:
    """Replace what surrounds the object in its window by what surrounds another object.

    The donor's surroundings are resized until its box has the place of the object's; beyond its
    picture's edges they are reflected. The donor's own object, and whatever lies in that box beside
    the object, has the mean colour, so that two kinds of donor differ in the surroundings alone.
    Where the study has no donor, everything around the object has that colour.
    """
    donors = intervention_inputs(view).donors
    if donor not in donors:
        return surroundings_filled(view, region)
    picture = _surroundings(view, donors[donor]())
    height, width = view.picture.shape[:2]
    picture[view.box.touched_pixels(width, height)] = mean_colour_of(view)
    inside = object_pixels(view, region)[..., None]
    return view.showing(np.where(inside, view.picture, picture))


def _surroundings(view: View, donor: View) -> np.ndarray:
    """Return what lies round a donor's box, in the size of the view's picture.

    It reaches as far, in widths and heights of the donor's box, as the view's picture does in
    those of its own.
    """
    height, width = view.picture.shape[:2]
    across, down = donor.box.w / view.box.w, donor.box.h / view.box.h
    left = math.floor(donor.box.x - across * view.box.x)
    top = math.floor(donor.box.y - down * view.box.y)
    reach = Box(left, top, max(math.ceil(across * width), 1), max(math.ceil(down * height), 1))
    # Filled before it is resized, whose averages would mix the donor's object in.
    surroundings = object_filled(donor, "box").picture
    return resized(reflected(surroundings, reach), width, height).copy()
