"""How saliency maps of untouched pictures lie on the objects, in both tasks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from smallsight.analysis.terms import CONTROLS, MAPS, Term
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import network
from smallsight.report.figures.saliency import spreads
from smallsight.report.rows import Row, keyed
from smallsight.report.section import Section
from smallsight.report.sections import controls, deletion, outcomes
from smallsight.report.study import Study, once
from smallsight.report.text import TASK_NAMES, percent, tooltip
from smallsight.vocabulary import GROUPS, HEADLINE_TASK

KINDS = {
    ("predicted", "correct"): "Correct",
    ("predicted", "failed"): "Failed",
    ("true_class", "failed"): "Failed, true class",
    ("random_box", "all"): MAPS["random_box"].label,
    ("centre", "all"): MAPS["centre"].label,
    ("random_weights", "all"): MAPS["random_weights"].label,
}
"""What stands one below the other: whose maps, of which predictions, and what to call them."""


@dataclass(frozen=True)
class MeasureRow:
    """What one kind of map measures: a row of the table of saliency maps."""

    label: str
    is_control: bool
    row: Row


@dataclass(frozen=True)
class GroupMeasures:
    """What the maps of one size group measure, a row for each of `KINDS` that it has."""

    group: str
    rows: list[MeasureRow]


@dataclass(frozen=True)
class Side:
    """The median side of a size group's objects in whole pictures, in input pixels."""

    group: str
    median: float


@dataclass(frozen=True)
class TaskMeasures:
    """What maps of one task measure, untouched: what it is called, a figure and a table."""

    task: str
    panels: list[Markup]
    rows: list[GroupMeasures]


@dataclass(frozen=True)
class Saliency:
    """What the section shows.

    Attributes
    ----------
    sides
        Median sides of the size groups that have one.
    in_window
        A sentence about how much of its window an object takes; empty without maps of windows.
    finer_layer
        A layer with finer cells than those shown; may be empty.
    whole
        A sentence about maps that show more than heads read; else empty.
    signed_share
        What the signed share is; empty where cells of no map sum to a classifier's answer.
    sentences
        What the tables say.
    maps
        The kinds of maps that there are, and what each means.
    has_random_weights
        Whether random weights are one of them.
    tasks
        What maps of untouched pictures measure, by task.
    """

    sides: list[Side]
    in_window: str
    finer_layer: str
    whole: str
    signed_share: str
    sentences: list[str]
    maps: list[Term]
    has_random_weights: bool
    tasks: list[TaskMeasures]


def _summaries(study: Study, task: str) -> dict[tuple[Any, ...], Row]:
    """Return the summaries of a task's untouched maps, by map, size group and outcome."""
    table = study.tables["attention"]
    chosen = (table["task"] == task) & (table["condition"] == UNTOUCHED)
    return keyed(table[chosen], "map", "size_group", "outcome")


def rows(study: Study, task: str) -> list[GroupMeasures]:
    """Return what maps of a task's untouched pictures measure, by size group."""
    by_key = _summaries(study, task)
    found = []
    for group in GROUPS:
        part = [
            MeasureRow(label, name in CONTROLS, row)
            for (name, outcome), label in KINDS.items()
            if (row := by_key.get((name, group, outcome))) is not None
        ]
        if part:
            found.append(GroupMeasures(group, part))
    return found


def panels(study: Study, task: str) -> list[Markup]:
    """Draw lifts on a task's untouched pictures, a panel per size group."""
    parts = rows(study, task)
    ends = [one.row["lift_q3"] for part in parts for one in part.rows]
    limit = 1.08 * max([2.0, *(end for end in ends if np.isfinite(end))])
    return [
        Markup(
            spreads(
                pd.DataFrame(
                    {
                        "label": one.label,
                        "median": one.row["lift"],
                        "low": one.row["lift_q1"],
                        "high": one.row["lift_q3"],
                        "is_control": one.is_control,
                        "tooltip": _lift_tooltip(one.label, one.row),
                    }
                    for one in part.rows
                    if np.isfinite(one.row["lift"])
                ),
                limit=limit,
                name=f"lift-{task}-{part.group}",
                title=f"{TASK_NAMES[task].capitalize()}, {part.group} objects",
            )
        )
        for part in parts
    ]


def _lift_tooltip(label: str, row: Row) -> str:
    ends = f"quartiles {row['lift_q1']:.2f}–{row['lift_q3']:.2f}"
    return tooltip(label, f"median {row['lift']:.2f}", ends, row["n"])


def sentences(study: Study) -> list[str]:
    """Write what the maps and their controls show."""
    found = (
        *(outcomes.claim_sentence(study, task) for task in study.tasks),
        *(controls.sentence(study, task) for task in study.tasks),
    )
    return [sentence for sentence in found if sentence]


def in_window(study: Study) -> str:
    """Write how little a map can tell of where in a window it lies; empty without maps."""
    by_key = _summaries(study, HEADLINE_TASK)
    own, chance = (by_key.get((name, "all", "all")) for name in ("predicted", "random_box"))
    if own is None or chance is None or not np.isfinite(chance["pointing_hit"]):
        return ""
    taken, hit = percent(own["box_area_share"]), percent(chance["pointing_hit"])
    return (
        f"In a {TASK_NAMES[HEADLINE_TASK]} the box takes {taken} of what is shown (median). A box "
        f"of that size anywhere in it would touch the brightest cell of {hit} of the maps. There, "
        "a map says little about where the network looks."
    )


def finer_layer(study: Study) -> str:
    """Name the next layer with finer cells where maps are the last layer's; else empty."""
    if study.backbone is None or study.about["layer"] != study.about["last_layer"]:
        return ""
    last, cells = study.about["last_layer"], study.backbone.cells
    finer = [layer for layer, count in cells.items() if count > cells[last]]
    return finer[-1] if finer else ""


def signed_share(study: Study) -> str:
    """Say what the signed share is, and how exact; empty where cells of no map sum to an answer."""
    about = study.about
    error, layer = about["largest_sum_error"], network.name_layer(study, about["last_layer"])
    return network.readout(study).signed.format(
        error="" if error is None else f"{error:.1g}",
        cell=network.describe_cells(layer, about["last_cell"]),
    )


@once
def build(study: Study) -> Saliency | None:
    """Return what the section shows of a study; None without maps."""
    tasks = [
        TaskMeasures(TASK_NAMES[task], panels(study, task), measured)
        for task in study.tasks
        if (measured := rows(study, task))
    ]
    if not tasks:
        return None
    known = set(study.tables["attention"]["map"])
    sides = [Side(group, study.median_side(group)) for group in GROUPS]
    return Saliency(
        sides=[side for side in sides if np.isfinite(side.median)],
        in_window=in_window(study),
        finer_layer=finer_layer(study),
        whole=network.readout(study).maps,
        signed_share=signed_share(study),
        sentences=sentences(study),
        maps=[term for name, term in MAPS.items() if name in known],
        has_random_weights=study.has_random_weights,
        tasks=tasks,
    )


SECTION = Section(
    name="saliency",
    build=build,
    anchor="saliency",
    title="Where the saliency maps lie",
    parts=(outcomes.PART, controls.PART, deletion.UNDER_MAPS),
)
