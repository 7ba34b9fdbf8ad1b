"""Surroundings out of focus."""

import numpy as np
from skimage.filters import gaussian

from smallsight.conditions.rendering.filters import Unit, as_bytes, native_length
from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View
from smallsight.params import Positive, Share

_REACH = 4
"""Standard deviations at which the Gaussian is cut off."""


@family(label="Background blur", description="everything but the object is out of focus", sigma=0)
def bg_blur(view: View, *, sigma: Positive, margin: Share, unit: Unit = "native") -> View:
    """Blur by a Gaussian of `sigma`; the box grown by `margin` stays sharp.

    The border is reflected.
    """
    picture = view.filtered(blurred, sigma=native_length(sigma, unit, view.box)).copy()
    sharp = view.box.grown(margin).pixels()
    picture[sharp] = view.picture[sharp]
    return view.showing(picture)


def blurred(picture: np.ndarray, *, sigma: float) -> np.ndarray:
    """Blur the whole picture by a Gaussian of `sigma` pixels."""
    smooth = gaussian(
        picture.astype(np.float32),
        sigma=sigma,
        mode="reflect",
        truncate=_REACH,
        channel_axis=-1,
        preserve_range=True,
    )
    return as_bytes(smooth)
