"""All objects at one size, without surroundings."""

from smallsight.conditions.rendering.fills import ObjectPixels, surroundings_filled
from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View
from smallsight.conditions.rendering.windows import zoomed_to_matched_side


@family(
    label="Object only, one size",
    description="the object as large as large objects are, the pictures' mean colour around it",
    is_intervention=True,
)
def zoom_object(view: View, *, region: ObjectPixels = "mask") -> View:
    """Bring the object to the matched side, then fill what lies outside it."""
    return surroundings_filled(zoomed_to_matched_side(view), region)
