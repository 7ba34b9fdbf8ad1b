"""Accuracy by size of the object and condition, beside what is reached without seeing a pixel."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import BASELINES
from smallsight.report.figures import by_condition
from smallsight.report.marks import Heading, heading, long_key
from smallsight.report.rows import Estimate, Row, records
from smallsight.report.section import Section
from smallsight.report.sections import confusion, sample
from smallsight.report.study import Study, once
from smallsight.report.text import (
    TASK_NAMES,
    counted,
    percent,
    percent_span,
    tooltip,
    with_ends,
)
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS

_MOST_ROWS = 9
"""Conditions that a figure draws; of more, only the reference levels."""

SHORT = {
    "commonest": "Commonest category",
    "geometry": "Box geometry",
    "largest_object": "Largest object",
}
"""Rules that see no pixel, as a figure has room for."""


@dataclass(frozen=True)
class AccuracyCell:
    """An accuracy, and the mark of the condition for this size group."""

    estimate: Estimate | None
    mark: str


@dataclass(frozen=True)
class AccuracyRow:
    """Accuracy under one condition, a cell for all objects and for each size group."""

    heading: Heading
    is_reference: bool
    cells: list[AccuracyCell]


@dataclass(frozen=True)
class BaselineRow:
    """Accuracy of one rule that sees no pixel, for all objects and for each size group."""

    label: str
    cells: list[Row | None]


@dataclass(frozen=True)
class Counts:
    """Objects and images that all conditions share."""

    n: int
    images: int


@dataclass(frozen=True)
class AccuracyTable:
    """One regime's table of accuracies.

    Attributes
    ----------
    regime
        The regime.
    counts
        Of each column; None where conditions differ in it.
    rows
        A row per condition.
    """

    regime: str
    counts: list[Counts | None]
    rows: list[AccuracyRow]


@dataclass(frozen=True)
class Accuracy:
    """What the section shows.

    Attributes
    ----------
    task
        What the task is called.
    panels
        The figure, one panel per regime.
    dots
        What a dot of the figure is.
    chance
        Accuracy of guessing.
    are_all_drawn
        Whether the figure has all conditions.
    sentences
        What the tables say.
    mark_key
        What the marks mean.
    tables
        One per regime.
    baselines
        What is reached without seeing a pixel, under each table.
    """

    task: str
    panels: list[Markup]
    dots: str
    chance: float
    are_all_drawn: bool
    sentences: list[str]
    mark_key: str
    tables: list[AccuracyTable]
    baselines: list[BaselineRow]


def drawn_conditions(study: Study, task: str) -> dict[str, str]:
    """Return the labels of the conditions that a figure has room for; no interventions."""
    chosen = [one for one in study.conditions(task) if not study.is_intervention(one)]
    if len(chosen) > _MOST_ROWS:
        chosen = [one for one in chosen if one.is_reference]
    return {one.name: study.label(one.name) for one in chosen}


def panels(study: Study, task: str) -> list[Markup]:
    """Draw accuracy by condition and size group in a task, one panel per regime.

    Below the conditions stand the rules that see no pixel, the same in every panel. Nothing is
    drawn where no size is known.
    """
    table = study.tables["accuracy"]
    if not (table["size_group"].isin(GROUPS) & (table["n"] > 0)).any():
        return []
    labels = drawn_conditions(study, task)
    rules = {name: SHORT[name] for name in BASELINES if study.baseline(name, "all")}
    return [
        Markup(
            by_condition.by_condition(
                pd.DataFrame([*_dots(study, task, regime), *_rule_dots(study, rules)]),
                name=f"accuracy-{task}-{regime}",
                title=f"{TASK_NAMES[task].capitalize()}, {study.words(regime).caption}",
                labels=labels | {f"rule/{name}": label for name, label in rules.items()},
                lines={"chance": study.chance},
                apart=len(rules),
            )
        )
        for regime in study.regimes
    ]


def _dots(study: Study, task: str, regime: str) -> list[dict[str, object]]:
    """Return a row of the figure for each row of the table of accuracies."""
    table = study.tables["accuracy"]
    here = table[(table["task"] == task) & (table["regime"] == regime)]
    return [
        {
            "condition": row["condition"],
            "size_group": row["size_group"],
            "value": row["acc"],
            "hollow": bool(
                row["size_group"] in GROUPS
                and study.mark(task, row["condition"], row["size_group"])
            ),
        }
        | _ends(study.label(row["condition"]), row, row["acc"])
        for row in records(here)
    ]


def _rule_dots(study: Study, rules: Iterable[str]) -> list[dict[str, object]]:
    """Return a row of the figure for each rule that sees no pixel, and each size group."""
    return [
        {"condition": f"rule/{name}", "size_group": group, "value": row["accuracy"]}
        | {"hollow": False, **_ends(SHORT[name], row, row["accuracy"])}
        for name in rules
        for group in GROUPS
        if (row := study.baseline(name, group))
    ]


def _ends(label: str, row: Row, value: float) -> dict[str, object]:
    name, ends = f"{label}, {row['size_group']}", percent_span(row["ci_low"], row["ci_high"])
    told = tooltip(name, percent(value), ends, row["n"])
    return {"low": row["ci_low"], "high": row["ci_high"], "tooltip": told}


def rows(study: Study, task: str, regime: str) -> list[AccuracyRow]:
    """Return one regime's accuracies in a task, a row per condition."""
    return [
        AccuracyRow(
            heading=heading(study, one),
            is_reference=one.is_reference,
            cells=[
                AccuracyCell(
                    estimate=study.estimate(task, regime, one.name, group),
                    mark=study.mark(task, one.name, *([] if group == "all" else [group])),
                )
                for group in ALL_AND_GROUPS
            ],
        )
        for one in study.conditions(task)
    ]


