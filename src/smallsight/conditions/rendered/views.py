"""Views: where each object lies in its rendered picture, and how much of it has changed."""

from pathlib import Path

import pandas as pd

from smallsight.conditions.rendered.names import UNTOUCHED, Condition
from smallsight.runtime.tables import Table, number, read_table
from smallsight.vocabulary import ANN_ID, IMAGE_ID, LEVEL, TASK, VIEW

VIEWS = Table(
    "views",
    "where each object lies in its rendered picture: a row per task, level and instance",
    (
        TASK,
        LEVEL,
        IMAGE_ID,
        ANN_ID,
        *VIEW,
        number("ssim_box", "structural similarity of the box to itself untouched, at the input"),
        number("ssim_picture", "structural similarity of the whole picture to itself untouched"),
    ),
)
"""Similarities are those of `imaging.similarity`."""


def read_views(conditions: Path, condition: Condition) -> pd.DataFrame:
    """Read one condition's views from the folder that holds all families.

    Returns
    -------
    DataFrame
        The columns of `VIEWS` without task and level, one row per instance.
    """
    views = read_table(conditions / condition.family / "views.csv", VIEWS)
    chosen = (views["task"] == condition.task) & (views["level"] == condition.level)
    return views[chosen].drop(columns=["task", "level"])


def read_changed_views(conditions: Path, evaluated: pd.DataFrame) -> pd.DataFrame:
    """Read the views of all conditions but the untouched one.

    Parameters
    ----------
    conditions
        The folder that holds all families.
    evaluated
        Rows of task, condition, family and level, in any number of regimes.

    Returns
    -------
    DataFrame
        The columns of `VIEWS` and condition, in the order of `evaluated`.
    """
    columns = ["task", "condition", "family", "level"]
    steps = evaluated.loc[evaluated["family"] != UNTOUCHED, columns]
    tables = {
        family: read_table(conditions / family / "views.csv", VIEWS)
        for family in set(steps["family"])
    }
    empty = pd.DataFrame(columns=[*VIEWS.names, "condition"])
    parts = []
    for task, name, family, level in steps.drop_duplicates().itertuples(index=False, name=None):
        table = tables[family]
        chosen = (table["task"] == task) & (table["level"] == level)
        parts.append(table[chosen].assign(condition=name))
    return pd.concat(parts, ignore_index=True) if parts else empty
