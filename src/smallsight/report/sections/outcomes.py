"""Saliency maps of correct predictions beside those of failed ones."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup

from smallsight.analysis.terms import MAPS
from smallsight.report.figures import by_condition
from smallsight.report.rows import Row, keyed, tuples
from smallsight.report.section import Part
from smallsight.report.sections import claims
from smallsight.report.study import Study
from smallsight.report.text import (
    TASK_NAMES,
    percent,
    percent_span,
    size,
    tooltip,
    with_ends,
)
from smallsight.vocabulary import ALL_AND_GROUPS


@dataclass(frozen=True)
class OutcomeRow:
    """Correct beside failed predictions under one condition.

    A cell is a row of the table of outcomes, for all objects and for each size group.
    """

    label: str
    cells: list[Row | None]


@dataclass(frozen=True)
class Outcomes:
    """What the part shows: correct beside failed predictions, by condition.

    Attributes
    ----------
    task
        What the task is called.
    panels, rows
        The figure and the table.
    """

    task: str
    panels: list[Markup]
    rows: list[OutcomeRow]


def _comparisons(study: Study) -> pd.DataFrame:
    """Return the comparisons in the headline task."""
    table = study.tables["attention_outcomes"]
    return table[table["task"] == study.headline_task]


def panels(study: Study) -> list[Markup]:
    """Draw how often a correct prediction has the greater lift, a panel per kind of map."""
    labels = {name: study.label(name) for name in study.mapped_conditions(study.headline_task)}
    columns = {"superiority": "value", "ci_low": "low", "ci_high": "high"}
    table = _comparisons(study).rename(columns=columns)
    table = table.assign(
        hollow=False,
        tooltip=[
            tooltip(
                f"{study.label(row.condition)}, {row.size_group}",
                percent(row.value),
                percent_span(row.low, row.high),
                row.n_correct + row.n_failed,
            )
            for row in tuples(table)
        ],
    )
    return [
        Markup(
            by_condition.by_condition(
                table[table["map"] == name],
                name=f"superiority-{name}",
                title=f"{TASK_NAMES[study.headline_task].capitalize()}, maps of the "
                f"{MAPS[name].label.lower()}",
                labels=labels,
                lines={"no difference": 0.5},
                measure="chance of the greater lift, correct",
            )
        )
        for name in ("predicted", "true_class")
        if labels and (table["map"] == name).any()
    ]


def rows(study: Study) -> list[OutcomeRow]:
    """Return correct beside failed predictions, a row per condition."""
    by_key = keyed(_comparisons(study), "map", "condition", "size_group")
    found = []
    for name in study.mapped_conditions(study.headline_task):
        cells = [by_key.get(("predicted", name, group)) for group in ALL_AND_GROUPS]
        if any(cells):
            found.append(OutcomeRow(study.label(name), cells))
    return found


def claim_sentence(study: Study, task: str) -> str:
    """Write whether maps of failed predictions lie off the object; empty where nothing tests it."""
    row = claims.find_row(study, task, "failed_look_away")
    if row is None or not np.isfinite(row["effect"]):
        return ""
    share = with_ends(*(0.5 + row[key] for key in ("effect", "ci_low", "ci_high")))
    numbers = (
        "Of a correct and a failed answer of one size group, the correct one has the greater lift "
        f"in {share} of pairs; half would be no difference."
    )
    if row["direction"] in (1, -1):
        order = "less" if row["direction"] == 1 else "more"
        return (
            f"In {TASK_NAMES[task]}s, saliency maps lie {order} on the object where the answer "
            f"fails: shown. {numbers}"
        )
    least = f" Less than {size(row['mde'])} points from half may have been missed."
    return (
        f"In {TASK_NAMES[task]}s, it is not decided whether saliency maps lie less on the object "
        f"where the answer fails. {numbers}{least if np.isfinite(row['mde']) else ''}"
    )


def build(study: Study) -> Outcomes | None:
    """Return what the part shows of a study; None where there is nothing to compare."""
    drawn = panels(study)
    return Outcomes(TASK_NAMES[study.headline_task], drawn, rows(study)) if drawn else None


PART = Part(name="outcomes", build=build)
