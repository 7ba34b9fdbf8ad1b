"""Donor instances, whose background replaces another instance's."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallsight.imaging.boxes import Box
from smallsight.runtime.randomness import derive
from smallsight.runtime.tables import Table, identifier, read_table, text
from smallsight.vocabulary import ANN_ID, IMAGE_ID

DONORS = Table(
    "donors",
    "instances whose background may replace another's: a row per instance and kind of donor",
    (
        IMAGE_ID,
        ANN_ID,
        text("donor", "same: of the instance's category; other: no object of it in the window"),
        identifier("donor_image_id", "the donor's picture; empty where none fits"),
        identifier("donor_ann_id", "the donor"),
    ),
)

KINDS = ("same", "other")
"""A donor is of the instance's category, or has no object of that category in its window."""

_TYPES = dict.fromkeys(("donor_image_id", "donor_ann_id"), "Int64")
"""Whole numbers of any size, some of them empty."""


def draw_donors(
    sample: pd.DataFrame, objects: pd.DataFrame, *, window_margin: float, seed: int
) -> pd.DataFrame:
    """Draw donors for every instance, from other pictures of the sample.

    A donor is of the instance's own size group where the sample holds one, because objects of one
    size have surroundings of one kind. Each that fits is equally likely. An instance's donors
    depend on the seed, its ids and the sample, not on the order of the rows.

    Parameters
    ----------
    sample
        Columns image_id, ann_id, category_name, size_group, and those of the box.
    objects
        Every annotated object of the sample's pictures: image_id, category_name, and the box.
    window_margin
        The share of the box's width and height by which an object's window is larger, on each side.

    Returns
    -------
    DataFrame
        The columns of `DONORS`, a row per instance and kind; the donor's ids are empty where no
        other picture of the sample holds an instance that fits.

    Examples
    --------
    >>> sample = pd.DataFrame({
    ...     "image_id": [1, 2, 3],
    ...     "ann_id": [10, 20, 30],
    ...     "category_name": ["car", "bus", "car"],
    ...     "size_group": "small",
    ...     "bbox_x": 10.0, "bbox_y": 10.0, "bbox_w": 8.0, "bbox_h": 8.0,
    ... })
    >>> draw_donors(sample, sample, window_margin=0.25, seed=0).head(3)
       image_id  ann_id  donor  donor_image_id  donor_ann_id
    0         1      10   same               3            30
    1         1      10  other               2            20
    2         2      20   same            <NA>          <NA>
    """
    rows = []
    instance: Any
    sample = sample.sort_values(["image_id", "ann_id"], ignore_index=True)
    image, category, group = (
        sample[name].to_numpy() for name in ("image_id", "category_name", "size_group")
    )
    in_window = _categories_in_windows(sample, objects, window_margin)
    without = {
        name: np.array([name not in found for found in in_window]) for name in np.unique(category)
    }
    for index, instance in enumerate(sample.itertuples()):
        elsewhere = image != instance.image_id
        alike = category == instance.category_name
        for kind, fits in zip(KINDS, (alike, without[instance.category_name]), strict=True):
            # `pd.NA`, not NaN, which would make floats of the other rows' ids.
            row: dict[str, Any] = dict.fromkeys(DONORS.names, pd.NA)
            row |= {"image_id": instance.image_id, "ann_id": instance.ann_id, "donor": kind}
            near = np.flatnonzero(elsewhere & fits & (group == group[index]))
            able = near if len(near) else np.flatnonzero(elsewhere & fits)
            if len(able):
                rng = derive(seed, "donor", kind, int(instance.image_id), int(instance.ann_id))
                donor = sample.iloc[rng.choice(able)]
                row |= {"donor_image_id": donor["image_id"], "donor_ann_id": donor["ann_id"]}
            rows.append(row)
    return pd.DataFrame(rows, columns=DONORS.names).astype(_TYPES)


def _categories_in_windows(
    sample: pd.DataFrame, objects: pd.DataFrame, margin: float
) -> list[set[str]]:
    """Return, by row of the sample, the categories of all objects that its window touches."""
    by_image = dict(list(objects.groupby("image_id")))
    found = []
    row: Any
    for row in sample.itertuples():
        window = Box(row.bbox_x, row.bbox_y, row.bbox_w, row.bbox_h).grown(margin)
        others = by_image[row.image_id]
        x, y, w, h = (others[name].to_numpy() for name in ("bbox_x", "bbox_y", "bbox_w", "bbox_h"))
        touches = (x < window.x + window.w) & (x + w > window.x)
        touches &= (y < window.y + window.h) & (y + h > window.y)
        found.append({row.category_name, *others["category_name"].to_numpy()[touches]})
    return found


def read_donors(path: str | Path) -> pd.DataFrame:
    """Read a CSV file with the table of `draw_donors`."""
    return read_table(path, DONORS)
