"""How fast this machine renders and runs the network, measured for a few seconds.

Processor time is measured: what other programs take of the processors comes and goes.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from PIL import Image

from smallsight.backbones.pooling import regions_of
from smallsight.backbones.reader import Reader
from smallsight.conditions.rendering.instance_views import InstanceViews
from smallsight.conditions.rendering.levels import Level
from smallsight.conditions.rendering.render import render_family
from smallsight.imaging.boxes import Box
from smallsight.imaging.jpeg import jpeg
from smallsight.runtime.errors import SampleError
from smallsight.runtime.parallel import here, map_batches
from smallsight.sampling.donors import KINDS
from smallsight.vocabulary import GROUPS

RENDER_SECONDS = 1.2
"""No further object is rendered after as many."""

BATCHES = 2
"""Of the network, for each worker."""

GREY = (128, 128, 128)


@dataclass(frozen=True)
class Speed:
    """How fast a network sees pictures.

    Attributes
    ----------
    seconds
        Per picture, with all processors to itself; NaN where it is not run here.
    share
        Of the processors' time that it had in fact, 0 to 1.
    """

    seconds: float
    share: float


def time_rendering(
    families: Mapping[str, Sequence[Level]], sample: pd.DataFrame, shared: InstanceViews
) -> float:
    """Measure the processor time that one object takes in all families, at all levels, in seconds.

    Objects of the size groups take turns, each in a picture of noise of its own picture's size,
    with itself as its donor and without a mask.

    Parameters
    ----------
    sample
        The columns of `SAMPLE`, and width and height of the pictures.
    shared
        What the instances share.
    """
    by_group = [list(sample[sample["size_group"] == group].index[:2]) for group in GROUPS]
    turns = [place for place in chain(*zip_longest(*by_group)) if place is not None]
    spent: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        # The first time, modules are imported: it does not count.
        for place in (turns[0], *turns):
            spent.append(_time_one(families, sample.loc[[place]], shared, Path(folder)))
            is_enough = len(spent) > sum(map(bool, by_group))
            if is_enough and sum(spent) > RENDER_SECONDS:
                break
    return float(np.mean(spent[1:]))


def _time_one(
    families: Mapping[str, Sequence[Level]],
    instance: pd.DataFrame,
    shared: InstanceViews,
    folder: Path,
) -> float:
    row = instance.iloc[0]
    noise = np.random.default_rng(0).integers(0, 256, (row["height"], row["width"], 3), np.uint8)
    path = folder / "picture.jpg"
    path.write_bytes(jpeg(Image.fromarray(noise), quality=75))
    box = Box(*(float(row[name]) for name in ("bbox_x", "bbox_y", "bbox_w", "bbox_h")))
    donors: Any = [{kind: (str(path), box) for kind in KINDS}]
    given = instance.assign(image_path=str(path), mask=None, donors=donors)
    start = time.process_time()
    # One picture is one item: threads spare the start of processes.
    with here(), joblib.parallel_config(backend="threading"):
        for levels in families.values():
            with tempfile.TemporaryDirectory(dir=folder) as rendered:
                try:
                    render_family(levels, given, shared, seed=0, folder=Path(rendered))
                except SampleError:
                    continue  # too small for all levels of this family
    return time.process_time() - start


def time_network(reader: Reader, *, size: int, is_shared: bool) -> Speed:
    """Measure how fast a network sees pictures, all workers at work.

    Parameters
    ----------
    reader
        The network.
    size
        Width and height of its input, in pixels.
    is_shared
        Whether it runs on this machine's processors, which others share.
    """
    count = reader.batch_size
    batch = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)
    boxes = np.tile([0.0, 0.0, size / 2, size / 2], (count, 1))
    regions = regions_of(boxes, np.arange(count))
    names = [("calibration", "")] * count

    def run(_: int) -> None:
        reader.read_out(batch, regions, names)

    run(0)
    threads = reader.threads
    batches = range(BATCHES * threads)
    start, own = time.perf_counter(), time.process_time()
    with here():
        list(map_batches(run, batches, threads=threads, description="timing the network"))
    whole, own = time.perf_counter() - start, time.process_time() - own
    pictures = len(batches) * count
    if not is_shared:
        return Speed(whole / pictures, 1.0)
    return Speed(own / threads / pictures, min(own / threads / whole, 1.0))
