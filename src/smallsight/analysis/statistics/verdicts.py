"""Verdicts: what an interval and an adjusted test agree on."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from smallsight.analysis.statistics.tests import holm


def judge(
    table: pd.DataFrame,
    verdicts: Mapping[int | None, str],
    *,
    confidence: float,
    ends: tuple[str, str] = ("ci_low", "ci_high"),
    null: float = 0.0,
) -> pd.DataFrame:
    """Adjust a table's p-values as one family of tests, and name what each row shows.

    Parameters
    ----------
    table
        Columns p_value and `ends`, those of the interval.
    verdicts
        What to call an interval above `null` (1), below it (-1), neither (0), and none (None).
    null
        The value of no effect.

    Returns
    -------
    DataFrame
        The table with p_holm and verdict. A direction needs both interval and adjusted test.
    """
    low, high = (table[end].to_numpy(float) for end in ends)
    p_holm = holm(table["p_value"].to_numpy(float))
    side = ((low > null).astype(int) - (high < null)) * (p_holm <= 1 - confidence)
    known = ~np.isnan(low)
    names = [
        verdicts[int(one) if has_interval else None]
        for one, has_interval in zip(side, known, strict=True)
    ]
    return table.assign(p_holm=p_holm, verdict=names)
