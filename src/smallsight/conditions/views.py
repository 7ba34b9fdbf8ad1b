"""What a family is given: a picture, the object in it, and what probes need beside them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from smallsight.imaging.boxes import Box


@dataclass(frozen=True)
class View:
    """A picture and where the object is in it.

    Attributes
    ----------
    picture
        (height, width, 3), uint8, at native resolution. Never changed in place.
    box
        The object's box, in pixels of `picture`.
    mask
        (height, width), bool: the object's own pixels; None where they are not known.
    material
        What probes need beside; None where no probe will be applied.
    """

    picture: np.ndarray
    box: Box
    mask: np.ndarray | None = None
    material: "InterventionInputs | None" = None

    @property
    def side(self) -> float:
        """The box's side as a share of the picture's: the pixels on target over the input size."""
        height, width = self.picture.shape[:2]
        return self.box.side / float(np.sqrt(height * width))

    def showing(self, picture: np.ndarray) -> "View":
        """Put another picture of the same size in place, the object where it is."""
        return replace(self, picture=picture)


@dataclass(frozen=True)
class InterventionInputs:
    """What probes draw on beside an instance's own picture.

    Attributes
    ----------
    colour
        Mean colour of the study's pictures, (red, green, blue), 0 to 255.
    input_size
        Width and height of the network's input, in pixels.
    matched_side
        The side, as `View.side` has it, that probes bring every object to.
    donors
        By kind, `same` or `other`: reads a view of another instance, of the same or another
        category, in another picture. A kind is missing where there is no such instance.
    """

    colour: tuple[int, int, int]
    input_size: int
    matched_side: float
    donors: Mapping[str, Callable[[], View]]
