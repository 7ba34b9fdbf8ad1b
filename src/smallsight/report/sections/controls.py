"""Saliency maps beside their controls: how much of each lies on the object."""

from dataclasses import dataclass
from typing import Any

from smallsight.analysis.terms import CONTROLS, MAPS
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.rows import Row, by_direction, keyed
from smallsight.report.section import Part
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES, detectable, listed, p_equals, signed, span
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS

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
    """Write whether a task's maps have more energy on the object than each control has."""
    by_key = _compared(study, task)
    found = []
    for control, against in _AGAINST.items():
        known = [
            row for group in GROUPS if (row := by_key.get((control, UNTOUCHED, group))) is not None
        ]
        up, down, undecided = by_direction(known)
        parts = [
            f"{order} for {listed([_excess(row) for row in part])}"
            for order, part in (("more", up), ("less", down))
            if part
        ]
        if undecided:
            names = listed([f"{row['size_group']} objects" for row in undecided])
            parts.append(f"not decided for {names} ({detectable(undecided)})")
        if parts:
            found.append(f"Against {against}: {'; '.join(parts)}.")
    if not found:
        return ""
    name = TASK_NAMES[task].capitalize()
    return f"{name}, untouched, share of a map’s energy in the box. {' '.join(found)}"


def _excess(row: Row) -> str:
    numbers = f"{signed(row['excess'])} points, {span(row)}, {p_equals(row['p_holm'])}"
    return f"{row['size_group']} objects ({numbers})"


def build(study: Study) -> Controls | None:
    """Return what the part shows of a study; None where there is nothing to compare."""
    found = [ControlTask(TASK_NAMES[task], rows(study, task)) for task in study.tasks]
    tasks = [one for one in found if one.rows]
    return Controls(tasks, study.has_random_weights) if tasks else None


PART = Part(name="controls", build=build)
