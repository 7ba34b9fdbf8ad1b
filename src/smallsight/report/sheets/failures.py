"""Failures by the cause that their rescue suggests, and what they are taken for."""

from dataclasses import dataclass

from smallsight.report.section import Section
from smallsight.report.sections import failures, label_errors, neighbours
from smallsight.report.sections.failures import Failures, RescueRow
from smallsight.report.sections.neighbours import NeighbourRow
from smallsight.report.study import Study

_MOST_RESCUES = 12
"""Conditions that a sheet has room for."""


@dataclass(frozen=True)
class FailureSheet:
    """What the sheet shows.

    Attributes
    ----------
    failures
        What the page for a browser shows of them.
    rescues
        What conditions rescue and break, the headline regime's.
    neighbours
        What failures are taken for, by size group.
    sentence
        Whether that is more than chance; may be empty.
    labels
        Which failures may be the annotator's; empty where labels were not examined.
    """

    failures: Failures
    rescues: list[RescueRow]
    neighbours: list[NeighbourRow]
    sentence: str
    labels: list[str]


def build(study: Study) -> FailureSheet | None:
    """Return what the sheet shows of a study; None where nothing could be found to fail."""
    found = failures.build(study)
    if found is None:
        return None
    taken = neighbours.build(study)
    return FailureSheet(
        failures=found,
        rescues=found.rescues[0].rows[:_MOST_RESCUES] if found.rescues else [],
        neighbours=taken.rows if taken else [],
        sentence=taken.sentence if taken else "",
        labels=label_errors.sentences(study),
    )


SHEET = Section(
    name="sheets/failures",
    build=build,
    anchor="failures",
    title="Failures, and what would rescue them",
    contents="Failures",
)
