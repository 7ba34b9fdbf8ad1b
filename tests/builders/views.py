"""Views with all that an intervention may ask for, and boxes to put in them."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from smallsight.conditions.rendering.views import InterventionInputs, View
from smallsight.imaging.boxes import Box

COLOUR = (13, 200, 90)
MARGIN = 0.25
"""Of windows, a share of the box's width and height on each side."""
DONOR_BOX = Box(10.5, 8.25, 20.0, 15.5)
HEIGHT, WIDTH = 60, 80
"""Of the picture that the boxes below lie in."""
BOX = Box(20, 12, 32, 24)
EXTREME = {
    "top left": Box(0, 0, 10, 8),
    "bottom right": Box(WIDTH - 10, HEIGHT - 8, 10, 8),
    "one pixel": Box(40, 30, 1, 1),
    "last pixel": Box(WIDTH - 1, HEIGHT - 1, 1, 1),
    "less than a pixel": Box(40.3, 30.4, 0.3, 0.3),
    "whole picture": Box(0, 0, WIDTH, HEIGHT),
    "bigger than the picture": Box(-10, -10, WIDTH + 20, HEIGHT + 20),
    "fractional": Box(20.37, 11.81, 17.4, 9.93),
    "one pixel beyond": Box(-1, HEIGHT - 9, 12, 10),
    "full width": Box(0, 30.5, WIDTH, 1.25),
}
INNER = st.builds(
    Box, st.floats(1, 40), st.floats(1, 25), st.floats(3, 38), st.floats(3, 33)
)  # fmt: skip
"""Boxes inside the picture, so big that 0.35 of them holds a pixel's centre."""


def ellipse(box, height, width):
    """The largest ellipse in the pixels that a box touches: at least one pixel."""
    rows, columns = box.touched_pixels(width, height)
    down, across = rows.stop - rows.start, columns.stop - columns.start
    y, x = np.ogrid[:down, :across]
    mask = np.zeros((height, width), bool)
    mask[rows, columns] = (
        (2 * y + 1 - down) ** 2 / down**2 + (2 * x + 1 - across) ** 2 / across**2
    ) <= 1
    mask.setflags(write=False)
    return mask


def donors(same, other, box=DONOR_BOX):
    """Donors of both kinds by their pictures, which hold the object in the same box."""
    return {"same": lambda: donor(same, box), "other": lambda: donor(other, box)}


def donor(picture, box=DONOR_BOX):
    """A donor's view, as `InstanceViews` reads it."""
    return View(picture, box, None, InterventionInputs(COLOUR, 24, MARGIN, {}))


def seen(picture, box, *, masked=True, given=None, size=24):
    """A view whose mask is an ellipse in the box; by default its donors are flat pictures."""
    height, width = picture.shape[:2]
    if given is None:
        given = donors(*(np.full((50, 70, 3), value, np.uint8) for value in (60, 180)))
    mask = ellipse(box, height, width) if masked else None
    return View(picture, box, mask, InterventionInputs(COLOUR, size, MARGIN, given))


def grown(box, margin=MARGIN):
    """The box, larger by a share of its width and height on each side."""
    across, down = margin * box.w, margin * box.h
    return Box(box.x - across, box.y - down, box.w + 2 * across, box.h + 2 * down)


def touched(box, height=HEIGHT, width=WIDTH):
    """(height, width), bool: the pixels that a box overlaps."""
    rows, columns = np.mgrid[:height, :width]
    across = (box.x < columns + 1) & (columns < box.x + box.w)
    return across & (box.y < rows + 1) & (rows < box.y + box.h)


def window(view):
    """The window round a view's object, cut out by hand."""
    height, width = view.picture.shape[:2]
    inside = touched(grown(view.box), height, width)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    there = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return replace(
        view,
        picture=view.picture[there],
        box=Box(view.box.x - columns[0], view.box.y - rows[0], view.box.w, view.box.h),
        mask=None if view.mask is None else view.mask[there],
        whole=(height, width),
    )
