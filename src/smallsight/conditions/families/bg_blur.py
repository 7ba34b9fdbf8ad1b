"""Surroundings out of focus."""

import math

import cv2
from skimage import util

from smallsight.conditions.rendering.filters import Unit, as_bytes, native_length
from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View
from smallsight.params import Positive, Share

_REACH = 4
"""Standard deviations at which the Gaussian is cut off."""


@family(label="Background blur", description="everything but the object is out of focus", sigma=0)
def bg_blur(view: View, *, sigma: Positive, margin: Share, unit: Unit = "native") -> View:
    """Blur by a Gaussian of `sigma`; the box grown by `margin` stays sharp."""
    spread = native_length(sigma, unit, view.box)
    extent = 2 * math.ceil(_REACH * spread) + 1
    picture = as_bytes(
        cv2.GaussianBlur(
            util.img_as_float32(view.picture),
            (extent, extent),
            spread,
            borderType=cv2.BORDER_REFLECT,
        )
    )
    sharp = view.box.grown(margin).pixels()
    picture[sharp] = view.picture[sharp]
    return view.showing(picture)
