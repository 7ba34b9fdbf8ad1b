"""Windows onto a picture: crops of an object, and views of it from nearer or farther away."""

import math
from dataclasses import replace

import numpy as np

from smallsight.conditions.rendering.views import View, intervention_inputs

ROOM = 1.5
"""Width and height of the tightest window of `zoomed`, over those of the box."""


def cropped(view: View, *, margin: float) -> View:
    """Cut out the box, grown on each side by a share of its width and height, and clipped.

    Examples
    --------
    >>> from smallsight.imaging.boxes import Box
    >>> crop = cropped(View(np.zeros((60, 80, 3), np.uint8), Box(20, 12, 32, 24)), margin=0.25)
    >>> crop.picture.shape, crop.box
    ((36, 48, 3), Box(x=8, y=6, w=32, h=24))
    """
    height, width = view.picture.shape[:2]
    rows, columns = view.box.grown(margin).touched_pixels(width, height)
    mask = None if view.mask is None else view.mask[rows, columns]
    box = view.box.shifted(-columns.start, -rows.start)
    return replace(view, picture=view.picture[rows, columns], box=box, mask=mask)


def zoomed(view: View, *, factor: float) -> View:
    """Show a window that is `factor` times narrower and lower than the picture.

    The object stands in the middle and appears `factor` times larger. Beyond its edges the picture
    is reflected. Where enlarging would cut a large object, it stops at a window `ROOM` times as
    wide and high as the box, or at the picture's own size.
    """
    height, width = view.picture.shape[:2]
    box = view.box
    fitting = min(width / box.w, height / box.h) / ROOM
    shrink = min(factor, max(fitting, 1.0))
    across, down = math.ceil(width / shrink), math.ceil(height / shrink)
    left = math.floor(box.x + (box.w - across) / 2)
    top = math.floor(box.y + (box.h - down) / 2)
    rows, columns = _reflected(top, down, height), _reflected(left, across, width)
    mask = None
    if view.mask is not None:
        # A reflection of the object is none of its own pixels.
        own_rows, own_columns = _inside(top, down, height), _inside(left, across, width)
        mask = view.mask[rows][:, columns] & own_rows[:, None] & own_columns
    picture = view.picture[rows][:, columns]
    return replace(view, picture=picture, box=box.shifted(-left, -top), mask=mask)


def zoomed_to_matched_side(view: View) -> View:
    """Bring the object to the side of large objects by `zoomed`, as near as its window allows."""
    return zoomed(view, factor=intervention_inputs(view).matched_side / view.side)


def _reflected(start: int, count: int, size: int) -> np.ndarray:
    """Return `count` indices from `start` on into an axis of `size`, mirrored beyond its ends."""
    indices = np.arange(start, start + count) % (2 * size)
    return np.minimum(indices, 2 * size - 1 - indices)


def _inside(start: int, count: int, size: int) -> np.ndarray:
    """Mark which of `count` indices from `start` on lie in an axis of `size`."""
    indices = np.arange(start, start + count)
    return (indices >= 0) & (indices < size)
