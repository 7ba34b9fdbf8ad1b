"""How saliency maps lie on the objects, beside controls and by outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from smallsight.analysis.terms import CONTROLS, MAPS, Term
from smallsight.backbones.registry import find_backbone
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.common import describe_cells
from smallsight.report.figures import by_condition
from smallsight.report.figures.saliency import spreads
from smallsight.report.rows import Row, by_direction, keyed, tuples
from smallsight.report.section import Section
from smallsight.report.sections import claims, deletion
from smallsight.report.study import Study
from smallsight.report.text import (
    detectable,
    listed,
    p_equals,
    percent,
    percent_span,
    signed,
    size,
    span,
    tooltip,
)
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS

KINDS = {
    ("predicted", "correct"): "Correct",
    ("predicted", "failed"): "Failed",
    ("true_class", "failed"): "Failed, true class",
    ("random_box", "all"): MAPS["random_box"].label,
    ("centre", "all"): MAPS["centre"].label,
    ("random_weights", "all"): MAPS["random_weights"].label,
}
"""What stands one below the other: whose maps, of which predictions, and what to call them."""


_AGAINST = {
    "random_box": "a box of the same size anywhere",
    "centre": "a map that is always brightest in the middle",
    "random_weights": "a backbone with random weights",
}
"""What sentences call the controls."""


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
class OutcomeRow:
    """Correct beside failed predictions under one condition.

    A cell is a row of the table of outcomes, for all objects and for each size group.
    """

    label: str
    cells: list[Row | None]


@dataclass(frozen=True)
class Control:
    """A control's label, and a row of the table of controls."""

    label: str
    row: Row


@dataclass(frozen=True)
class ControlRow:
    """Maps beside their controls under one condition, for all objects and for each size group."""

    label: str
    cells: list[list[Control]]


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
    lift_panels, measures
        What maps of untouched pictures measure, by size group.
    outcome_panels, outcomes, n_outcomes
        Correct beside failed predictions by condition, and how many comparisons are one family.
    controls
        Maps beside their controls by condition.
    """

    sides: list[Side]
    finer_layer: str
    largest_sum_error: float
    pooled_cell: str
    sentences: list[str]
    maps: list[Term]
    lift_panels: list[Markup]
    measures: list[GroupMeasures]
    outcome_panels: list[Markup]
    outcomes: list[OutcomeRow]
    n_outcomes: int
    controls: list[ControlRow]


def mapped_conditions(study: Study) -> list[str]:
    """List the conditions that have maps, in order."""
    known = set(study.tables["attention"]["condition"])
    return [one.name for one in study.conditions if one.name in known]


def measure_rows(study: Study) -> list[GroupMeasures]:
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


def lift_panels(study: Study) -> list[Markup]:
    """Draw lifts on untouched pictures, a panel per size group."""
    parts = measure_rows(study)
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


def outcome_panels(study: Study) -> list[Markup]:
    """Draw how often a correct prediction has the greater lift, a panel per kind of map."""
    labels = {name: study.label(name) for name in mapped_conditions(study)}
    columns = {"superiority": "value", "ci_low": "low", "ci_high": "high"}
    table = study.tables["attention_outcomes"].rename(columns=columns)
    table = table.assign(
        hollow=table["direction"] == 0,
        tooltip=[
            tooltip(
                f"{study.label(row.condition)}, {row.size_group}",
                percent(row.value),
                percent_span(row.low, row.high),
                row.n_correct + row.n_failed,
            )
            for row in tuples(table)
        ],
    )
    return [
        Markup(
            by_condition.by_condition(
                table[table["map"] == name],
                name=f"superiority-{name}",
                title=f"Maps of the {MAPS[name].label.lower()}",
                labels=labels,
                lines={"no difference": 0.5},
                measure="chance of the greater lift, correct",
            )
        )
        for name in ("predicted", "true_class")
        if labels and (table["map"] == name).any()
    ]


def outcome_rows(study: Study) -> list[OutcomeRow]:
    """Return correct beside failed predictions, a row per condition."""
    by_key = keyed(study.tables["attention_outcomes"], "map", "condition", "size_group")
    cells = _cells(study, lambda name, group: by_key.get(("predicted", name, group)))
    return [OutcomeRow(label, found) for label, found in cells]


def count_outcomes(study: Study) -> int:
    """Count the comparisons that Holm's method takes as one family with these rows."""
    return int((study.tables["attention_outcomes"]["map"] == "predicted").sum())


