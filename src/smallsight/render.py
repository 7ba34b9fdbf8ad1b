"""A family over a sample: every instance's picture as the network will see it."""

import functools
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from PIL import Image

from smallsight.conditions import UNTOUCHED, Condition, View
from smallsight.geometry import Box, resize
from smallsight.materials import Materials
from smallsight.parallel import map_items
from smallsight.severity import in_box_similarity, similarity

VIEW_COLUMNS = (
    *("level", "image_id", "ann_id", "box_x", "box_y", "box_w", "box_h"),
    *("view_w", "view_h", "ssim_box", "ssim_picture"),
)
"""Of the table of views: boxes in input pixels, the view's own size in native pixels,
and how similar the object and the whole picture are to the untouched ones at the input."""


def picture_name(image_id: int, ann_id: int) -> str:
    """Name of an instance's picture inside the folder of a level."""
    return f"{image_id}_{ann_id}.png"


def render(
    ladder: Sequence[Condition], instances: pd.DataFrame, materials: Materials, *, folder: Path
) -> pd.DataFrame:
    """Write one lossless picture per condition and instance.

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
        `VIEW_COLUMNS`, one row per condition and instance, in that order.
    """
    for condition in ladder:
        (folder / condition.level).mkdir()
    task = functools.partial(_render_image, ladder=ladder, materials=materials, folder=folder)
    images = [group for _, group in instances.groupby("image_id", sort=True)]
    rows = map_items(task, images, description=f"rendering {ladder[0].family}")
    views = pd.DataFrame([row for part in rows for row in part], columns=list(VIEW_COLUMNS))
    return views.sort_values(["level", "image_id", "ann_id"], ignore_index=True)


def _render_image(
    instances: pd.DataFrame, *, ladder: Sequence[Condition], materials: Materials, folder: Path
) -> list[tuple[object, ...]]:
    """Render all instances of one image, which is decoded once."""
    size = materials.input_size
    rows: list[tuple[object, ...]] = []
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
    return rows


def _at_input(view: View, size: int) -> Box:
    """Give the part of a view's box that lies in its picture, in pixels of the network's input."""
    height, width = view.picture.shape[:2]
    return view.box.clipped(width, height).scaled(size / width, size / height)


def read_views(conditions: Path, condition: Condition) -> pd.DataFrame:
    """Read one condition's views, without the level, from the folder that holds all families."""
    views = pd.read_csv(conditions / condition.family / "views.csv")
    return views[views["level"] == condition.level].drop(columns="level")


def read_changed_views(conditions: Path, evaluated: pd.DataFrame) -> pd.DataFrame:
    """Read the views of all conditions but the untouched one.

    Parameters
    ----------
    conditions
        Holds all families.
    evaluated
        Rows of condition, family and level, in any number of regimes.

    Returns
    -------
    DataFrame
        `VIEW_COLUMNS` and condition, in the order of `evaluated`.
    """
    steps = evaluated.loc[evaluated["family"] != UNTOUCHED, ["condition", "family", "level"]]
    tables = {name: pd.read_csv(conditions / name / "views.csv") for name in set(steps["family"])}
    empty = pd.DataFrame(columns=[*VIEW_COLUMNS, "condition"])
    parts = [
        tables[step.family].query("level == @step.level").assign(condition=step.condition)
        for step in steps.drop_duplicates().itertuples()
    ]
    return pd.concat(parts, ignore_index=True) if parts else empty
