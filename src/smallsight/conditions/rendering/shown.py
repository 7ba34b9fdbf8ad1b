"""Pictures as the network will see them, and what of a change reaches it."""

from functools import cached_property

import numpy as np

from smallsight.imaging.pictures import InputFormat, resize
from smallsight.imaging.png import png
from smallsight.imaging.similarity import Comparison, Luminance


class Shown:
    """A picture as the network will see it.

    Parameters
    ----------
    native
        What is brought to the input, (height, width, 3), uint8.
    """

    def __init__(self, native: np.ndarray, input_format: InputFormat) -> None:
        self.native = native
        size, interpolation = input_format.size, input_format.interpolation
        self.luminance = Luminance(resize(native, size, interpolation=interpolation))

    @cached_property
    def file(self) -> bytes:
        """The content of its file."""
        return png(self.luminance.picture)


class Shower:
    """Brings pictures to the input and compares them, each but once for instances that share it.

    Whole pictures, and what filters make of them, are the same for all instances of one image.
    """

    def __init__(self, input_format: InputFormat) -> None:
        self._input_format = input_format
        self._shown: dict[object, Shown] = {}
        self._comparisons: dict[object, Comparison] = {}

    def show(self, place: object, native: np.ndarray, *others: Shown) -> Shown:
        """Return what is shown: what was shown last at a place, or one of others, if the same."""
        last = self._shown.get(place)
        for known in (*others, *((last,) if last else ())):
            if _are_same(known.native, native):
                return known
        self._shown[place] = Shown(native, self._input_format)
        return self._shown[place]

    def compare(self, place: object, shown: Shown, untouched: Shown) -> Comparison:
        """Compare what is shown at a place to what is shown untouched."""
        last = self._comparisons.get(place)
        pair = shown.luminance, untouched.luminance
        if last is None or last.picture is not pair[0] or last.reference is not pair[1]:
            last = self._comparisons[place] = Comparison(*pair)
        return last


def _are_same(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two arrays, of which none is changed in place, are the same memory."""
    return one.__array_interface__ == other.__array_interface__
