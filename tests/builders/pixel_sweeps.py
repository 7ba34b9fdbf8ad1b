"""Predictions of objects that are reduced to fewer and fewer pixels."""

import numpy as np
import pandas as pd
from scipy.special import expit

SIDES = np.array([6, 8, 12, 16, 24, 32, 48, 64])
"""Levels, in native pixels."""


def rising(side, threshold, spread, floor, ceiling):
    """A psychometric curve, stated once more."""
    return floor + (ceiling - floor) * expit(np.log(np.asarray(side) / threshold) / spread)


def swept(instances, right, *, sides=SIDES):
    """Arrange answers, (n, levels) by regime, as an evaluation would: true or false, or shares."""
    ids = instances[["image_id", "ann_id"]].reset_index(drop=True)
    tables = []
    for regime, values in right.items():
        levels = pd.DataFrame(np.asarray(values), columns=sides)
        table = ids.join(levels).melt(list(ids), var_name="side", value_name="correct")
        level = "side=" + table["side"].astype(str)
        tables.append(table.drop(columns="side").assign(regime=regime, level=level))
    return pd.concat(tables, ignore_index=True)
