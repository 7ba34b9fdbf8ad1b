"""Features of one condition's pictures, written and read."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from smallsight.runtime.files import write_arrays


@dataclass(frozen=True)
class Features:
    """Features of one condition's pictures.

    Instances whose pictures are the same, byte by byte, share a row of the picture arrays.

    Attributes
    ----------
    image_id, ann_id
        (instances,), the sample's instances in its order.
    side
        (instances,), side of the object in input pixels.
    row
        (instances,), each instance's row in the arrays below.
    plain, mirrored
        (pictures, dimensions), float32: pooled features of the picture and its mirror image.
    maps
        (pictures, dimensions, rows, columns), float32: the maps whose means over the cells are
        `plain`. No pictures where they were not kept.
    """

    image_id: np.ndarray
    ann_id: np.ndarray
    side: np.ndarray
    row: np.ndarray
    plain: np.ndarray
    mirrored: np.ndarray
    maps: np.ndarray


def write_features(features: Features, path: str | Path) -> None:
    """Write features as an uncompressed NPZ file, an array for each attribute."""
    write_arrays({field.name: getattr(features, field.name) for field in fields(Features)}, path)


def read_features(path: str | Path, *, maps: bool = False) -> Features:
    """Read features. Maps are large: they are left out unless asked for."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if maps or name != "maps"}
    arrays.setdefault("maps", np.empty((0, arrays["plain"].shape[1], 0, 0), np.float32))
    return Features(**arrays)
