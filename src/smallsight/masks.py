"""Masks of objects: COCO's segmentations decoded, checked, and kept for the sampled instances."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pycocotools import mask as rle

from smallsight import files
from smallsight.coco import Dataset, shortened
from smallsight.errors import AnnotationError

Masks = dict[tuple[int, int], dict[str, Any]]
"""Compressed RLE with `counts` as text, by image_id and ann_id."""


def encode(mask: np.ndarray) -> dict[str, Any]:
    """Turn a mask, bool (H, W), into COCO's compressed RLE with `counts` as text."""
    encoded = rle.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(side) for side in encoded["size"]], "counts": encoded["counts"].decode()}


def decode(segmentation: object, *, width: int, height: int) -> np.ndarray:
    """Turn a COCO segmentation (polygons, RLE, compressed RLE) into a mask, bool (H, W).

    Polygons of fewer than three points enclose nothing, and real annotations hold some.

    Raises
    ------
    ValueError
        Where there is no segmentation, or it is not of this size. What is malformed otherwise
        raises whatever it meets.
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


def of_instances(dataset: Dataset, instances: pd.DataFrame) -> Masks:
    """Collect the masks of some instances.

    Parameters
    ----------
    instances
        Columns image_id and ann_id. One without a segmentation has no mask.

    Raises
    ------
    AnnotationError
        Where a segmentation is malformed, or not of its picture's size.
    """
    table = instances[["image_id", "ann_id"]].merge(dataset.annotations, on=["image_id", "ann_id"])
    masks = {}
    for row in table.merge(dataset.images, on="image_id").itertuples():
        if row.segmentation is None:
            continue
        try:
            mask = decode(row.segmentation, width=int(row.width), height=int(row.height))
        except Exception:  # whatever was met in what it was given
            place = f"{dataset.where}: annotation {row.ann_id}"
            found = f"segmentation {shortened(row.segmentation)}"
            raise AnnotationError(place, found, "polygons or RLE of the picture's size") from None
        masks[int(row.image_id), int(row.ann_id)] = encode(mask)
    return masks


def write(masks: Masks, path: str | Path) -> None:
    """Write masks as JSON: the same masks give the same bytes."""
    entries = [
        {"image_id": image_id, "ann_id": ann_id, "segmentation": mask}
        for (image_id, ann_id), mask in sorted(masks.items())
    ]
    files.write_text(json.dumps(entries, sort_keys=True) + "\n", path)


def read(path: str | Path) -> Masks:
    """Read what `write` wrote."""
    entries = json.loads(Path(path).read_text(encoding="utf-8"))
    return {(entry["image_id"], entry["ann_id"]): entry["segmentation"] for entry in entries}


_TRIANGLE = 6
"""Numbers of the least polygon that encloses anything."""
_REACH = 3
"""Coordinates of polygons end at so many times the picture's longer side."""


def _runs(counts: str) -> list[int]:
    """Give the lengths of runs, unset first (`rleFrString` of COCO's maskApi.c).

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
