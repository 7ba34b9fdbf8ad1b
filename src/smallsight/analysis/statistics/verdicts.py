"""Verdicts: the direction that an interval and an adjusted test agree on, and a word for it."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from smallsight.analysis.statistics.tests import holm

Words = Mapping[int | None, str]
"""The word for each direction: 1, -1, 0, and None where there is no interval."""


def verdict_words(up: str, down: str) -> dict[int | None, str]:
    """Return the words for a direction of 1 and of -1, beside those that all tables share.

    Examples
    --------
    >>> verdict_words("higher", "lower")
    {1: 'higher', -1: 'lower', 0: 'not decided', None: ''}
    """
    return {1: up, -1: down, 0: "not decided", None: ""}


def judge(
    table: pd.DataFrame,
    words: Words,
    *,
    confidence: float,
) -> pd.DataFrame:
    """Adjust a table's p-values as one family of tests, and judge what each row shows.

    Parameters
    ----------
    table
        Columns p_value, and ci_low and ci_high, the ends of the interval.
    words
        Of the verdicts.
    confidence
        Of the interval; a test counts where its adjusted p-value is at most 1 - confidence.

    Returns
    -------
    DataFrame
        The table with p_holm, direction and verdict. The direction is 1 where both the interval
        and the adjusted test say that the value is above 0, -1 where both say that it is below, 0
        where they do not, and NaN where there is no interval.

    Examples
    --------
    >>> tested = pd.DataFrame(
    ...     {"ci_low": [0.1, -0.1, -0.3], "ci_high": [0.3, 0.2, -0.1], "p_value": [0.01, 0.6, 0.04]}
    ... )
    >>> judged = judge(tested, verdict_words("higher", "lower"), confidence=0.95)
    >>> judged[["p_holm", "direction", "verdict"]].round(2).values.tolist()
    [[0.03, 1.0, 'higher'], [0.6, 0.0, 'not decided'], [0.08, 0.0, 'not decided']]
    """
    adjusted = table.assign(p_holm=holm(table["p_value"].to_numpy(float)))
    return decide(adjusted, words, confidence=confidence)


def decide(
    table: pd.DataFrame,
    words: Words,
    *,
    confidence: float,
) -> pd.DataFrame:
    """Judge what each row shows, as `judge` does, by a p_holm that the table already has."""
    low, high = (table[end].to_numpy(float) for end in ("ci_low", "ci_high"))
    side = (low > 0).astype(int) - (high < 0)
    side = side * (table["p_holm"].to_numpy(float) <= 1 - confidence)
    direction = np.where(np.isnan(low), np.nan, side)
    verdict = [words[None if np.isnan(one) else int(one)] for one in direction]
    return table.assign(direction=direction, verdict=verdict)
