"""The object or its surroundings replaced by the pictures' mean colour."""

from typing import Literal

import numpy as np

from smallsight.conditions.rendering.views import View, intervention_inputs

ObjectPixels = Literal["mask", "box"]
"""What counts as the object: its own pixels where they are known, or its whole box."""


def object_pixels(view: View, region: ObjectPixels) -> np.ndarray:
    """Return the object's own pixels, or those that its box touches: (height, width), bool."""
    if region == "mask" and view.mask is not None and view.mask.any():
        return view.mask
    height, width = view.picture.shape[:2]
    inside = np.zeros((height, width), bool)
    inside[view.box.touched_pixels(width, height)] = True
    return inside


def mean_colour_of(view: View) -> np.ndarray:
    """Return the mean colour of the study's pictures: (3,), uint8."""
    return np.array(intervention_inputs(view).colour, np.uint8)


def surroundings_filled(view: View, region: ObjectPixels) -> View:
    """Fill everything around the object with the mean colour."""
    inside = object_pixels(view, region)[..., None]
    return view.showing(np.where(inside, view.picture, mean_colour_of(view)))


def object_filled(view: View, region: ObjectPixels) -> View:
    """Fill the object with the mean colour."""
    inside = object_pixels(view, region)[..., None]
    return view.showing(np.where(inside, mean_colour_of(view), view.picture))
