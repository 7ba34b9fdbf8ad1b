"""Annotations as tools export them, made such that `coco.parse` reads them.

What is plainly meant is read: ids that are texts or too large, backslashes, a root category without
annotations. What cannot be used is left out and counted by reason. Annotations without any quirk
come out as they went in.
"""

import struct
import sys
import unicodedata
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from smallsight.datasets.coco import is_list, shortened
from smallsight.datasets.identities import (
    TELLING,
    by_key,
    key_of,
    number_all,
    number_keys,
    with_id,
)
from smallsight.datasets.left_out import FLAT, REASONS, LeftOut, Reason, check_shares
from smallsight.datasets.picture_folder import PictureFolder, stays_inside
from smallsight.datasets.values import (
    is_set,
    plain_segmentation,
    read_area,
    read_box,
    read_side,
)
from smallsight.imaging.decoding import read_header
from smallsight.params import plain_name
from smallsight.runtime.errors import AnnotationError, PictureError
from smallsight.runtime.large_json import Entries, Entry

LEFT_OUT = "left_out"
"""Key of a tidied tree: what is left out, by reason, where anything is."""


def tidy(
    tree: dict[str, Any],
    categories: Sequence[str] | Literal["all"],
    *,
    where: str,
    max_bad_share: float,
    folder: PictureFolder | None = None,
) -> dict[str, Any]:
    """Read what is meant, and leave out and count what cannot be used.

    Parameters
    ----------
    tree
        The content of a COCO JSON file, or of another format that was turned into such.
    categories
        The study's; annotations of others are passed over.
    max_bad_share
        The share of the annotations, or of the pictures, that may be faulty.
    folder
        Where the pictures lie; None where that cannot be looked at.

    Returns
    -------
    dict
        The tree with its entries changed where they had to be, and under `LEFT_OUT` the count,
        total and example of each reason. An entry with a new id has the old one as `source_id`.
        Annotations are `Entries`, tidied again whenever they are gone through. What has not the
        structure of COCO's files is passed on, for `coco.parse` to refuse.

    Raises
    ------
    AnnotationError
        Where too many entries are faulty, or an id or name does not say which entry is meant.

    Examples
    --------
    >>> tree = {
    ...     "images": [{"id": "seven", "file_name": "7.jpg", "width": 640, "height": 480}],
    ...     "categories": [{"id": 3, "name": "car"}, {"id": 3, "name": "car"}],
    ...     "annotations": [
    ...         {"id": 1, "image_id": "seven", "category_id": 3, "bbox": [1, 2, 3, 4]},
    ...         {"id": 2, "image_id": "seven", "category_id": 3, "bbox": [9, 2, 3, 4], "ignore": 1},
    ...     ],
    ... }
    >>> tidied = tidy(tree, ["car"], where="an example", max_bad_share=0.01)
    >>> list(tidied["annotations"])
    [{'id': 1, 'image_id': 1, 'category_id': 3, 'bbox': [1, 2, 3, 4]}]
    >>> tidied["left_out"]["ignored"]["count"]
    1
    """
    keys = ("images", "annotations", "categories")
    if not all(_is_list_of_entries(tree.get(key)) for key in keys):
        return tree
    tally = _Tally()
    named = _categories(tree["categories"], tree["annotations"], where)
    images = _images(tree["images"], folder, tally, where)
    chosen = {entry["name"] for entry in named.values()} if categories == "all" else {*categories}
    annotations = _annotations(tree["annotations"], images, named, chosen, tally)
    check_shares(tally.faults(), share=max_bad_share, where=where)
    tidied = {key: value for key, value in tree.items() if key != LEFT_OUT} | {
        "images": list({entry["id"]: entry for entry in images.values() if entry}.values()),
        "annotations": annotations,
        "categories": list({entry["id"]: entry for entry in named.values()}.values()),
    }
    if tally.reasons:
        tidied[LEFT_OUT] = {
            name: {
                "count": tally.reasons[name],
                "total": tally.totals[reason.of],
                "example": tally.examples[reason],
            }
            for name, reason in REASONS.items()
            if tally.reasons[name]
        }
    return tidied


