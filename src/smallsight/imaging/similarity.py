"""How much of a change reaches the network: structural similarity after preprocessing.

Pictures are compared at the size of the network's input, because a change may be lost on the way:
a reduced picture that is still larger than the input looks almost as it did.

The index is that of Wang et al., Image Quality Assessment: From Error Visibility to Structural
Similarity, IEEE TIP 2004, with even weights and the sample covariance, as scikit-image has it.
Windows are summed in whole numbers, so that a box has the same values alone and in its picture.
"""

from functools import cached_property

import numpy as np
from PIL import Image

from smallsight.imaging.boxes import Box

WINDOW = 7
"""Width and height, in pixels, of the window of the similarity."""

_N = WINDOW**2
_C1, _C2 = (0.01 * 255) ** 2 * _N**2, (0.03 * 255) ** 2 * _N * (_N - 1)
"""The index's constants, in the units of products of sums and of `Luminance.spread`."""


class Luminance:
    """A picture's luminance, and its sums over all windows that lie wholly in it.

    Parameters
    ----------
    picture
        (height, width, 3), uint8. One that is narrower or lower than the window is mirrored at its
        edges until it fills one.
    """

    def __init__(self, picture: np.ndarray) -> None:
        short = [max(WINDOW - length, 0) for length in picture.shape[:2]]
        grey = np.asarray(Image.fromarray(picture).convert("L"))
        if any(short):
            edges = [(lack // 2, lack - lack // 2) for lack in short]
            grey = np.pad(grey, edges, mode="symmetric")
        self.picture = picture
        self.values = grey.astype(np.int32)

    @cached_property
    def sums(self) -> np.ndarray:
        """(rows, columns), int32: the sum of each window."""
        return _window_sums(self.values)

    @cached_property
    def squares(self) -> np.ndarray:
        """(rows, columns), int32: the square of each window's sum."""
        return self.sums**2

    @cached_property
    def spread(self) -> np.ndarray:
        """(rows, columns), int32: each window's variance, `_N` * (`_N` - 1) times."""
        return _N * _window_sums(self.values**2) - self.squares


def _window_sums(values: np.ndarray) -> np.ndarray:
    """Sum over all windows; (height, width), int32, to (height - 6, width - 6)."""
    for _ in range(2):
        pairs = values[:-1] + values[1:]
        fours = pairs[:-2] + pairs[2:]
        # 7 = 4 + 2 + 1; then the other axis.
        values = (fours[:-3] + pairs[4:-1] + values[6:]).T
    return values


class Comparison:
    """The structural similarity of two pictures of one size, window by window.

    Parameters
    ----------
    picture, reference
        The network's input, changed and untouched.
    """

    def __init__(self, picture: Luminance, reference: Luminance) -> None:
        self.picture, self.reference = picture, reference

    @cached_property
    def index(self) -> np.ndarray:
        """(rows, columns): the index of each window that lies wholly in the pictures."""
        one, other = self.picture, self.reference
        products = one.sums * other.sums
        together = _N * _window_sums(one.values * other.values) - products
        found = (2 * products + _C1) * (2 * together + _C2)
        found /= ((one.squares + other.squares) + _C1) * ((one.spread + other.spread) + _C2)
        return found

    def whole(self) -> float:
        """Return the mean index, -1 to 1; 1 where the pictures are the same."""
        return float(self.index.mean())

    def in_box(self, box: Box, there: Box) -> float:
        """Return the mean index of one object in the two pictures.

        Where it has different sizes, the smaller view is enlarged bilinearly, so that detail that
        only one of them holds counts as a difference.

        Parameters
        ----------
        box, there
            The object in each of them, in pixels.
        """
        pictures = self.picture.picture, self.reference.picture
        height, width = pictures[0].shape[:2]
        (rows, columns), other = (one.touched_pixels(width, height) for one in (box, there))
        sides = [place.stop - place.start for place in (rows, columns)]
        if (rows, columns) == other and min(sides) >= WINDOW:
            last = [place.stop - WINDOW + 1 for place in (rows, columns)]
            return float(self.index[rows.start : last[0], columns.start : last[1]].mean())
        views = [pictures[0][rows, columns], pictures[1][other]]
        down, across = np.max([view.shape[:2] for view in views], axis=0)
        enlarged = (Luminance(_enlarged(view, across, down)) for view in views)
        return Comparison(*enlarged).whole()


def similarity(picture: np.ndarray, reference: np.ndarray) -> float:
    """Compute the structural similarity of two pictures' luminance: the mean over all windows.

    Parameters
    ----------
    picture, reference
        (height, width, 3), uint8, as `Luminance` takes them.

    Returns
    -------
    float
        -1 to 1; 1 where they are the same.

    Examples
    --------
    >>> picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    >>> similarity(picture, picture)
    1.0
    >>> round(similarity(picture, picture // 2), 2)
    0.64
    """
    return Comparison(Luminance(picture), Luminance(reference)).whole()


def _enlarged(view: np.ndarray, width: int, height: int) -> np.ndarray:
    if view.shape[:2] == (height, width):
        return view
    return np.asarray(Image.fromarray(view).resize((width, height), Image.Resampling.BILINEAR))
