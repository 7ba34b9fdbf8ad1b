"""Features of pictures: the network is run once per different picture."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from smallsight.backbones.facts import LAST
from smallsight.backbones.feature_store import Extracted
from smallsight.backbones.pooling import regions_of
from smallsight.backbones.reader import BY_PICTURE, Opener, open_alike
from smallsight.backbones.readouts import mirrored_boxes
from smallsight.conditions.rendered.store import Pictures, distinct, picture_name
from smallsight.imaging.boxes import Box
from smallsight.runtime.files import write_rows
from smallsight.runtime.parallel import map_batches
from smallsight.vocabulary import INSTANCE

BOX = ["box_x", "box_y", "box_w", "box_h"]
"""Columns of views that hold an object's box, in input pixels."""

Parts = dict[str, np.ndarray]
"""What `Reader.read_out` returns."""

Read = Callable[[slice], np.ndarray]
"""Reads some of a number of pictures: (n, size, size, 3), uint8."""


def extract_features(
    views: pd.DataFrame,
    folder: Path,
    opener: Opener,
    *,
    maps: Path | None = None,
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
    maps
        Where to write the last layer's maps, if anywhere: they take 50 times the room.
    keep_mirrored
        Whether to run it over the mirror images as well, which heads are trained on.
    asked
        What was done to the pictures, as `Condition.asked` says it to a user's program.
    """
    first, row = distinct(folder, views)
    boxes = views[BOX].to_numpy(float)
    stream = passes(
        opener,
        Pictures(folder, views[INSTANCE].iloc[first]).read,
        boxes,
        row,
        names=picture_names(views.iloc[first], asked),
        keep_maps=maps is not None,
        keep_mirrored=keep_mirrored,
        description=f"features of {folder}",
    )
    if maps is None:
        passed = list(stream)
    else:
        with write_rows(maps) as write:
            passed = [(_without_maps(plain, write), mirrored) for plain, mirrored in stream]
    plain, mirrored = zip(*passed, strict=True)
    return Extracted(
        image_id=views["image_id"].to_numpy(),
        ann_id=views["ann_id"].to_numpy(),
        side=np.array([Box(*box).side for box in boxes]),
        row=row,
        plain=gathered(plain, row),
        mirrored=gathered(mirrored, row) if keep_mirrored else {},
    )


def _without_maps(parts: Parts, write: Callable[[np.ndarray], None]) -> Parts:
    write(parts.pop(LAST))
    return parts


def picture_names(instances: pd.DataFrame, asked: str) -> list[tuple[str, str]]:
    """Name the pictures of instances, and what was done to them; see `Reader.scene`."""
    ids = zip(instances["image_id"], instances["ann_id"], strict=True)
    return [(picture_name(image_id, ann_id), asked) for image_id, ann_id in ids]


def passes(
    opener: Opener,
    read: Read,
    boxes: np.ndarray,
    row: np.ndarray,
    *,
    names: Sequence[tuple[str, str]] = (),
    keep_maps: bool = False,
    keep_mirrored: bool = False,
    description: str,
) -> Iterator[tuple[Parts, Parts]]:
    """Run a network over pictures with any number of objects each, batch by batch.

    Parameters
    ----------
    read
        Called once for each batch.
    boxes, row
        (n, 4) and (n,): of each object, its left, top, width and height in input pixels, and the
        number of its picture.
    names
        Of each picture, as for `Reader.scene`.
    keep_maps
        Whether to return the last layer's maps too.
    keep_mirrored
        Whether to run it over the mirror images as well.

    Yields
    ------
    plain, mirrored
        Of each batch, in order, what `Reader.read_out` returns; a batch's objects follow each
        other as `gathered` has it. Nothing is mirrored where that is not wished for.
    """
    known, opener = open_alike(opener)
    order = _order(row)
    places = batches(int(row.max(initial=-1)) + 1, known.batch_size)
    work = []
    for place in places:
        own = order[slice(*np.searchsorted(row[order], [place.start, place.stop]))]
        work.append(_Batch(place, boxes[own], row[own] - place.start, names[place]))
    job = partial(_pass, opener=opener, read=read, keep_maps=keep_maps, keep_mirrored=keep_mirrored)
    return map_batches(job, work, threads=known.threads, description=description)


class _Batch(NamedTuple):
    """Some of the pictures, and the objects in them: their boxes and pictures among these."""

    place: slice
    boxes: np.ndarray
    row: np.ndarray
    names: Sequence[tuple[str, str]]


def _pass(
    batch: _Batch, *, opener: Opener, read: Read, keep_maps: bool, keep_mirrored: bool
) -> tuple[Parts, Parts]:
    reader, pictures = opener(), read(batch.place)
    regions = regions_of(batch.boxes, batch.row)
    plain = reader.read_out(pictures, regions, batch.names, keep_maps=keep_maps)
    if not keep_mirrored:
        return plain, {}
    there = regions_of(mirrored_boxes(batch.boxes, pictures.shape[1]), batch.row)
    turned = np.ascontiguousarray(pictures[:, :, ::-1])
    return plain, reader.read_out(turned, there, batch.names)


def gathered(parts: Sequence[Parts], row: np.ndarray) -> Parts:
    """Join what batches gave: a row per picture, or per object in the objects' own order.

    Parameters
    ----------
    row
        (n,), as for `passes`, in which objects come in the order of their pictures.
    """
    whole = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
    back = np.argsort(_order(row))
    return {name: part if name in BY_PICTURE else part[back] for name, part in whole.items()}


def _order(row: np.ndarray) -> np.ndarray:
    """(n,): the numbers of the objects in the order of their pictures."""
    return np.argsort(row, kind="stable")


def batches(n: int, size: int) -> list[slice]:
    """Return the places of n pictures, so many at a time."""
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]
