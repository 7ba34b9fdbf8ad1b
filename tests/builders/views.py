"""A view with all that a probe may ask for, as several test modules use it."""

import numpy as np

from smallsight.conditions.views import InterventionInputs, View
from smallsight.imaging.boxes import Box

COLOUR = (13, 200, 90)
DONOR_BOX = Box(10.5, 8.25, 20.0, 15.5)


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
    """A view as `Materials` gives it of a donor."""
    return View(picture, box, None, InterventionInputs(COLOUR, 24, 0.4, {}))


def seen(picture, box, *, masked=True, given=None, size=24, side=0.4):
    """A view whose mask is an ellipse in the box; by default its donors are flat pictures."""
    height, width = picture.shape[:2]
    if given is None:
        given = donors(*(np.full((50, 70, 3), value, np.uint8) for value in (60, 180)))
    mask = ellipse(box, height, width) if masked else None
    return View(picture, box, mask, InterventionInputs(COLOUR, size, side, given))
