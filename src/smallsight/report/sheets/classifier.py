"""A user's own classifier, and what was left out of the study for its sake."""

from dataclasses import dataclass

from smallsight.report.section import Section
from smallsight.report.sections import classifier, left_out
from smallsight.report.sections.classifier import Classifier
from smallsight.report.sections.left_out import Absences
from smallsight.report.study import Study


@dataclass(frozen=True)
class ClassifierSheet:
    """What the sheet shows.

    Attributes
    ----------
    classifier
        What is known of the classifier; None where heads were trained.
    left_out
        What the study lacks, and why; None where it lacks nothing.
    """

    classifier: Classifier | None
    left_out: Absences | None


def build(study: Study) -> ClassifierSheet | None:
    """Return what the sheet shows of a study; None where it would be empty."""
    sheet = ClassifierSheet(classifier.build(study), left_out.build(study))
    return sheet if sheet.classifier or sheet.left_out else None


SHEET = Section(
    name="sheets/classifier",
    build=build,
    anchor="classifier",
    title="The classifier, and what was left out",
    contents="Classifier",
)
