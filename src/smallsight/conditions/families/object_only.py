"""The object without its surroundings."""

from smallsight.conditions.rendering.fills import ObjectPixels, surroundings_filled
from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View


@family(
    label="Object only",
    description="everything around the object has the pictures' mean colour",
    role="intervention",
)
def object_only(view: View, *, region: ObjectPixels = "mask") -> View:
    """Fill what lies outside the object with the mean colour."""
    return surroundings_filled(view, region)
