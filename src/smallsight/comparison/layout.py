"""Makes the tables of numbers and of conditions: every cell as text, with its class."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from smallsight.analysis.terms import describe_part
from smallsight.comparison.comparison import ComparedTask
from smallsight.comparison.numbers import FACTOR, LARGEST_STEP, NUMBERS
from smallsight.conditions.rendered.names import Condition, split_name
from smallsight.report.rows import Row, records
from smallsight.report.text import (
    detectable,
    factor,
    factor_span,
    native_pixels,
    p_value,
    percent,
    signed,
    size,
    span,
)
from smallsight.vocabulary import ALL_AND_GROUPS

_ARROWS: Mapping[float, str] = {1: "▲ ", -1: "▼ "}
"""Signs of a difference that is shown, by direction."""

_TONES: Mapping[float, str] = {1: "higher", -1: "lower"}
"""Classes of better and worse numbers."""


@dataclass(frozen=True)
class NumberRow:
    """One headline number.

    Attributes
    ----------
    values
        The number in A and in B.
    about
        What it is about in A and in B, a condition or a step; empty for most numbers.
    lacking
        Why the two are not compared; empty where they are.
    difference, span, p, detectable
        The difference with its sign, its interval, the adjusted p-value, and what a test would
        have found where nothing is shown.
    tone
        Class of the difference.
    n
        Number of objects.
    """

    label: str
    values: tuple[str, str]
    about: tuple[str, str]
    lacking: str
    difference: str
    span: str
    p: str
    detectable: str
    tone: str
    n: int


@dataclass(frozen=True)
class ConditionCell:
    """One accuracy under one condition.

    Attributes
    ----------
    accuracies
        In A and in B, in percent.
    difference
        In points, with its sign.
    tone
        Class of the difference.
    interval, p
        Of the difference, with spaces that do not break.
    """

    accuracies: str
    difference: str
    tone: str
    interval: str
    p: str


@dataclass(frozen=True)
class ConditionRow:
    """Accuracies under one condition, by size group; None where a group has no objects.

    Attributes
    ----------
    options
        The options that the condition's level names.
    """

    label: str
    options: str
    cells: tuple[ConditionCell | None, ...]


@dataclass(frozen=True)
class GroupHead:
    """Head of a size group's column.

    Attributes
    ----------
    n
        Number of objects.
    detectable
        The differences that a test would have found where none is shown; else empty.
    """

    group: str
    n: int
    detectable: str


@dataclass(frozen=True)
class ConditionTable:
    """Accuracies by condition in one regime, by what that is called."""

    regime: str
    heads: tuple[GroupHead, ...]
    rows: tuple[ConditionRow, ...]


def number_rows(compared: ComparedTask) -> list[NumberRow]:
    """Return the rows of a task's table of headline numbers, in the order of `NUMBERS`."""
    return [_number_row(compared, compared.number[name]) for name in NUMBERS[compared.task]]


def _number_row(compared: ComparedTask, row: Row) -> NumberRow:
    number = NUMBERS[compared.task][row["number"]]
    is_factor = row["number"] == FACTOR
    is_compared = math.isfinite(row["difference"])
    difference = f"× {factor(row['difference'])}" if is_factor else signed(row["difference"])
    ends = factor_span(row["ci_low"], row["ci_high"]) if is_factor else span(row)
    return NumberRow(
        label=number.label,
        values=(_value(row, "a"), _value(row, "b")),
        about=(_about(compared, row, "a"), _about(compared, row, "b")),
        lacking="" if is_compared else _lacking(row),
        difference=arrow(row) + difference,
        span=ends,
        p=p_value(row["p_holm"]),
        detectable=_detectable(row),
        tone=tone(row, better=number.better),
        n=int(row["n"]),
    )


def _value(row: Row, side: str) -> str:
    value = row[side]
    if row["number"].startswith("accuracy"):
        return percent(value)
    if row["number"] != FACTOR:
        return signed(value)
    return f"{native_pixels(value)} px" if math.isfinite(value) else "–"


def _about(compared: ComparedTask, row: Row, side: str) -> str:
    """Return the label of what a headline number is about; most have none."""
    name = row[f"about_{side}"]
    if not isinstance(name, str):
        return ""
    if row["number"] == LARGEST_STEP:
        return describe_part(name).label
    return compared.condition_label(*split_name(name))


def _detectable(row: Row) -> str:
    """Write what a test would have found where nothing is shown, else a dash."""
    if row["direction"] != 0 or not math.isfinite(row["mde"]):
        return "–"
    return f"× {factor(row['mde'])}" if row["number"] == FACTOR else size(row["mde"])


def _lacking(row: Row) -> str:
    """Write why two numbers are not compared."""
    if not row["n"]:
        return "not of the same objects" if row["number"] == FACTOR else "no objects"
    unknown = [name for name, side in (("A", "a"), ("B", "b")) if not math.isfinite(row[side])]
    if unknown:
        return f"{unknown[0]} has none" if len(unknown) == 1 else "neither has one"
    return "not of the same, not compared"


def condition_tables(compared: ComparedTask) -> list[ConditionTable]:
    """Return a task's accuracies by condition, a table for each regime that has any."""
    tables = [
        ConditionTable(
            regime=compared.subject.regimes[regime].caption,
            heads=tuple(_head(compared, regime, group) for group in ALL_AND_GROUPS),
            rows=tuple(
                ConditionRow(
                    label=compared.pair.family_label(one.family),
                    options=_options(one.family, one.level),
                    cells=tuple(_condition_cell(cells[group]) for group in ALL_AND_GROUPS),
                )
                for one, cells in compared.by_condition(regime)
            ),
        )
        for regime in compared.pair.regimes
    ]
    return [table for table in tables if table.rows]


def _options(family: str, level: str) -> str:
    options = Condition(family, level, is_reference=False).options
    return ", ".join(f"{name}={value}" for name, value in options.items())


def _condition_cell(row: Row) -> ConditionCell | None:
    if not row["n"]:
        return None
    return ConditionCell(
        accuracies=f"{100 * row['a']:.1f} → {100 * row['b']:.1f}",
        difference=arrow(row) + signed(row["difference"]),
        tone=tone(row),
        interval=_unbroken(f"({span(row)}),"),
        p=_unbroken(f"p {p_value(row['p_holm'])}"),
    )


def _head(compared: ComparedTask, regime: str, group: str) -> GroupHead:
    table = compared.conditions
    chosen = (table["regime"] == regime) & (table["size_group"] == group)
    undecided = records(table[chosen & (table["direction"] == 0)])
    return GroupHead(
        group=group,
        n=compared.pair.a.size(group)["n"],
        detectable=detectable(undecided) if undecided else "",
    )


def arrow(row: Row) -> str:
    """Return the sign of a difference, or nothing where none is shown."""
    return _ARROWS.get(row["direction"], "")


def tone(row: Row, *, better: int = 1) -> str:
    """Return the class of a difference: better or worse in B, not decided, or none of them."""
    if row["direction"] == 0:
        return "inconclusive"
    return _TONES.get(row["direction"] * better, "")


def _unbroken(words: str) -> str:
    return words.replace(" ", "\N{NO-BREAK SPACE}")
