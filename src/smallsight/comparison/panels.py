"""Prepares the page's figures: which differences stand in which panel, and what they are called."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from smallsight.comparison import figure
from smallsight.comparison.comparison import ComparedTask
from smallsight.comparison.numbers import FACTOR, NUMBERS
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.rows import Row
from smallsight.report.text import TASK_NAMES, factor, signed
from smallsight.vocabulary import GROUPS

MOST_ROWS = 30
"""Number of conditions that a figure has room for; of more, it draws A's reference levels."""


def number_panels(compared: ComparedTask) -> list[Markup]:
    """Draw the differences of a task's numbers: accuracies and threshold, then the others."""
    names = list(NUMBERS[compared.task])
    accuracies = [name for name in names if name.startswith("accuracy")]
    factors = [name for name in names if name == FACTOR]
    others = [name for name in names if name not in (*accuracies, *factors)]
    return [
        _number_panel(compared, "accuracy", "accuracy", accuracies, factors=factors),
        _number_panel(compared, "gaps", "differences of accuracies", others, factors=[]),
    ]


def _number_panel(
    compared: ComparedTask, name: str, title: str, names: Sequence[str], *, factors: Sequence[str]
) -> Markup:
    rows, below = ([compared.number[one] for one in part] for part in (names, factors))
    return Markup(
        figure.differences(
            _drawn(rows),
            labels=[_label(compared, row) for row in rows],
            name=f"{compared.task}-numbers-{name}",
            title=f"{TASK_NAMES[compared.task].capitalize()}: {title}",
            factors=_drawn(below) if below else None,
            factor_labels=[_label(compared, row) for row in below],
        )
    )


def _label(compared: ComparedTask, row: Row) -> str:
    """Return a number's name in a figure, with its difference."""
    name = NUMBERS[compared.task][row["number"]].label.removeprefix("Accuracy, ")
    value = factor(row["difference"]) if row["number"] == FACTOR else signed(row["difference"])
    return f"{name[0].upper()}{name[1:]}  {value}"


def _drawn(rows: Sequence[Row]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _dot(place, row["number"].removeprefix("accuracy_"), row)
            for place, row in enumerate(rows)
        ]
    )


def condition_panels(compared: ComparedTask) -> list[Markup]:
    """Draw a task's differences under every condition but the untouched one, a panel per regime."""
    panels = []
    for regime in compared.pair.regimes:
        rows = [
            (one, cells) for one, cells in compared.by_condition(regime) if one.family != UNTOUCHED
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
                labels=[compared.condition_label(one.family, one.level) for one, _ in rows],
                name=f"{compared.task}-conditions-{regime}",
                title=f"{TASK_NAMES[compared.task].capitalize()}: "
                f"{compared.subject.regimes[regime].caption}",
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
