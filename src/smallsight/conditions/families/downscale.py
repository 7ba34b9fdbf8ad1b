"""Pictures of fewer pixels."""

import cv2
import numpy as np
from skimage import util

from smallsight.conditions.rendering.filters import as_bytes
from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View
from smallsight.params import PositiveShare


@family(label="Downscale", description="the whole picture reduced and enlarged again", scale=1)
def downscale(view: View, *, scale: PositiveShare) -> View:
    """Reduce the picture to `scale` by area averaging, then enlarge it bilinearly."""
    height, width = view.picture.shape[:2]
    few = (max(round(width * scale), 1), max(round(height * scale), 1))
    picture = util.img_as_float32(view.picture)
    reduced = cv2.resize(picture, few, interpolation=cv2.INTER_AREA)
    return view.showing(as_bytes(_stretched(_stretched(reduced, 1, width), 0, height)))


def _stretched(picture: np.ndarray, axis: int, length: int) -> np.ndarray:
    """Interpolate a float32 picture linearly to another length along one axis.

    Pixels have their values at their centres, and the outermost ones beyond. OpenCV does the same
    on some processors; on others its sums are rounded in between, and single pixels differ.
    """
    few = picture.shape[axis]
    places = ((np.arange(length) + 0.5) * few / length - 0.5).clip(0, few - 1)
    before = np.floor(places).astype(int)
    step = np.diff(picture, axis=axis, append=picture.take([-1], axis)).take(before, axis)
    share = (places - before).reshape([-1 if each == axis else 1 for each in range(3)])
    between = share * step
    between += picture.take(before, axis)
    return between.astype(np.float32)
