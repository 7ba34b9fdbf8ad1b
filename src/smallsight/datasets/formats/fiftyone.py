"""FiftyOne's own exports: `FiftyOneImageDetectionDataset` and `FiftyOneDataset`.

They are read without the package fiftyone, which needs a database. FiftyOne's exports to COCO,
YOLO and Pascal VOC are of those formats.
"""

import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple

from smallsight.datasets.formats.faults import Fault, named, refuse
from smallsight.datasets.formats.numbers import is_share
from smallsight.datasets.formats.picture_files import Size, find_pictures, read_size
from smallsight.datasets.formats.trees import Picture, Shape, make_tree
from smallsight.runtime.errors import AnnotationError
from smallsight.runtime.parallel import map_items

EXPECTED = "detections with a label and a bounding_box [x, y, width, height] of shares"
GROUND_TRUTH = "ground_truth"
"""The field that is read of samples that have several fields of detections."""


def read(annotations: Path, images: Path, is_upright: bool = True) -> dict[str, Any]:
    """Read an export as a raw COCO tree.

    Of several fields of detections, `ground_truth` is read. Masks of detections are not read:
    their objects are their boxes. Categories are numbered from 1 by their names' order.

    Parameters
    ----------
    annotations
        The export's folder, or `labels.json` or `samples.json` in it.
    images
        Its folder of pictures, `data`.
    is_upright
        Whether pictures are turned as EXIF says, and their boxes with them.

    Raises
    ------
    AnnotationError
        With all that is not as the format has it.
    """
    path = _find_labels(annotations)
    tree = _load(path)
    known = find_pictures(images)
    if isinstance(tree.get("labels"), dict):
        entries, faults = _labelled(tree, known, path)
    elif isinstance(tree.get("samples"), list):
        entries, faults = _sampled(tree["samples"], known, path, images)
    else:
        raise AnnotationError(named(path), "neither labels nor samples", "a FiftyOne export")
    paths = [images / name for name, _ in entries]
    measure = partial(read_size, upright=is_upright)
    sizes = map_items(measure, paths, description="measuring pictures", prefer="threads")
    found = [_detections(given, f"{named(path)}: {named(name)}") for (name, given) in entries]
    unread = [
        Fault("pictures whose header cannot be read", named(path))
        for path, size in zip(paths, sizes, strict=True)
        if size is None
    ]
    refuse(
        [*faults, *unread, *(fault for _, some in found for fault in some)],
        where=named(path),
        expected=EXPECTED,
    )
    labels = sorted({one.label for boxes, _ in found for one in boxes})
    categories = {label: number for number, label in enumerate(labels, start=1)}
    pictures = (
        Picture(name, size, tuple(_shape(categories[one.label], one, size) for one in boxes))
        for (name, _), (boxes, _), size in zip(entries, found, sizes, strict=True)
        if size is not None
    )
    return make_tree(pictures, {number: label for label, number in categories.items()})


Entry = tuple[str, object]
"""The path of a picture, and what stands for its detections."""


class Box(NamedTuple):
    """A label; x, y, width and height as shares of the picture; and COCO's flag as it stands."""

    label: str
    shares: tuple[float, ...]
    crowd: object


def _find_labels(annotations: Path) -> Path:
    if not annotations.is_dir():
        return annotations
    for name in ("labels.json", "samples.json"):
        if (annotations / name).is_file():
            return annotations / name
    expected = "labels.json or samples.json in it"
    raise AnnotationError(named(annotations), "no export of FiftyOne", expected)


