"""How much of a change reaches the network: structural similarity after preprocessing.

Pictures are compared at the size of the network's input, because a change may be lost on the way:
a reduced picture that is still larger than the input looks almost as it did.
"""

import numpy as np
from PIL import Image
from skimage.metrics import structural_similarity

from smallsight.imaging.boxes import Box

WINDOW = 7
"""Width and height, in pixels, of the window of the similarity (Wang et al., 2004)."""


def similarity(picture: np.ndarray, reference: np.ndarray) -> float:
    """Compute the structural similarity of two pictures' luminance.

    The mean of the index over all windows that lie wholly in the picture (Wang et al., Image
    Quality Assessment: From Error Visibility to Structural Similarity, IEEE TIP 2004).

    Parameters
    ----------
    picture, reference
        (height, width, 3), uint8. A picture that is narrower or lower than the window is
        mirrored at its edges until it fills one.

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
    return float(structural_similarity(*(_luminance(one) for one in (picture, reference))))


def in_box_similarity(picture: np.ndarray, box: Box, reference: np.ndarray, there: Box) -> float:
    """Compute the structural similarity of one object in two pictures.

    Where it has different sizes, the smaller view is enlarged bilinearly, so that detail that only
    one of them holds counts as a difference.

    Parameters
    ----------
    picture, reference
        (height, width, 3), uint8: the network's input, changed and untouched.
    box, there
        The object in each of them, in pixels.

    Returns
    -------
    float
        As `similarity` returns it.
    """
    views = [
        one[where.touched_pixels(one.shape[1], one.shape[0])]
        for one, where in ((picture, box), (reference, there))
    ]
    height, width = np.max([view.shape[:2] for view in views], axis=0)
    return similarity(*(_enlarged(view, width, height) for view in views))


def _enlarged(view: np.ndarray, width: int, height: int) -> np.ndarray:
    if view.shape[:2] == (height, width):
        return view
    return np.asarray(Image.fromarray(view).resize((width, height), Image.Resampling.BILINEAR))


def _luminance(picture: np.ndarray) -> np.ndarray:
    short = [max(WINDOW - length, 0) for length in picture.shape[:2]]
    grey = np.asarray(Image.fromarray(picture).convert("L"))
    return np.pad(grey, [(lack // 2, lack - lack // 2) for lack in short], mode="symmetric")
