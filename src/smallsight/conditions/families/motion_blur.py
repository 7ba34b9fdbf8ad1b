"""Motion blur."""

import math

import numpy as np
from scipy.ndimage import correlate1d

from smallsight.conditions.rendering.filters import Unit, as_bytes, native_length
from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View
from smallsight.params import Positive


@family(
    label="Motion blur", description="a horizontal, uniform smear of the whole picture", length=0
)
def motion_blur(view: View, *, length: Positive, unit: Unit = "native") -> View:
    """Average along a centred horizontal line of `length`; the border is reflected.

    Pixels that the line covers in part count in part.
    """
    return view.showing(view.filtered(smeared, length=native_length(length, unit, view.box)))


def smeared(picture: np.ndarray, *, length: float) -> np.ndarray:
    """Average the whole picture along lines of `length` pixels."""
    half = length / 2
    reach = math.ceil(half - 0.5)
    line = (half + 0.5 - abs(np.arange(-reach, reach + 1))).clip(0, 1)
    # SciPy sums in float64, whatever the picture.
    means = correlate1d(picture.astype(np.float32), line / line.sum(), axis=1, mode="reflect")
    return as_bytes(means)
