"""The window without its gain in pixels."""

from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View, intervention_inputs
from smallsight.conditions.rendering.windows import reduced_and_enlarged


@family(
    label="Window, few pixels",
    description="the window with no more pixels than it has in the whole picture",
    role="intervention",
    acts_on="window",
)
def crop_low(view: View) -> View:
    """Reduce the window to its size in the whole picture's input, then enlarge it again.

    Nothing else is shown, as in the untouched window, but no pixels are gained.
    """
    height, width = view.whole or view.picture.shape[:2]
    size = intervention_inputs(view).input_size
    return view.showing(reduced_and_enlarged(view.picture, size / width, size / height))
