"""Objects hidden in part."""

from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View
from smallsight.params import PositiveShare


@family(label="Occlusion", description="a black rectangle over the middle of the object", ratio=0)
def occlusion(view: View, *, ratio: PositiveShare) -> View:
    """Black out a centred rectangle of `ratio` times the box's width and height."""
    picture = view.picture.copy()
    picture[view.box.shrunk_to(ratio).pixels()] = 0
    return view.showing(picture)
