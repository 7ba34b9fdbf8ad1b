"""The object from nearer or farther away."""

from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View
from smallsight.conditions.rendering.windows import zoomed
from smallsight.params import Positive


@family(
    label="Zoom",
    description="a window around the object, in the size of the picture",
    acts_on="frame",
    factor=1,
)
def zoom(view: View, *, factor: Positive) -> View:
    """Show the object `factor` times larger, in the middle of a window onto the picture.

    `windows.zoomed` says where enlarging stops, and what lies beyond the picture's edges.
    """
    return zoomed(view, factor=factor)
