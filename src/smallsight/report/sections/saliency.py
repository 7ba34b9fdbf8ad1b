"""How saliency maps of untouched pictures lie on the objects."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup

from smallsight.analysis.terms import CONTROLS, MAPS, Term
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import network
from smallsight.report.figures.saliency import spreads
from smallsight.report.rows import Row, keyed
from smallsight.report.section import Section
from smallsight.report.sections import controls, deletion, outcomes
from smallsight.report.study import Study
from smallsight.report.text import tooltip
from smallsight.vocabulary import GROUPS

KINDS = {
    ("predicted", "correct"): "Correct",
    ("predicted", "failed"): "Failed",
    ("true_class", "failed"): "Failed, true class",
    ("random_box", "all"): MAPS["random_box"].label,
    ("centre", "all"): MAPS["centre"].label,
    ("random_weights", "all"): MAPS["random_weights"].label,
}
"""What stands one below the other: whose maps, of which predictions, and what to call them."""


@dataclass(frozen=True)
class MeasureRow:
    """What one kind of map measures: a row of the table of saliency maps."""

    label: str
    is_control: bool
    row: Row


@dataclass(frozen=True)
class GroupMeasures:
    """What the maps of one size group measure, a row for each of `KINDS` that it has."""

    group: str
    rows: list[MeasureRow]


@dataclass(frozen=True)
class Side:
    """The median side of a size group's objects, in input pixels."""

    group: str
    median: float


@dataclass(frozen=True)
class Saliency:
    """What the section shows.

    Attributes
    ----------
    sides
        Median sides of the size groups that have one.
    finer_layer
        A layer with finer cells than those shown; may be empty.
    whole
        A sentence about maps that show more than heads read; else empty.
    signed_share
        What the signed share is.
    sentences
        What the tables say.
    maps
        The kinds of maps, and what each means.
    panels, rows
        What maps of untouched pictures measure, by size group.
    """

    sides: list[Side]
    finer_layer: str
    whole: str
    signed_share: str
    sentences: list[str]
    maps: list[Term]
    panels: list[Markup]
    rows: list[GroupMeasures]


def rows(study: Study) -> list[GroupMeasures]:
    """Return what maps of untouched pictures measure, by size group."""
    by_key = keyed(study.tables["attention"], "map", "condition", "size_group", "outcome")
    found = []
    for group in GROUPS:
        part = [
            MeasureRow(label, name in CONTROLS, row)
            for (name, outcome), label in KINDS.items()
            if (row := by_key.get((name, UNTOUCHED, group, outcome))) is not None
        ]
        if part:
            found.append(GroupMeasures(group, part))
    return found


def panels(study: Study) -> list[Markup]:
    """Draw lifts on untouched pictures, a panel per size group."""
    parts = rows(study)
    ends = [one.row["lift_q3"] for part in parts for one in part.rows]
    limit = 1.08 * max([2.0, *(end for end in ends if np.isfinite(end))])
    return [
        Markup(
            spreads(
                pd.DataFrame(
                    {
                        "label": one.label,
                        "median": one.row["lift"],
                        "low": one.row["lift_q1"],
                        "high": one.row["lift_q3"],
                        "is_control": one.is_control,
                        "tooltip": _lift_tooltip(one.label, one.row),
                    }
                    for one in part.rows
                ),
                limit=limit,
                name=f"lift-{part.group}",
                title=f"{part.group.capitalize()} objects",
            )
        )
        for part in parts
    ]


def _lift_tooltip(label: str, row: Row) -> str:
    ends = f"quartiles {row['lift_q1']:.2f}–{row['lift_q3']:.2f}"
    return tooltip(label, f"median {row['lift']:.2f}", ends, row["n"])


def sentences(study: Study) -> list[str]:
    """Write what the maps and their controls show."""
    found = (
        outcomes.claim_sentence(study),
        outcomes.size_sentence(study),
        controls.sentence(study),
    )
    return [sentence for sentence in found if sentence]


def finer_layer(study: Study) -> str:
    """Name the next layer with finer cells where maps are the last layer's; else empty."""
    last, cells = study.about["last_layer"], study.backbone.cells
    if study.about["layer"] != last:
        return ""
    finer = [layer for layer, count in cells.items() if count > cells[last]]
    return finer[-1] if finer else ""


def signed_share(study: Study) -> str:
    """Say what the signed share is, and how exact."""
    about = study.about
    error = about["largest_sum_error"]
    return network.readout(study).signed.format(
        error="" if error is None else f"{error:.1g}",
        cell=network.describe_cells(
            network.name_layer(study, about["last_layer"]), about["last_cell"]
        ),
    )


def build(study: Study) -> Saliency:
    """Return what the section shows of a study."""
    sides = [Side(group, study.median_side(group)) for group in GROUPS]
    return Saliency(
        sides=[side for side in sides if np.isfinite(side.median)],
        finer_layer=finer_layer(study),
        whole=network.readout(study).maps,
        signed_share=signed_share(study),
        sentences=sentences(study),
        maps=list(MAPS.values()),
        panels=panels(study),
        rows=rows(study),
    )


SECTION = Section(
    name="saliency",
    build=build,
    anchor="saliency",
    title="Where the saliency maps lie",
    contents="Saliency",
    parts=(outcomes.PART, controls.PART, deletion.PART),
)
