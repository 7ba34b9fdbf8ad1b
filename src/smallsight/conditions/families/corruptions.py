"""Families that change pictures as cameras, distance and people do."""

import math
from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
from skimage import util

from smallsight.conditions.registry import family
from smallsight.conditions.views import View
from smallsight.imaging.boxes import Box
from smallsight.params import NotNegative, Positive, PositiveShare, Share

Unit = Literal["native", "object"]
"""What a length is stated in: native pixels, or shares of the box's side (`Box.side`)."""


@family(label="Untouched", description="the whole picture as it is")
def orig_full(view: View) -> View:
    """Change nothing."""
    return view


@family(
    label="Crop",
    description="the object's box and a margin around it, nothing else",
    margin=math.inf,
)
def orig_crop(view: View, *, margin: NotNegative) -> View:
    """Cut out the box, grown on each side by a share of its width and height, and clipped."""
    height, width = view.picture.shape[:2]
    rows, columns = view.box.grown(margin).touched_pixels(width, height)
    mask = None if view.mask is None else view.mask[rows, columns]
    box = view.box.shifted(-columns.start, -rows.start)
    return replace(view, picture=view.picture[rows, columns], box=box, mask=mask)


@family(label="Downscale", description="the whole picture reduced and enlarged again", scale=1)
def downscale(view: View, *, scale: PositiveShare) -> View:
    """Reduce the picture to `scale` by area averaging, then enlarge it bilinearly."""
    height, width = view.picture.shape[:2]
    few = (max(round(width * scale), 1), max(round(height * scale), 1))
    picture = util.img_as_float32(view.picture)
    reduced = cv2.resize(picture, few, interpolation=cv2.INTER_AREA)
    enlarged = cv2.resize(reduced, (width, height), interpolation=cv2.INTER_LINEAR)
    return view.showing(_as_bytes(enlarged))


@family(
    label="Motion blur", description="a horizontal, uniform smear of the whole picture", length=0
)
def motion_blur(view: View, *, length: Positive, unit: Unit = "native") -> View:
    """Average along a centred horizontal line of `length`; the border is reflected.

    Pixels that the line covers in part count in part.
    """
    half = _native(length, unit, view.box) / 2
    reach = math.ceil(half - 0.5)
    line = (half + 0.5 - abs(np.arange(-reach, reach + 1))).clip(0, 1).astype(np.float32)
    picture = util.img_as_float32(view.picture)
    blurred = cv2.sepFilter2D(
        picture, -1, line / line.sum(), np.ones(1, np.float32), borderType=cv2.BORDER_REFLECT
    )
    return view.showing(_as_bytes(blurred))


@family(label="Occlusion", description="a black rectangle over the middle of the object", ratio=0)
def occlusion(view: View, *, ratio: PositiveShare) -> View:
    """Black out a centred rectangle of `ratio` times the box's width and height."""
    picture = view.picture.copy()
    picture[view.box.shrunk_to(ratio).pixels()] = 0
    return view.showing(picture)


@family(label="Background blur", description="everything but the object is out of focus", sigma=0)
def bg_blur(view: View, *, sigma: Positive, margin: Share, unit: Unit = "native") -> View:
    """Blur by a Gaussian of `sigma`; the box grown by `margin` stays sharp."""
    spread = _native(sigma, unit, view.box)
    extent = 2 * math.ceil(_GAUSSIAN_REACH * spread) + 1
    picture = _as_bytes(
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


@family(
    label="Zoom", description="a window around the object, in the size of the picture", factor=1
)
def zoom(view: View, *, factor: Positive) -> View:
    """Show a window that is `factor` times narrower and lower than the picture.

    The object stands in the middle and appears `factor` times larger. Beyond its edges the picture
    is reflected. Where enlarging would cut a large object, it stops at a window half as wide and
    high again as the box, or at the picture's own size.
    """
    height, width = view.picture.shape[:2]
    box = view.box
    fitting = min(width / box.w, height / box.h) / _ROOM
    shrink = min(factor, max(fitting, 1.0))
    across, down = math.ceil(width / shrink), math.ceil(height / shrink)
    left = math.floor(box.x + (box.w - across) / 2)
    top = math.floor(box.y + (box.h - down) / 2)
    rows, columns = _reflected(top, down, height), _reflected(left, across, width)
    mask = None
    if view.mask is not None:
        # A reflection of the object is none of its own pixels.
        inside = [
            _inside(start, count, size)
            for start, count, size in ((top, down, height), (left, across, width))
        ]
        mask = view.mask[rows][:, columns] & inside[0][:, None] & inside[1]
    picture = view.picture[rows][:, columns]
    return replace(view, picture=picture, box=box.shifted(-left, -top), mask=mask)


_ROOM = 1.5
"""Width and height of the tightest window of `zoom`, over those of the box."""


_GAUSSIAN_REACH = 4
"""Standard deviations at which a Gaussian is cut off."""


def _native(length: float, unit: Unit, box: Box) -> float:
    """Turn a length into native pixels."""
    return length * box.side if unit == "object" else length


def _reflected(start: int, count: int, size: int) -> np.ndarray:
    """Give `count` indices from `start` on into an axis of `size`, mirrored beyond its ends."""
    indices = np.arange(start, start + count) % (2 * size)
    return np.minimum(indices, 2 * size - 1 - indices)


def _inside(start: int, count: int, size: int) -> np.ndarray:
    """Tell which of `count` indices from `start` on lie in an axis of `size`."""
    indices = np.arange(start, start + count)
    return (indices >= 0) & (indices < size)


def _as_bytes(picture: np.ndarray) -> np.ndarray:
    """Round values in 0..1 to uint8."""
    return np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
