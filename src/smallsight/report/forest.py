"""Differences with their intervals as a table's cells draw them: a line, and a dot on it."""

import math
from collections.abc import Iterable

from smallsight.report.rows import Row

ZERO = 100.0
"""Where zero lies, in units of a drawing that is twice as wide."""

_EDGE = 6.0
"""What is kept free at both ends, in the same units."""


def reach(rows: Iterable[Row | None]) -> float:
    """Return the difference that both ends of a scale stand for, so that all rows have room.

    Parameters
    ----------
    rows
        With delta, ci_low and ci_high; None, and what is no number, takes no room.
    """
    ends = [abs(row[key]) for row in rows if row for key in ("delta", "ci_low", "ci_high")]
    return max([0.01, *(end for end in ends if math.isfinite(end))])


def placed(value: float, reach: float) -> float:
    """Return where a value lies, in units of a drawing; what is beyond its ends is cut off there.

    Examples
    --------
    >>> [placed(value, 0.5) for value in (-0.5, 0.0, 0.25, 2.0)]
    [6.0, 100.0, 147.0, 194.0]
    """
    return ZERO + min(max(value / reach, -1.0), 1.0) * (ZERO - _EDGE)
