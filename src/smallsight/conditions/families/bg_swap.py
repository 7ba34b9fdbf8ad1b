"""The object in the surroundings of another one."""

from typing import Literal

import numpy as np

from smallsight.conditions.rendering.fills import (
    ObjectPixels,
    object_filled,
    object_pixels,
    surroundings_filled,
)
from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View, intervention_inputs
from smallsight.imaging.pictures import resized

Donor = Literal["same", "other"]
"""Whether surroundings come from an instance of the same category or of another one."""


@family(
    label="Background swap",
    description="the object stands in the surroundings of another one",
    is_intervention=True,
)
def bg_swap(view: View, *, donor: Donor, region: ObjectPixels = "mask") -> View:
    """Replace the object's surroundings by those of an instance in another picture.

    The donor's picture is resized to the size of the object's own, and the donor's box has the
    mean colour (after Mixed-Same and Mixed-Rand of Xiao et al., Noise or Signal, ICLR 2021).
    Where the study has no donor, everything around the object has that colour.
    """
    donors = intervention_inputs(view).donors
    if donor not in donors:
        return surroundings_filled(view, region)
    height, width = view.picture.shape[:2]
    surroundings = resized(object_filled(donors[donor](), "box").picture, width, height)
    inside = object_pixels(view, region)[..., None]
    return view.showing(np.where(inside, view.picture, surroundings))
