"""Rows of tables as the report reads them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

Row = Mapping[str, Any]
"""One row of a table."""


@dataclass(frozen=True)
class Estimate:
    """An accuracy, 0 to 1: of how many instances in how many images, with its interval.

    Attributes
    ----------
    n, images
        Numbers of instances, and of the images that hold them.
    acc, low, high
        The accuracy, and the ends of its interval.
    balanced
        The mean of the categories' accuracies.
    standardised
        The accuracy at the mix of categories that small and large objects share.
    """

    n: int
    images: int
    acc: float
    low: float
    high: float
    balanced: float
    standardised: float

    @property
    def is_known(self) -> bool:
        """Whether there is a number with an interval."""
        return self.n > 0 and bool(np.isfinite([self.acc, self.low, self.high]).all())


def records(table: pd.DataFrame) -> list[Row]:
    """Return the rows of a table, in order."""
    return cast(list[Row], table.to_dict("records"))


def tuples(table: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows of a table as named tuples, in order."""
    return cast(Iterator[Any], table.itertuples())


def keyed(table: pd.DataFrame, *keys: str) -> dict[tuple[Any, ...], Row]:
    """Return the rows of a table by the values of some columns, which identify a row.

    Examples
    --------
    >>> table = pd.DataFrame({"regime": ["fixed"], "part": ["gap"], "value": [0.25]})
    >>> keyed(table, "regime", "part")["fixed", "gap"]["value"]
    0.25
    """
    return {tuple(row[key] for key in keys): row for row in records(table)}


def has_direction(row: Row) -> bool:
    """Return whether interval and test of a row agree on a direction."""
    return row["direction"] in (1, -1)


def by_direction(rows: Iterable[Row]) -> tuple[list[Row], list[Row], list[Row]]:
    """Sort rows by the direction that their interval and test agree on.

    Returns
    -------
    up, down, undecided
        Rows whose column `direction` is 1, those where it is -1, and all others; each in the order
        given.

    Examples
    --------
    >>> rows = [{"part": "context", "direction": -1}, {"part": "resolution", "direction": 1}]
    >>> up, down, undecided = by_direction(rows)
    >>> [row["part"] for row in down]
    ['context']
    """
    rows = list(rows)
    up, down = ([row for row in rows if row["direction"] == sign] for sign in (1, -1))
    return up, down, [row for row in rows if not has_direction(row)]
