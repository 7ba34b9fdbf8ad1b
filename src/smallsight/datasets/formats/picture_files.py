"""The pictures of a folder, and their sizes as their headers have them."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

from smallsight.datasets.formats.faults import named
from smallsight.imaging.decoding import read_header
from smallsight.runtime.errors import AnnotationError, PictureError

SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif",
    ".ppm", ".pgm", ".jp2", ".avif",
)  # fmt: skip
"""What names of pictures end in: those of `imaging.decoding.FORMATS`."""


class Size(NamedTuple):
    """Width and height of a picture, in pixels."""

    width: int
    height: int


def find_files(folder: Path, suffixes: frozenset[str]) -> list[str]:
    """List the files of a folder and the folders in it whose names end so, in any case.

    Hidden files and folders are left out, and those that macOS adds to archives.

    Returns
    -------
    list of str
        Paths relative to the folder, with forward slashes, sorted.

    Raises
    ------
    AnnotationError
        Where there is no such folder.
    """
    if not folder.is_dir():
        raise AnnotationError(named(folder), "no such folder", "a folder")
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        found += [
            (Path(parent) / name).relative_to(folder).as_posix()
            for name in names
            if Path(name).suffix.lower() in suffixes and not _is_hidden(name)
        ]
    return sorted(found)


def find_pictures(folder: Path) -> list[str]:
    """List the pictures of a folder, as `find_files` does.

    Raises
    ------
    AnnotationError
        Where there is no such folder, or no picture in it.
    """
    found = find_files(folder, frozenset(SUFFIXES))
    if not found:
        raise AnnotationError(named(folder), "no pictures", f"files in {', '.join(SUFFIXES)}")
    return found


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def read_size(path: Path, *, upright: bool) -> Size | None:
    """Read the size of a picture from its header; None where it cannot be read.

    Parameters
    ----------
    upright
        Whether the picture is turned as its EXIF orientation says; its stored pixels are measured
        otherwise.
    """
    try:
        # Nothing is decoded here: `data.max_pixels` counts where pictures are fetched.
        header = read_header(path, max_pixels=sys.maxsize)
    except PictureError:
        return None
    return Size(*(header.upright if upright else header.stored))
