"""Deletion and insertion of one region, and the true class's probability before and after."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallsight.backbones.feature_store import Features
from smallsight.backbones.features import BOX, batches, picture_names
from smallsight.backbones.pooling import regions_of
from smallsight.backbones.reader import Opener, Reader, open_alike
from smallsight.backbones.readouts import joined
from smallsight.conditions.rendered.store import Pictures
from smallsight.evaluation.crossfit import out_of_fold
from smallsight.evaluation.heads import Heads
from smallsight.evaluation.splits import Splits
from smallsight.imaging.boxes import Box
from smallsight.runtime.parallel import map_batches
from smallsight.runtime.randomness import derive
from smallsight.saliency.tables import REMOVALS
from smallsight.vocabulary import INSTANCE

Rectangle = tuple[slice, slice]
"""Rows and columns of the input."""

AREAS = (0.5, 1.0, 4.0)
"""Areas of the regions, in areas of the object's box."""

EDITS = tuple(
    (change, region, area)
    for change in ("removed", "restored")
    for region in ("object", "random")
    for area in AREAS
)
"""Edits of each picture: a change, the region that is changed, and its area."""

_TRIES = 16
"""Number of random places that are drawn for a region; the one that hides least is taken."""


def compute_removals(
    sample: pd.DataFrame,
    views: pd.DataFrame,
    folder: Path,
    *,
    colour: tuple[int, int, int],
    seed: int,
    splits: Splits,
    fitted: Heads,
    seen: Features,
    readout: str,
    opener: Opener,
) -> pd.DataFrame:
    """Remove regions of untouched pictures, and restore them alone, at the network's input.

    The object's region is its box, brought to one of `AREAS` about its middle and clipped; the
    random one has the same width and height and lies somewhere else. Removed, a region has the
    pictures' mean colour; restored, everything else has it (deletion and insertion: Petsiuk et
    al., RISE, BMVC 2018, at one size and place instead of a ranking of pixels).

    Parameters
    ----------
    sample, views, seen
        The instances, where they lie in their untouched pictures, and the pictures' features.
    folder
        Holds the pictures.
    colour
        (red, green, blue), 0 to 255.
    fitted, readout
        Heads trained on untouched pictures, seeds x folds, or what stands in their place, and what
        they read.
    opener
        Opens the network.

    Returns
    -------
    DataFrame
        The columns of `REMOVALS`, a row per instance of test data and edit. `area_share`: the
        region's share of the input. `overlap`: the share of the region that lies in the object's
        region of that area; a large one leaves a random region little room. `p_before` and
        `p_after`: the true class's probability, the mean over seeds of out-of-fold heads, before
        and after the edit. A region is removed from the picture, or restored to a plain ground.
    """
    rows = sample.merge(views, on=INSTANCE, validate="one_to_one")
    size = Pictures(folder, rows).read(slice(1)).shape[1]
    instances: Any = rows.itertuples()
    regions = [
        choose_regions(
            Box(row.box_x, row.box_y, row.box_w, row.box_h),
            size=size,
            rng=derive(seed, "removal", row.image_id, row.ann_id),
        )
        for row in instances
    ]
    ground = np.full((size, size, 3), colour, np.uint8)
    known, opener = open_alike(opener)
    job = partial(_edited_features, folder=folder, ground=ground, opener=opener, readout=readout)
    places = batches(len(rows), known.batch_size)
    work = [(rows.iloc[place], regions[place]) for place in places]
    found = map_batches(job, work, threads=known.threads, description="removing regions")
    features = np.empty((len(EDITS), *seen.plain.shape), np.float32)
    for place, piece in zip(places, found, strict=True):
        features[:, place] = piece
    shown = partial(_ground_parts, rows=rows, opener=opener)
    (parts,) = map_batches(shown, [ground], threads=1, description="showing the plain ground")
    parts["scene"] = parts["scene"].repeat(len(rows), axis=0)
    plain_ground = joined(parts, readout)

    def probability(plain: np.ndarray) -> np.ndarray:
        probabilities = out_of_fold(splits, fitted, replace(seen, plain=plain))
        return probabilities[:, np.arange(len(plain)), splits.labels].mean(axis=0)

    before = {
        "removed": probability(seen.plain),
        "restored": probability(plain_ground),
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
    table = pd.concat(tables, ignore_index=True)[REMOVALS.names]
    return table.dropna(subset="p_before", ignore_index=True)


def _edited_features(
    work: tuple[pd.DataFrame, list[dict[tuple[str, float], Rectangle]]],
    *,
    folder: Path,
    ground: np.ndarray,
    opener: Opener,
    readout: str,
) -> np.ndarray:
    """Compute features, (edits, n, dimensions), of some instances' edited pictures."""
    rows, regions = work
    reader, pictures, found = opener(), Pictures(folder, rows).read(), []
    for change, region, area in EDITS:
        edited = [
            _edited(picture, ground, change, places[region, area])
            for picture, places in zip(pictures, regions, strict=True)
        ]
        asked = f"{change} {region} {area}"
        found.append(_features(reader, np.stack(edited), rows, asked, readout))
    return np.stack(found)


def _ground_parts(
    ground: np.ndarray, *, rows: pd.DataFrame, opener: Opener
) -> dict[str, np.ndarray]:
    """Read the ground out, once, at the places of all objects."""
    regions = regions_of(rows[BOX].to_numpy(float), np.zeros(len(rows)))
    return opener().read_out(ground[None], regions, picture_names(rows.iloc[:1], "mean colour"))


def _features(
    reader: Reader, pictures: np.ndarray, rows: pd.DataFrame, asked: str, readout: str
) -> np.ndarray:
    """Compute one readout's features, (n, dimensions), of as many pictures of an object each."""
    regions = regions_of(rows[BOX].to_numpy(float), np.arange(len(rows)))
    return joined(reader.read_out(pictures, regions, picture_names(rows, asked)), readout)


def choose_regions(
    box: Box, *, size: int, rng: np.random.Generator
) -> dict[tuple[str, float], Rectangle]:
    """Choose the object's regions, one of each area, and random ones as high and wide.

    For a random region, `_TRIES` places anywhere in the picture are drawn; it is the first of those
    that share the fewest pixels with the object's box and region.

    Parameters
    ----------
    box
        The object's, in input pixels.

    Returns
    -------
    dict
        By region (`object`, `random`) and area.

    Examples
    --------
    >>> found = choose_regions(Box(0, 0, 8, 4), size=32, rng=np.random.default_rng(0))
    >>> found["object", 1.0]
    (slice(0, 4, None), slice(0, 8, None))
    >>> [(int(side.start), int(side.stop - side.start)) for side in found["random", 1.0]]
    [(2, 4), (21, 8)]
    """
    found: dict[tuple[str, float], Rectangle] = {}
    for area in AREAS:
        own, avoided = (
            box.shrunk_to(each**0.5).touched_pixels(size, size) for each in (area, max(area, 1))
        )
        height, width = (side.stop - side.start for side in own)
        starts = rng.integers(0, [size + 1 - height, size + 1 - width], (_TRIES, 2))
        places = [(slice(top, top + height), slice(left, left + width)) for top, left in starts]
        found["object", area] = own
        found["random", area] = min(places, key=lambda place: _shared(place, avoided))
    return found


def _overlap(one: Rectangle, other: Rectangle) -> float:
    """Compute the share of one region that lies in another one."""
    return _shared(one, other) / _shared(one, one)


def _shared(one: Rectangle, other: Rectangle) -> int:
    """Count the pixels that two regions share."""
    overlaps = [
        max(min(a.stop, b.stop) - max(a.start, b.start), 0) for a, b in zip(one, other, strict=True)
    ]
    return overlaps[0] * overlaps[1]


def _edited(picture: np.ndarray, ground: np.ndarray, change: str, region: Rectangle) -> np.ndarray:
    """Remove a region of a picture, or restore it alone to a plain ground."""
    kept, inside = (picture, ground) if change == "removed" else (ground, picture)
    edited = kept.copy()
    edited[region] = inside[region]
    return edited