@dataclass
class _Tally:
    """Counts what is left out, and keeps an example of each reason."""

    reasons: Counter[str] = field(default_factory=Counter)
    totals: Counter[str] = field(default_factory=Counter)
    examples: dict[Reason, str] = field(default_factory=dict)
    flat: int = 0

    def leave_out(self, name: str, example: str) -> None:
        self.reasons[name] += 1
        self.examples.setdefault(REASONS[name], example)

    def saw_flat(self, example: str) -> None:
        self.flat += 1
        self.examples.setdefault(FLAT, example)

    def faults(self) -> dict[Reason, LeftOut]:
        counts = {reason: self.reasons[name] for name, reason in REASONS.items()}
        if self.flat:
            counts[FLAT] = self.flat
        return {
            reason: LeftOut(count, self.totals[reason.of], self.examples[reason])
            for reason, count in counts.items()
            if count and reason.is_bad
        }


def _is_list_of_entries(value: object) -> bool:
    return isinstance(value, Entries) or (
        is_list(value) and all(isinstance(entry, dict) for entry in value)
    )


def _categories(
    entries: Sequence[Entry], annotations: Sequence[Entry], where: str
) -> dict[str, Entry]:
    """Return categories by the key of their ids.

    Of a name twice, the one without annotations is passed over; two that also have the same
    supercategory are one.
    """
    found = by_key(entries, "categories", where)
    numbers = number_keys(found)
    for key, entry in found.items():
        name = entry.get("name")
        if type(name) is int:
            name = str(name)
        if not isinstance(name, str) or not plain_name(name) or not _can_be_written(name):
            said = f"name {shortened(name)}" if "name" in entry else "no name"
            place = f"{where}: category {shortened(entry['id'])}"
            raise AnnotationError(place, said, "a name, a text")
        plain = plain_name(name)
        named = entry if entry["name"] == plain else entry | {"name": plain}
        found[key] = with_id(named, numbers[key])
    names = Counter(entry["name"] for entry in found.values())
    if max(names.values(), default=0) < 2:
        return found
    used = {key_of(entry.get("category_id")) for entry in annotations}
    taken = {found[key]["name"] for key in found.keys() & used}
    left = {key: entry for key, entry in found.items() if key in used or entry["name"] not in taken}
    firsts: dict[tuple[object, object], Entry] = {}
    return {
        key: firsts.setdefault((entry["name"], entry.get("supercategory")), entry)
        for key, entry in left.items()
    }


def _can_be_written(name: str) -> bool:
    """Return whether files can hold a name: halves of letters and control characters cannot be."""
    return not any(unicodedata.category(letter) in ("Cs", "Cc") for letter in plain_name(name))


def _images(
    entries: Sequence[Entry], folder: PictureFolder | None, tally: _Tally, where: str
) -> dict[str, Entry | None]:
    """Return pictures by the key of their ids; None for those that are left out.

    A picture that has several ids is one: else it could be trained on and tested on at once.
    """
    found = by_key(entries, "images", where)
    numbers = number_keys(found)
    tally.totals["pictures"] = len(found)
    tidied: dict[str, Entry | None] = {}
    pictures: dict[tuple[object, ...], Entry] = {}
    for key, entry in found.items():
        image, reason = _image(entry, folder)
        if reason:
            tally.leave_out(reason, f"image {shortened(entry['id'])} ({_said(entry, 'file_name')})")
            tidied[key] = None
            continue
        # Two names of one file are no reason: one of them may be of a picture that is missing.
        what = (entry["file_name"], *(image[name] for name in TELLING["images"]))
        tidied[key] = pictures.setdefault(what, with_id(image, numbers[key]))
    return tidied


