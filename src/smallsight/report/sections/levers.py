"""What tests the remedies that this study left out."""

from dataclasses import dataclass

from smallsight.remedies.facts import RemedyFacts
from smallsight.report.section import Part
from smallsight.report.study import Study


@dataclass(frozen=True)
class Levers:
    """What the part shows.

    Attributes
    ----------
    untested
        Remedies that were not tried: each has a command that tests it, or a reason why this network
        cannot have it. What a user's classifier cannot have is left out with the rest of it.
    """

    untested: list[RemedyFacts]


def build(study: Study) -> Levers | None:
    """Return what the part shows of a study; None where all remedies were tried."""
    shown = ("left_out", "impossible") if study.has_heads else ("left_out",)
    untested = [one for one in study.remedies.values() if one.state in shown]
    return Levers(untested) if untested else None


PART = Part(name="levers", build=build)
