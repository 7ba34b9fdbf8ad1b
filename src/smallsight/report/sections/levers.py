"""All remedies: what each does, and what tests those that this study left out."""

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
        cannot have it.
    tried
        All others.
    """

    untested: list[RemedyFacts]
    tried: list[RemedyFacts]


def build(study: Study) -> Levers:
    """Return what the part shows of a study."""
    facts = list(study.remedies.values())
    return Levers(
        untested=[one for one in facts if one.state != "tried"],
        tried=[one for one in facts if one.state == "tried"],
    )


PART = Part(name="levers", build=build)
