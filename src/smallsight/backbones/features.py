"""Pooled features and maps of pictures: the backbone is run once per different picture."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import Features
from smallsight.conditions.rendered.store import read_pictures
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
        The condition's rows of `store.VIEWS`.
    folder
        Holds the condition's pictures.
    keep_maps
        Whether to return the maps as well: they take 50 times the room.
    """
    different, row = _different(read_pictures(folder, views))
    plain, mirrored, maps = [], [], []
    backbone = backbone.to(device)
    for batch in batches(different, device=device, description=f"features of {folder}"):
        with torch.inference_mode():
            seen, seen_mirrored = backbone(batch), backbone(batch.flip(2))
        plain.append(pooled(seen).cpu().numpy())
        mirrored.append(pooled(seen_mirrored).cpu().numpy())
        maps.append(seen[: len(seen) if keep_maps else 0].cpu().contiguous().numpy())
    boxes = views[["box_x", "box_y", "box_w", "box_h"]].itertuples(index=False)
    return Features(
        image_id=views["image_id"].to_numpy(),
        ann_id=views["ann_id"].to_numpy(),
        side=np.array([Box(*box).side for box in boxes]),
        row=row,
        plain=np.concatenate(plain),
        mirrored=np.concatenate(mirrored),
        maps=np.concatenate(maps),
    )


def batches(
    pictures: np.ndarray, *, device: torch.device, description: str
) -> Iterator[torch.Tensor]:
    """Yield pictures, (n, size, size, 3), on the device, `BATCH_SIZE` at a time."""
    starts = range(0, len(pictures), BATCH_SIZE)
    for start in progress(iter(starts), total=len(starts), description=description):
        yield torch.from_numpy(pictures[start : start + BATCH_SIZE]).to(device)


def forward_batches(
    backbone: Backbone, pictures: np.ndarray, *, device: torch.device, description: str
) -> Iterator[torch.Tensor]:
    """Run the backbone over pictures, and yield the pooled layer's maps batch by batch."""
    backbone = backbone.to(device)
    for batch in batches(pictures, device=device, description=description):
        with torch.inference_mode():
            maps = backbone(batch)
        yield maps


def pooled(maps: torch.Tensor) -> torch.Tensor:
    """Average maps (n, dimensions, rows, columns) over their cells."""
    return maps.mean(dim=(2, 3))


def _different(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep one of each set of equal pictures; return them and the row of each picture's like."""
    digests = [hashlib.sha256(picture.tobytes()).digest() for picture in pictures]
    first = {digest: index for index, digest in reversed(list(enumerate(digests)))}
    kept = sorted(first.values())
    row_of = {digests[index]: row for row, index in enumerate(kept)}
    return pictures[kept], np.array([row_of[d] for d in digests])
