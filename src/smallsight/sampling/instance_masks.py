"""Masks of the sampled instances, collected from annotations and kept as JSON."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from smallsight.datasets.coco import Dataset, shortened
from smallsight.imaging.masks import decode, encode
from smallsight.runtime import files
from smallsight.runtime.errors import AnnotationError

Masks = dict[tuple[int, int], dict[str, Any]]
"""Compressed RLE with `counts` as text, by image_id and ann_id."""


def collect_masks(dataset: Dataset, instances: pd.DataFrame) -> Masks:
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
    row: Any
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


def write_masks(masks: Masks, path: str | Path) -> None:
    """Write masks as JSON: the same masks give the same bytes."""
    entries = [
        {"image_id": image_id, "ann_id": ann_id, "segmentation": mask}
        for (image_id, ann_id), mask in sorted(masks.items())
    ]
    files.write_text(json.dumps(entries, sort_keys=True) + "\n", path)


def read_masks(path: str | Path) -> Masks:
    """Read masks that `write_masks` wrote."""
    entries = json.loads(Path(path).read_text(encoding="utf-8"))
    return {(entry["image_id"], entry["ann_id"]): entry["segmentation"] for entry in entries}
