"""Pictures read, verified and brought to the network's input, and their mean colour."""

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import ExifTags, Image

from smallsight.runtime import files
from smallsight.runtime.errors import PictureError
from smallsight.runtime.parallel import map_items

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
    """Decode a picture to (height, width, 3), uint8."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def mean_colour(paths: Iterable[str | Path]) -> tuple[int, int, int]:
    """Compute the mean colour of pictures, 0 to 255; all count alike, whatever their size."""
    means = map_items(_mean, sorted(paths), description="averaging colours", prefer="threads")
    red, green, blue = np.rint(np.mean(means, axis=0)).astype(int).tolist()
    return red, green, blue


def _mean(path: str | Path) -> np.ndarray:
    return read_picture(path).mean(axis=(0, 1))


def verify_picture(path: str | Path, *, width: int, height: int, where: object = None) -> None:
    """Check that a picture decodes wholly and has the annotations' size.

    The size is that of the stored pixels, whatever the EXIF orientation says: COCO's boxes refer
    to them.

    Parameters
    ----------
    where
        The name of the picture in errors; its path where there is none.

    Raises
    ------
    PictureError
        Where it is missing, no picture, truncated, or of another size.
    """
    where = where or path
    try:
        with Image.open(path) as picture:
            size = picture.size
            if size == (width, height):
                picture.load()
    except FileNotFoundError:
        raise PictureError(where, "no such file", "a picture") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PictureError(where, reason, "a picture that decodes wholly") from None
    if size != (width, height):
        found, due = f"{size[0]} x {size[1]} pixels", f"{width} x {height} pixels"
        raise PictureError(where, found, f"{due}, as the annotations say")


def upright_size(path: str | Path) -> tuple[int, int]:
    """Read a picture's width and height in pixels, turned as its EXIF orientation says.

    Raises
    ------
    PictureError
        Where it is missing, or its beginning is no picture's.
    """
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            is_turned = picture.getexif().get(ExifTags.Base.Orientation, 1) > _LAST_UNTURNED
    except Exception as error:  # whatever a decoder met
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PictureError(path, reason, "a picture") from None
    return (height, width) if is_turned else (width, height)


_LAST_UNTURNED = 4
"""EXIF orientations above it exchange width and height."""


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
