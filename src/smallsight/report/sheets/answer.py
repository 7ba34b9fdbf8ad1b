"""The first sheet: what was tested, what was found, where the gap goes, and what to do."""

from smallsight.report.section import Section
from smallsight.report.sections import summary

SHEET = Section(
    name="sheets/answer",
    build=summary.build,
    anchor="summary",
    title="In short",
    contents="In short",
)
