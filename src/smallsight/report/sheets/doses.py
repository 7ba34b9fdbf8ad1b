"""Dose and response, and how many pixels an object needs."""

from dataclasses import dataclass

from smallsight.report.section import Section
from smallsight.report.sections import dose_response, stability, thresholds
from smallsight.report.sections.dose_response import DoseResponse
from smallsight.report.sections.thresholds import CostRow, Thresholds
from smallsight.report.study import Study

_MOST_PANELS, _MOST_COSTS = 6, 8
"""Families, and conditions with a cost, that a sheet has room for."""


@dataclass(frozen=True)
class Doses:
    """What the sheet shows.

    Attributes
    ----------
    levels
        Accuracy along the levels of families; None where no family has several.
    n_left
        Families that there is no room for.
    pixels
        Accuracy by side; None where no object was reduced.
    costs, costly
        What conditions cost in pixels, the dearest first; and the places of the regimes that have
        any cost.
    stability
        How often answers change when pictures are moved; may be empty.
    """

    levels: DoseResponse | None
    n_left: int
    pixels: Thresholds | None
    costs: list[CostRow]
    costly: list[int]
    stability: str


def build(study: Study) -> Doses | None:
    """Return what the sheet shows of a study; None where it has neither levels nor sides."""
    levels, pixels = dose_response.build(study), thresholds.build(study)
    if levels is None and pixels is None:
        return None
    panels = levels.panels if levels else []
    costs = sorted(pixels.costs if pixels else [], key=_dearest)
    return Doses(
        levels=levels and DoseResponse(levels.task, panels[:_MOST_PANELS], levels.other_regimes),
        n_left=max(len(panels) - _MOST_PANELS, 0),
        pixels=pixels,
        costs=costs[:_MOST_COSTS],
        costly=[
            place for place in range(len(study.regimes)) if any(row.cells[place] for row in costs)
        ],
        stability=stability.sentence(study),
    )


def _dearest(row: CostRow) -> float:
    return -max(cell.factor for cell in row.cells if cell)


SHEET = Section(
    name="sheets/doses",
    build=build,
    anchor="doses",
    title="Doses, shifts and pixels",
    contents="Doses, shifts and pixels",
)
