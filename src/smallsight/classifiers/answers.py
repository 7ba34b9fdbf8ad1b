"""Answers of a program, or in a table, of the user's own: read, and checked to the row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv, parquet

from smallsight.runtime.errors import ClassifierError
from smallsight.runtime.tables import Table, number, text

ANSWERS = Table(
    "answers",
    "how probable each class is: a row per request and class; a class without a row has 0",
    (
        text("image", "the picture, as requests.csv names it"),
        text("condition", "what was done to it, as requests.csv has it"),
        text("class", "one of the classifier's classes"),
        number("probability", "of that class, 0 to 1"),
    ),
)
"""The columns may stand in any order; there are no others."""

TOLERANCE = 1e-3
"""How far from 1 the probabilities of a request may sum."""

NEVER = float(np.log(np.finfo(np.float32).tiny))
"""Stands for the logarithm of a probability of 0."""

Name = tuple[str, str]
"""A picture's name, and what was done to it."""


class NotAskedError(ClassifierError):
    """A table of predictions was asked about pictures that `requests.csv` does not list."""


@dataclass(frozen=True)
class Answers:
    """What was answered.

    Attributes
    ----------
    names
        Of each request that has an answer.
    probabilities
        (requests, classes), float32.
    """

    names: tuple[Name, ...]
    probabilities: np.ndarray

    def logs_of(self, asked: Sequence[Name], where: object) -> np.ndarray:
        """Return the logarithms of probabilities, (asked, classes), float32; `NEVER` for 0.

        Raises
        ------
        ClassifierError
            Where answers are missing from `where`.
        """
        missing = [name for name in asked if name not in self._row]
        if missing:
            count = f"{len(missing)} of {len(asked)} requests"
            found = f"no answer to {count}, the first {written(missing[0])}"
            raise ClassifierError(where, found, "an answer to each request")
        chosen = self.probabilities[[self._row[name] for name in asked]]
        logs = np.full_like(chosen, NEVER)
        np.log(chosen, out=logs, where=chosen > 0)
        return np.maximum(logs, np.float32(NEVER))

    @cached_property
    def _row(self) -> dict[Name, int]:
        return {name: row for row, name in enumerate(self.names)}


