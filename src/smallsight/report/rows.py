"""Rows of tables as the report reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

Row = Mapping[str, Any]
"""One row of a table."""


@dataclass(frozen=True)
class Estimate:
    """An accuracy, 0 to 1: of how many instances in how many images, with its interval."""

    n: int
    images: int
    acc: float
    low: float
    high: float
    balanced: float

    @property
    def is_known(self) -> bool:
        """Whether there is a number with an interval."""
        return self.n > 0 and bool(np.isfinite([self.acc, self.low, self.high]).all())


def keyed(table: pd.DataFrame, *keys: str) -> dict[Any, Row]:
    """Give the rows of a table by the values of some columns, which tell them apart."""
    return {tuple(row[key] for key in keys): row for row in table.to_dict("records")}
