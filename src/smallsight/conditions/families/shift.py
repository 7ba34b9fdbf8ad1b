"""Pictures moved a little."""

import numpy as np

from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View, intervention_inputs
from smallsight.conditions.rendering.windows import looked_at
from smallsight.imaging.boxes import Box
from smallsight.params import Count


@family(
    label="Shift",
    description="what is shown, moved by a few input pixels in a direction drawn by chance",
    role="sweep",
)
def shift(view: View, *, reach: Count, draw: Count, rng: np.random.Generator) -> View:
    """Move the picture by up to `reach` input pixels along each axis; the border is reflected.

    Each draw moves every picture by another, equally likely, distance.

    Parameters
    ----------
    draw
        Its number; it says nothing but which of several draws this is.
    """
    right, down = rng.integers(-reach, reach + 1, 2)
    size = intervention_inputs(view).input_size
    across, high = view.shown_size
    height, width = view.picture.shape[:2]
    left, top = -round(right * across / size), -round(down * high / size)
    return looked_at(view, Box(left, top, width, height))
