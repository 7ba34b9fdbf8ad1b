"""Motion blur."""

import math

import cv2
import numpy as np
from skimage import util

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
    half = native_length(length, unit, view.box) / 2
    reach = math.ceil(half - 0.5)
    line = (half + 0.5 - abs(np.arange(-reach, reach + 1))).clip(0, 1).astype(np.float32)
    picture = util.img_as_float32(view.picture)
    blurred = cv2.sepFilter2D(
        picture, -1, line / line.sum(), np.ones(1, np.float32), borderType=cv2.BORDER_REFLECT
    )
    return view.showing(as_bytes(blurred))
