"""Filters of whole pictures: once per picture, units of lengths, rounding to whole levels."""

from collections.abc import Callable
from typing import Literal

import numpy as np

from smallsight.imaging.boxes import Box

Unit = Literal["native", "object"]
"""The unit of a length: native pixels, or shares of the box's side (`Box.side`)."""


def native_length(length: float, unit: Unit, box: Box) -> float:
    """Convert a length to native pixels.

    Examples
    --------
    >>> native_length(0.5, "object", Box(x=3, y=4, w=20, h=80))
    20.0
    """
    return length * box.side if unit == "object" else length


def as_bytes(picture: np.ndarray) -> np.ndarray:
    """Round values, 0 to 255, to uint8; clip those beyond.

    Examples
    --------
    >>> as_bytes(np.float32([-3, 7.6, 300])).tolist()
    [0, 8, 255]
    """
    return np.rint(picture.clip(0, 255)).astype(np.uint8)


Filter = Callable[..., np.ndarray]
"""A pure function of a whole picture, (height, width, 3), uint8, and of options by keyword.

It returns another such picture. It is defined in a module, so that it is the same in every call.
"""


class FilteredPictures:
    """What filters have made of one picture, for all views of it.

    Parameters
    ----------
    picture
        (height, width, 3), uint8. Never changed in place.

    Examples
    --------
    >>> def darkened(picture, *, share):
    ...     print("darkening")
    ...     return as_bytes(picture * share)
    >>> filtered = FilteredPictures(np.full((1, 1, 3), 200, np.uint8))
    >>> filtered.by(darkened, share=0.5) is filtered.by(darkened, share=0.5)
    darkening
    True
    """

    def __init__(self, picture: np.ndarray) -> None:
        self.picture = picture
        self._made: dict[tuple[object, ...], np.ndarray] = {}

    def by(self, change: Filter, /, **options: float) -> np.ndarray:
        """Return what a filter makes of the picture; it is applied once for equal options.

        Returns
        -------
        ndarray
            (height, width, 3), uint8. It raises where it is written to.
        """
        key = (change, *sorted(options.items()))
        if key not in self._made:
            made = change(self.picture, **options)
            made.setflags(write=False)
            self._made[key] = made
        return self._made[key]
