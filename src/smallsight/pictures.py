"""Pictures read from disk, and their mean colour."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from smallsight.parallel import map_items


def read_picture(path: str | Path) -> np.ndarray:
    """Decode a picture to (height, width, 3), uint8."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def mean_colour(paths: Iterable[str | Path]) -> tuple[int, int, int]:
    """Average the colour of pictures, 0 to 255; each counts alike, whatever its size."""
    means = map_items(_mean, sorted(paths), description="averaging colours", prefer="threads")
    red, green, blue = np.rint(np.mean(means, axis=0)).astype(int).tolist()
    return red, green, blue


def _mean(path: str | Path) -> np.ndarray:
    return read_picture(path).mean(axis=(0, 1))
