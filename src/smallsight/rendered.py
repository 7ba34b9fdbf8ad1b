"""What rendering leaves in the folder of a family: pictures by name, and the table of views."""

from pathlib import Path

import pandas as pd

from smallsight.conditions import UNTOUCHED, Condition

VIEW_COLUMNS = (
    *("level", "image_id", "ann_id", "box_x", "box_y", "box_w", "box_h"),
    *("view_w", "view_h", "ssim_box", "ssim_picture"),
)
"""Of the table of views: boxes in input pixels, the view's own size in native pixels,
and how similar the object and the whole picture are to the untouched ones at the input."""


def picture_name(image_id: int, ann_id: int) -> str:
    """Name of an instance's picture inside the folder of a level."""
    return f"{image_id}_{ann_id}.png"


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
