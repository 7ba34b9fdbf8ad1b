"""A family over a sample: every instance's picture as the network will see it.

Equal samples, pictures, levels and seeds give equal bytes, whatever the number of workers and the
order of work, with the same releases of NumPy, Pillow, SciPy and scikit-image. On x86-64 processors
of other kinds single values of `downscale` may differ by one level of 255, in pictures whose sides
its scale does not divide. The bytes of `masks.npz`, not its values, depend on the build of zlib
that Python has.
"""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from skimage import util

from smallsight.conditions.rendered.names import write_facts
from smallsight.conditions.rendered.store import MASKS, picture_name, write_masks
from smallsight.conditions.rendered.views import VIEWS
from smallsight.conditions.rendering.instance_views import InstanceViews
from smallsight.conditions.rendering.levels import Level, facts_of
from smallsight.conditions.rendering.views import View
from smallsight.conditions.rendering.windows import cropped
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import resize
from smallsight.imaging.similarity import in_box_similarity, similarity
from smallsight.runtime.errors import SampleError
from smallsight.runtime.parallel import map_items
from smallsight.runtime.randomness import derive
from smallsight.vocabulary import HEADLINE_TASK, SCENE, TASKS


def render_family(
    levels: Sequence[Level],
    instances: pd.DataFrame,
    shared: InstanceViews,
    *,
    seed: int,
    folder: Path,
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
        An existing folder; gets one subfolder per level.

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
    for level in levels:
        (folder / level.condition.place).mkdir(parents=True)
    task = functools.partial(_render_image, levels=levels, shared=shared, seed=seed, folder=folder)
    images = [group for _, group in instances.groupby("image_id", sort=True)]
    facts = facts_of(levels)
    done = map_items(task, images, description=f"rendering {facts.name}")
    for condition in (level.condition for level in levels if level.condition.is_reference):
        covers = {key: cover for _, part in done for key, cover in part[condition.task].items()}
        write_masks(covers, (folder / condition.place).parent / MASKS)
    write_facts(facts, folder)
    rows = [row for part, _ in done for row in part]
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


def _render_image(
    instances: pd.DataFrame,
    *,
    levels: Sequence[Level],
    shared: InstanceViews,
    seed: int,
    folder: Path,
) -> tuple[list[tuple[object, ...]], dict[str, dict[tuple[int, int], np.ndarray]]]:
    """Render all instances of one image, which is decoded once; return rows, and masks by task."""
    size = shared.input_format.size
    brought = functools.partial(resize, size=size, interpolation=shared.input_format.interpolation)
    rows: list[tuple[object, ...]] = []
    covers: dict[str, dict[tuple[int, int], np.ndarray]] = {task: {} for task in TASKS}
    for instance, view in shared.views(instances):
        ids = int(instance.image_id), int(instance.ann_id)
        shown = {SCENE: view, HEADLINE_TASK: cropped(view, margin=shared.window_margin)}
        untouched = {
            task: (brought(one.picture), _at_input(one, size)) for task, one in shown.items()
        }
        for level in (level for level in levels if level.suits(view)):
            condition = level.condition
            rng = derive(seed, condition.family, condition.level, *ids)
            changed = level.apply(view, rng=rng)
            seen, here = brought(changed.picture), _at_input(changed, size)
            path = folder / condition.place / picture_name(*ids)
            Image.fromarray(seen).save(path, compress_level=1)
            sizes = (changed.picture.shape[1], changed.picture.shape[0])
            before, there = untouched[condition.task]
            likeness = in_box_similarity(seen, here, before, there), similarity(seen, before)
            key = (condition.task, condition.level, *ids)
            rows.append((*key, here.x, here.y, here.w, here.h, *sizes, *likeness))
            if condition.is_reference and changed.mask is not None:
                covers[condition.task][ids] = resize(util.img_as_ubyte(changed.mask), size)
    return rows, covers


def _at_input(view: View, size: int) -> Box:
    """Return the part of a view's box inside its picture, in pixels of the network's input."""
    height, width = view.picture.shape[:2]
    return view.box.clipped(width, height).scaled(size / width, size / height)
