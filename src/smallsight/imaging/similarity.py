"""How much of a change reaches the network: structural similarity after preprocessing.

A change is only as severe as what is left of it at the network's input: half of 640 pixels is
still more than 224.
"""

import numpy as np
from PIL import Image
from skimage.metrics import structural_similarity

from smallsight.imaging.boxes import Box

WINDOW = 7
"""Width and height, in pixels, of the window of the similarity (Wang et al., 2004)."""


def similarity(picture: np.ndarray, reference: np.ndarray) -> float:
    """Give the structural similarity of two pictures' luminance.

    Mean of the index over all windows that lie wholly in the picture (Wang et al., Image Quality
    Assessment: From Error Visibility to Structural Similarity, IEEE TIP 2004).

    Parameters
    ----------
    picture, reference
        (height, width, 3), uint8. What is narrower or lower than the window is mirrored at its
        edges until it fills one.

    Returns
    -------
    float
        -1 to 1; 1 where they are the same.
    """
    return float(structural_similarity(*(_luminance(one) for one in (picture, reference))))


def in_box_similarity(picture: np.ndarray, box: Box, reference: np.ndarray, there: Box) -> float:
    """Give the structural similarity of one object in two pictures.

    Where it has different sizes, the smaller view is enlarged bilinearly, so that detail which
    only one of them holds counts as a difference.

    Parameters
    ----------
    picture, reference
        (height, width, 3), uint8: the network's input, changed and untouched.
    box, there
        The object in each of them, in pixels.
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
