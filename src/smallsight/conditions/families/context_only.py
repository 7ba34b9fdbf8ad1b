"""The surroundings without the object."""

from smallsight.conditions.rendering.fills import ObjectPixels, object_filled
from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View


@family(
    label="Context only",
    description="the object's box has the pictures' mean colour",
    role="intervention",
)
def context_only(view: View, *, region: ObjectPixels = "box") -> View:
    """Fill the object with the mean colour.

    The whole box by default, because the outline of a mask would show what was there.
    """
    return object_filled(view, region)
