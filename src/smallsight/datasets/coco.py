"""Reads, checks and writes COCO JSON.

All checks of annotations are made here. Code that takes a `Dataset` may assume that they passed.
"""

import json
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NoReturn

import numpy as np
import pandas as pd

from smallsight.datasets.left_out import LeftOut
from smallsight.datasets.picture_folder import stays_inside
from smallsight.runtime import files
from smallsight.runtime.errors import AnnotationError

IMAGE_COLUMNS = ["image_id", "file_name", "width", "height"]
BOX_COLUMNS = ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]

ANNOTATION_COLUMNS = [
    "image_id", "ann_id", "category_id", "category_name", *BOX_COLUMNS,
    "area", "iscrowd", "segmentation",
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
        iscrowd (0 or 1), and `segmentation` as COCO writes it (see `imaging.masks`) or None.
    left_out
        What of the source is not among them, by the name of the reason (`left_out.REASONS`).
    """

    where: str
    categories: tuple[str, ...]
    images: pd.DataFrame
    annotations: pd.DataFrame
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)

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


def load(path: str | Path, *, where: str | None = None) -> dict[str, Any]:
    """Read a JSON file without checks; `parse` makes them.

    Raises
    ------
    AnnotationError
        If the file cannot be read, or holds no JSON object.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise AnnotationError(where or path, reason, "a readable file") from None
    return loads(content, where=where or str(path))


def loads(content: bytes, *, where: str) -> dict[str, Any]:
    """Read JSON from bytes without checks; `parse` makes them.

    Raises
    ------
    AnnotationError
        If the bytes hold no JSON object.
    """
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise AnnotationError(where, f"no JSON ({error})", "a COCO JSON file") from None
    if not isinstance(tree, dict):
        raise AnnotationError(where, f"a JSON {type(tree).__name__}", "a COCO JSON object")
    return tree


def write(tree: dict[str, Any], path: str | Path) -> None:
    """Write COCO JSON. Equal trees give equal bytes."""
    files.write_text(json.dumps(tree, sort_keys=True) + "\n", path)


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
    if categories == "all":
        categories = _used_categories(names, _entries(tree, "annotations", where), where)
    _check_categories(names, categories, where)
    images = {entry["id"]: entry for entry in _entries(tree, "images", where)}
    _check_images(images, where)
    kept, rows = set(categories), []
    for entry in _entries(tree, "annotations", where):
        _check_references(entry, images, names, where)
        name = names[entry["category_id"]]
        if name in kept:
            rows.append(_annotation_row(entry, name, where))
    return Dataset(
        where=where,
        categories=tuple(categories),
        images=_table(
            [
                (key, image["file_name"], int(image["width"]), int(image["height"]))
                for key, image in images.items()
            ],
            IMAGE_COLUMNS,
            keys=["image_id"],
        ),
        annotations=_table(rows, ANNOTATION_COLUMNS, keys=["image_id", "ann_id"]),
        left_out={name: LeftOut(**one) for name, one in tree.get("left_out", {}).items()},
    )


def _entries(tree: dict[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    """Return one of the three lists, after checking that its entries have distinct, valid ids."""
    entries, seen = tree.get(key), set()
    if not isinstance(entries, list):
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
    return entries


def _used_categories(
    names: dict[int, str], annotations: list[dict[str, Any]], where: str
) -> list[str]:
    """Return the names of the categories that have annotations, in the file's order."""
    used = {str(entry.get("category_id")) for entry in annotations}
    found = [name for identity, name in names.items() if str(identity) in used]
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


def _check_images(images: dict[int, dict[str, Any]], where: str) -> None:
    seen: dict[PurePosixPath, int] = {}
    for identity, image in images.items():
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


def _check_references(
    entry: dict[str, Any],
    images: dict[int, dict[str, Any]],
    names: dict[int, str],
    where: str,
) -> None:
    for key, known, kind in (("image_id", images, "image"), ("category_id", names, "category")):
        if type(entry.get(key)) is not int or entry[key] not in known:
            _bad(f"{where}: annotation {entry['id']}", entry, key, f"the id of {_a(kind)} there")


def _annotation_row(entry: dict[str, Any], name: str, where: str) -> tuple[Any, ...]:
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
        float(area), int(crowd), entry.get("segmentation") or None,
    )  # fmt: skip


def _table(rows: list[tuple[Any, ...]], columns: list[str], *, keys: list[str]) -> pd.DataFrame:
    """Make a sorted table whose columns have their types even without any row."""
    table = pd.DataFrame(rows, columns=columns)
    types = {column: COLUMN_TYPES[column] for column in columns if column in COLUMN_TYPES}
    return table.astype(types).sort_values(keys, ignore_index=True)


def _is_length(value: object, *, largest: int = LARGEST_LENGTH) -> bool:
    """Return whether a value is a number, finite, and small enough not to overflow."""
    return type(value) in (int, float) and -largest < value < largest  # type: ignore[operator]


def _bad(place: str, entry: dict[str, Any], key: str, expected: str) -> NoReturn:
    found = f"{key} {shortened(entry[key])}" if key in entry else f"no {key}"
    raise AnnotationError(place, found, f"{key} to be {expected}")


_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 120


def shortened(value: object) -> str:
    """Write a value for an error message; of a long one, its beginning and its end."""
    return _repr.repr(value)


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
