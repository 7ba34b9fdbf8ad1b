"""Pictures to pooled features and maps: the backbone, run once per different picture."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import Features
from smallsight.conditions.store import read_pictures
from smallsight.imaging.boxes import Box
from smallsight.runtime.parallel import progress

BATCH_SIZE = 16
"""Pictures per run of the network: small, because the maps of more fall out of a CPU's cache."""


def extract_features(
    views: pd.DataFrame, folder: Path, backbone: Backbone, *, keep_maps: bool, device: torch.device
) -> Features:
    """Run the backbone over the pictures of one condition.

    Parameters
    ----------
    views
        The condition's rows of `rendered.VIEW_COLUMNS`.
    folder
        Holds the condition's pictures.
    keep_maps
        Whether to return the maps as well: they take 50 times the room.
    """
    different, row = _different(read_pictures(folder, views))
    plain, flipped, maps = [], [], []
    backbone = backbone.to(device)
    for batch in batches(different, device=device, description=f"features of {folder}"):
        with torch.inference_mode():
            seen, mirrored = backbone(batch), backbone(batch.flip(2))
        plain.append(pooled(seen).cpu().numpy())
        flipped.append(pooled(mirrored).cpu().numpy())
        maps.append(seen[: len(seen) if keep_maps else 0].cpu().contiguous().numpy())
    boxes = views[["box_x", "box_y", "box_w", "box_h"]].itertuples(index=False)
    return Features(
        image_id=views["image_id"].to_numpy(),
        ann_id=views["ann_id"].to_numpy(),
        side=np.array([Box(*box).side for box in boxes]),
        row=row,
        plain=np.concatenate(plain),
        flipped=np.concatenate(flipped),
        maps=np.concatenate(maps),
    )


def batches(
    pictures: np.ndarray, *, device: torch.device, description: str
) -> Iterator[torch.Tensor]:
    """Bring pictures, (n, size, size, 3), to the device, as many at a time as run best."""
    starts = range(0, len(pictures), BATCH_SIZE)
    for start in progress(iter(starts), total=len(starts), description=description):
        yield torch.from_numpy(pictures[start : start + BATCH_SIZE]).to(device)


def forward_batches(
    backbone: Backbone, pictures: np.ndarray, *, device: torch.device, description: str
) -> Iterator[torch.Tensor]:
    """Run the backbone over pictures; give the last layer's maps batch by batch."""
    backbone = backbone.to(device)
    for batch in batches(pictures, device=device, description=description):
        with torch.inference_mode():
            maps = backbone(batch)
        yield maps


def pooled(maps: torch.Tensor) -> torch.Tensor:
    """Average maps (n, dimensions, rows, columns) over their cells."""
    return maps.mean(dim=(2, 3))


def _different(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep one of each picture; also give, for every picture, the row of its like."""
    digests = [hashlib.sha256(picture.tobytes()).digest() for picture in pictures]
    first = {digest: index for index, digest in reversed(list(enumerate(digests)))}
    kept = sorted(first.values())
    row_of = {digests[index]: row for row, index in enumerate(kept)}
    return pictures[kept], np.array([row_of[d] for d in digests])
