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
from smallsight.conditions.rendered.store import picture_name, write_masks
from smallsight.conditions.rendered.views import VIEWS
from smallsight.conditions.rendering.instance_views import InstanceViews
from smallsight.conditions.rendering.levels import Level, facts_of
from smallsight.conditions.rendering.views import View
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import resize
from smallsight.imaging.similarity import in_box_similarity, similarity
from smallsight.runtime.parallel import map_items
from smallsight.runtime.randomness import derive


def render_family(
    levels: Sequence[Level],
    instances: pd.DataFrame,
    shared: InstanceViews,
    *,
    seed: int,
    folder: Path,
) -> pd.DataFrame:
    """Write one lossless picture per level and instance, the reference level's masks, and facts.

    Parameters
    ----------
    levels
        All levels of one family, the reference first.
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
        The columns of `store.VIEWS`, one row per level and instance, sorted by level, image_id and
        ann_id.
    """
    for level in levels:
        (folder / level.condition.level).mkdir()
    task = functools.partial(_render_image, levels=levels, shared=shared, seed=seed, folder=folder)
    images = [group for _, group in instances.groupby("image_id", sort=True)]
    facts = facts_of(levels)
    done = map_items(task, images, description=f"rendering {facts.name}")
    covers = {key: cover for _, part in done for key, cover in part.items()}
    write_masks(covers, folder / "masks.npz")
    write_facts(facts, folder)
    rows = [row for part, _ in done for row in part]
    views = pd.DataFrame(rows, columns=VIEWS.names)
    return views.sort_values(["level", "image_id", "ann_id"], ignore_index=True)


def _render_image(
    instances: pd.DataFrame,
    *,
    levels: Sequence[Level],
    shared: InstanceViews,
    seed: int,
    folder: Path,
) -> tuple[list[tuple[object, ...]], dict[tuple[int, int], np.ndarray]]:
    """Render all instances of one image, which is decoded once; return rows and masks."""
    size = shared.input_format.size
    brought = functools.partial(resize, size=size, interpolation=shared.input_format.interpolation)
    rows: list[tuple[object, ...]] = []
    covers = {}
    for instance, view in shared.views(instances):
        ids = int(instance.image_id), int(instance.ann_id)
        untouched, there = brought(view.picture), _at_input(view, size)
        for level in levels:
            name = level.condition.level
            rng = derive(seed, level.condition.family, name, *ids)
            changed = level.apply(view, rng=rng)
            seen, here = brought(changed.picture), _at_input(changed, size)
            Image.fromarray(seen).save(folder / name / picture_name(*ids), compress_level=1)
            sizes = (changed.picture.shape[1], changed.picture.shape[0])
            likeness = (
                in_box_similarity(seen, here, untouched, there),
                similarity(seen, untouched),
            )
            rows.append((name, *ids, here.x, here.y, here.w, here.h, *sizes, *likeness))
            if level.condition.is_reference and changed.mask is not None:
                covers[ids] = resize(util.img_as_ubyte(changed.mask), size)
    return rows, covers


def _at_input(view: View, size: int) -> Box:
    """Return the part of a view's box inside its picture, in pixels of the network's input."""
    height, width = view.picture.shape[:2]
    return view.box.clipped(width, height).scaled(size / width, size / height)
