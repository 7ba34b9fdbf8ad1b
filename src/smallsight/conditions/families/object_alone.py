"""The object alone, every object at one size."""

import numpy as np

from smallsight.conditions.rendering.fills import ObjectPixels, object_pixels
from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View, intervention_inputs


@family(
    label="Object alone, one size",
    description="nothing but the object, in a window of the pictures' mean colour",
    role="intervention",
    acts_on="window",
)
def object_alone(view: View, *, region: ObjectPixels = "mask") -> View:
    """Put the object's pixels into the middle of an even window.

    The window is larger than the box by the margin that all windows have. Near the picture's edges
    other windows are cut off there, so that objects appear larger in them; this one is not.
    """
    inputs = intervention_inputs(view)
    height, width = view.picture.shape[:2]
    rows, columns = view.box.touched_pixels(width, height)
    cut = view.picture[rows, columns]
    down, across = cut.shape[:2]
    top, left = round(inputs.window_margin * down), round(inputs.window_margin * across)
    size = (down + 2 * top, across + 2 * left)
    there = slice(top, top + down), slice(left, left + across)
    picture = np.broadcast_to(np.array(inputs.colour, np.uint8), (*size, 3)).copy()
    inside = object_pixels(view, region)[rows, columns]
    picture[there][inside] = cut[inside]
    mask = None
    if view.mask is not None:
        mask = np.zeros(size, bool)
        mask[there] = view.mask[rows, columns]
    box = view.box.shifted(left - columns.start, top - rows.start)
    return View(picture, box, mask, inputs)