def _load(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(path.read_bytes())
    except OSError as error:
        raise AnnotationError(named(path), error.strerror or "?", "a readable file") from None
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise AnnotationError(named(path), f"no JSON ({reason})", "a FiftyOne export") from None
    if not isinstance(tree, dict):
        raise AnnotationError(named(path), f"a JSON {type(tree).__name__}", "a FiftyOne export")
    return tree


def _labelled(
    tree: Mapping[str, Any], known: Sequence[str], path: Path
) -> tuple[list[Entry], list[Fault]]:
    """Match the keys of `labels`, which are names of pictures without their endings."""
    classes = tree.get("classes")
    if classes is not None and not (
        isinstance(classes, list) and all(isinstance(name, str) for name in classes)
    ):
        raise AnnotationError(named(path), "classes that are no texts", "a list of texts")
    pictures = {str(PurePosixPath(name).with_suffix("")): name for name in known}
    pictures |= {name: name for name in known}
    entries: list[Entry] = []
    faults: list[Fault] = []
    for key, given in sorted(tree["labels"].items()):
        name = pictures.get(key.replace("\\", "/"))
        if name is None:
            faults.append(Fault("labels of pictures that are not there", named(key)))
        else:
            entries.append((name, _with_names(given, classes)))
    return entries, faults


def _with_names(given: object, classes: Sequence[str] | None) -> object:
    """Put names in the place of the indices that labels are where there are classes."""
    if not classes or not isinstance(given, list):
        return given
    return [
        {**entry, "label": classes[entry["label"]]}
        if isinstance(entry, dict)
        and type(entry.get("label")) is int
        and 0 <= entry["label"] < len(classes)
        else entry
        for entry in given
    ]


def _sampled(
    samples: Sequence[object], known: Sequence[str], path: Path, images: Path
) -> tuple[list[Entry], list[Fault]]:
    """Find the picture and the detections of each sample."""
    field = _choose_field(samples, path)
    pictures, last = frozenset(known), defaultdict(list)
    for one in known:
        last[PurePosixPath(one).name].append(one)
    entries: list[Entry] = []
    faults: list[Fault] = []
    for number, sample in enumerate(samples, start=1):
        written = sample.get("filepath") if isinstance(sample, dict) else None
        if not isinstance(sample, dict) or not isinstance(written, str):
            faults.append(Fault("samples without a filepath", f"{named(path)}, sample {number}"))
            continue
        written = written.replace("\\", "/")
        whole = os.path.normpath(path.absolute().parent / written)
        name = PurePath(os.path.relpath(whole, images.absolute())).as_posix()
        if name not in pictures:
            alike = last[PurePosixPath(written).name]
            name = alike[0] if len(alike) == 1 else ""
            if len(alike) > 1:
                kind = "samples whose filepath may be of several pictures"
                faults.append(Fault(kind, named(written)))
                continue
        if name:
            value = sample.get(field)
            entries.append((name, value.get("detections") if isinstance(value, dict) else value))
        else:
            faults.append(Fault("samples of pictures that are not there", named(written)))
    return entries, faults


def _choose_field(samples: Sequence[object], path: Path) -> str:
    fields = sorted(
        {
            name
            for sample in samples
            if isinstance(sample, dict)
            for name, value in sample.items()
            if isinstance(value, dict) and value.get("_cls") == "Detections"
        }
    )
    if GROUND_TRUTH in fields:
        return GROUND_TRUTH
    if len(fields) == 1:
        return fields[0]
    found = (
        f"several fields of detections ({', '.join(map(named, fields))})"
        if fields
        else ("no field of detections")
    )
    raise AnnotationError(named(path), found, f"one, or one that is called {GROUND_TRUTH}")


def _detections(given: object, place: str) -> tuple[list[Box], list[Fault]]:
    """Check the detections of one picture; None are none."""
    if given is None:
        return [], []
    if not isinstance(given, list):
        return [], [Fault("detections that are no list", place)]
    boxes: list[Box] = []
    faults: list[Fault] = []
    for number, entry in enumerate(given, start=1):
        label = entry.get("label") if isinstance(entry, dict) else None
        box = entry.get("bounding_box") if isinstance(entry, dict) else None
        here = f"{place}, detection {number}"
        if type(label) is int:
            label = str(label)
        if not isinstance(label, str) or not label.strip():
            faults.append(Fault("detections without a label", here))
        elif not (isinstance(box, list) and len(box) == 4 and all(map(is_share, box))):
            faults.append(Fault("detections without a box of four shares", here))
        else:
            boxes.append(Box(label.strip(), tuple(box), _crowd(entry)))
    return boxes, faults


def _crowd(entry: Mapping[str, Any]) -> object:
    """Return COCO's flag, which FiftyOne keeps with a detection or among its attributes."""
    attributes = entry.get("attributes")
    others = attributes if isinstance(attributes, dict) else {}
    return entry.get("iscrowd", others.get("iscrowd", 0))


def _shape(category: int, box: Box, size: Size) -> Shape:
    x, y, width, height = box.shares
    return Shape(
        category,
        (x * size.width, y * size.height, width * size.width, height * size.height),
        crowd=box.crowd,
    )
