"""Pascal VOC's XML files, one per picture.

Of the libraries, supervision decodes every picture, drops `sub/a.xml`, stops at the first bad file
and takes one pixel off every box; datumaro takes it off none. Both are wrong for some tools, so
the files are read here, by defusedxml.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree

from smallsight.datasets.formats.faults import Fault, named, refuse
from smallsight.datasets.formats.numbers import read_index, read_number
from smallsight.datasets.formats.picture_files import SUFFIXES, Size, find_files, read_size
from smallsight.datasets.formats.trees import Picture, Shape, make_tree
from smallsight.runtime.errors import AnnotationError
from smallsight.runtime.parallel import map_items

EXPECTED = "an <annotation> with <size>, and <object>s with <name> and <bndbox> of four numbers"
PIXELS_FROM_ONE = ("The VOC", "roboflow")
"""Beginnings of `source/database` of tools that number pixels from 1: the VOC challenge, Roboflow.

Their first corner is the number of a pixel that belongs to the box, one more than its edge.
"""

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read(annotations: Path, images: Path, is_upright: bool = True) -> dict[str, Any]:
    """Read XML files as a raw COCO tree.

    A file's picture has its stem and lies at the same place in `images`, or in `images` itself;
    else it is the one in `<filename>`. Corners are the edges of the box, as most tools write them.
    Only where every file names a database of `PIXELS_FROM_ONE`, and no corner is below 1, are
    `xmin` and `ymin`, and both coordinates of a polygon's points, one less. `<difficult>` objects
    are objects like others. Categories are numbered from 1 by their names' order.

    Parameters
    ----------
    annotations
        The folder of XML files, with all folders in it.
    images
        The folder of pictures.
    is_upright
        Whether pictures of which no file tells the size are turned as EXIF says.

    Raises
    ------
    AnnotationError
        With all that is not as the format has it.
    """
    names = find_files(annotations, frozenset({".xml"}))
    if not names:
        raise AnnotationError(named(annotations), "no XML files", "a folder of VOC's XML files")
    known = _by_stem(find_files(images, frozenset(SUFFIXES)))
    read_one = partial(
        _read_file, folder=annotations, images=images, known=known, is_upright=is_upright
    )
    results = map_items(read_one, names, description="reading labels", prefer="threads")
    refuse(
        (fault for result in results for fault in result.faults),
        where=named(annotations),
        expected=EXPECTED,
    )
    objects = [entry for result in results for entry in result.objects]
    categories = {
        name: number for number, name in enumerate(sorted({one.name for one in objects}), start=1)
    }
    shift = 1 if _pixels_from_one(results) else 0
    pictures = (
        Picture(
            result.picture,
            result.size,
            tuple(_shape(entry, categories, shift) for entry in result.objects),
        )
        for result in results
    )
    return make_tree(pictures, {number: name for name, number in categories.items()})


@dataclass(frozen=True)
class _Object:
    name: str
    corners: tuple[float, ...]
    polygon: tuple[float, ...]


_NO_SIZE = Size(0, 0)


@dataclass(frozen=True)
class _Read:
    picture: str = ""
    size: Size = _NO_SIZE
    database: str = ""
    objects: tuple[_Object, ...] = ()
    faults: tuple[Fault, ...] = ()


def _by_stem(pictures: Sequence[str]) -> Mapping[str, list[str]]:
    """Arrange pictures by their path without the ending."""
    stems: dict[str, list[str]] = defaultdict(list)
    for name in pictures:
        stems[_stem(name)].append(name)
    return dict(stems)


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _pixels_from_one(results: Sequence[_Read]) -> bool:
    marked = all(result.database.startswith(PIXELS_FROM_ONE) for result in results)
    return marked and all(
        min(*entry.corners, *entry.polygon) >= 1 for result in results for entry in result.objects
    )


def _shape(entry: _Object, categories: Mapping[str, int], shift: int) -> Shape:
    left, top, right, bottom = entry.corners
    left, top = left - shift, top - shift
    box = (left, top, right - left, bottom - top)
    return Shape(categories[entry.name], box, tuple(value - shift for value in entry.polygon))


def _read_file(
    name: str, *, folder: Path, images: Path, known: Mapping[str, list[str]], is_upright: bool
) -> _Read:
    place = named(folder / name)
    try:
        root = ElementTree.fromstring((folder / name).read_bytes())
    except OSError:
        return _Read(faults=(Fault("files that cannot be read", place),))
    except (ParseError, RecursionError):
        return _Read(faults=(Fault("files that are no XML", place),))
    # Encodings of several bytes are errors of values, others that are not known of look-up;
    # entities, which may grow without end or name other files, are refused by an error of values.
    except (ValueError, LookupError):
        kind = "files with entities, or in an encoding that is not read"
        return _Read(faults=(Fault(kind, place),))
    if root.tag != "annotation":
        return _Read(faults=(Fault("files that do not hold an <annotation>", place),))
    entries = [_read_object(element) for element in root.findall("object")]
    faults = [
        Fault(entry, f"{place}, object {number}")
        for number, entry in enumerate(entries, start=1)
        if isinstance(entry, str)
    ]
    picture = _find_picture(name, _text(root, "filename"), known)
    size = _read_sides(root) or read_size(images / picture, upright=is_upright)
    if size is None and picture in known.get(_stem(picture), ()):
        faults.append(Fault("files without <size> of pictures that cannot be read", place))
    return _Read(
        picture,
        size or _NO_SIZE,
        _text(root, "source/database"),
        tuple(entry for entry in entries if isinstance(entry, _Object)),
        tuple(faults),
    )


def _text(element: Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def _find_picture(name: str, written: str, known: Mapping[str, list[str]]) -> str:
    """Return the path of a file's picture; where there is none, that which is due."""
    # Tools write whole paths, of Windows too.
    written = PurePosixPath(written.replace("\\", "/")).name
    for stem in _places(name, _stem(name)):
        if found := known.get(stem):
            return next((one for one in found if PurePosixPath(one).name == written), found[0])
    for due in _places(name, written):
        if due in known.get(_stem(due), ()):
            return due
    for stem in _places(name, written):
        if found := known.get(stem):
            return found[0]
    return written or str(PurePosixPath(name).with_suffix(".jpg"))


def _places(name: str, wanted: str) -> Iterator[str]:
    """Yield where a picture may lie: beside its file, seen from the folder, and at the top."""
    last = PurePosixPath(wanted).name
    if last:
        yield str(PurePosixPath(name).with_name(last))
        yield last


def _read_sides(root: Element) -> Size | None:
    width, height = (read_index(_text(root, f"size/{side}")) for side in ("width", "height"))
    return Size(width, height) if width and height else None


def _read_object(element: Element) -> _Object | str:
    """Return an object, or what is wrong with it."""
    name = _text(element, "name")
    if not name:
        return "objects without a name"
    corners = [read_number(_text(element, f"bndbox/{corner}")) for corner in _CORNERS]
    known = tuple(corner for corner in corners if corner is not None)
    if len(known) < len(corners):
        return "objects without a <bndbox> of four numbers"
    polygon = element.find("polygon")
    points = [read_number(point.text or "") for point in polygon] if polygon is not None else []
    read = tuple(point for point in points if point is not None)
    if len(read) < len(points) or len(read) % 2:
        return "polygons that are no pairs of numbers"
    return _Object(name, known, read if len(read) >= 6 else ())
