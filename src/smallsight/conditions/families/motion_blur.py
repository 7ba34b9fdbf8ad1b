"""Motion blur."""

import math

import numpy as np
from scipy.ndimage import uniform_filter1d

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
    # The line covers `whole` pixels, and a share of the next one at both ends.
    whole = 2 * math.floor((length - 1) / 2) + 1 if length > 1 else 1
    share = max(length - whole, 0) / 2
    sums = [
        count * uniform_filter1d(picture, count, axis=1, mode="reflect", output=np.float64)
        for count in ((whole, whole + 2) if share else (whole,))
    ]
    covered = sums[0] + share * (sums[-1] - sums[0])
    return as_bytes(covered / max(length, 1))
