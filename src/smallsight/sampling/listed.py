"""A sample of one's own: the instances that a CSV file lists."""

from pathlib import Path

import pandas as pd

from smallsight.runtime.errors import SampleError
from smallsight.runtime.tables import Table, read_table
from smallsight.vocabulary import ANN_ID, GROUPS, IMAGE_ID, INSTANCE

LISTED = Table(
    "instances",
    "instances that are the sample: a row per instance",
    (IMAGE_ID, ANN_ID),
)
"""Further columns are read where they are there: size_group, and those of the box."""

_BOX = ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]

_ROUNDING = 1
"""Boxes of a list may differ from the annotations' by so many pixels."""


def read_listed(path: str | Path) -> pd.DataFrame | None:
    """Read a list of instances; None where it has no rows.

    Returns
    -------
    DataFrame
        image_id, ann_id, and size_group and the box where the file has them.

    Raises
    ------
    SmallsightError
        Where the file cannot be read, lacks a column, names an instance twice, or has another size
        group than small, medium and large.
    """
    listed = read_table(path, LISTED)
    if listed.empty:
        return None
    for name in INSTANCE:
        if listed[name].isna().any():
            line = listed.index[listed[name].isna()][0] + 2
            raise SampleError(f"{path}, line {line}", f"no {name}", "an id in every row")
    repeated = listed.duplicated(INSTANCE)
    if repeated.any():
        found = f"{int(repeated.sum())} instances twice, such as {_named(listed[repeated])}"
        raise SampleError(path, found, "a row per instance")
    if "size_group" in listed:
        strange = listed[~listed["size_group"].isin(GROUPS)]
        if len(strange):
            found = f"size_group {strange['size_group'].iloc[0]!r} in {len(strange)} rows"
            raise SampleError(path, found, f"one of {', '.join(GROUPS)}")
    return listed


def take_listed(instances: pd.DataFrame, listed: pd.DataFrame, where: str) -> pd.DataFrame:
    """Take the listed instances, in the size groups that the list gives them.

    Parameters
    ----------
    instances
        All that may be drawn: the columns of a sample.
    listed
        As `read_listed` returns it.
    where
        What errors call the list.

    Raises
    ------
    SampleError
        Where a listed instance is none of these, its box is another one, or all have one category.
    """
    own = [name for name in ("size_group", *_BOX) if name in listed]
    found = listed[[*INSTANCE, *own]].merge(
        instances, on=INSTANCE, how="left", suffixes=("_listed", "")
    )
    missing = found[found["category_id"].isna()]
    if len(missing):
        said = f"{len(missing)} of {len(listed)} instances, such as {_named(missing)}"
        due = "objects that the annotations have, of data.categories and not left out"
        raise SampleError(where, said, due)
    for name in own:
        if name in _BOX:
            ours, theirs = found[name], pd.to_numeric(found[f"{name}_listed"], errors="coerce")
            other = ~((ours - theirs).abs() <= _ROUNDING)
            if other.any():
                said = f"{name} of {int(other.sum())} instances, such as {_named(found[other])}"
                raise SampleError(where, said, "the annotations' own boxes")
    names = found["category_name"].unique()
    if len(names) < 2:
        said = f"{len(found)} instances, all of them {names[0]}"
        raise SampleError(where, said, "instances of at least two categories")
    if "size_group_listed" in found:
        found["size_group"] = found["size_group_listed"]
    return found[list(instances.columns)]


def _named(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    return f"image {first['image_id']}, annotation {first['ann_id']}"
