"""Pictures read and brought to the network's input."""

import dataclasses
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from smallsight.imaging.decoding import open_picture
from smallsight.runtime import files

Interpolation = Literal["bilinear", "bicubic"]
"""How pictures are resized, with antialiasing where they are reduced."""


@dataclass(frozen=True)
class InputFormat:
    """What pictures become before a network sees them.

    Attributes
    ----------
    size
        Width and height of the network's input, in pixels.
    interpolation
        How pictures are resized to it.
    """

    size: int
    interpolation: Interpolation = "bilinear"


def write_input_format(input_format: InputFormat, path: str | Path) -> None:
    """Write the format of a network's input as JSON."""
    files.write_text(json.dumps(dataclasses.asdict(input_format)) + "\n", path)


def read_input_format(path: str | Path) -> InputFormat:
    """Read the format that `write_input_format` wrote."""
    return InputFormat(**json.loads(Path(path).read_text(encoding="utf-8")))


def read_picture(path: str | Path) -> np.ndarray:
    """Decode a picture that `fetch` has verified to (height, width, 3), uint8."""
    with open_picture(path) as picture:
        return np.asarray(picture.convert("RGB"))


def decoded(content: bytes) -> np.ndarray:
    """Decode the content of a picture's file as `read_picture` does."""
    with open_picture(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB"))


def resize(
    picture: np.ndarray, size: int, *, interpolation: Interpolation = "bilinear"
) -> np.ndarray:
    """Resize a picture to the network's input, which is a square.

    Parameters
    ----------
    picture
        (height, width, 3), uint8; or a mask, (height, width), 0 to 255.
    size
        Width and height of the result, in pixels. The aspect ratio is not kept.
    interpolation
        With antialiasing, as the networks' own preprocessing has it.

    Returns
    -------
    ndarray
        (size, size, 3), uint8; or (size, size).
    """
    return _resized(picture, size, size, interpolation)


def resized(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize a picture, uint8, to any width and height by antialiased bilinear interpolation.

    Examples
    --------
    >>> resized(np.uint8([[0, 100, 200, 200]]), width=2, height=1).tolist()
    [[71, 186]]
    """
    return _resized(picture, width, height, "bilinear")


def _resized(
    picture: np.ndarray, width: int, height: int, interpolation: Interpolation
) -> np.ndarray:
    # Pillow widens its filters by the factor of reduction, which is the antialiasing.
    filter_ = Image.Resampling[interpolation.upper()]
    return np.asarray(Image.fromarray(picture).resize((width, height), filter_))
