"""What all sources ask of a picture."""

from pathlib import Path

from PIL import Image

from smallsight.errors import PictureError


def verify(path: str | Path, *, width: int, height: int, where: object = None) -> None:
    """Check that a picture decodes wholly and has the annotations' size.

    The size is that of the stored pixels, whatever the EXIF orientation says: COCO's boxes refer
    to them.

    Parameters
    ----------
    where
        What errors call the picture, if not by its path.

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
