"""Masks of objects as COCO writes them: encoded, decoded and checked."""

from typing import Any

import numpy as np
from pycocotools import mask as rle


def encode(mask: np.ndarray) -> dict[str, Any]:
    """Encode a mask, bool (H, W), as COCO's compressed RLE with `counts` as text."""
    encoded = rle.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(side) for side in encoded["size"]], "counts": encoded["counts"].decode()}


def decode(segmentation: object, *, width: int, height: int) -> np.ndarray:
    """Decode a COCO segmentation (polygons, RLE or compressed RLE) into a mask, bool (H, W).

    Polygons of fewer than three points enclose nothing, and real annotations hold some.

    Raises
    ------
    ValueError
        Where there is no segmentation, or it is of another size. Other malformed segmentations
        raise errors of any type.
    """
    if isinstance(segmentation, list) and segmentation:
        # pycocotools crashes the process on NaN, and on edges that are too long for memory.
        points = np.concatenate([np.asarray(polygon, float) for polygon in segmentation])
        if not (np.abs(points) <= _REACH * max(width, height)).all():
            raise ValueError("a polygon reaches far beyond the picture")
        if any(len(polygon) % 2 for polygon in segmentation):
            raise ValueError("a point without its second coordinate")
        # It takes four numbers for a box.
        enclosing = [polygon for polygon in segmentation if len(polygon) >= _TRIANGLE]
        if not enclosing:
            return np.zeros((height, width), bool)
        merged = rle.merge(rle.frPyObjects(enclosing, height, width))
        segmentation = merged | {"counts": merged["counts"].decode()}
    if isinstance(segmentation, dict):
        # pycocotools takes runs that end early, and leaves the rest of the mask to chance.
        counts = segmentation["counts"]
        runs = np.array(_runs(counts) if isinstance(counts, str) else counts)
        if segmentation["size"] != [height, width] or runs.sum() != height * width:
            raise ValueError("the RLE is of another size")
        return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T
    raise ValueError("the annotation has no segmentation")


_TRIANGLE = 6
"""Numbers of the least polygon that encloses anything."""

_REACH = 3
"""Coordinates of polygons may be so many times as large as the picture's longer side."""


def _runs(counts: str) -> list[int]:
    """Decode the lengths of runs, unset first (`rleFrString` of COCO's maskApi.c).

    Each is written as its difference from the one but last, 5 bits per character, lowest first.
    """
    runs: list[int] = []
    value = shift = 0
    for byte in counts.encode():
        bits = byte - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            if bits & 0x10:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs
