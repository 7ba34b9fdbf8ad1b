"""Masks of the sampled instances, kept as JSON."""

import json
from pathlib import Path
from typing import Any

from smallsight.runtime import files

Masks = dict[tuple[int, int], dict[str, Any]]
"""Compressed RLE with `counts` as text, by image_id and ann_id."""


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
