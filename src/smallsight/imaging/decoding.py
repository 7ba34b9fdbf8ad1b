"""The one place where files of pictures are opened: which formats, how large, which way up.

What their pixels become is said in `conversion`.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import Base
from PIL.Image import Transpose

from smallsight.imaging.conversion import as_rgb, is_deep_colour
from smallsight.runtime.errors import PictureError

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "JPEG2000", "AVIF")
"""What is opened, as Pillow names it, and no other format. JPEG stands for MPO too."""

MAX_PIXELS = 178_956_970
"""Pixels of a picture that is not refused, where nothing else is said: Pillow's own limit."""

_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
"""What brings the stored pixels upright, by EXIF orientation."""

_BACK = {Transpose.ROTATE_270: Transpose.ROTATE_90, Transpose.ROTATE_90: Transpose.ROTATE_270}
"""What undoes a turn; the others undo themselves."""

MADE_HERE = "smallsight"
"""Key of the text in a PNG file that says what was done to the picture that it is made of."""


# Pillow warns of each damaged tag; what matters of them comes out as an error.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")


class MissingPictureError(PictureError):
    """There is no such file."""


class DamagedPictureError(PictureError):
    """A file cannot be read as a picture, or not wholly."""


class LargePictureError(PictureError):
    """A picture has more pixels than the parameters allow."""


class SizeError(PictureError):
    """A picture has another size than the annotations say."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself before it is decoded.

    Attributes
    ----------
    stored, upright
        Width and height of the stored pixels, and of the picture turned as EXIF says.
    orientation
        EXIF's, 1 to 8; 1 is upright already, and stands for what EXIF does not define.
    is_made_here
        Whether the file was written by a study in place of the original one.
    """

    stored: tuple[int, int]
    upright: tuple[int, int]
    orientation: int
    is_made_here: bool


@dataclass(frozen=True)
class Decoded:
    """A picture as a study uses it.

    Attributes
    ----------
    picture
        Of the mode RGB.
    done
        What was done of `conversion.RULES`.
    is_plain
        Whether the file, read without these rules, has the very same pixels.
    """

    picture: Image.Image
    done: list[str]
    is_plain: bool


def open_picture(path: str | Path | IO[bytes]) -> Image.Image:
    """Open a file of one of the `FORMATS`, whatever its size; its pixels are not decoded yet."""
    with _OPENING:
        Image.init()
        # Files may be larger than Pillow allows: `data.max_pixels` says how large.
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            picture = Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN])
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    if picture.format == "TIFF":
        # Pillow maps files that have a name into memory: grey ones on their side at a wrong width.
        picture.filename = ""
    return picture


_OPENING = threading.Lock()


def read_header(path: str | Path, *, where: object = None, max_pixels: int = MAX_PIXELS) -> Header:
    """Read what a file says of itself.

    Parameters
    ----------
    where
        The name of the picture in errors; its path where there is none.
    max_pixels
        More pixels than these are refused.

    Raises
    ------
    PictureError
        Where the file is missing, no picture, or too large.
    """
    with reading(path, where), open_picture(path) as picture:
        _check_pixels(picture, where or path, max_pixels)
        return _header(picture)


def decode(
    path: str | Path,
    *,
    is_upright: bool = False,
    where: object = None,
    max_pixels: int = MAX_PIXELS,
) -> Decoded:
    """Decode a picture by the rules of a study.

    Parameters
    ----------
    is_upright
        Whether it is turned as EXIF says; otherwise its pixels are those that are stored.
    where, max_pixels
        As in `read_header`.

    Raises
    ------
    PictureError
        Where the file is missing, no picture, damaged, or too large.
    """
    with reading(path, where), open_picture(path) as picture:
        _check_pixels(picture, where or path, max_pixels)
        is_deep = is_deep_colour(picture)
        if picture.format == "PNG":
            # Asking for its orientation would load it, and not tell that it is damaged.
            picture.load()
        header = _header(picture)
        # Pillow itself brings the pixels of TIFF files upright.
        comes_upright = picture.format == "TIFF"
        converted, done = as_rgb(picture, is_deep=is_deep)
        turn = _TURNS.get(header.orientation)
        if turn is not None and is_upright != comes_upright:
            converted = converted.transpose(turn if is_upright else _BACK.get(turn, turn))
        is_plain = (turn is None or is_upright == comes_upright) and not (
            {"scaled", "composited"} & set(done)
        )
        turned = ["turned"] if turn is not None and is_upright else []
        return Decoded(converted, [*turned, *done], is_plain)


def verify_picture(path: str | Path, *, width: int, height: int, where: object = None) -> None:
    """Check that a picture decodes wholly and has the annotations' size.

    The size is that of the stored pixels, whatever the EXIF orientation says.

    Raises
    ------
    PictureError
        Where it is missing, no picture, truncated, or of another size.
    """
    size = decode(path, where=where).picture.size
    check_size(size, (width, height), where=where or path)


def check_size(
    found: tuple[int, int], due: tuple[int, int], *, where: object, note: str = ""
) -> None:
    """Refuse a size, in pixels, that the annotations do not say.

    Raises
    ------
    SizeError
        Where the two differ.
    """
    if found != due:
        raise SizeError(
            where,
            f"{found[0]} x {found[1]} pixels{note}",
            f"{due[0]} x {due[1]} pixels, as the annotations say",
        )


@contextmanager
def reading(path: str | Path, where: object = None) -> Iterator[None]:
    """Turn whatever goes wrong in a decoder into one line.

    Raises
    ------
    PictureError
        Instead of any other error of the block.
    """
    where = where or path
    try:
        yield
    except PictureError:
        raise
    except FileNotFoundError:
        found = "a broken symbolic link" if Path(path).is_symlink() else "no such file"
        raise MissingPictureError(where, found, "a picture") from None
    except UnidentifiedImageError:
        opened = ", ".join(FORMATS)
        found = "no picture of a format that is opened"
        raise DamagedPictureError(where, found, f"one of {opened}") from None
    except Exception as error:
        # Decoders raise errors of any type.
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        found = reason or type(error).__name__
        raise DamagedPictureError(where, found, "a picture that decodes wholly") from None


def _check_pixels(picture: Image.Image, where: object, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise LargePictureError(
            where,
            f"{width} x {height} = {width * height} pixels",
            f"{max_pixels} at most; `data.max_pixels` in params.yaml sets how many",
        )


def _header(picture: Image.Image) -> Header:
    width, height = picture.size
    orientation = _orientation(picture)
    turned = (height, width) if orientation > 4 else (width, height)
    is_made_here = picture.format == "PNG" and MADE_HERE in picture.info
    if picture.format == "TIFF":
        return Header(turned, (width, height), orientation, is_made_here)
    return Header((width, height), turned, orientation, is_made_here)


def _orientation(picture: Image.Image) -> int:
    try:
        found = picture.getexif().get(Base.Orientation, 1)
    except Exception:
        # Broken EXIF data do not keep a picture from being shown elsewhere.
        return 1
    return found if found in _TURNS else 1
