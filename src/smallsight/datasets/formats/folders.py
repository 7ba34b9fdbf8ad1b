"""A folder per class, as torchvision's `ImageFolder` has it: pictures of one object each."""

from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from smallsight.datasets.formats.faults import Fault, named, refuse
from smallsight.datasets.formats.picture_files import find_pictures, read_size
from smallsight.datasets.formats.trees import Picture, Shape, make_tree
from smallsight.runtime.errors import AnnotationError
from smallsight.runtime.parallel import map_items

SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
"""Names, in any case, of folders that hold the classes' folders of one part of the data."""


def read(annotations: Path, images: Path, is_upright: bool = True) -> dict[str, Any]:
    """Read the names of folders as a raw COCO tree: each object's box is its whole picture.

    The class is the name of the first folder below `images`, of the second where all first ones
    are in `SPLITS`. Categories are numbered from 1 by their names' order.

    Parameters
    ----------
    annotations, images
        The folder of the classes' folders, twice.
    is_upright
        Whether pictures are turned as EXIF says, and their boxes with them.

    Raises
    ------
    AnnotationError
        Where the two differ, a picture lies in no class's folder, or cannot be read.
    """
    if annotations.resolve() != images.resolve():
        raise AnnotationError(
            named(annotations), "another folder than that of the pictures", named(images)
        )
    names = find_pictures(images)
    parts = [PurePosixPath(name).parts for name in names]
    depth = 1 if all(part[0].lower() in SPLITS for part in parts) else 0
    measure = partial(read_size, upright=is_upright)
    paths = [images / name for name in names]
    sizes = map_items(measure, paths, description="measuring pictures", prefer="threads")
    outside = [
        Fault("pictures in no class's folder", named(path))
        for path, part in zip(paths, parts, strict=True)
        if len(part) < depth + 2
    ]
    unread = [
        Fault("pictures whose header cannot be read", named(path))
        for path, size in zip(paths, sizes, strict=True)
        if size is None
    ]
    refuse([*outside, *unread], where=named(images), expected="a folder of pictures per class")
    classes = sorted({part[depth] for part in parts})
    categories = {name: number for number, name in enumerate(classes, start=1)}
    pictures = (
        Picture(name, size, (Shape(categories[part[depth]], (0, 0, *size)),))
        for name, part, size in zip(names, parts, sizes, strict=True)
        if size is not None
    )
    return make_tree(pictures, {number: name for name, number in categories.items()})
