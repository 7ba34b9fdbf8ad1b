"""Prepares the page's figures: which differences stand in which panel, and what they are called."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from smallsight.comparison import figure
from smallsight.comparison.comparison import Comparison
from smallsight.comparison.numbers import FACTOR, NUMBERS
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.rows import Row
from smallsight.report.text import factor, signed
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS

MOST_ROWS = 30
"""Number of conditions that a figure has room for; of more, it draws A's reference levels."""

_GAPS = ("size_gap", "gap_by_resolution", "gap_by_context", "worst_effect_on_small")
"""The numbers that are differences of accuracies."""


def number_panels(comparison: Comparison) -> list[Markup]:
    """Draw the differences of the headline numbers: accuracies and threshold, then the others."""
    accuracies = [f"accuracy_{group}" for group in ALL_AND_GROUPS]
    return [
        _number_panel(comparison, "accuracy", "Accuracy", accuracies, factors=[FACTOR]),
        _number_panel(comparison, "gaps", "Differences of accuracies", _GAPS, factors=[]),
    ]


def _number_panel(
    comparison: Comparison, name: str, title: str, names: Sequence[str], *, factors: Sequence[str]
) -> Markup:
    rows, below = ([comparison.number[one] for one in part] for part in (names, factors))
    return Markup(
        figure.differences(
            _drawn(rows),
            labels=[_label(row) for row in rows],
            name=f"numbers-{name}",
            title=title,
            factors=_drawn(below) if below else None,
            factor_labels=[_label(row) for row in below],
        )
    )


def _label(row: Row) -> str:
    """Return a number's name in a figure, with its difference."""
    name = NUMBERS[row["number"]].label.removeprefix("Accuracy, ").removesuffix(" in pixels")
    value = factor(row["difference"]) if row["number"] == FACTOR else signed(row["difference"])
    return f"{name[0].upper()}{name[1:]}  {value}"


def _drawn(rows: Sequence[Row]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _dot(place, row["number"].removeprefix("accuracy_"), row)
            for place, row in enumerate(rows)
        ]
    )


def condition_panels(comparison: Comparison) -> list[Markup]:
    """Draw the differences under every condition but the untouched one, a panel per regime."""
    panels = []
    for regime in comparison.pair.regimes:
        rows = [
            (one, cells)
            for one, cells in comparison.by_condition(regime)
            if one.family != UNTOUCHED
        ]
        if len(rows) > MOST_ROWS:
            rows = [(one, cells) for one, cells in rows if one.is_reference]
        dots = [
            _dot(place, group, cells[group])
            for place, (_, cells) in enumerate(rows)
            for group in GROUPS
        ]
        if dots:
            drawn = figure.differences(
                pd.DataFrame(dots),
                labels=[comparison.condition_label(one.family, one.level) for one, _ in rows],
                name=f"conditions-{regime}",
                title=f"{regime.capitalize()} head",
            )
            panels.append(Markup(drawn))
    return panels


def _dot(place: int, group: str, row: Row) -> dict[str, Any]:
    return {
        "place": place,
        "size_group": group,
        "value": row["difference"],
        "low": row["ci_low"],
        "high": row["ci_high"],
        "hollow": row["direction"] == 0,
    }
