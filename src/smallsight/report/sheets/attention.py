"""How saliency maps lie on objects, beside what chance gives."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from smallsight.report.rows import Row
from smallsight.report.section import Section
from smallsight.report.sections import outcomes, saliency
from smallsight.report.sections.saliency import KINDS, Saliency
from smallsight.report.study import Study
from smallsight.vocabulary import GROUPS


@dataclass(frozen=True)
class MapRow:
    """What one kind of map measures: a row of the table of saliency maps for each task."""

    label: str
    cells: list[Row | None]


@dataclass(frozen=True)
class GroupRows:
    """What the maps of one size group measure."""

    group: str
    rows: list[MapRow]


@dataclass(frozen=True)
class Attention:
    """What the sheet shows.

    Attributes
    ----------
    tasks
        What the tasks that have maps are called.
    panels
        The figure, of the first of these tasks.
    whole
        A sentence about maps that show more than heads read; else empty.
    tables
        What maps measure, by size group.
    sentences
        What they say of correct and of failed predictions.
    """

    tasks: list[str]
    panels: list[Markup]
    whole: str
    tables: list[GroupRows]
    sentences: list[str]


def tables(found: Saliency) -> list[GroupRows]:
    """Return what maps measure, for each size group that has any."""
    by_key = {
        (place, part.group, line.label): line.row
        for place, one in enumerate(found.tasks)
        for part in one.rows
        for line in part.rows
    }
    made = []
    for group in GROUPS:
        rows = [
            MapRow(
                label, [by_key.get((number, group, label)) for number in range(len(found.tasks))]
            )
            for label in dict.fromkeys(KINDS.values())
        ]
        rows = [row for row in rows if any(_has_numbers(cell) for cell in row.cells)]
        if rows:
            made.append(GroupRows(group, rows))
    return made


def _has_numbers(row: Row | None) -> bool:
    return row is not None and math.isfinite(row["energy_in_box"])


def build(study: Study) -> Attention | None:
    """Return what the sheet shows of a study; None without maps."""
    found = saliency.build(study)
    if found is None:
        return None
    said = [outcomes.claim_sentence(study, task) for task in study.tasks]
    return Attention(
        tasks=[one.task for one in found.tasks],
        panels=found.tasks[0].panels,
        whole=found.whole,
        tables=tables(found),
        sentences=[sentence for sentence in said if sentence],
    )


SHEET = Section(
    name="sheets/attention",
    build=build,
    anchor="saliency",
    title="Attention: where the network looked, measured",
    contents="Attention",
)
