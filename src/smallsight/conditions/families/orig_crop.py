"""The crop of the object."""

import math

from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View
from smallsight.conditions.rendering.windows import cropped
from smallsight.params import NotNegative


@family(
    label="Crop",
    description="the object's box and a margin around it, nothing else",
    acts_on="frame",
    margin=math.inf,
)
def orig_crop(view: View, *, margin: NotNegative) -> View:
    """Cut out the box, grown on each side by a share of its width and height, and clipped."""
    return cropped(view, margin=margin)
