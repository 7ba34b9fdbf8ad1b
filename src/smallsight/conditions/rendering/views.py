"""What a family is given: a picture, the object in it, and what interventions need besides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from smallsight.conditions.rendering.filters import Filter, FilteredPictures
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
    inputs
        What interventions need besides; None where no intervention will be applied.
    filtered_pictures
        What filters have made of the untouched picture, for all instances in it; None where it is
        not kept.
    frame
        The part of the picture that will be shown; None for all of it.
    whole
        (height, width) of the picture that this one was cut out of; None where it was not.

    Examples
    --------
    >>> view = View(np.zeros((60, 80, 3), np.uint8), Box(x=8, y=6, w=16, h=12))
    >>> view.shown_size
    (80, 60)
    """

    picture: np.ndarray
    box: Box
    mask: np.ndarray | None = None
    inputs: "InterventionInputs | None" = None
    filtered_pictures: FilteredPictures | None = None
    frame: Box | None = None
    whole: tuple[int, int] | None = None

    @property
    def shown_size(self) -> tuple[float, float]:
        """Width and height of what will be shown, in pixels of the picture."""
        height, width = self.picture.shape[:2]
        return (width, height) if self.frame is None else (self.frame.w, self.frame.h)

    def showing(self, picture: np.ndarray) -> "View":
        """Put another picture of the same size in place, the object where it is."""
        return replace(self, picture=picture)

    def filtered(self, change: Filter, /, **options: float) -> np.ndarray:
        """Apply a filter to the whole picture: once for all instances where it is untouched.

        Returns
        -------
        ndarray
            (height, width, 3), uint8. Never changed in place.
        """
        kept = self.filtered_pictures
        if kept is not None and kept.picture is self.picture:
            return kept.by(change, **options)
        return change(self.picture, **options)


@dataclass(frozen=True)
class InterventionInputs:
    """What interventions draw on besides an instance's own picture.

    Attributes
    ----------
    colour
        Mean colour of the study's pictures, (red, green, blue), 0 to 255.
    input_size
        Width and height of the network's input, in pixels.
    window_margin
        The share of the box's width and height by which an object's window is larger, on each side.
    donors
        By kind, `same` or `other`: reads a view of another instance, of the same or another
        category, in another picture. A kind is missing where there is no such instance.
    """

    colour: tuple[int, int, int]
    input_size: int
    window_margin: float
    donors: Mapping[str, Callable[[], View]]


def intervention_inputs(view: View) -> InterventionInputs:
    """Return what interventions need besides the picture.

    Raises
    ------
    ValueError
        Where the view has none.
    """
    if view.inputs is None:
        raise ValueError("an intervention needs a view with inputs")
    return view.inputs
