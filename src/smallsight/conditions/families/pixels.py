"""Objects of few pixels."""

from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View
from smallsight.conditions.rendering.windows import reduced_and_enlarged
from smallsight.params import Positive


@family(
    label="Pixels",
    description="the window reduced until the object has few pixels, then enlarged again",
    role="sweep",
    acts_on="window",
    reduces_to="side",
)
def pixels(view: View, *, side: Positive) -> View:
    """Reduce the window until the box has a side of so many pixels, then enlarge it again."""
    factor = side / view.box.side
    return view.showing(reduced_and_enlarged(view.picture, factor, factor))
