"""How the study was made, and what it cannot say."""

from dataclasses import dataclass

from smallsight.report.section import Section
from smallsight.report.sections import limits, method, protocol
from smallsight.report.sections.limits import Limits
from smallsight.report.sections.method import Method
from smallsight.report.sections.protocol import Protocol
from smallsight.report.study import Study


@dataclass(frozen=True)
class MethodSheet:
    """What the sheet shows.

    Attributes
    ----------
    method, limits
        How the study was made, and what it cannot say.
    protocol
        What the original study's protocol leaves uncertain; None for another one.
    """

    method: Method
    limits: Limits
    protocol: Protocol | None


def build(study: Study) -> MethodSheet | None:
    """Return what the sheet shows of a study; None where nothing but predictions is known."""
    how, cannot = method.build(study), limits.build(study)
    return MethodSheet(how, cannot, protocol.build(study)) if how and cannot else None


SHEET = Section(
    name="sheets/method",
    build=build,
    anchor="method",
    title="Method and limits",
    contents="Method and limits",
)
