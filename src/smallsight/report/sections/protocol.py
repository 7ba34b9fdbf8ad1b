"""What the original study's protocol leaves uncertain; only where the study follows it."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.vocabulary import GROUPS, HEADLINE_TASK


@dataclass(frozen=True)
class Width:
    """How wide an interval may be for want of objects.

    Attributes
    ----------
    n
        Number of objects.
    half_width
        Half the width of the interval of an accuracy of one half; NaN without objects.
    """

    n: int
    half_width: float


@dataclass(frozen=True)
class WidthRow:
    """One size group: the objects tested here, and all that were sampled."""

    group: str
    cells: list[Width]


@dataclass(frozen=True)
class Protocol:
    """What the section shows.

    Attributes
    ----------
    name
        What the parameters call the protocol.
    split
        How the sample is divided.
    rows
        Widths of intervals by size group.
    shared_images, n_test
        Test objects in images with training objects, and all of them.
    """

    name: str
    split: str
    rows: list[WidthRow]
    shared_images: int
    n_test: int


def rows(study: Study) -> list[WidthRow]:
    """Return how wide intervals may be, a row per size group.

    Half the width of the interval of a share of one half, by the normal approximation: for the
    objects tested, and for all that were sampled, which cross-validation tests.
    """
    z = NormalDist().inv_cdf((1 + study.params.analysis.confidence) / 2)
    found = []
    for group in GROUPS:
        estimate = study.estimate(HEADLINE_TASK, study.headline_regime, UNTOUCHED, group)
        counts = (estimate.n if estimate else 0, int((study.sample["size_group"] == group).sum()))
        widths = [Width(n, z * math.sqrt(0.25 / n) if n else math.nan) for n in counts]
        found.append(WidthRow(group, widths))
    return found


def build(study: Study) -> Protocol | None:
    """Return what the section shows of a study; None where that is cross-validated."""
    if not study.protocol.is_instance_split:
        return None
    return Protocol(
        name=study.protocol.name,
        split=study.protocol.split_description(study.params.evaluation),
        rows=rows(study),
        shared_images=int(study.training["shared_images"]),
        n_test=int(study.training["n_test"]),
    )


SECTION = Section(
    name="protocol",
    build=build,
    anchor="protocol",
    title="The original study’s protocol",
)
