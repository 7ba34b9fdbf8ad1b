"""All objects at one size, surroundings kept."""

from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View
from smallsight.conditions.rendering.windows import zoomed_to_matched_side


@family(
    label="Zoom to one size",
    description="a window in which the object is as large as large objects are",
    is_intervention=True,
)
def zoom_matched(view: View) -> View:
    """Bring the object to the matched side by a zoom, as near as its window allows."""
    return zoomed_to_matched_side(view)
