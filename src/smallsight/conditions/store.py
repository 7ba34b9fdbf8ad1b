"""What rendering leaves in the folder of a family: pictures by name, views, and masks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight.conditions.names import UNTOUCHED
from smallsight.conditions.registry import Condition
from smallsight.imaging.pictures import read_picture
from smallsight.runtime.files import new_file
from smallsight.runtime.parallel import map_items

VIEW_COLUMNS = (
    *("level", "image_id", "ann_id", "box_x", "box_y", "box_w", "box_h"),
    *("view_w", "view_h", "ssim_box", "ssim_picture"),
)
"""Of the table of views: boxes in input pixels, the view's own size in native pixels,
and how similar the object and the whole picture are to the untouched ones at the input."""


def picture_name(image_id: int, ann_id: int) -> str:
    """Name of an instance's picture inside the folder of a level."""
    return f"{image_id}_{ann_id}.png"


def read_pictures(folder: Path, instances: pd.DataFrame) -> np.ndarray:
    """Read the pictures of instances under one condition: (n, size, size, 3), uint8."""
    paths = [
        folder / picture_name(image_id, ann_id)
        for image_id, ann_id in zip(instances["image_id"], instances["ann_id"], strict=True)
    ]
    return np.stack(
        map_items(read_picture, paths, description=f"reading {folder}", prefer="threads")
    )


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


def write_masks(covers: Mapping[tuple[int, int], np.ndarray], path: Path) -> None:
    """Write how much of each pixel of the input an object's mask covers.

    Parameters
    ----------
    covers
        By image_id and ann_id, (size, size), uint8: 0 to 255.
    """
    covers = dict(sorted(covers.items()))
    ids = np.array(list(covers), np.int64).reshape(-1, 2)
    with new_file(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, ids=ids, covers=np.array(list(covers.values()), np.uint8))


def read_masks(conditions: Path, condition: Condition, instances: pd.DataFrame) -> list[np.ndarray]:
    """Read the masks of a family's reference level, one for each instance.

    Returns
    -------
    list
        (size, size), uint8, as `write_masks` was given them; without any pixel where the instance
        has no mask.
    """
    with np.load(conditions / condition.family / "masks.npz") as file:
        covers = dict(zip(map(tuple, file["ids"].tolist()), file["covers"], strict=True))
    nothing = np.zeros((1, 1), np.uint8)
    keys = zip(instances["image_id"], instances["ann_id"], strict=True)
    return [covers.get(key, nothing) for key in keys]
