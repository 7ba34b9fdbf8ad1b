"""Parts of the page of a comparison: rows and figures, made from its tables."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from smallsight.comparison import figure
from smallsight.comparison.comparison import Comparison
from smallsight.comparison.numbers import FACTOR, NUMBERS
from smallsight.comparison.sentences import label
from smallsight.conditions.names import UNTOUCHED
from smallsight.report.rows import Row
from smallsight.report.study import Step, family_label
from smallsight.report.text import (
    detectable,
    factor,
    factor_span,
    percent,
    signed,
    size,
    span,
    threshold,
)
from smallsight.vocabulary import ALL_AND_GROUPS as COLUMNS
from smallsight.vocabulary import GROUPS

MOST_ROWS = 30
"""Conditions that a figure has room for; of more, only those that A lists first."""


_WORST = ("condition_a", "condition_b")


_IN_POINTS = ("size_gap", "gap_by_resolution", "gap_by_context", "worst_effect_on_small")
"""Numbers that are differences of accuracies."""


def headline(found: Comparison) -> list[Markup]:
    """Draw the headline numbers' differences: accuracies and threshold, then gaps."""
    accuracies = [f"accuracy_{group}" for group in COLUMNS]
    return [
        _panel(found, "accuracy", "Accuracy", accuracies, factors=[FACTOR]),
        _panel(found, "gaps", "Differences of accuracies", _IN_POINTS, factors=[]),
    ]


def _panel(
    found: Comparison, name: str, title: str, names: Sequence[str], *, factors: Sequence[str]
) -> Markup:
    rows, below = ([found.number[one] for one in part] for part in (names, factors))
    return Markup(
        figure.differences(
            _drawn(rows),
            labels=[_told(row) for row in rows],
            name=f"numbers-{name}",
            title=title,
            factors=_drawn(below) if below else None,
            factor_labels=[_told(row) for row in below],
        )
    )


def _told(row: Row) -> str:
    """Name a number in a figure, with its difference."""
    name = NUMBERS[row["number"]].label.removeprefix("Accuracy, ").removesuffix(" in pixels")
    value = factor(row["difference"]) if row["number"] == FACTOR else signed(row["difference"])
    return f"{name[0].upper()}{name[1:]}  {value}"


def _drawn(rows: list[Row]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _dot(place, row["number"].removeprefix("accuracy_"), row)
            for place, row in enumerate(rows)
        ]
    )


def _dot(place: int, group: str, row: Row) -> dict[str, Any]:
    return {
        "place": place,
        "size_group": group,
        "value": row["difference"],
        "low": row["ci_low"],
        "high": row["ci_high"],
        "hollow": row["verdict"] == "inconclusive",
    }


def numbers(found: Comparison) -> list[dict[str, Any]]:
    """Lay out the headline numbers, a row each: values and difference as text."""
    rows = []
    for name, number in NUMBERS.items():
        row = found.number[name]
        compared = math.isfinite(row["difference"])
        rows.append(
            {
                "label": number.label,
                "row": row,
                "a": _value(found, row, "a"),
                "b": _value(found, row, "b"),
                "difference": _difference(row) if compared else "",
                "span": _span(row) if compared else "",
                "conditions": [_condition(row[key]) for key in _WORST],
                "mde": _detectable(row),
                "tone": _tone(row, number.better),
                "lacking": "" if compared else _lacking(row),
            }
        )
    return rows


def _value(found: Comparison, row: Row, side: str) -> str:
    value = row[side]
    if row["number"].startswith("accuracy"):
        return percent(value)
    if row["number"] != FACTOR:
        return signed(value)
    ends = found.pair.a.side
    about = {"threshold": value, "side_min": ends.min(), "side_max": ends.max()}
    return f"{threshold(about)} px"


def _difference(row: Row) -> str:
    if row["number"] == FACTOR:
        return f"× {factor(row['difference'])}"
    return signed(row["difference"])