def _image(entry: Entry, folder: PictureFolder | None) -> tuple[Entry, str]:
    """Return a picture's entry with its file and size, or the reason to leave it out."""
    name = entry.get("file_name")
    if not isinstance(name, str) or not name:
        return entry, "malformed_picture"
    if folder:
        file = folder.find(name)
        if file is None:
            return entry, "missing_picture" if name.isprintable() else "malformed_picture"
        name = file
    elif "\\" in name:
        name = name.replace("\\", "/")
    sides = [read_side(entry.get(key)) for key in ("width", "height")]
    if folder and None in sides:
        try:
            # Nothing is decoded here: `data.max_pixels` counts where pictures are fetched.
            header = read_header(folder.path / name, max_pixels=sys.maxsize)
        except PictureError:
            return entry, "malformed_picture"
        sides = [*(header.upright if folder.is_upright else header.stored)]
    if None in sides or not stays_inside(name):
        return entry, "malformed_picture"
    changes = {"file_name": name, "width": sides[0], "height": sides[1]}
    changes = {key: value for key, value in changes.items() if entry.get(key) != value}
    return entry | changes if changes else entry, ""


def _annotations(
    entries: Sequence[Entry],
    images: dict[str, Entry | None],
    categories: dict[str, Entry],
    chosen: set[str],
    tally: _Tally,
) -> Entries:
    tally.totals["annotations"] = len(entries)
    ids, kept, seen = [], array("q"), set()
    for position, entry in enumerate(entries):
        ids.append(entry.get("id"))
        category = categories.get(key_of(entry.get("category_id")) or "")
        if category and category["name"] not in chosen:
            continue
        annotation, reason = _annotation(entry, images, category)
        if not reason:
            place = _place(annotation)
            reason = "repeated" if place in seen else ""
            seen.add(place)
        if reason:
            telling = {"unknown_picture": "image_id", "unknown_category": "category_id"}
            tally.leave_out(reason, _example(entry, telling.get(reason, "bbox")))
            continue
        if 0 in annotation["bbox"][2:]:
            tally.saw_flat(_example(entry, "bbox"))
        kept.append(position)
    numbers = number_all(ids)

    def tidied(position: int) -> Entry:
        entry = entries[position]
        category = categories[key_of(entry["category_id"]) or ""]
        return with_id(_annotation(entry, images, category)[0], numbers[position])

    return Entries(kept, tidied)


def _place(annotation: Entry) -> bytes:
    """Return what two annotations of one object have in common, small enough to keep of each."""
    crowd, box = annotation.get("iscrowd", 0), [float(value) + 0.0 for value in annotation["bbox"]]
    return struct.pack("=qq?4d", annotation["image_id"], annotation["category_id"], crowd, *box)


def _annotation(
    entry: Entry, images: dict[str, Entry | None], category: Entry | None
) -> tuple[Entry, str]:
    """Return an annotation with its references, box and flags, or the reason to leave it out."""
    image_key = key_of(entry.get("image_id")) or ""
    if image_key not in images:
        return entry, "unknown_picture"
    image = images[image_key]
    if image is None:
        return entry, "of_left_out_picture"
    if category is None:
        return entry, "unknown_category"
    references = {"image_id": image["id"], "category_id": category["id"]}
    if is_set(entry.get("ignore")):
        return entry, "ignored"
    box = read_box(entry.get("bbox"))
    if box is None:
        return entry, "malformed_box"
    area = read_area(entry.get("area"))
    flags: Entry = {
        "iscrowd": int(is_set(entry.get("iscrowd"))),
        "area": box[2] * box[3] if area is None else area,
    }
    flags = {key: value for key, value in flags.items() if key in entry}
    if "segmentation" in entry:
        flags["segmentation"] = plain_segmentation(entry["segmentation"])
    return _changed(entry, references | {"bbox": box} | flags), ""


def _changed(entry: Entry, values: Entry) -> Entry:
    """Return an entry with other values; the same entry where it has them."""
    changes = {
        key: value
        for key, value in values.items()
        if entry[key] != value or type(entry[key]) is not type(value)
    }
    return entry | changes if changes else entry


def _example(entry: Entry, key: str) -> str:
    return f"annotation {shortened(entry.get('id'))} ({_said(entry, key)})"


def _said(entry: Entry, key: str) -> str:
    return f"{key} {shortened(entry[key])}" if key in entry else f"no {key}"
