"""A family over a sample: every instance's picture as the network will see it.

Equal samples, pictures, levels and seeds give equal bytes, whatever the number of workers and the
order of work, with the same releases of NumPy, Pillow, SciPy and scikit-image. On x86-64 processors
of other kinds single values of `downscale` may differ by one level of 255, in pictures whose sides
its scale does not divide. The bytes of pictures and of `masks.npz`, not their values, depend on the
build of zlib that Python has.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from smallsight.conditions.rendered.names import Condition, write_facts
from smallsight.conditions.rendered.store import (
    MASKS,
    new_pictures,
    packed_mask,
    picture_name,
    write_masks,
)
from smallsight.conditions.rendered.views import VIEWS
from smallsight.conditions.rendering.instance_views import InstanceViews
from smallsight.conditions.rendering.levels import Level, facts_of
from smallsight.conditions.rendering.shown import Shower
from smallsight.conditions.rendering.views import View
from smallsight.conditions.rendering.windows import cropped
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import resize
from smallsight.params import Storage
from smallsight.runtime.errors import SampleError
from smallsight.runtime.parallel import iterate_items, workers
from smallsight.runtime.randomness import derive
from smallsight.vocabulary import SCENE, TASKS

MOST_THREADS = 4
"""Workers that are threads: few of them lose less by the interpreter's lock than processes take to
start."""


def render_family(
    levels: Sequence[Level],
    instances: pd.DataFrame,
    shared: InstanceViews,
    *,
    seed: int,
    folder: Path,
    storage: Storage = "auto",
) -> pd.DataFrame:
    """Write one lossless picture per level and instance, the reference levels' masks, and facts.

    Instances that a level does not suit have no picture there.

    Parameters
    ----------
    levels
        All levels of one family, as `levels.levels_of` returns them.
    instances
        The sample with masks and donors, as `instance_views.with_inputs` returns it.
    shared
        What the instances share; also the format of the written pictures.
    seed
        The study's. A random level draws from a stream of its own for each instance.
    folder
        An existing folder; gets one subfolder, or one archive, per level.
    storage
        Which of the two.

    Returns
    -------
    DataFrame
        The columns of `views.VIEWS`, one row per level and instance, sorted by task, level,
        image_id and ann_id; the scene task first.

    Raises
    ------
    SampleError
        Where no instance suits the levels.
    """
    facts = facts_of(levels)
    render = partial(_render_image, levels=levels, shared=shared, seed=seed)
    ordered = instances.sort_values(["image_id", "ann_id"])
    images = [group for _, group in ordered.groupby("image_id")]
    covers: dict[str, dict[tuple[int, int], bytes]] = {level.condition.task: {} for level in levels}
    rows = []
    prefer: Literal["processes", "threads"] = (
        "threads" if workers() <= MOST_THREADS else "processes"
    )
    with ExitStack() as opened:
        write = {
            level.condition: opened.enter_context(
                new_pictures(
                    folder / level.condition.place, storage=storage, objects=len(instances)
                )
            )
            for level in levels
        }
        parts = iterate_items(render, images, description=f"rendering {facts.name}", prefer=prefer)
        for one in chain.from_iterable(parts):
            write[one.condition](picture_name(*one.ids), one.file)
            rows.append(one.row)
            if one.cover is not None:
                covers[one.condition.task][one.ids] = one.cover
    for task, found in covers.items():
        path = (folder / facts.in_task(task)[0].place).parent / MASKS
        write_masks(found, path, size=shared.input_format.size)
    write_facts(facts, folder)
    if not rows:
        raise SampleError(
            f"conditions.{facts.name}",
            f"no object of the sample has a side of {levels[0].least_side:g} pixels",
            "an object at least as large as the greatest level",
        )
    views = pd.DataFrame(rows, columns=VIEWS.names)
    order = views["task"].map(list(TASKS).index)
    keys = ["order", "level", "image_id", "ann_id"]
    return views.assign(order=order).sort_values(keys, ignore_index=True)[VIEWS.names]


@dataclass(frozen=True)
class _Rendered:
    """One instance's picture under one condition: its row of `VIEWS`, its file, its packed mask."""

    condition: Condition
    ids: tuple[int, int]
    row: tuple[object, ...]
    file: bytes
    cover: bytes | None


def _render_image(
    instances: pd.DataFrame, *, levels: Sequence[Level], shared: InstanceViews, seed: int
) -> list[_Rendered]:
    """Render all instances of one image, which is decoded once."""
    shower, size = Shower(shared.input_format), shared.input_format.size
    tasks = {level.condition.task for level in levels}
    rendered = []
    for instance, view in shared.views(instances):
        suited = [level for level in levels if level.suits(view)]
        if not suited:
            continue
        ids = int(instance.image_id), int(instance.ann_id)
        before = {
            task: view if task == SCENE else cropped(view, margin=shared.window_margin)
            for task in tasks
        }
        untouched = {task: shower.show(task, one.picture) for task, one in before.items()}
        for level in suited:
            condition = level.condition
            changed = level.apply(view, rng=derive(seed, condition.family, condition.level, *ids))
            reference = untouched[condition.task]
            seen = shower.show(condition, changed.picture, reference)
            comparison = shower.compare(condition, seen, reference)
            here, there = (_at_input(one, size) for one in (changed, before[condition.task]))
            likeness = comparison.in_box(here, there), comparison.whole()
            sizes = (changed.picture.shape[1], changed.picture.shape[0])
            key = (condition.task, condition.level, *ids)
            row = (*key, here.x, here.y, here.w, here.h, *sizes, *likeness)
            cover = None
            if condition.is_reference and changed.mask is not None:
                cover = packed_mask(resize(changed.mask.view(np.uint8) * np.uint8(255), size))
            rendered.append(_Rendered(condition, ids, row, seen.file, cover))
    return rendered


def _at_input(view: View, size: int) -> Box:
    """Return the part of a view's box inside its picture, in pixels of the network's input."""
    height, width = view.picture.shape[:2]
    return view.box.clipped(width, height).scaled(size / width, size / height)