def control_rows(study: Study) -> list[ControlRow]:
    """Return maps beside their controls, a row per condition."""
    by_key = keyed(study.tables["attention_controls"], "control", "condition", "size_group")

    def cell(name: str, group: str) -> list[Control]:
        found = [(control, by_key.get((control, name, group))) for control in CONTROLS]
        return [Control(MAPS[control].label, row) for control, row in found if row is not None]

    return [ControlRow(label, found) for label, found in _cells(study, cell)]


def _cells(study: Study, cell: Callable[[str, str], Any]) -> list[tuple[str, list[Any]]]:
    """Return the conditions that have any cell: label, and a cell for all and each size group."""
    found = [
        (study.label(name), [cell(name, group) for group in ALL_AND_GROUPS])
        for name in mapped_conditions(study)
    ]
    return [(label, cells) for label, cells in found if any(cells)]


def sentences(study: Study) -> list[str]:
    """Write what the maps and their controls show."""
    found = (claim_sentence(study), size_sentence(study), control_sentence(study))
    return [sentence for sentence in found if sentence]


def claim_sentence(study: Study) -> str:
    """Write whether maps of failed predictions lie off the object; empty where nothing tests it."""
    row = claims.find_row(study, "failed_look_away")
    if row is None or not np.isfinite(row["effect"]):
        return ""
    ends = f"{percent(0.5 + row['ci_low'])} to {percent(0.5 + row['ci_high'])}"
    numbers = (
        f"of a correct and a failed prediction of one size group, the correct one has the greater "
        f"lift in {percent(0.5 + row['effect'])} of pairs ({ends}, {p_equals(row['p_holm'])}; half "
        "would be no difference)"
    )
    if row["direction"] == 1:
        return (
            "Supported: saliency maps lie less on the object where the prediction fails; "
            f"{numbers}."
        )
    if row["direction"] == -1:
        return (
            "Contradicted: saliency maps lie more on the object where the prediction fails; "
            f"{numbers}."
        )
    return (
        "Whether saliency maps lie less on the object where the prediction fails is not decided: "
        f"{numbers}; a distance from half of {size(row['mde'])} points was detectable."
    )


def size_sentence(study: Study) -> str:
    """Write for which size groups maps of correct predictions lie more on the object, or less."""
    by_key = keyed(study.tables["attention_outcomes"], "map", "condition", "size_group")
    known = [
        row for group in GROUPS if (row := by_key.get(("predicted", UNTOUCHED, group))) is not None
    ]
    if not known:
        return ""
    up, down, undecided = by_direction(known)
    parts = [
        f"{wording} for {listed([_superiority(row) for row in part])}"
        for wording, part in (("shown", up), ("the reverse shown", down))
        if part
    ]
    if undecided:
        names = listed([_superiority(row) for row in undecided])
        parts.append(f"not shown for {names} ({detectable(undecided)})")
    return f"Size by size, untouched: {'; '.join(parts)}."


def _superiority(row: Row) -> str:
    ends = f"{percent(row['ci_low'])} to {percent(row['ci_high'])}"
    return f"{row['size_group']} objects ({percent(row['superiority'])}, {ends})"


def control_sentence(study: Study) -> str:
    """Write whether maps have more of their energy on the object than each control has."""
    by_key = keyed(study.tables["attention_controls"], "control", "condition", "size_group")
    found = []
    for control, against in _AGAINST.items():
        known = [
            row for group in GROUPS if (row := by_key.get((control, UNTOUCHED, group))) is not None
        ]
        up, down, undecided = by_direction(known)
        parts = [
            f"{order} for {listed([_excess(row) for row in part])}"
            for order, part in (("more", up), ("less", down))
            if part
        ]
        if undecided:
            names = listed([f"{row['size_group']} objects" for row in undecided])
            parts.append(f"no difference shown for {names} ({detectable(undecided)})")
        if parts:
            found.append(f"Against {against}: {'; '.join(parts)}.")
    if not found:
        return ""
    return f"Share of a map’s energy in the box, untouched. {' '.join(found)}"


def _excess(row: Row) -> str:
    numbers = f"{signed(row['excess'])} points, {span(row)}, {p_equals(row['p_holm'])}"
    return f"{row['size_group']} objects ({numbers})"


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
        lift_panels=lift_panels(study),
        measures=measure_rows(study),
        outcome_panels=outcome_panels(study),
        outcomes=outcome_rows(study),
        n_outcomes=count_outcomes(study),
        controls=control_rows(study),
    )


SECTION = Section(
    name="saliency",
    build=build,
    anchor="saliency",
    title="Where the saliency maps lie",
    contents="Saliency",
    parts=(deletion.PART,),
)
