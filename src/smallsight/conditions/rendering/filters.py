"""What blurring families share: units of lengths, and rounding to whole levels."""

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
    """Round values, 0 to 1, to uint8; clip those beyond."""
    return np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
