"""Donors: instances whose surroundings other instances are put before."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallsight.runtime.randomness import derive

DONOR_COLUMNS = ("image_id", "ann_id", "donor", "donor_image_id", "donor_ann_id")


KINDS = ("same", "other")
"""A donor is of the same category as the instance, or of another one."""


_TYPES = dict.fromkeys(("donor_image_id", "donor_ann_id"), "Int64")
"""Whole numbers of any size, some of them empty."""


def draw_donors(sample: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Draw donors for every instance, from other pictures of the sample.

    A donor is of the instance's own size group where there is one, so that its surroundings are
    such as objects of that size have; each that fits is equally likely. The same sample and seed
    give the same donors, and an instance's do not depend on the order of the rows.

    Returns
    -------
    DataFrame
        `DONOR_COLUMNS`, a row per instance and kind; the donor's ids are empty where no other
        picture of the sample holds an instance that fits.
    """
    rows = []
    sample = sample.sort_values(["image_id", "ann_id"], ignore_index=True)
    image, category, group = (
        sample[name].to_numpy() for name in ("image_id", "category_name", "size_group")
    )
    for index, instance in enumerate(sample.itertuples()):
        elsewhere = image != instance.image_id
        alike = category == instance.category_name
        for kind, fits in zip(KINDS, (alike, ~alike), strict=True):
            # `pd.NA`, not NaN, which would make floats of the other rows' ids.
            row: dict[str, Any] = dict.fromkeys(DONOR_COLUMNS, pd.NA)
            row |= {"image_id": instance.image_id, "ann_id": instance.ann_id, "donor": kind}
            near = np.flatnonzero(elsewhere & fits & (group == group[index]))
            able = near if len(near) else np.flatnonzero(elsewhere & fits)
            if len(able):
                rng = derive(seed, "donor", kind, int(instance.image_id), int(instance.ann_id))
                donor = sample.iloc[rng.choice(able)]
                row |= {"donor_image_id": donor["image_id"], "donor_ann_id": donor["ann_id"]}
            rows.append(row)
    return pd.DataFrame(rows, columns=list(DONOR_COLUMNS)).astype(_TYPES)


def read_donors(path: str | Path) -> pd.DataFrame:
    """Read the CSV file that `draw`'s table was written to."""
    return pd.read_csv(path, dtype=_TYPES)
