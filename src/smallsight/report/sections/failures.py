"""Failures: what suggests a cause for each, what rescues it, and what that breaks elsewhere."""

from dataclasses import dataclass

import pandas as pd

from smallsight.analysis.terms import FAILURE_CAUSES, Term
from smallsight.report.marks import Heading, heading
from smallsight.report.rows import Row, keyed, records
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS

NO_CAUSE = Term("None suggested", "an intervention that this takes was not evaluated")
PRINTED = 6
"""Failures of each cause that a printed page lists."""

_MOST_NAMED = 4
"""Rescues that a line has room for."""


@dataclass(frozen=True)
class CauseRow:
    """One suggested cause: a row of the table of causes for all failures and each size group."""

    term: Term
    cells: list[Row]


@dataclass(frozen=True)
class CauseTable:
    """Suggested causes of one regime's failures.

    Attributes
    ----------
    regime
        The regime.
    n_failures
        Of each column.
    rows
        A row per cause.
    """

    regime: str
    n_failures: list[int]
    rows: list[CauseRow]


@dataclass(frozen=True)
class RescueCell:
    """What a condition rescues and loses of one size group, beside its effect on accuracy."""

    flips: Row | None
    effect: Row | None


@dataclass(frozen=True)
class RescueRow:
    """What one condition rescues and loses, a cell per size group."""

    heading: Heading
    cells: list[RescueCell]


@dataclass(frozen=True)
class RescueTable:
    """What reference levels rescue and lose in one regime."""

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
    rescues
        Labels of the conditions that rescue it, of many the first; may be empty.
    """

    row: Row
    group_number: int
    has_neighbour: bool
    rescues: str


@dataclass(frozen=True)
class CauseList:
    """The failures of one suggested cause.

    Attributes
    ----------
    cause, term
        Its name in the tables, empty for none; what it is called, and what it means.
    failures
        Those that are listed.
    number
        How many there are.
    """

    cause: str
    term: Term
    failures: list[Failure]
    number: int


@dataclass(frozen=True)
class Failures:
    """What the section shows.

    Attributes
    ----------
    causes, rescues
        Tables, by regime.
    is_empty
        Whether nothing failed.
    all, first
        All failures of the headline regime by cause, and those that a printed page lists.
    n_first
        Failures of each cause that a printed page lists.
    number
        How many failures there are.
    """

    causes: list[CauseTable]
    rescues: list[RescueTable]
    is_empty: bool
    all: list[CauseList]
    first: list[CauseList]
    n_first: int
    number: int


def cause_rows(study: Study, regime: str) -> list[CauseRow]:
    """Return suggested causes of one regime's failures, a row per cause."""
    by_key = keyed(_of_regime(study, "failure_causes", regime), "cause", "size_group")
    if not by_key:
        return []
    return [
        CauseRow(term, [by_key[cause, group] for group in ALL_AND_GROUPS])
        for cause, term in FAILURE_CAUSES.items()
    ]


def count_failures(study: Study, regime: str) -> list[int]:
    """Count one regime's failures, all and by size group."""
    table = _of_regime(study, "failure_causes", regime)
    counts = table.groupby("size_group")["failed"].first()
    return [int(counts.get(group, 0)) for group in ALL_AND_GROUPS]


def rescue_rows(study: Study, regime: str) -> list[RescueRow]:
    """Return what reference levels rescue and lose, a row per family, beside their effects."""
    by_key = keyed(_of_regime(study, "rescues", regime), "condition", "size_group")
    found = []
    for one in study.changed_conditions:
        cells = [
            RescueCell(by_key.get((one.name, group)), study.effect(regime, one.name, group))
            for group in GROUPS
        ]
        if one.is_reference and any(cell.flips is not None for cell in cells):
            found.append(RescueRow(heading(study, one), cells))
    return found


def list_failures(study: Study, *, most: int | None = None) -> list[CauseList]:
    """List the headline regime's failures by cause; within a cause, size groups take turns.

    Parameters
    ----------
    most
        How many of each cause; all where this is None.
    """
    table = _of_regime(study, "failures", study.headline_regime)
    turn = table.groupby(["cause", "size_group"]).cumcount()
    table = table.loc[turn.sort_values(kind="stable").index]
    found = []
    for cause, term in (FAILURE_CAUSES | {"": NO_CAUSE}).items():
        part = table[table["cause"] == cause]
        if len(part):
            failures = [_failure(study, row) for row in records(part[:most])]
            found.append(CauseList(cause, term, failures, len(part)))
    return found


def _failure(study: Study, row: Row) -> Failure:
    rescues = [study.label(name) for name in row["rescued_by"].split("; ") if name]
    more = len(rescues) - _MOST_NAMED
    named = [*rescues[:_MOST_NAMED], f"{more} more"] if more > 0 else rescues
    return Failure(
        row=row,
        group_number=GROUPS.index(row["size_group"]),
        has_neighbour=not pd.isna(row["neighbour_side"]),
        rescues="; ".join(named),
    )


def _of_regime(study: Study, name: str, regime: str) -> pd.DataFrame:
    table = study.tables[name]
    return table[table["regime"] == regime]


def build(study: Study) -> Failures:
    """Return what the section shows of a study."""
    by_cause = list_failures(study)
    causes = [
        CauseTable(regime, count_failures(study, regime), cause_rows(study, regime))
        for regime in study.regimes
    ]
    rescues = [RescueTable(regime, rescue_rows(study, regime)) for regime in study.regimes]
    return Failures(
        causes=[table for table in causes if table.rows],
        rescues=[table for table in rescues if table.rows],
        is_empty=study.tables["failures"].empty,
        all=by_cause,
        first=list_failures(study, most=PRINTED),
        n_first=PRINTED,
        number=sum(part.number for part in by_cause),
    )


SECTION = Section(
    name="failures",
    build=build,
    anchor="failures",
    title="What would rescue a failure",
    contents="Failures",
)