def read_answers(
    path: str | Path,
    classes: Sequence[str],
    refuse: Callable[[Name], tuple[str, str] | None],
) -> Answers:
    """Read answers from a file in CSV or, whatever its name, Parquet.

    Parameters
    ----------
    classes
        The classifier's.
    refuse
        Returns, of a name that has no place in the file, what is wrong with it and what was due.

    Raises
    ------
    ClassifierError
        Where the file cannot be read, has other columns than those of `ANSWERS`, or for the first
        row that has no place, an unknown class, or what is no probability, or that comes again;
        where the probabilities of a request do not sum to 1. Rows are counted as a CSV file's lines
        are, so that its header is row 1; the first row of a Parquet file is row 1.
    """
    content, first = _read(path)
    rows = _Rows(str(path), first)
    image, images = _encoded(content["image"])
    condition, conditions = _encoded(content["condition"])
    request, pairs = pd.factorize(image * max(len(conditions), 1) + condition)
    places = ((pair // len(conditions), pair % len(conditions)) for pair in pairs)
    names = [(images[one], conditions[other]) for one, other in places]
    for index, name in enumerate(names):
        if refused := refuse(name):
            raise rows.error(request == index, *refused)
    klass = _classes(content["class"], classes, rows)
    probability = _probabilities(content["probability"], rows)
    cell = request * len(classes) + klass
    again = pd.Series(cell).duplicated().to_numpy()
    if again.any():
        at = int(again.argmax())
        found = f"{classes[klass[at]]} of {written(names[request[at]])} again"
        raise rows.error(again, found, "one row for each class of a request")
    sums = np.bincount(request, weights=probability, minlength=len(names))
    for index in np.flatnonzero(np.abs(sums - 1) > TOLERANCE).tolist():
        found = f"the probabilities of {written(names[index])} sum to {sums[index]:.6g}"
        raise rows.error(request == index, found, f"1, give or take {TOLERANCE:g}")
    table = np.zeros((len(names), len(classes)), np.float32)
    table.flat[cell] = probability
    return Answers(tuple(names), table)


def written(name: Name) -> str:
    """Return how messages write a name.

    Examples
    --------
    >>> written(("17_4.png", "object/zoom/factor=2"))
    '17_4.png, object/zoom/factor=2'
    """
    return ", ".join(name)


@dataclass(frozen=True)
class _Rows:
    """Rows of a file, as errors name them."""

    path: str
    first: int

    def error(self, at_fault: np.ndarray, found: str, expected: str) -> ClassifierError:
        """Return the error of the first of the rows at fault, (rows,)."""
        row = self.first + int(at_fault.argmax())
        return ClassifierError(f"{self.path}, row {row}", found, expected)


_ROUNDING = 1e-6
"""By how much one probability may exceed 1."""

_WORDS = pa.dictionary(pa.int32(), pa.string())
_TEXTS = {one.name: _WORDS for one in ANSWERS.columns if one.kind == "text"}


def _read(path: str | Path) -> tuple[dict[str, pa.ChunkedArray], int]:
    """Read a file's columns, and find the number of its first row."""
    try:
        with Path(path).open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        table = _read_parquet(path) if is_parquet else _read_csv(path)
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split())
        raise ClassifierError(path, reason, "a table of answers") from None
    except pa.ArrowException as error:
        reason = " ".join(str(error).split())
        raise ClassifierError(path, reason, "a table of answers in CSV or Parquet") from None
    due = f"the columns {', '.join(ANSWERS.names)}"
    for name in ANSWERS.names:
        if table.column_names.count(name) != 1:
            known = "no column" if name not in table.column_names else "more than one column"
            raise ClassifierError(path, f"{known} {name}", due)
    for name in table.column_names:
        if name not in ANSWERS.names:
            raise ClassifierError(path, f"a column {name!r}", f"{due} and no others")
    return {name: table[name] for name in ANSWERS.names}, 1 if is_parquet else 2


def _read_csv(path: str | Path) -> pa.Table:
    """Read a CSV file; probabilities are text where not all of them are numbers."""

    def read(kind: pa.DataType) -> pa.Table:
        options = csv.ConvertOptions(
            column_types=_TEXTS | {"probability": kind}, null_values=[], strings_can_be_null=False
        )
        # Errors name the row where one thread reads.
        return csv.read_csv(path, csv.ReadOptions(use_threads=False), convert_options=options)

    try:
        return read(pa.float64())
    except pa.ArrowInvalid:
        return read(pa.string())


def _read_parquet(path: str | Path) -> pa.Table:
    """Read a Parquet file; its texts may be of any type that can be written as text."""
    table = parquet.ParquetFile(path).read()
    for index, name in enumerate(table.column_names):
        if name in _TEXTS:
            words = table.column(index).cast(pa.string()).fill_null("").dictionary_encode()
            table = table.set_column(index, name, words)
    return table


def _encoded(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Return a column's different texts, and of each row the number of its text."""
    if len(column) == 0:
        return np.zeros(0, np.int64), []
    whole: Any = column.combine_chunks()
    return whole.indices.to_numpy().astype(np.int64), whole.dictionary.to_pylist()


def _classes(column: pa.ChunkedArray, classes: Sequence[str], rows: _Rows) -> np.ndarray:
    """Return the number of each row's class."""
    codes, names = _encoded(column)
    place = {name: index for index, name in enumerate(classes)}
    known = np.array([place.get(name, -1) for name in names], np.int64)[codes]
    if (known < 0).any():
        name = names[codes[int((known < 0).argmax())]]
        due = (get_close_matches(name, classes, 1) or classes)[0]
        expected = f"one of the classifier's {len(classes)} classes, such as {due}"
        raise rows.error(known < 0, f"class {name!r}", expected)
    return known


def _probabilities(column: pa.ChunkedArray, rows: _Rows) -> np.ndarray:
    """Return a column of probabilities, float64."""
    values = column.to_pandas()
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(float)
    with np.errstate(invalid="ignore"):
        wrong = ~((numbers >= 0) & (numbers <= 1 + _ROUNDING))
    if wrong.any():
        found = str(values.iloc[int(wrong.argmax())])
        raise rows.error(wrong, f"probability {found!r}", "a number from 0 to 1")
    return numbers
