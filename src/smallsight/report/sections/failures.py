"""Failures: the first rung that turns each right for good, and what conditions rescue or break."""

from dataclasses import dataclass

import pandas as pd

from smallsight.analysis.failures import SEPARATOR
from smallsight.analysis.terms import Term, describe_part, steps_of
from smallsight.report.marks import Heading, heading
from smallsight.report.rows import Row, keyed, records
from smallsight.report.section import Section
from smallsight.report.sections import stability
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS, SCENE


@dataclass(frozen=True)
class CauseRow:
    """One suggested cause.

    Attributes
    ----------
    term
        What it is called, and what it means.
    remedy
        What goes with it; empty for what no rung explains.
    cells
        Rows of the table of causes, for all failures and for each size group.
    """

    term: Term
    remedy: str
    cells: list[Row | None]


@dataclass(frozen=True)
class RescueCell:
    """What a condition rescues and breaks of one size group, beside its effect on accuracy."""

    flips: Row | None
    effect: Row | None


@dataclass(frozen=True)
class RescueRow:
    """What one condition rescues and breaks, a cell per size group."""

    heading: Heading
    cells: list[RescueCell]


@dataclass(frozen=True)
class RescueTable:
    """What reference levels rescue and break in one regime."""

    regime: str
    rows: list[RescueRow]


@dataclass(frozen=True)
class Failure:
    """One failure.

    Attributes
    ----------
    row
        A row of the table of failures.
    group_number
        Place of its size group among all, by which a table sorts.
    has_neighbour
        Whether it is named as a neighbour.
    rungs
        Places on the ladder of the rungs that turn it right, from 2, "2, 4–6"; may be empty.
    n_rescues
        Number of conditions that turn it right.
    """

    row: Row
    group_number: int
    has_neighbour: bool
    rungs: str
    n_rescues: int


@dataclass(frozen=True)
class CauseList:
    """The failures of one suggested cause.

    Attributes
    ----------
    cause, term
        Its name in the tables; what it is called, and what it means.
    failures
        All of them.
    """

    cause: str
    term: Term
    failures: list[Failure]


@dataclass(frozen=True)
class Failures:
    """What the section shows.

    Attributes
    ----------
    task, scene
        What the headline task is called, and the one that failures are of.
    n_failures
        Of all objects and of each size group.
    causes
        A row per cause; none without a step of the ladder that could be one.
    rungs
        What is given on the ladder, from the first rung on.
    n_conditions
        How many conditions of the headline task change what is shown.
    has_scene, has_shifts, has_neighbours
        Whether whole pictures were asked, whether pictures were moved, and whether other objects of
        a picture are known.
    rescues
        Tables, by regime.
    all
        All failures by cause.
    number
        How many failures there are.
    """

    task: str
    scene: str
    n_failures: list[int]
    causes: list[CauseRow]
    rungs: list[str]
    n_conditions: int
    has_scene: bool
    has_shifts: bool
    has_neighbours: bool
    rescues: list[RescueTable]
    all: list[CauseList]
    number: int


def cause_rows(study: Study) -> list[CauseRow]:
    """Return the suggested causes, a row per cause, in the order of the ladder."""
    by_key = keyed(study.tables["failure_causes"], "cause", "size_group")
    return [
        CauseRow(
            describe_part(cause),
            "; ".join(step.remedy for step in steps_of(cause)),
            [by_key.get((cause, group)) for group in ALL_AND_GROUPS],
        )
        for cause in dict.fromkeys(study.tables["failure_causes"]["cause"])
    ]


def _causes(study: Study) -> list[str]:
    """List the causes, in the order of the ladder; without one, what failures are put down to."""
    named = (*study.tables["failure_causes"]["cause"], *study.tables["failures"]["cause"])
    return list(dict.fromkeys(named))


def count_failures(study: Study) -> list[int]:
    """Count the failures, all and by size group."""
    counts = study.tables["failures"]["size_group"].value_counts()
    return [int(counts.sum()), *(int(counts.get(group, 0)) for group in GROUPS)]


def rescue_rows(study: Study, regime: str) -> list[RescueRow]:
    """Return what reference levels of the headline task rescue and break, beside their effects."""
    table = study.tables["rescues"]
    task = study.headline_task
    here = (table["task"] == task) & (table["regime"] == regime)
    by_key = keyed(table[here], "condition", "size_group")
    found = []
    for one in study.changed_conditions(task):
        cells = [
            RescueCell(
                by_key.get((one.name, group)),
                study.effect(task, regime, one.name, group),
            )
            for group in GROUPS
        ]
        if one.is_reference and any(_has_objects(cell.flips) for cell in cells):
            found.append(RescueRow(heading(study, one), cells))
    return found


def _has_objects(flips: Row | None) -> bool:
    return flips is not None and flips["failed"] + flips["correct"] > 0


def list_failures(study: Study) -> list[CauseList]:
    """List failures by cause, in the order of the ladder; within one, small objects first."""
    table = study.tables["failures"]
    sizes = table["size_group"].map(GROUPS.index)
    table = table.loc[sizes.sort_values(kind="stable").index]
    found = []
    for cause in _causes(study):
        part = table[table["cause"] == cause]
        if len(part):
            failures = [_failure(study, row) for row in records(part)]
            found.append(CauseList(cause, describe_part(cause), failures))
    return found


def _failure(study: Study, row: Row) -> Failure:
    right = row["rungs"].split(SEPARATOR)
    places = [place for place, rung in enumerate(study.rungs, 1) if rung.name in right]
    return Failure(
        row=row,
        group_number=GROUPS.index(row["size_group"]),
        has_neighbour=not pd.isna(row["neighbour_side"]),
        rungs=_runs(places),
        n_rescues=len([name for name in row["rescued_by"].split(SEPARATOR) if name]),
    )


def _runs(places: list[int]) -> str:
    """Write ascending numbers, those that follow each other as a run: "2, 4–6"."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def build(study: Study) -> Failures | None:
    """Return what the section shows of a study; None where nothing could be found to fail."""
    by_cause = list_failures(study)
    rescues = [RescueTable(regime, rescue_rows(study, regime)) for regime in study.regimes]
    if not study.rungs and not any(table.rows for table in rescues):
        return None
    return Failures(
        task=TASK_NAMES[study.headline_task],
        scene=TASK_NAMES[SCENE],
        n_failures=count_failures(study),
        causes=cause_rows(study),
        rungs=[rung.label for rung in study.rungs],
        n_conditions=len(study.changed_conditions(study.headline_task)),
        has_scene=bool(study.rungs),
        has_shifts=bool(stability.rows(study)),
        has_neighbours=not study.tables["neighbours"].empty,
        rescues=[table for table in rescues if table.rows],
        all=by_cause,
        number=sum(len(part.failures) for part in by_cause),
    )


SECTION = Section(
    name="failures",
    build=build,
    anchor="failures",
    title="What would rescue a failure",
)
