"""How saliency maps of untouched pictures lie on the objects."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup

from smallsight.analysis.terms import CONTROLS, MAPS, Term
from smallsight.backbones.registry import find_backbone
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.common import describe_cells
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
    largest_sum_error
        Largest deviation of a logit from the sum over cells, in logits.
    pooled_cell
        The layer that features are means of, and how large its cells are.
    sentences
        What the tables say.
    maps
        The kinds of maps, and what each means.
    panels, rows
        What maps of untouched pictures measure, by size group.
    """

    sides: list[Side]
    finer_layer: str
    largest_sum_error: float
    pooled_cell: str
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
    """Name the layer before the pooled one where maps are those of the pooled one; else empty."""
    about = study.about
    layers = list(find_backbone(study.params.backbone.name).strides)
    if about["layer"] != about["pooled_layer"] or about["layer"] not in layers:
        return ""
    return next(iter(layers[: layers.index(about["layer"])][-1:]), "")


def build(study: Study) -> Saliency:
    """Return what the section shows of a study."""
    sides = [Side(group, study.median_side(group)) for group in GROUPS]
    return Saliency(
        sides=[side for side in sides if np.isfinite(side.median)],
        finer_layer=finer_layer(study),
        largest_sum_error=study.about["largest_sum_error"],
        pooled_cell=describe_cells(study.about["pooled_layer"], study.about["pooled_cell"]),
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
