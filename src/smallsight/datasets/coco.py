"""Reads, checks and writes COCO JSON.

All checks of annotations are made here. Code that takes a `Dataset` may assume that they passed.
"""

import json
import reprlib
from array import array
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NoReturn, TypeGuard

import numpy as np
import pandas as pd

from smallsight.datasets.left_out import LeftOut
from smallsight.datasets.picture_folder import stays_inside
from smallsight.runtime import files, large_json
from smallsight.runtime.errors import AnnotationError
from smallsight.runtime.large_json import Entries, Entry

IMAGE_COLUMNS = ["image_id", "file_name", "width", "height"]
BOX_COLUMNS = ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]

ANNOTATION_COLUMNS = [
    "image_id", "ann_id", "category_id", "category_name", *BOX_COLUMNS, "area", "iscrowd",
]  # fmt: skip

COLUMN_TYPES = (
    dict.fromkeys(["image_id", "ann_id", "category_id", "width", "height", "iscrowd"], "int64")
    | dict.fromkeys([*BOX_COLUMNS, "area"], "float64")
    | dict.fromkeys(["file_name", "category_name"], "str")
)

LARGEST_ID = 2**63 - 1
"""The largest id that an int64 column holds."""

LARGEST_LENGTH = 2**31
"""Upper bound of coordinates and sides, in pixels: far beyond any picture, far from overflow."""


@dataclass(frozen=True)
class Dataset:
    """Pictures and the annotations of the study's categories.

    Attributes
    ----------
    where
        What errors call it: the file that was read.
    categories
        The study's category names, in the study's order.
    images
        `IMAGE_COLUMNS`, a row per picture, sorted by `image_id`: image_id, file_name, and width
        and height in pixels.
    annotations
        `ANNOTATION_COLUMNS`, a row per annotated object, sorted by `image_id` and `ann_id`: ids,
        category, box (in pixels from the upper left corner), `area` of the mask in square pixels,
        and iscrowd (0 or 1).
    entries
        What the rows of `annotations` were made of, in their order.
    left_out
        What of the source is not among them, by the name of the reason (`left_out.REASONS`).
    """

    where: str
    categories: tuple[str, ...]
    images: pd.DataFrame
    annotations: pd.DataFrame
    entries: Sequence[Entry] = ()
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)

    def segmentation(self, row: int) -> object:
        """Return the segmentation of a row of `annotations` as COCO writes it, or None.

        See `imaging.masks`. Most of a file is segmentations, and few of them are asked for.
        """
        return self.entries[row].get("segmentation") or None

    @property
    def are_whole_pictures(self) -> bool:
        """Whether the box of every object is its whole picture, as in classification data."""
        sides = self.images.set_index("image_id").loc[self.annotations["image_id"]]
        whole = np.zeros((len(sides), 2)), sides[["width", "height"]].to_numpy()
        boxes = self.annotations[BOX_COLUMNS].to_numpy()
        return len(boxes) > 0 and bool((boxes == np.hstack(whole)).all())


Categories = Sequence[str] | Literal["all"]
"""Names of categories, or all that annotations use."""


def read(path: str | Path, categories: Categories, *, where: str | None = None) -> Dataset:
    """Read and check a COCO JSON file.

    Parameters
    ----------
    path
        The file.
    categories
        Names of the categories to keep. The file must have all of them, or, where all that are
        used are kept, at least two.
    where
        What errors call the file; its path by default.

    Raises
    ------
    AnnotationError
        For the first thing that is missing, malformed or impossible.
    """
    where = where or str(path)
    return parse(load(path, where=where), categories, where=where)


def read_images(path: str | Path) -> pd.DataFrame:
    """Read and check the pictures of a COCO JSON file alone: `Dataset.images`.

    Raises
    ------
    AnnotationError
        As `read` does.
    """
    return _images(load(path), str(path))


def load(path: str | Path, *, where: str | None = None) -> dict[str, Any]:
    """Read a JSON file without checks, its lists as `Entries`; `parse` makes the checks.

    Raises
    ------
    AnnotationError
        If the file cannot be read, or holds no JSON object.
    """
    where = where or str(path)
    return as_tree(large_json.load(path, where=where), where=where)


def as_tree(content: object, *, where: str) -> dict[str, Any]:
    """Return what JSON holds, if it is an object.

    Raises
    ------
    AnnotationError
        If it is another.
    """
    if not isinstance(content, dict):
        raise AnnotationError(where, f"a JSON {type(content).__name__}", "a COCO JSON object")
    return content


_encode = json.JSONEncoder(sort_keys=True).encode


