"""Tables in files: each is declared once, and read, checked and documented from there."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import pandas as pd

from smallsight.runtime.errors import SmallsightError

Kind = Literal["text", "identifier", "whole number", "number", "flag"]
"""What a column holds. Text may be empty, and so may numbers and identifiers; a flag may not.

An identifier is a whole number that names something and is never calculated with.
"""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name
        As it stands in the file.
    kind
        What it holds.
    meaning
        What it says, in one line.
    """

    name: str
    kind: Kind
    meaning: str


def text(name: str, meaning: str) -> Column:
    """Declare a column of text."""
    return Column(name, "text", meaning)


def identifier(name: str, meaning: str) -> Column:
    """Declare a column of whole numbers that name something."""
    return Column(name, "identifier", meaning)


def whole(name: str, meaning: str) -> Column:
    """Declare a column of whole numbers."""
    return Column(name, "whole number", meaning)


def number(name: str, meaning: str) -> Column:
    """Declare a column of numbers."""
    return Column(name, "number", meaning)


def flag(name: str, meaning: str) -> Column:
    """Declare a column of `True` and `False`."""
    return Column(name, "flag", meaning)


@dataclass(frozen=True)
class Table:
    """What one kind of table holds.

    Attributes
    ----------
    name
        Name of its file, without the ending.
    meaning
        What the table says, in one line.
    columns
        Its columns, in order.
    rest
        What further columns hold, however many the table has; None where it has no others. Its
        name is a pattern, such as `p_<category>`.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    rest: Column | None = None

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column.name for column in self.columns]

    def empty(self) -> pd.DataFrame:
        """Return the table without rows, its columns of their declared types."""
        types: dict[Kind, str] = {
            "text": "str",
            "identifier": "int64",
            "whole number": "int64",
            "number": "float64",
            "flag": "bool",
        }
        return pd.DataFrame({one.name: pd.Series(dtype=types[one.kind]) for one in self.columns})


def read_table(path: str | Path, table: Table) -> pd.DataFrame:
    """Read a CSV file as its declaration says.

    Returns
    -------
    DataFrame
        All columns of the file. Text is kept as it stands, so that a category may be called "NA"
        or "None"; empty text is "". Whole numbers are int64, or float64 where some are empty;
        identifiers are int64, or Int64 where some are empty; numbers are float64, NaN where empty;
        flags are bool. Columns that are not declared have the types that pandas finds.

    Raises
    ------
    SmallsightError
        Where the file cannot be read, a declared column is missing, or one holds something else.
    """
    frame = parse_table(path, table, where=path)
    for name in table.names:
        if name not in frame:
            known = ", ".join(table.names)
            raise SmallsightError(path, f"no column {name}", f"the columns {known}")
    return frame


def parse_table(source: str | Path | IO[bytes], table: Table, *, where: object) -> pd.DataFrame:
    """Read CSV as `read_table` does; declared columns may be missing.

    Parameters
    ----------
    where
        The file, for errors.

    Raises
    ------
    SmallsightError
        Where it cannot be read, or a declared column holds something else.
    """
    types: dict[str, Any] = {"text": str, "identifier": "Int64"}
    try:
        with warnings.catch_warnings(action="ignore", category=pd.errors.ParserWarning):
            frame = pd.read_csv(
                source,
                dtype={one.name: types[one.kind] for one in table.columns if one.kind in types},
                # Otherwise a comma at the end of every row would move all columns by one.
                index_col=False,
                keep_default_na=False,
                na_values={one.name: [""] for one in table.columns if one.kind != "text"},
            )
    except OSError as error:
        raise SmallsightError(where, error.strerror or str(error), "a table") from None
    except (ValueError, TypeError, OverflowError) as error:
        # Identifiers that are no whole numbers, or too large, raise errors of any of these types.
        identifiers = [one.name for one in table.columns if one.kind == "identifier"]
        numbers = f", with whole numbers as {', '.join(identifiers)}" if identifiers else ""
        found = " ".join(str(error).split())
        raise SmallsightError(where, found, f"a table in CSV{numbers}") from None
    declared = [one for one in table.columns if one.name in frame]
    return frame.assign(**{one.name: _typed(frame[one.name], one, where) for one in declared})


def _typed(values: pd.Series, column: Column, path: object) -> pd.Series:
    """Convert a column that pandas has read to its declared type."""
    where = f"{path}: {column.name}"
    if column.kind == "text":
        return values
    if column.kind == "identifier":
        return values if values.isna().any() else values.astype("int64")
    if column.kind == "flag":
        if len(values) and values.dtype != bool:
            raise SmallsightError(where, _example(values), "True or False")
        return values.astype(bool)
    try:
        numbers = pd.to_numeric(values)
    except ValueError as error:
        raise SmallsightError(where, str(error), f"{column.kind}s") from None
    if column.kind == "number" or numbers.isna().any():
        return numbers.astype("float64")
    if (numbers % 1 != 0).any():
        raise SmallsightError(where, _example(numbers[numbers % 1 != 0]), "whole numbers")
    return numbers.astype("int64")


def _example(values: pd.Series) -> str:
    return repr(values.iloc[0])


def conform(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Check that a table is as declared, before it is written.

    Returns
    -------
    DataFrame
        The same values; whole numbers and identifiers are written without a decimal point even
        where some are empty.

    Raises
    ------
    ValueError
        Where columns are missing, stand in another order or are not declared, or hold something
        else than they should.
    """
    found, names = list(frame.columns), table.names
    extra = found[len(names) :]
    if found[: len(names)] != names or (extra and table.rest is None):
        raise ValueError(f"{table.name}: columns {', '.join(found)} instead of {', '.join(names)}")
    for column in table.columns:
        if column.kind == "flag" and len(frame) and frame[column.name].dtype != bool:
            raise ValueError(f"{table.name}: {column.name} holds no flags")
    counted = ("whole number", "identifier")
    return frame.astype({one.name: "Int64" for one in table.columns if one.kind in counted})
