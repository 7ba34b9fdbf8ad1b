"""Numbers as text has them."""

import math
import re

REACH = (-1, 2)
"""Coordinates of a box that reaches out of its picture, as shares of it; pixels lie beyond."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def read_number(text: str) -> float | None:
    """Read a finite decimal number; None where the text is none.

    Python's own `float` also takes `nan`, `1_0` and digits of other scripts.

    Examples
    --------
    >>> read_number("0.5"), read_number("1e-2"), read_number("0,5"), read_number("nan")
    (0.5, 0.01, None, None)
    """
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def read_index(text: str) -> int | None:
    """Read a whole number of 0 or above, also where it is written as `1.0`; None for all else.

    Examples
    --------
    >>> read_index("3"), read_index("3.000e+00"), read_index("3.5"), read_index("-1")
    (3, 3, None, None)
    """
    value = read_number(text)
    return int(value) if value is not None and value >= 0 and value == int(value) else None


def is_share(value: object) -> bool:
    """Return whether a value is a number that may be a share of a picture.

    Examples
    --------
    >>> is_share(0.5), is_share(1.01), is_share(320), is_share(float("nan")), is_share("0.5")
    (True, True, False, False, False)
    """
    return type(value) in (int, float) and REACH[0] <= value <= REACH[1]  # type: ignore[operator]