def write(tree: Mapping[str, Any], path: str | Path) -> None:
    """Write COCO JSON. Equal trees give equal bytes: those of `json.dumps`, with its defaults."""
    with files.new_file(path) as new, new.open("w", encoding="utf-8", newline="\n") as file:
        file.write("{")
        for number, key in enumerate(sorted(tree)):
            file.write(f"{', ' * (number > 0)}{_encode(key)}: ")
            file.writelines(_parts(tree[key]))
        file.write("}\n")


def _parts(value: object) -> Iterator[str]:
    """Yield the text of a value, of a list entry by entry."""
    if not is_list(value):
        yield _encode(value)
        return
    yield "["
    for number, entry in enumerate(value):
        yield f"{', ' * (number > 0)}{_encode(entry)}"
    yield "]"


def parse(tree: dict[str, Any], categories: Categories, *, where: str) -> Dataset:
    """Check a COCO tree and arrange it as tables.

    Parameters
    ----------
    tree
        The content of a COCO JSON file.
    categories, where
        As in `read`.

    Raises
    ------
    AnnotationError
        For the first thing that is missing, malformed or impossible.

    Examples
    --------
    >>> tree = {
    ...     "images": [{"id": 7, "file_name": "7.jpg", "width": 640, "height": 480}],
    ...     "categories": [{"id": 3, "name": "car"}, {"id": 6, "name": "bus"}],
    ...     "annotations": [
    ...         {"id": 1, "image_id": 7, "category_id": 3, "bbox": [10, 20, 32, 16]},
    ...         {"id": 2, "image_id": 7, "category_id": 6, "bbox": [90, 20, 200, 120]},
    ...     ],
    ... }
    >>> dataset = parse(tree, ["car"], where="an example")
    >>> dataset.annotations[["ann_id", "category_name", "bbox_w", "area"]].values.tolist()
    [[1, 'car', 32.0, 512.0]]
    """
    names = {entry["id"]: entry["name"] for entry in _entries(tree, "categories", where)}
    kept = set(names.values() if categories == "all" else categories)
    if categories != "all":
        _check_categories(names, categories, where)
    images = _images(tree, where)
    known = set(images["image_id"])
    positions, rows = array("q"), _Columns(ANNOTATION_COLUMNS)
    for position, entry in enumerate(_entries(tree, "annotations", where)):
        _check_references(entry, known, names, where)
        name = names[entry["category_id"]]
        if name in kept:
            positions.append(position)
            rows.append(_annotation_row(entry, name, where))
    annotations = rows.table(keys=["image_id", "ann_id"])
    if categories == "all":
        categories = _used_categories(names, annotations, where)
        _check_categories(names, categories, where)
    order = array("q", np.array(positions)[annotations.index])
    return Dataset(
        where=where,
        categories=tuple(categories),
        images=images,
        annotations=annotations.reset_index(drop=True),
        entries=Entries(order, tree["annotations"].__getitem__),
        left_out={name: LeftOut(**one) for name, one in tree.get("left_out", {}).items()},
    )


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Return whether a value is a list of JSON, decoded or not."""
    return isinstance(value, list | Entries)


def _entries(tree: Mapping[str, Any], key: str, where: str) -> Iterator[Entry]:
    """Yield the entries of one of the three lists, after checking that it has a new, valid id."""
    entries, seen = tree.get(key), set()
    if not is_list(entries):
        found = f"no {key!r}" if key not in tree else f"{key!r} is {shortened(entries)}"
        raise AnnotationError(where, found, "COCO's lists 'images', 'annotations', 'categories'")
    kind = {"categories": "category"}.get(key, key.removesuffix("s"))
    for position, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise AnnotationError(f"{where}: {key}[{position}]", shortened(entry), "a JSON object")
        identity = entry.get("id")
        if type(identity) is not int or not 0 <= identity <= LARGEST_ID:
            _bad(f"{where}: {key}[{position}]", entry, "id", "a whole number, 0 or above")
        if identity in seen:
            raise AnnotationError(
                f"{where}: {kind} {identity}", f"the id stands twice in {key!r}", "distinct ids"
            )
        if key == "categories" and not isinstance(entry.get("name"), str):
            _bad(f"{where}: category {identity}", entry, "name", "text")
        seen.add(identity)
        yield entry


def _used_categories(names: dict[int, str], annotations: pd.DataFrame, where: str) -> list[str]:
    """Return the names of the categories that have annotations, in the file's order."""
    used = set(annotations["category_id"])
    found = [name for identity, name in names.items() if identity in used]
    if len(found) < 2:
        said = f"annotations of {len(found)} categories: {', '.join(found)}".rstrip(": ")
        raise AnnotationError(where, said, "at least two, for a classifier of one is always right")
    return found


