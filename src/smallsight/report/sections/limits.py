"""What the study cannot say."""

from dataclasses import dataclass

from smallsight.report import network
from smallsight.report.section import Section
from smallsight.report.sections import classifier, stability, thresholds
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
    has_heads
        Whether heads were trained; else a classifier is examined as it is.
    has_ladder, has_pixels, has_shifts, has_windows, has_neighbours, has_deletion
        Whether there is a step from rung to rung; whether objects were reduced, pictures moved,
        windows shown, other objects' names compared, and regions removed.
    is_shown_both
        Whether a classifier of windows was shown whole pictures too.
    has_rest
        Whether it has classes of no category, whose probability the others share.
    is_instance_split
        Whether there is one split and one seed.
    layer, cell
        The layer whose maps are shown, and the width of its cells in input pixels; without maps,
        empty and 0.
    """

    are_pictures_generated: bool
    untrained: str
    has_heads: bool
    has_ladder: bool
    has_pixels: bool
    has_shifts: bool
    has_windows: bool
    has_neighbours: bool
    has_deletion: bool
    is_shown_both: bool
    has_rest: bool
    is_instance_split: bool
    layer: str
    cell: float


def build(study: Study) -> Limits | None:
    """Return what the section shows of a study; None where nothing but predictions is known."""
    if study.backbone is None:
        return None
    about, own = study.about, study.classifier
    return Limits(
        are_pictures_generated=study.params.data.source == "phantom",
        untrained=network.UNTRAINED if network.is_untrained(study) else "",
        has_heads=study.has_heads,
        has_ladder=study.has_ladder,
        has_pixels=bool(thresholds.sides(study)),
        has_shifts=bool(stability.rows(study)),
        has_windows=bool(study.window),
        has_neighbours=not study.tables["neighbours"].empty,
        has_deletion=not study.tables["faithfulness"].empty,
        is_shown_both=own is not None and bool(study.window),
        has_rest=own is not None and classifier.renormalises(study, own),
        is_instance_split=study.protocol.is_instance_split,
        layer=network.name_layer(study, about["layer"]) if study.has_maps else "",
        cell=about["cell"] if study.has_maps else 0.0,
    )


SECTION = Section(name="limits", build=build, anchor="limits", title="Limits")
