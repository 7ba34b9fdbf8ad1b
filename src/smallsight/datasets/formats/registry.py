"""The formats of annotations on disk, by the name that `data.local.format` chooses."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smallsight.datasets import coco
from smallsight.datasets.formats import fiftyone, folders, voc, yolo


@dataclass(frozen=True)
class Format:
    """What the registry holds of a format.

    Attributes
    ----------
    read
        Reads the annotations as a raw COCO tree; file names are relative to the folder of
        pictures, which are turned as EXIF says, or not, before they are measured. It raises an
        `AnnotationError` for what is not as the format has it, and leaves odd values as they are.
    names
        What `data.local.annotations` and `data.local.images` name.
    """

    read: Callable[[Path, Path, bool], dict[str, Any]]
    names: str


FORMATS = {
    "coco": Format(
        lambda annotations, *_: coco.load(annotations),
        "annotations: the JSON file; images: the folder that its file names start from",
    ),
    "yolo": Format(
        yolo.read,
        "annotations: the dataset's folder, with data.yaml and the labels; images: the folder of "
        "the pictures that are used, with all folders in it",
    ),
    "voc": Format(
        voc.read,
        "annotations: the folder of XML files; images: the folder of pictures",
    ),
    "fiftyone": Format(
        fiftyone.read,
        "annotations: the export's folder, or its labels.json or samples.json; images: its data",
    ),
    "folders": Format(
        folders.read,
        "annotations and images: the folder that has a folder of pictures per class",
    ),
}
"""Every format by name."""