def _check_categories(names: dict[int, str], categories: Sequence[str], where: str) -> None:
    present = list(names.values())
    for name in categories:
        if present.count(name) > 1:
            raise AnnotationError(where, f"several categories named {name!r}", "distinct names")
        if name not in present:
            shown = (one if one.isprintable() else shortened(one) for one in sorted(present))
            known = ", ".join(shown) or "no category at all"
            raise AnnotationError(
                where,
                f"no category {name!r}",
                f"every name of data.categories among its categories ({known})",
            )


def _images(tree: Mapping[str, Any], where: str) -> pd.DataFrame:
    seen: dict[PurePosixPath, int] = {}
    rows = _Columns(IMAGE_COLUMNS)
    for image in _entries(tree, "images", where):
        identity = image["id"]
        place = f"{where}: image {identity}"
        for key in ("width", "height"):
            side: Any = image.get(key)
            if not (_is_length(side) and side > 0 and side == int(side)):
                _bad(place, image, key, "a whole number of pixels above 0")
        name = image.get("file_name")
        if not (isinstance(name, str) and stays_inside(name)):
            _bad(place, image, "file_name", "a relative path inside the picture folder")
        path = PurePosixPath(name)
        if path in seen:
            # One picture under two ids could be trained on and tested on at once.
            raise AnnotationError(
                place,
                f"file_name {shortened(name)} is image {seen[path]}'s too",
                "distinct pictures",
            )
        seen[path] = identity
        rows.append((identity, name, int(image["width"]), int(image["height"])))
    return rows.table(keys=["image_id"]).reset_index(drop=True)


def _check_references(
    entry: Entry, images: Container[int], names: Container[int], where: str
) -> None:
    for key, known, kind in (("image_id", images, "image"), ("category_id", names, "category")):
        if type(entry.get(key)) is not int or entry[key] not in known:
            _bad(f"{where}: annotation {entry['id']}", entry, key, f"the id of {_a(kind)} there")


def _annotation_row(entry: Entry, name: str, where: str) -> tuple[Any, ...]:
    place, box = f"{where}: annotation {entry['id']}", entry.get("bbox")
    if not (isinstance(box, list) and len(box) == 4 and all(map(_is_length, box))):
        _bad(place, entry, "bbox", "four finite numbers x, y, width, height")
    x, y, width, height = map(float, box)
    if width < 0 or height < 0:
        _bad(place, entry, "bbox", "a box whose width and height are not negative")
    area = entry.get("area", width * height)
    if not _is_length(area, largest=LARGEST_LENGTH**2):
        _bad(place, entry, "area", "a finite number")
    crowd = entry.get("iscrowd", 0)
    if crowd not in (0, 1):
        _bad(place, entry, "iscrowd", "0 or 1")
    return (
        entry["image_id"], entry["id"], entry["category_id"], name, x, y, width, height,
        float(area), int(crowd),
    )  # fmt: skip


class _Columns:
    """Rows that are kept as columns of numbers and texts, which take a tenth of the memory."""

    def __init__(self, names: Sequence[str]) -> None:
        codes = {"int64": "q", "float64": "d"}
        self._values: dict[str, Any] = {
            name: array(codes[kind]) if (kind := COLUMN_TYPES[name]) in codes else []
            for name in names
        }

    def append(self, row: Iterable[Any]) -> None:
        for values, value in zip(self._values.values(), row, strict=True):
            values.append(value)

    def table(self, *, keys: list[str]) -> pd.DataFrame:
        """Make a sorted table, its index the rows' numbers; without any row it has its types."""
        columns = {
            name: pd.Series(
                np.array(values) if isinstance(values, array) else values, dtype=COLUMN_TYPES[name]
            )
            for name, values in self._values.items()
        }
        return pd.DataFrame(columns).sort_values(keys)


def _is_length(value: object, *, largest: int = LARGEST_LENGTH) -> bool:
    """Return whether a value is a number, finite, and small enough not to overflow."""
    return type(value) in (int, float) and -largest < value < largest  # type: ignore[operator]


def _bad(place: str, entry: Entry, key: str, expected: str) -> NoReturn:
    found = f"{key} {shortened(entry[key])}" if key in entry else f"no {key}"
    raise AnnotationError(place, found, f"{key} to be {expected}")


_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 120


def shortened(value: object) -> str:
    """Write a value for an error message; of a long one, its beginning and its end."""
    return _repr.repr(value)


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
