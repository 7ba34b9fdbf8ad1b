"""The order of the sheets, in one place."""

from smallsight.report.section import Section
from smallsight.report.sheets import (
    accuracy,
    answer,
    attention,
    claims,
    classifier,
    conditions,
    doses,
    failures,
    method,
    objects,
    provenance,
    what_to_do,
)

SHEETS: tuple[Section, ...] = (
    *(answer.SHEET, what_to_do.SHEET, accuracy.SHEET, doses.SHEET, claims.SHEET),
    *(conditions.SHEET, objects.SHEET, attention.SHEET, failures.SHEET),
    *(classifier.SHEET, method.SHEET, provenance.SHEET),
)
"""All sheets; a report on paper has those that its study has."""
