"""What becomes of the true class's probability as a region goes, or is all that is left."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import Features
from smallsight.backbones.features import forward_batches, pooled
from smallsight.conditions.store import read_pictures
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.splits import Splits
from smallsight.imaging.boxes import Box
from smallsight.runtime.randomness import derive

AREAS = (0.5, 1.0, 4.0)
"""Areas of the regions, in areas of the object's box."""


EDITS = tuple(
    (change, region, area)
    for change in ("removed", "restored")
    for region in ("object", "random")
    for area in AREAS
)
"""What is done to each picture: which change, to which region, of which area."""


REMOVAL_COLUMNS = (
    *("image_id", "ann_id", "size_group", "change", "region", "area"),
    *("area_share", "overlap", "p_before", "p_after"),
)


_TRIES = 16
"""Random places of which the one that hides least of the object is taken."""


def compute_removals(
    sample: pd.DataFrame,
    views: pd.DataFrame,
    folder: Path,
    *,
    colour: tuple[int, int, int],
    seed: int,
    splits: Splits,
    fitted: LinearHeads,
    seen: Features,
    backbone: Backbone,
    device: torch.device,
) -> pd.DataFrame:
    """Remove regions of untouched pictures, and restore them alone, at the network's input.

    The object's region is its box, brought to one of `AREAS` about its middle and clipped; the
    random one has the same width and height and lies somewhere else. Removed, a region has the
    pictures' mean colour; restored, everything else has it (deletion and insertion: Petsiuk et
    al., RISE, BMVC 2018, at one size and place instead of a ranking of pixels).

    Parameters
    ----------
    sample, views, seen
        The instances; where they lie in their untouched pictures, which the folder holds; and the
        features of these.
    colour
        (red, green, blue), 0 to 255.
    fitted
        Heads trained on untouched pictures, seeds x folds.

    Returns
    -------
    DataFrame
        `REMOVAL_COLUMNS`, a row per instance of test data and edit. `area_share`: the region's
        share of the input. `overlap`: the share of the region that lies in the object's of that
        area, which leaves a random one little room where it is large. `p_before` and `p_after`:
        the true class's probability, the mean over seeds of out-of-fold heads, of the picture and
        without the region; or of mean colour alone and with the region restored.
    """
    rows = sample.merge(views, on=["image_id", "ann_id"], validate="one_to_one")
    pictures = read_pictures(folder, rows)
    size = pictures.shape[1]
    regions = [
        regions_of(
            Box(row.box_x, row.box_y, row.box_w, row.box_h),
            size=size,
            rng=derive(seed, "removal", row.image_id, row.ann_id),
        )
        for row in rows.itertuples()
    ]
    ground = np.full(pictures.shape[1:], colour, np.uint8)
    features = np.empty((len(EDITS), *seen.plain[seen.row].shape), np.float32)
    for number, edit in enumerate(EDITS):
        edited = [
            _edited(picture, ground, edit[0], places[edit[1:]])
            for picture, places in zip(pictures, regions, strict=True)
        ]
        features[number] = _features(np.stack(edited), backbone, device, "/".join(map(str, edit)))
    nothing = _features(ground[None], backbone, device, "mean colour")

    def probability(plain: np.ndarray) -> np.ndarray:
        known = replace(seen, row=np.arange(len(plain)), plain=plain)
        shares = splits.out_of_fold(fitted, known)
        return shares[:, np.arange(len(plain)), splits.labels].mean(axis=0)

    before = {
        "removed": probability(seen.plain[seen.row]),
        "restored": probability(np.repeat(nothing, len(rows), axis=0)),
    }
    tables = [
        rows.assign(
            change=change,
            region=region,
            area=area,
            area_share=[
                _shared(places[region, area], places[region, area]) / size**2 for places in regions
            ],
            overlap=[_overlap(places[region, area], places["object", area]) for places in regions],
            p_before=before[change],
            p_after=probability(plain),
        )
        for (change, region, area), plain in zip(EDITS, features, strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)[list(REMOVAL_COLUMNS)]
    return table.dropna(subset="p_before", ignore_index=True)


def regions_of(
    box: Box, *, size: int, rng: np.random.Generator
) -> dict[tuple[str, float], tuple[slice, ...]]:
    """Choose rows and columns of the object's regions, and of random ones as large.

    A random region is, of `_TRIES` places anywhere in the picture, the first that shares the
    fewest pixels with the object's box and region.

    Parameters
    ----------
    box
        The object's, in input pixels.

    Returns
    -------
    dict
        By region and area.
    """
    found: dict[tuple[str, float], tuple[slice, ...]] = {}
    for area in AREAS:
        own, avoided = (
            box.shrunk_to(each**0.5).touched_pixels(size, size) for each in (area, max(area, 1))
        )
        lengths = [side.stop - side.start for side in own]
        places = [
            tuple(
                slice(start, start + length) for start, length in zip(starts, lengths, strict=True)
            )
            for starts in rng.integers(0, [size + 1 - length for length in lengths], (_TRIES, 2))
        ]
        found["object", area] = own
        found["random", area] = min(places, key=lambda place: _shared(place, avoided))
    return found


def _overlap(one: tuple[slice, ...], other: tuple[slice, ...]) -> float:
    """Give the share of one region that lies in another one."""
    return _shared(one, other) / _shared(one, one)


def _shared(one: tuple[slice, ...], other: tuple[slice, ...]) -> int:
    """Count the pixels that two regions share."""
    overlaps = [
        max(min(a.stop, b.stop) - max(a.start, b.start), 0) for a, b in zip(one, other, strict=True)
    ]
    return overlaps[0] * overlaps[1]


def _edited(
    picture: np.ndarray, ground: np.ndarray, change: str, region: tuple[slice, ...]
) -> np.ndarray:
    kept, inside = (picture, ground) if change == "removed" else (ground, picture)
    edited = kept.copy()
    edited[region] = inside[region]
    return edited


def _features(
    pictures: np.ndarray, backbone: Backbone, device: torch.device, description: str
) -> np.ndarray:
    """Give pooled features, (n, dimensions), of pictures."""
    maps = forward_batches(backbone, pictures, device=device, description=description)
    return np.concatenate([pooled(part).cpu().numpy() for part in maps])
