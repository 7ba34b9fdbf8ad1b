"""Features of one condition's pictures, written and read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smallsight.backbones.readouts import PARTS, available, joined
from smallsight.conditions.rendered.names import Condition
from smallsight.runtime.files import write_arrays

MIRRORED = "_mirrored"
"""Ends the name of an array whose pictures were mirrored."""


def place_of(condition: Condition) -> Path:
    """Return where a condition's features lie in the folder of its family."""
    return condition.place.parent / f"{condition.level}.npz"


def place_of_maps(condition: Condition) -> Path:
    """Return where a condition's maps lie in the folder of its family, where they are kept.

    (pictures, dimensions, rows, columns), float32: the last layer's maps.
    """
    return condition.place.parent / f"{condition.level}.maps.npy"


@dataclass(frozen=True)
class Extracted:
    """All that one pass over a condition's pictures gives.

    Instances whose pictures are the same, byte by byte, share a row of the picture arrays.

    Attributes
    ----------
    image_id, ann_id
        (instances,), the sample's instances in its order.
    side
        (instances,), side of the object in input pixels.
    row
        (instances,), each instance's row in the picture arrays.
    plain, mirrored
        By the names of `readouts.PARTS`, float32: of the picture and its mirror image. `scene` is
        (pictures, dimensions); the others are (instances, channels). Nothing is mirrored where no
        head is trained.
    """

    image_id: np.ndarray
    ann_id: np.ndarray
    side: np.ndarray
    row: np.ndarray
    plain: Mapping[str, np.ndarray]
    mirrored: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class StoredMaps:
    """Maps on disk: what is looked at is read, and none of it stays in memory by itself.

    Attributes
    ----------
    path
        An NPY file, (pictures, dimensions, rows, columns), float32.
    """

    path: Path

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's."""
        return np.load(self.path, mmap_mode="r").shape

    def __len__(self) -> int:
        """Count the pictures."""
        return self.shape[0]

    def __getitem__(self, places: slice | np.ndarray) -> np.ndarray:
        """Read the maps of some pictures, as often as each is asked for."""
        # Opened each time: what was looked at of an open file counts as this process's memory.
        return np.array(np.load(self.path, mmap_mode="r")[places])


@dataclass(frozen=True)
class Features:
    """One readout's features of one condition's instances.

    Attributes
    ----------
    image_id, ann_id, side, row
        As in `Extracted`.
    plain, mirrored
        (instances, dimensions), float32: of the picture and its mirror image. No mirrored ones
        where no head is trained.
    maps
        The last layer's of the different pictures; an array without pictures where they were not
        asked for.
    """

    image_id: np.ndarray
    ann_id: np.ndarray
    side: np.ndarray
    row: np.ndarray
    plain: np.ndarray
    mirrored: np.ndarray
    maps: np.ndarray | StoredMaps


def write_features(extracted: Extracted, condition: Condition, folder: Path) -> None:
    """Write features as an uncompressed NPZ file: an array for each attribute and part.

    Parameters
    ----------
    folder
        That of the condition's family.
    """
    shared = ("image_id", "ann_id", "side", "row")
    arrays = {name: getattr(extracted, name) for name in shared}
    mirrored = {f"{name}{MIRRORED}": part for name, part in extracted.mirrored.items()}
    path = folder / place_of(condition)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_arrays(arrays | dict(extracted.plain) | mirrored, path)


def stored_readouts(features: Path, condition: Condition) -> tuple[str, ...]:
    """Return the readouts whose features are stored for a condition."""
    with np.load(features / condition.family / place_of(condition)) as file:
        return available(file.files)


def read_features(
    features: Path, condition: Condition, readout: str, *, maps: bool = False
) -> Features:
    """Read one readout's features of a condition.

    Parameters
    ----------
    features
        The folder that holds all families.
    maps
        Whether to open the maps, which are read from disk where they are looked at.
    """
    kept: np.ndarray | StoredMaps = np.empty((0, 0, 0, 0), np.float32)
    if maps:
        kept = StoredMaps(features / condition.family / place_of_maps(condition))
    with np.load(features / condition.family / place_of(condition)) as file:
        row = file["row"]

        def feature(suffix: str) -> np.ndarray:
            parts = {name: file[f"{name}{suffix}"] for name in PARTS[readout]}
            if "scene" in parts:
                parts["scene"] = parts["scene"][row]
            return joined(parts, readout)

        plain = feature("")
        has_mirrored = f"scene{MIRRORED}" in file
        return Features(
            image_id=file["image_id"],
            ann_id=file["ann_id"],
            side=file["side"],
            row=row,
            plain=plain,
            mirrored=feature(MIRRORED) if has_mirrored else plain[:0],
            maps=kept,
        )
