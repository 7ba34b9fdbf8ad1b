"""What to do: every remedy's effect on small objects, and what more examples would give."""

import math
from collections import Counter
from dataclasses import dataclass

from smallsight.report import forest
from smallsight.report.section import Section
from smallsight.report.sections import levers, more_examples, remedies
from smallsight.report.sections.more_examples import MoreExamples
from smallsight.report.sections.remedies import NeedGroup, RemedyRow, RemedyTable
from smallsight.report.study import Study

_MOST = {1: 3, 0: 1, -1: 1}
"""Remedies that need the same and that a sheet has room for, by direction of their verdict."""


@dataclass(frozen=True)
class ShownGroup:
    """Remedies that need the same: the best that help, that are not decided, and that harm.

    Attributes
    ----------
    needs
        What they need.
    rows
        The best for small objects first.
    left
        Others, counted by their verdict; empty where there is room for all.
    """

    needs: str
    rows: list[RemedyRow]
    left: str


@dataclass(frozen=True)
class ShownTable:
    """Remedies that compare with each other.

    Attributes
    ----------
    place, starts_whole
        As in `RemedyTable`.
    before
        Share of small objects that are right without a remedy; not a number where none is known.
    groups
        The remedies, by what they need.
    """

    place: str
    starts_whole: bool
    before: float
    groups: list[ShownGroup]


@dataclass(frozen=True)
class WhatToDo:
    """What the sheet shows.

    Attributes
    ----------
    tables
        The remedies that were tried, a table for each kind that compares.
    reach
        The end of the scale of their changes.
    n_primary
        Number of comparisons that have a verdict.
    more
        What more small examples would give; None where no head learned from fewer.
    untested
        Number of remedies that were not tried.
    """

    tables: list[ShownTable]
    reach: float
    n_primary: int
    more: MoreExamples | None
    untested: int


def shown(group: NeedGroup) -> ShownGroup:
    """Choose what a sheet has room for."""
    taken: Counter[int] = Counter()
    rows, left = [], Counter[str]()
    for row in group.rows:
        direction = int(row.primary["direction"]) if row.primary else 0
        taken[direction] += 1
        if taken[direction] <= _MOST[direction]:
            rows.append(row)
        else:
            left[row.primary["verdict"] if row.primary else "without small objects"] += 1
    return ShownGroup(
        group.needs,
        rows,
        ", ".join(f"{number} more {verdict}" for verdict, number in left.items()),
    )


def _table(table: RemedyTable) -> ShownTable:
    known = [row.primary for group in table.groups for row in group.rows if row.primary]
    return ShownTable(
        place=table.place,
        starts_whole=table.starts_whole,
        before=float(known[0]["before"]) if known else math.nan,
        groups=[shown(group) for group in table.groups],
    )


def build(study: Study) -> WhatToDo | None:
    """Return what the sheet shows of a study; None where no remedy was tried."""
    found = remedies.build(study)
    if found is None or not found.tables:
        return None
    tables = [_table(table) for table in found.tables]
    cells = [row.primary for table in tables for group in table.groups for row in group.rows]
    left = levers.build(study)
    return WhatToDo(
        tables=tables,
        reach=forest.reach(cells),
        n_primary=found.n_primary,
        more=more_examples.build(study),
        untested=len(left.untested) if left else 0,
    )


SHEET = Section(
    name="sheets/what_to_do",
    build=build,
    anchor="remedies",
    title="What to do",
    contents="What to do",
)
