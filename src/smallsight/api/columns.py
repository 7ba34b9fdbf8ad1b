"""Columns of tables that users give, read and checked: each error is one line."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallsight.runtime.errors import SmallsightError
from smallsight.vocabulary import INSTANCE

ID = "id"
"""The column that may stand for both that identify an instance."""


@dataclass(frozen=True)
class Numbers:
    """What numbers a column may hold: finite ones between two bounds, both included."""

    words: str
    least: float = -np.inf
    most: float = np.inf


ANY = Numbers("numbers")
POSITIVE = Numbers("numbers above 0", least=np.nextafter(0.0, 1.0))
SHARES = Numbers("numbers from 0 to 1", least=0.0, most=1.0)
WHOLE = Numbers("whole numbers")


def read_file(path: str | Path, *, text: Collection[str]) -> pd.DataFrame:
    """Read a table from a CSV or a Parquet file.

    Parameters
    ----------
    text
        Columns that are text whatever stands there: a category may be called "NA" or "1".

    Raises
    ------
    SmallsightError
        Where it cannot be read.
    """
    try:
        if Path(path).suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype=dict.fromkeys(text, str), keep_default_na=False)
    except OSError as error:
        raise SmallsightError(path, error.strerror or str(error), "a table") from None
    except ValueError as error:
        found = " ".join(str(error).split())
        raise SmallsightError(path, found, "a table in CSV or Parquet") from None


def identify(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return a table whose rows are identified by image_id and ann_id, and are counted from 0.

    Raises
    ------
    SmallsightError
        Where it has no rows, neither these columns nor `ID`, or they hold no whole numbers.
    """
    if frame.empty:
        raise SmallsightError(where, "no rows", "at least one")
    frame = frame.reset_index(drop=True)
    if ID in frame and "ann_id" not in frame:
        frame = frame.assign(ann_id=as_whole(frame, ID, where))
        if "image_id" not in frame:
            frame = frame.assign(image_id=frame["ann_id"])
    return frame.assign(**{name: as_whole(frame, name, where) for name in INSTANCE})


def cell_of(where: str, name: str, wrong: np.ndarray) -> str:
    """Write where a column is wrong first; rows are counted from 0.

    Examples
    --------
    >>> cell_of("predictions", "side", np.array([False, True, True]))
    'predictions: side: row 1'
    """
    return f"{where}: {name}: row {int(np.argmax(wrong))}"


def find_column(frame: pd.DataFrame, name: str, where: str) -> pd.Series:
    """Return a column that must be there."""
    if name not in frame:
        instead = f", or {ID}" if name in INSTANCE else ""
        raise SmallsightError(where, f"no column {name}", f"{name}{instead}")
    return frame[name]


def as_numbers(frame: pd.DataFrame, name: str, where: str, due: Numbers = ANY) -> np.ndarray:
    """Return a column of numbers, float64."""
    values = find_column(frame, name, where)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(float, na_value=np.nan)
    wrong = ~np.isfinite(numbers) | (numbers < due.least) | (numbers > due.most)
    if wrong.any():
        raise SmallsightError(
            cell_of(where, name, wrong), _shown(values[wrong].tolist()[0]), due.words
        )
    return numbers


def as_whole(frame: pd.DataFrame, name: str, where: str) -> np.ndarray:
    """Return a column of whole numbers, int64."""
    numbers = as_numbers(frame, name, where, WHOLE)
    wrong = numbers % 1 != 0
    if wrong.any():
        raise SmallsightError(cell_of(where, name, wrong), f"{numbers[wrong][0]:g}", WHOLE.words)
    # Numbers of 64 bits have more digits than float64 holds.
    is_exact = pd.api.types.is_integer_dtype(frame[name])
    return frame[name].to_numpy(np.int64) if is_exact else numbers.astype(np.int64)


def as_names(
    frame: pd.DataFrame, name: str, where: str, *, known: Collection[str] = ()
) -> np.ndarray:
    """Return a column of text, none of it empty: some words, or any."""
    values = find_column(frame, name, where).to_numpy(object)
    wrong = np.array([not isinstance(one, str) or not one for one in values])
    if wrong.any():
        raise SmallsightError(
            cell_of(where, name, wrong), _shown(values[wrong][0]), "text in every row"
        )
    if known:
        check_known(values, known, where, name)
    return values


def check_known(values: np.ndarray, known: Collection[str], where: str, name: str) -> None:
    """Refuse a column that holds other names than these."""
    wrong = ~pd.Series(values).isin(list(known)).to_numpy()
    if wrong.any():
        found = repr(values[wrong][0])
        raise SmallsightError(cell_of(where, name, wrong), found, f"one of {', '.join(known)}")


def _shown(value: Any) -> str:
    """Write what stands in a cell."""
    is_missing = pd.api.types.is_scalar(value) and bool(pd.isna(value))
    return "nothing" if is_missing or (isinstance(value, str) and not value) else repr(value)
