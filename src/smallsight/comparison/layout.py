"""Makes the tables of numbers and of conditions: every cell as text, with its class."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from smallsight.comparison.comparison import Comparison
from smallsight.comparison.numbers import FACTOR, NUMBERS
from smallsight.conditions.rendered.names import Condition, split_name
from smallsight.report.rows import Row, records
from smallsight.report.text import (
    detectable,
    factor,
    factor_span,
    p_value,
    percent,
    signed,
    size,
    span,
    threshold,
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
    conditions
        The condition that it is about in A and in B; empty for most numbers.
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
    conditions: tuple[str, str]
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
    """Accuracies by condition in one regime."""

    regime: str
    heads: tuple[GroupHead, ...]
    rows: tuple[ConditionRow, ...]


def number_rows(comparison: Comparison) -> list[NumberRow]:
    """Return the rows of the table of headline numbers, in the order of `NUMBERS`."""
    return [_number_row(comparison, comparison.number[name]) for name in NUMBERS]


def _number_row(comparison: Comparison, row: Row) -> NumberRow:
    number = NUMBERS[row["number"]]
    is_factor = row["number"] == FACTOR
    is_compared = math.isfinite(row["difference"])
    difference = f"× {factor(row['difference'])}" if is_factor else signed(row["difference"])
    ends = factor_span(row["ci_low"], row["ci_high"]) if is_factor else span(row)
    return NumberRow(
        label=number.label,
        values=(_value(comparison, row, "a"), _value(comparison, row, "b")),
        conditions=(_condition(comparison, row, "a"), _condition(comparison, row, "b")),
        lacking="" if is_compared else _lacking(row),
        difference=arrow(row) + difference,
        span=ends,
        p=p_value(row["p_holm"]),
        detectable=_detectable(row),
        tone=tone(row, better=number.better),
        n=int(row["n"]),
    )


def _value(comparison: Comparison, row: Row, side: str) -> str:
    value = row[side]
    if row["number"].startswith("accuracy"):
        return percent(value)
    if row["number"] != FACTOR:
        return signed(value)
    sides = comparison.pair.a.side
    ends = {"threshold": value, "side_min": sides.min(), "side_max": sides.max()}
    return f"{threshold(ends)} px"


def _condition(comparison: Comparison, row: Row, side: str) -> str:
    """Return the label of the condition that a headline number is about; most have none."""
    name = row[f"condition_{side}"]
    if not isinstance(name, str):
        return ""
    family, level = split_name(name)
    label = comparison.pair.family_label(family)
    return f"{label}, {level.replace(',', ', ')}" if level else label


def _detectable(row: Row) -> str:
    """Write what a test would have found where nothing is shown, else a dash."""
    if row["direction"] != 0 or not math.isfinite(row["mde"]):
        return "–"
    return f"× {factor(row['mde'])}" if row["number"] == FACTOR else size(row["mde"])


def _lacking(row: Row) -> str:
    """Write why two numbers are not compared."""
    if not row["n"]:
        return "no objects"
    unknown = [name for name, side in (("A", "a"), ("B", "b")) if not math.isfinite(row[side])]
    if row["number"] == FACTOR:
        return "a threshold beyond all sides"
    if unknown:
        return f"{' and '.join(unknown)} has none" if len(unknown) == 1 else "neither has one"
    return "two conditions, not compared"


def condition_tables(comparison: Comparison) -> list[ConditionTable]:
    """Return the accuracies by condition, a table for each regime that has any."""
    tables = [
        ConditionTable(
            regime=regime,
            heads=tuple(_head(comparison, regime, group) for group in ALL_AND_GROUPS),
            rows=tuple(
                ConditionRow(
                    label=comparison.pair.family_label(one.family),
                    options=_options(one.family, one.level),
                    cells=tuple(_condition_cell(cells[group]) for group in ALL_AND_GROUPS),
                )
                for one, cells in comparison.by_condition(regime)
            ),
        )
        for regime in comparison.pair.regimes
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


def _head(comparison: Comparison, regime: str, group: str) -> GroupHead:
    table = comparison.conditions
    chosen = (table["regime"] == regime) & (table["size_group"] == group)
    undecided = records(table[chosen & (table["direction"] == 0)])
    return GroupHead(
        group=group,
        n=comparison.pair.a.size(group)["n"],
        detectable=detectable(undecided) if undecided else "",
    )


def arrow(row: Row) -> str:
    """Return the sign of a difference, or nothing where none is shown."""
    return _ARROWS.get(row["direction"], "")


def tone(row: Row, *, better: int = 1) -> str:
    """Return the class of a difference: better or worse in B, inconclusive, or none of them."""
    if row["direction"] == 0:
        return "inconclusive"
    return _TONES.get(row["direction"] * better, "")


def _unbroken(words: str) -> str:
    return words.replace(" ", "\N{NO-BREAK SPACE}")
