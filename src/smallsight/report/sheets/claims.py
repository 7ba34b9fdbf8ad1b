"""The original study's sentences with their verdicts."""

from smallsight.report.section import Section
from smallsight.report.sections import claims

SHEET = Section(
    name="sheets/claims",
    build=claims.build,
    anchor="claims",
    title="Claims of the original study",
    contents="Claims",
)
