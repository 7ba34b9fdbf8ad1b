"""What the study cannot say."""

from dataclasses import dataclass

from smallsight.report import network
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import counted


@dataclass(frozen=True)
class Limits:
    """What the section shows.

    Attributes
    ----------
    are_pictures_generated
        Whether the pictures are generated scenes.
    untrained
        What random weights make of the numbers; empty for others.
    native_detail
        How many objects zooming cannot give the detail that it shows; may be empty.
    is_instance_split
        Whether there is one split and one seed.
    layer, cell
        The layer whose maps are shown, and the width of its cells in input pixels.
    """

    are_pictures_generated: bool
    untrained: str
    native_detail: str
    is_instance_split: bool
    layer: str
    cell: float


def native_detail_sentence(study: Study) -> str:
    """Write how many small objects have fewer pixels than zooming shows; may be empty."""
    matched = study.similarity("zoom_matched", "large")
    sides = study.sample.loc[study.sample["size_group"] == "small", "bbox_area"] ** 0.5
    if matched is None or sides.empty:
        return ""
    due = float(matched["side_untouched"])
    lacking = int((sides < due).sum())
    return (
        f"So does detail that a picture never held: {lacking} of "
        f"{counted(len(sides), 'small object')} have a native side below the {due:.0f} input "
        "pixels of the median large object, to which zooming brings them."
    )


def build(study: Study) -> Limits:
    """Return what the section shows of a study."""
    return Limits(
        are_pictures_generated=study.params.data.source == "phantom",
        untrained=network.UNTRAINED if network.is_untrained(study) else "",
        native_detail=native_detail_sentence(study),
        is_instance_split=study.protocol.is_instance_split,
        layer=network.name_layer(study, study.about["layer"]),
        cell=study.about["cell"],
    )


SECTION = Section(name="limits", build=build, anchor="limits", title="Limits", contents="Limits")
