"""What the study cannot say."""

from dataclasses import dataclass

from smallsight.report import network
from smallsight.report.section import Section
from smallsight.report.sections import stability, thresholds
from smallsight.report.study import Study


@dataclass(frozen=True)
class Limits:
    """What the section shows.

    Attributes
    ----------
    are_pictures_generated
        Whether the pictures are generated scenes.
    untrained
        What random weights make of the numbers; empty for others.
    has_pixels, has_shifts
        Whether objects were reduced, and whether pictures were moved.
    is_instance_split
        Whether there is one split and one seed.
    layer, cell
        The layer whose maps are shown, and the width of its cells in input pixels.
    """

    are_pictures_generated: bool
    untrained: str
    has_pixels: bool
    has_shifts: bool
    is_instance_split: bool
    layer: str
    cell: float


def build(study: Study) -> Limits:
    """Return what the section shows of a study."""
    return Limits(
        are_pictures_generated=study.params.data.source == "phantom",
        untrained=network.UNTRAINED if network.is_untrained(study) else "",
        has_pixels=bool(thresholds.sides(study)),
        has_shifts=bool(stability.rows(study)),
        is_instance_split=study.protocol.is_instance_split,
        layer=network.name_layer(study, study.about["layer"]),
        cell=study.about["cell"],
    )


SECTION = Section(name="limits", build=build, anchor="limits", title="Limits", contents="Limits")
