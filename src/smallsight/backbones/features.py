"""Features of pictures: the backbone is run once per different picture."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import Extracted
from smallsight.backbones.networks.network import LAST
from smallsight.backbones.pooling import regions_of
from smallsight.backbones.readouts import joined, mirrored_boxes
from smallsight.conditions.rendered.store import read_pictures
from smallsight.imaging.boxes import Box
from smallsight.runtime.device import map_batches

BATCH_SIZE = 8
"""Pictures per run of the network: small, because the maps of more fall out of a CPU's cache."""

BOX = ["box_x", "box_y", "box_w", "box_h"]
"""Columns of views that hold an object's box, in input pixels."""


def extract_features(
    views: pd.DataFrame, folder: Path, backbone: Backbone, *, keep_maps: bool, device: torch.device
) -> Extracted:
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
    boxes = views[BOX].to_numpy(float)
    description = f"features of {folder}"
    plain = _read_out(backbone, different, boxes, row, device, description, keep_maps=keep_maps)
    turned = different[:, :, ::-1]
    boxes_there = mirrored_boxes(boxes, different.shape[1])
    mirrored = _read_out(backbone, turned, boxes_there, row, device, description, keep_maps=False)
    maps = plain.pop(LAST)
    del mirrored[LAST]
    return Extracted(
        image_id=views["image_id"].to_numpy(),
        ann_id=views["ann_id"].to_numpy(),
        side=np.array([Box(*box).side for box in boxes]),
        row=row,
        plain=plain,
        mirrored=mirrored,
        maps=maps,
    )


def instance_features(
    backbone: Backbone,
    pictures: np.ndarray,
    boxes: np.ndarray,
    row: np.ndarray,
    readout: str,
    *,
    device: torch.device,
    description: str,
) -> np.ndarray:
    """Compute one readout's features of n objects.

    Parameters
    ----------
    pictures
        (pictures, size, size, 3), uint8.
    boxes
        (n, 4): the objects' left, top, width and height, in input pixels.
    row
        (n,): the number of each object's picture.

    Returns
    -------
    ndarray
        (n, dimensions), float32.
    """
    parts = _read_out(backbone, pictures, boxes, row, device, description, keep_maps=False)
    parts["scene"] = parts["scene"][row]
    return joined(parts, readout)


def last_maps(
    backbone: Backbone, pictures: np.ndarray, *, device: torch.device, description: str
) -> np.ndarray:
    """Compute the last layer's maps, (n, dimensions, rows, columns), of pictures."""
    backbone = backbone.to(device)

    def run(place: slice) -> np.ndarray:
        with torch.inference_mode():
            maps = backbone(torch.from_numpy(pictures[place]).to(device))
        return maps.cpu().contiguous().numpy()

    places = _batches(len(pictures))
    return np.concatenate(map_batches(run, places, device=device, description=description))


def _read_out(
    backbone: Backbone,
    pictures: np.ndarray,
    boxes: np.ndarray,
    row: np.ndarray,
    device: torch.device,
    description: str,
    *,
    keep_maps: bool,
) -> dict[str, np.ndarray]:
    """Read out all parts of features of pictures with any number of objects each.

    Parameters
    ----------
    boxes, row
        (n, 4) and (n,): of each object, its box and the number of its picture.
    """
    backbone = backbone.to(device)
    places = _batches(len(pictures))
    members = [np.flatnonzero((row >= place.start) & (row < place.stop)) for place in places]

    def run(work: tuple[slice, np.ndarray]) -> dict[str, np.ndarray]:
        place, here = work
        regions = regions_of(boxes[here], row[here] - place.start, device)
        batch = torch.from_numpy(np.ascontiguousarray(pictures[place])).to(device)
        with torch.inference_mode():
            parts = backbone.read_out(batch, regions)
        parts[LAST] = parts[LAST][: len(batch) if keep_maps else 0]
        return {name: part.cpu().contiguous().numpy() for name, part in parts.items()}

    work = list(zip(places, members, strict=True))
    found = map_batches(run, work, device=device, description=description)
    whole = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    # Objects come out in the order of their pictures.
    back = np.argsort(np.concatenate(members))
    return {name: part if name in (LAST, "scene") else part[back] for name, part in whole.items()}


def _batches(n: int) -> list[slice]:
    """Return the places of n pictures, `BATCH_SIZE` at a time."""
    return [slice(start, start + BATCH_SIZE) for start in range(0, n, BATCH_SIZE)]


def _different(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep one of each set of equal pictures; return them and the row of each picture's like."""
    digests = [hashlib.sha256(picture.tobytes()).digest() for picture in pictures]
    first = {digest: index for index, digest in reversed(list(enumerate(digests)))}
    kept = sorted(first.values())
    row_of = {digests[index]: row for row, index in enumerate(kept)}
    return pictures[kept], np.array([row_of[d] for d in digests])