def _span(row: Row) -> str:
    if row["number"] == FACTOR:
        return factor_span(row["ci_low"], row["ci_high"])
    return span(row)


def _detectable(row: Row) -> str:
    """Write what could have been found, where nothing is shown."""
    if row["verdict"] != "inconclusive" or not math.isfinite(row["mde"]):
        return "–"
    return f"× {factor(row['mde'])}" if row["number"] == FACTOR else size(row["mde"])


def _tone(row: Row, better: int) -> str:
    """Say whether B does better or worse, where the verdict gives a direction that is either."""
    way = {"higher": 1, "lower": -1}.get(row["verdict"], 0) * better
    return {1: "higher", -1: "lower", 0: ""}[way]


def _lacking(row: Row) -> str:
    """Say why two numbers are not compared."""
    if not row["n"]:
        return "no objects"
    unknown = [name for name, side in (("A", "a"), ("B", "b")) if not math.isfinite(row[side])]
    if row["number"] == FACTOR:
        return "a threshold beyond all sides"
    if unknown:
        return f"{' and '.join(unknown)} has none" if len(unknown) == 1 else "neither has one"
    return "two conditions, not compared"


def _condition(name: str | float) -> str:
    """Call a condition of the headline numbers; most of them have none."""
    if not isinstance(name, str):
        return ""
    family, _, level = name.partition("/")
    called = family_label(family)
    return f"{called}, {level.replace(',', ', ')}" if level else called


def conditions(found: Comparison, regime: str) -> list[dict[str, Any]]:
    """Lay out one regime's accuracies under the conditions that both have, a row per condition."""
    rows = []
    for one in found.pair.conditions:
        cells = [found.condition.get((regime, one.family, one.level, group)) for group in COLUMNS]
        if one.regime == regime and any(cells):
            name = family_label(one.family)
            rows.append({"label": name, "step": Step(one.a, one.family, one.level), "cells": cells})
    return rows


def columns(found: Comparison, regime: str) -> list[dict[str, Any]]:
    """Say of each size group how many objects it has, and which differences were detectable."""
    heads = []
    for group in COLUMNS:
        table = found.conditions
        chosen = (table["regime"] == regime) & (table["size_group"] == group)
        rows = table[chosen & (table["verdict"] == "inconclusive")].to_dict("records")
        number = found.pair.a.size(group)["n"]
        heads.append({"group": group, "n": number, "least": detectable(rows) if rows else ""})
    return heads


def panels(found: Comparison) -> list[Markup]:
    """Draw the differences under every change, a panel per regime."""
    drawn = []
    for regime in found.pair.regimes:
        rows = [row for row in conditions(found, regime) if row["step"].family != UNTOUCHED]
        if len(rows) > MOST_ROWS:
            rows = [row for row in rows if row["step"].is_reference]
        cells = [
            _dot(place, cell["size_group"], cell)
            for place, row in enumerate(rows)
            for cell in row["cells"]
            if cell and cell["size_group"] in GROUPS
        ]
        if cells:
            drawn.append(
                Markup(
                    figure.differences(
                        pd.DataFrame(cells),
                        labels=[
                            label(found, row["step"].family, row["step"].level) for row in rows
                        ],
                        name=f"conditions-{regime}",
                        title=f"{regime.capitalize()} head",
                    )
                )
            )
    return drawn


def identifiers(found: Comparison, way: str) -> list[dict[str, Any]]:
    """List all objects that turned one way, by size group and category, as their pictures do."""
    part = found.turned[found.turned["way"] == way]
    rows = []
    for group in GROUPS:
        for category, some in part[part["size_group"] == group].groupby("category_name"):
            ids = some.sort_values(["image_id", "ann_id"])
            names = [f"{one.image_id}_{one.ann_id}" for one in ids.itertuples()]
            rows.append({"group": group, "category": category, "names": names})
    return rows
