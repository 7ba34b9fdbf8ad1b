"""Pictures read, verified and resized, and their mean colour."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from smallsight.runtime.errors import PictureError
from smallsight.runtime.parallel import map_items


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


def resize(picture: np.ndarray, size: int) -> np.ndarray:
    """Resize a picture to the network's input, which is a square, by `resized`.

    Parameters
    ----------
    picture
        (height, width, 3), uint8; or a mask, (height, width), 0 to 255.
    size
        Width and height of the result, in pixels. The aspect ratio is not kept.

    Returns
    -------
    ndarray
        (size, size, 3), uint8; or (size, size).
    """
    return resized(picture, size, size)


def resized(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize a picture, uint8, to any width and height by antialiased bilinear interpolation.

    Examples
    --------
    >>> resized(np.uint8([[0, 100, 200, 200]]), width=2, height=1).tolist()
    [[71, 186]]
    """
    # Pillow widens its triangle filter by the factor of reduction, which is the antialiasing.
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))
