"""A family over a sample: every instance's picture as the network will see it."""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from skimage import util

from smallsight.conditions.instance_views import InstanceViews
from smallsight.conditions.registry import Condition
from smallsight.conditions.store import VIEW_COLUMNS, picture_name, write_masks
from smallsight.conditions.views import View
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import resize
from smallsight.imaging.similarity import in_box_similarity, similarity
from smallsight.runtime.parallel import map_items


def render_family(
    ladder: Sequence[Condition], instances: pd.DataFrame, materials: InstanceViews, *, folder: Path
) -> pd.DataFrame:
    """Write one lossless picture per condition and instance, and the reference level's masks.

    Parameters
    ----------
    ladder
        Conditions of one family.
    instances
        Rows of `materials.with_materials`.
    materials
        What they share; also the size of the written pictures.
    folder
        An existing folder; gets one subfolder per level.

    Returns
    -------
    DataFrame
        `rendered.VIEW_COLUMNS`, one row per condition and instance, in that order.
    """
    for condition in ladder:
        (folder / condition.level).mkdir()
    task = functools.partial(_render_image, ladder=ladder, materials=materials, folder=folder)
    images = [group for _, group in instances.groupby("image_id", sort=True)]
    done = map_items(task, images, description=f"rendering {ladder[0].family}")
    covers = {key: cover for _, part in done for key, cover in part.items()}
    write_masks(covers, folder / "masks.npz")
    rows = [row for part, _ in done for row in part]
    views = pd.DataFrame(rows, columns=list(VIEW_COLUMNS))
    return views.sort_values(["level", "image_id", "ann_id"], ignore_index=True)


def _render_image(
    instances: pd.DataFrame, *, ladder: Sequence[Condition], materials: InstanceViews, folder: Path
) -> tuple[list[tuple[object, ...]], dict[tuple[int, int], np.ndarray]]:
    """Render all instances of one image, which is decoded once; also give their masks."""
    size = materials.input_size
    rows: list[tuple[object, ...]] = []
    covers = {}
    for instance, view in materials.views(instances):
        untouched, there = resize(view.picture, size), _at_input(view, size)
        for condition in ladder:
            changed = condition.apply(view)
            seen, here = resize(changed.picture, size), _at_input(changed, size)
            name = picture_name(instance.image_id, instance.ann_id)
            Image.fromarray(seen).save(folder / condition.level / name, compress_level=3)
            ids = (condition.level, instance.image_id, instance.ann_id)
            sizes = (changed.picture.shape[1], changed.picture.shape[0])
            likeness = (
                in_box_similarity(seen, here, untouched, there),
                similarity(seen, untouched),
            )
            rows.append((*ids, here.x, here.y, here.w, here.h, *sizes, *likeness))
            if condition.is_reference and changed.mask is not None:
                cover = resize(util.img_as_ubyte(changed.mask), size)
                covers[instance.image_id, instance.ann_id] = cover
    return rows, covers


def _at_input(view: View, size: int) -> Box:
    """Give the part of a view's box that lies in its picture, in pixels of the network's input."""
    height, width = view.picture.shape[:2]
    return view.box.clipped(width, height).scaled(size / width, size / height)
