"""A family over a sample: every instance's picture as the network will see it."""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from smallsight.conditions import Condition, View
from smallsight.geometry import Box, resize
from smallsight.parallel import map_items

VIEW_COLUMNS = (
    *("level", "image_id", "ann_id", "box_x", "box_y", "box_w", "box_h"),
    *("view_w", "view_h"),
)
"""Of the table of views: boxes in input pixels, the view's own size in native pixels."""


def picture_name(image_id: int, ann_id: int) -> str:
    """Name of an instance's picture inside the folder of a level."""
    return f"{image_id}_{ann_id}.png"


def render(
    ladder: Sequence[Condition], sample: pd.DataFrame, *, input_size: int, folder: Path
) -> pd.DataFrame:
    """Write one lossless picture per condition and instance.

    Parameters
    ----------
    ladder
        Conditions of one family.
    sample
        The balanced sample; pictures are read from its `image_path`.
    input_size
        Width and height of the written pictures, in pixels.
    folder
        An existing folder; gets one subfolder per level.

    Returns
    -------
    DataFrame
        `VIEW_COLUMNS`, one row per condition and instance, in that order.
    """
    for condition in ladder:
        (folder / condition.level).mkdir()
    task = functools.partial(_render_image, ladder=ladder, input_size=input_size, folder=folder)
    images = [group for _, group in sample.groupby("image_id", sort=True)]
    rows = map_items(task, images, description=f"rendering {ladder[0].family}")
    views = pd.DataFrame([row for part in rows for row in part], columns=list(VIEW_COLUMNS))
    return views.sort_values(["level", "image_id", "ann_id"], ignore_index=True)


def _render_image(
    instances: pd.DataFrame, *, ladder: Sequence[Condition], input_size: int, folder: Path
) -> list[tuple[object, ...]]:
    """Render all instances of one image, which is decoded once."""
    picture = read_picture(instances["image_path"].iloc[0])
    rows: list[tuple[object, ...]] = []
    for instance in instances.itertuples():
        box = Box(instance.bbox_x, instance.bbox_y, instance.bbox_w, instance.bbox_h)
        for condition in ladder:
            view = condition.apply(View(picture, box))
            height, width = view.picture.shape[:2]
            seen = view.box.clipped(width, height).scaled(input_size / width, input_size / height)
            name = picture_name(instance.image_id, instance.ann_id)
            resized = Image.fromarray(resize(view.picture, input_size))
            resized.save(folder / condition.level / name, compress_level=3)
            ids = (condition.level, instance.image_id, instance.ann_id)
            rows.append((*ids, seen.x, seen.y, seen.w, seen.h, width, height))
    return rows


def read_views(conditions: Path, condition: Condition) -> pd.DataFrame:
    """Read one condition's views, without the level, from the folder that holds all families."""
    views = pd.read_csv(conditions / condition.family / "views.csv")
    return views[views["level"] == condition.level].drop(columns="level")


def read_picture(path: str | Path) -> np.ndarray:
    """Decode a picture to (height, width, 3), uint8."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))
