"""Saliency maps beside their controls: how much of each lies on the object."""

from dataclasses import dataclass
from typing import Any

from smallsight.analysis.terms import CONTROLS, MAPS
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.rows import Row, keyed
from smallsight.report.section import Part
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES, amount
from smallsight.vocabulary import ALL_AND_GROUPS

_AGAINST = {
    "random_box": "a box of the same size anywhere",
    "centre": "a map that is always brightest in the middle",
    "random_weights": "a backbone with random weights",
}
"""What sentences call the controls."""


@dataclass(frozen=True)
class Control:
    """A control's label, and a row of the table of controls."""

    label: str
    row: Row


@dataclass(frozen=True)
class ControlRow:
    """Maps beside their controls under one condition, for all objects and for each size group."""

    label: str
    cells: list[list[Control]]


@dataclass(frozen=True)
class ControlTask:
    """Maps beside their controls in one task: what it is called, and a row per condition."""

    task: str
    rows: list[ControlRow]


@dataclass(frozen=True)
class Controls:
    """What the part shows: the tasks that have maps, and whether random weights are a control."""

    tasks: list[ControlTask]
    has_random_weights: bool


def _compared(study: Study, task: str) -> dict[tuple[Any, ...], Row]:
    """Return a task's comparisons, by control, condition and size group."""
    table = study.tables["attention_controls"]
    return keyed(table[table["task"] == task], "control", "condition", "size_group")


def rows(study: Study, task: str) -> list[ControlRow]:
    """Return a task's maps beside their controls, a row per condition."""
    by_key = _compared(study, task)

    def cell(name: str, group: str) -> list[Control]:
        found = [(control, by_key.get((control, name, group))) for control in CONTROLS]
        return [Control(MAPS[control].label, row) for control, row in found if row is not None]

    found = []
    for name in study.mapped_conditions(task):
        cells = [cell(name, group) for group in ALL_AND_GROUPS]
        if any(cells):
            found.append(ControlRow(study.label(name), cells))
    return found


def sentence(study: Study, task: str) -> str:
    """Write whether a task's maps have more energy on small objects than each control has."""
    by_key = _compared(study, task)
    found = [
        f"Against {against}: {_difference(row)}."
        for control, against in _AGAINST.items()
        if (row := by_key.get((control, UNTOUCHED, "small"))) is not None
    ]
    if not found:
        return ""
    start = f"How much of a map lies on small objects in untouched {TASK_NAMES[task]}s?"
    return " ".join([start, *found])


def _difference(row: Row) -> str:
    if row["direction"] == -1:
        return f"{amount(-row['excess'], -row['ci_high'], -row['ci_low'])} less, shown"
    more = amount(row["excess"], row["ci_low"], row["ci_high"])
    return f"{more} more, shown" if row["direction"] == 1 else f"{more}, not decided"


def build(study: Study) -> Controls | None:
    """Return what the part shows of a study; None where there is nothing to compare."""
    found = [ControlTask(TASK_NAMES[task], rows(study, task)) for task in study.tasks]
    tasks = [one for one in found if one.rows]
    return Controls(tasks, study.has_random_weights) if tasks else None


PART = Part(name="controls", build=build)
