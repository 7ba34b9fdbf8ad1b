"""Windows onto a picture: round an object, nearer or farther away, or moved."""

import math
from dataclasses import replace

import numpy as np

from smallsight.conditions.rendering.views import View
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import resized

ROOM = 1.5
"""Width and height of the tightest window of `zoomed`, over those of the box."""


def window_of(view: View, *, margin: float) -> Box:
    """Return the window round the object: its box, grown by a margin, in whole pixels, clipped.

    Parameters
    ----------
    margin
        Share of the box's width and height, on each side.

    Examples
    --------
    >>> window_of(View(np.zeros((60, 80, 3), np.uint8), Box(20, 12, 32, 24)), margin=0.25)
    Box(x=12, y=6, w=48, h=36)
    """
    height, width = view.picture.shape[:2]
    rows, columns = view.box.grown(margin).touched_pixels(width, height)
    return Box(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)


def cut_out(view: View, window: Box) -> View:
    """Cut out a window in whole pixels that lies inside the picture.

    Examples
    --------
    >>> view = View(np.zeros((60, 80, 3), np.uint8), Box(20, 12, 32, 24))
    >>> cut = cut_out(view, window_of(view, margin=0.25))
    >>> cut.picture.shape, cut.box, cut.whole
    ((36, 48, 3), Box(x=8, y=6, w=32, h=24), (60, 80))
    """
    rows, columns = window.pixels()
    return replace(
        view,
        picture=view.picture[rows, columns],
        box=view.box.shifted(-window.x, -window.y),
        mask=None if view.mask is None else view.mask[rows, columns],
        frame=None,
        whole=view.whole or view.picture.shape[:2],
    )


def cropped(view: View, *, margin: float) -> View:
    """Cut out the box, grown on each side by a share of its width and height, and clipped."""
    return cut_out(view, window_of(view, margin=margin))


def reflected(picture: np.ndarray, window: Box) -> np.ndarray:
    """Cut out a window in whole pixels that may reach beyond the picture, which is reflected there.

    Examples
    --------
    >>> reflected(np.arange(4)[None], Box(-2, 0, 5, 1)).tolist()
    [[1, 0, 0, 1, 2]]
    """
    height, width = picture.shape[:2]
    rows = _reflected(int(window.y), int(window.h), height)
    return picture[rows][:, _reflected(int(window.x), int(window.w), width)]


def reduced_and_enlarged(picture: np.ndarray, across: float, down: float) -> np.ndarray:
    """Reduce a picture by factors across and down, at least to one pixel, and enlarge it again.

    Both ways as pictures are brought to the network's input: bilinearly, with antialiasing.
    """
    height, width = picture.shape[:2]
    few = max(round(across * width), 1), max(round(down * height), 1)
    return resized(resized(picture, *few), width, height)


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
    return looked_at(view, Box(left, top, across, down))


def looked_at(view: View, window: Box) -> View:
    """Show a window in whole pixels in place of the picture, which is reflected beyond its edges.

    A reflection of the object is none of its own pixels.
    """
    height, width = view.picture.shape[:2]
    mask = None
    if view.mask is not None:
        rows = _inside(int(window.y), int(window.h), height)
        columns = _inside(int(window.x), int(window.w), width)
        mask = reflected(view.mask, window) & rows[:, None] & columns
    box = view.box.shifted(-window.x, -window.y)
    return replace(view, picture=reflected(view.picture, window), box=box, mask=mask)


def _reflected(start: int, count: int, size: int) -> np.ndarray:
    """Return `count` indices from `start` on into an axis of `size`, mirrored beyond its ends."""
    indices = np.arange(start, start + count) % (2 * size)
    return np.minimum(indices, 2 * size - 1 - indices)


def _inside(start: int, count: int, size: int) -> np.ndarray:
    """Mark which of `count` indices from `start` on lie in an axis of `size`."""
    indices = np.arange(start, start + count)
    return (indices >= 0) & (indices < size)