def baseline_rows(study: Study) -> list[BaselineRow]:
    """Return what is reached without seeing a pixel, a row per rule that was evaluated."""
    found = [
        BaselineRow(label, [study.baseline(name, group) for group in ALL_AND_GROUPS])
        for name, label in BASELINES.items()
    ]
    return [row for row in found if any(row.cells)]


def counts(study: Study, task: str, regime: str) -> list[Counts | None]:
    """Count objects and images of each column that are the same under all conditions."""
    shared: list[Counts | None] = []
    for group in ALL_AND_GROUPS:
        cells = [study.estimate(task, regime, one.name, group) for one in study.conditions(task)]
        found = {Counts(cell.n, cell.images) for cell in cells if cell is not None}
        shared.append(found.pop() if len(found) == 1 else None)
    return shared


def tables(study: Study, task: str) -> list[AccuracyTable]:
    """Return a task's tables of accuracies, one per regime."""
    return [
        AccuracyTable(regime, counts(study, task, regime), rows(study, task, regime))
        for regime in study.regimes
    ]


def sentences(study: Study) -> list[str]:
    """Write how often objects are named rightly, with and without seeing a pixel."""
    found = [interval_sentence(study, study.headline_task), sample.baseline_sentence(study)]
    return [sentence for sentence in found if sentence]


def interval_sentence(study: Study, task: str) -> str:
    """Write a task's accuracies on untouched pictures, a sentence for each size group."""
    estimates = {
        group: study.estimate(task, study.headline_regime, UNTOUCHED, group) for group in GROUPS
    }
    known = {group: one for group, one in estimates.items() if one is not None and one.is_known}
    said = [f"Of {group} objects, {with_ends(one.acc, one.low, one.high)}." for group, one in
            known.items()]  # fmt: skip
    if not said:
        return ""
    start = f"How often are objects in untouched {TASK_NAMES[task]}s named rightly?"
    return " ".join([start, *said])


def dots(study: Study) -> str:
    """Say what a dot of the figure is."""
    protocol = study.protocol
    if not protocol.is_trained:
        return "accuracy"
    if protocol.is_instance_split:
        return "one split, one seed"
    repeats = counted(study.params.evaluation.repeats, "repeat")
    return f"mean over {repeats} of cross-validation"


@once
def build(study: Study) -> Accuracy | None:
    """Return what the section shows of a study; None where nothing was evaluated."""
    if not study.regimes:
        return None
    task = study.headline_task
    drawn = drawn_conditions(study, task)
    return Accuracy(
        task=TASK_NAMES[task],
        panels=panels(study, task),
        dots=dots(study),
        chance=study.chance,
        are_all_drawn=len(drawn) == len(study.conditions(task)),
        sentences=sentences(study),
        mark_key=long_key(study),
        tables=tables(study, task),
        baselines=baseline_rows(study),
    )


SECTION = Section(
    name="accuracy",
    build=build,
    anchor="accuracy",
    title="Accuracy by size and condition",
    parts=(confusion.PART,),
)
