"""Features of pictures: the network is run once per different picture."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.facts import LAST
from smallsight.backbones.feature_store import Extracted
from smallsight.backbones.pooling import regions_of
from smallsight.backbones.reader import Reader
from smallsight.backbones.readouts import joined, mirrored_boxes
from smallsight.conditions.rendered.store import picture_name, read_pictures
from smallsight.imaging.boxes import Box
from smallsight.runtime.device import map_batches

BOX = ["box_x", "box_y", "box_w", "box_h"]
"""Columns of views that hold an object's box, in input pixels."""


def extract_features(
    views: pd.DataFrame,
    folder: Path,
    reader: Reader,
    *,
    keep_maps: bool,
    device: torch.device,
    keep_mirrored: bool = True,
    asked: str = "",
) -> Extracted:
    """Run a network over the pictures of one condition.

    Parameters
    ----------
    views
        The condition's rows of `store.VIEWS`.
    folder
        Holds the condition's pictures.
    keep_maps
        Whether to return the maps as well: they take 50 times the room.
    keep_mirrored
        Whether to run it over the mirror images as well, which heads are trained on.
    asked
        What was done to the pictures, as `Condition.asked` says it to a user's program.
    """
    kept, row = different(read_pictures(folder, views))
    boxes = views[BOX].to_numpy(float)
    description = f"features of {folder}"
    names = picture_names(views.iloc[np.unique(row, return_index=True)[1]], asked)
    plain = _read_out(reader, kept, boxes, row, device, description, names, keep_maps=keep_maps)
    maps = plain.pop(LAST)
    mirrored: dict[str, np.ndarray] = {}
    if keep_mirrored:
        there = mirrored_boxes(boxes, kept.shape[1])
        turned = kept[:, :, ::-1]
        mirrored = _read_out(reader, turned, there, row, device, description, keep_maps=False)
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


def picture_names(instances: pd.DataFrame, asked: str) -> list[tuple[str, str]]:
    """Name the pictures of instances, and what was done to them; see `Reader.scene`."""
    ids = zip(instances["image_id"], instances["ann_id"], strict=True)
    return [(picture_name(image_id, ann_id), asked) for image_id, ann_id in ids]


def instance_features(
    reader: Reader,
    pictures: np.ndarray,
    boxes: np.ndarray,
    row: np.ndarray,
    readout: str,
    *,
    device: torch.device,
    description: str,
    names: Sequence[tuple[str, str]] = (),
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
    names
        Of each picture, as for `Reader.scene`.

    Returns
    -------
    ndarray
        (n, dimensions), float32.
    """
    parts = _read_out(reader, pictures, boxes, row, device, description, names, keep_maps=False)
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

    places = _batches(len(pictures), backbone.batch_size)
    return np.concatenate(map_batches(run, places, device=device, description=description))


def _read_out(
    reader: Reader,
    pictures: np.ndarray,
    boxes: np.ndarray,
    row: np.ndarray,
    device: torch.device,
    description: str,
    names: Sequence[tuple[str, str]] = (),
    *,
    keep_maps: bool,
) -> dict[str, np.ndarray]:
    """Read out all parts of features of pictures with any number of objects each.

    Parameters
    ----------
    boxes, row
        (n, 4) and (n,): of each object, its box and the number of its picture.
    """
    reader = reader.to(device)
    places = _batches(len(pictures), reader.batch_size)
    members = [np.flatnonzero((row >= place.start) & (row < place.stop)) for place in places]

    def run(work: tuple[slice, np.ndarray]) -> dict[str, np.ndarray]:
        place, here = work
        regions = regions_of(boxes[here], row[here] - place.start, device)
        batch = torch.from_numpy(np.ascontiguousarray(pictures[place])).to(device)
        with torch.inference_mode():
            parts = reader.read_out(batch, regions, names[place])
        parts[LAST] = parts[LAST][: len(batch) if keep_maps else 0]
        return {name: part.cpu().contiguous().numpy() for name, part in parts.items()}

    work = list(zip(places, members, strict=True))
    found = map_batches(run, work, device=device, description=description)
    whole = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    # Objects come out in the order of their pictures.
    back = np.argsort(np.concatenate(members))
    return {name: part if name in (LAST, "scene") else part[back] for name, part in whole.items()}


def _batches(n: int, size: int) -> list[slice]:
    """Return the places of n pictures, so many at a time."""
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def different(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep one of each set of equal pictures, the first.

    Returns
    -------
    pictures
        (different pictures, size, size, 3), in order.
    row
        (n,): the number of each picture's like among them.
    """
    digests = [hashlib.sha256(picture.tobytes()).digest() for picture in pictures]
    first = {digest: index for index, digest in reversed(list(enumerate(digests)))}
    kept = sorted(first.values())
    row_of = {digests[index]: row for row, index in enumerate(kept)}
    return pictures[kept], np.array([row_of[d] for d in digests])
