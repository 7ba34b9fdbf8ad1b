"""Pictures and masks in a family's folder, written by rendering and read by later stages."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight.conditions.rendered.names import Condition
from smallsight.imaging.pictures import read_picture
from smallsight.runtime import files
from smallsight.runtime.files import write_arrays
from smallsight.runtime.parallel import map_items

MASKS = "masks.npz"
"""Name of the file of masks, beside the folders of one task's levels."""


def picture_name(image_id: int, ann_id: int) -> str:
    """Name an instance's picture inside the folder of a level."""
    return f"{image_id}_{ann_id}.png"


def read_pictures(folder: Path, instances: pd.DataFrame) -> np.ndarray:
    """Read the pictures of instances under one condition: (n, size, size, 3), uint8."""
    description = f"reading {folder}"
    paths = _paths(folder, instances)
    return np.stack(map_items(read_picture, paths, description=description, prefer="threads"))


def read_few(folder: Path, instances: pd.DataFrame) -> np.ndarray:
    """Do what `read_pictures` does in this thread alone."""
    return np.stack([read_picture(path) for path in _paths(folder, instances)])


def distinct(folder: Path, instances: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Find the instances whose pictures are the same: their files are.

    Returns
    -------
    first
        (different pictures,), the place of each one's first instance, in order.
    row
        (n,): the number of each instance's picture among them.
    """
    digests = [files.sha256(path) for path in _paths(folder, instances)]
    numbers: dict[str, int] = {}
    row = np.array([numbers.setdefault(digest, len(numbers)) for digest in digests], int)
    return np.unique(row, return_index=True)[1], row


def _paths(folder: Path, instances: pd.DataFrame) -> list[Path]:
    ids = zip(instances["image_id"], instances["ann_id"], strict=True)
    return [folder / picture_name(image_id, ann_id) for image_id, ann_id in ids]


def write_masks(covers: Mapping[tuple[int, int], np.ndarray], path: Path) -> None:
    """Write how much of each pixel of the network's input an object's mask covers.

    Parameters
    ----------
    covers
        By image_id and ann_id, (size, size), uint8: 0 to 255.
    """
    covers = dict(sorted(covers.items()))
    ids = np.array(list(covers), np.int64).reshape(-1, 2)
    values = np.array(list(covers.values()), np.uint8)
    write_arrays({"ids": ids, "covers": values}, path, compress=True)


def read_masks(conditions: Path, condition: Condition, instances: pd.DataFrame) -> list[np.ndarray]:
    """Read the masks of a family's reference level in one task, one for each instance.

    Returns
    -------
    list
        (size, size), uint8, as they were passed to `write_masks`; an instance without a mask has
        one of a single pixel, 0.
    """
    with np.load(conditions / condition.folder.parent / MASKS) as file:
        covers = dict(zip(map(tuple, file["ids"].tolist()), file["covers"], strict=True))
    nothing = np.zeros((1, 1), np.uint8)
    keys = zip(instances["image_id"], instances["ann_id"], strict=True)
    return [covers.get(key, nothing) for key in keys]
