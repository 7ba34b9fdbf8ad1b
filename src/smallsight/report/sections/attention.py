"""Parts of the report that show attention: maps beside controls, and regions that matter."""

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from smallsight.analysis.terms import CONTROLS, MAPS
from smallsight.conditions.names import UNTOUCHED
from smallsight.report.figures import by_condition, deletion
from smallsight.report.figures.saliency import spreads
from smallsight.report.rows import Row, keyed
from smallsight.report.study import Study
from smallsight.report.text import percent, percent_span, signed, tip
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


def cell(study: Study) -> str:
    """Say which layer's maps these are, and how large their cells."""
    size = f"{study.about['cell']:g}"
    return f"{study.about['layer']}, one cell {size} × {size} input pixels"


def pooled_cell(study: Study) -> str:
    """Say the same of the layer that the head's logits are summed over."""
    size = f"{study.about['pooled_cell']:g}"
    return f"{study.about['pooled_layer']}, one cell {size} × {size} input pixels"


def conditions(study: Study) -> list[str]:
    """List the conditions that have maps, in order."""
    known = set(study.attention["condition"])
    return [step.name for step in study.conditions if step.name in known]


def measures(study: Study) -> list[dict[str, Any]]:
    """Lay out what maps of untouched pictures measure: per size group, a row per `KINDS`."""
    rows = keyed(study.attention, "map", "condition", "size_group", "outcome")
    found = []
    for group in GROUPS:
        part = [
            {"label": label, "is_control": name in CONTROLS, "row": row}
            for (name, outcome), label in KINDS.items()
            if (row := rows.get((name, UNTOUCHED, group, outcome))) is not None
        ]
        if part:
            found.append({"group": group, "rows": part})
    return found


def lifts(study: Study) -> list[Markup]:
    """Draw lifts on untouched pictures, a panel per size group."""
    parts = measures(study)
    ends = [row["row"]["lift_q3"] for part in parts for row in part["rows"]]
    limit = 1.08 * max([2.0, *(end for end in ends if np.isfinite(end))])
    return [
        Markup(
            spreads(
                pd.DataFrame(
                    {
                        "label": row["label"],
                        "median": row["row"]["lift"],
                        "low": row["row"]["lift_q1"],
                        "high": row["row"]["lift_q3"],
                        "is_control": row["is_control"],
                        "tip": _lift_tip(row["label"], row["row"]),
                    }
                    for row in part["rows"]
                ),
                limit=limit,
                name=f"lift-{part['group']}",
                title=f"{part['group'].capitalize()} objects",
            )
        )
        for part in parts
    ]


def _lift_tip(label: str, row: Row) -> str:
    ends = f"quartiles {row['lift_q1']:.2f}–{row['lift_q3']:.2f}"
    return tip(label, f"median {row['lift']:.2f}", ends, row["n"])


def superiorities(study: Study) -> list[Markup]:
    """Draw how surely correct predictions look more at the object, a panel per kind of map."""
    labels = {name: study.label(name) for name in conditions(study)}
    table = study.attention_outcomes.rename(
        columns={"superiority": "value", "ci_low": "low", "ci_high": "high"}
    )
    table = table.assign(
        hollow=table["verdict"] == "inconclusive",
        tip=[
            tip(
                f"{study.label(row.condition)}, {row.size_group}",
                percent(row.value),
                percent_span(row.low, row.high),
                row.n_correct + row.n_failed,
            )
            for row in table.itertuples()
        ],
    )
    return [
        Markup(
            by_condition.by_condition(
                table[table["map"] == name],
                name=f"superiority-{name}",
                title=f"Maps of the {MAPS[name].label.lower()}",
                labels=labels,
                levels={"no difference": 0.5},
                measure="chance of the greater lift, correct",
            )
        )
        for name in ("predicted", "true_class")
        if labels and (table["map"] == name).any()
    ]


def outcomes(study: Study) -> list[dict[str, Any]]:
    """Lay out correct beside failed predictions, a row per condition, a cell per size group."""
    rows = keyed(study.attention_outcomes, "map", "condition", "size_group")
    return _by_condition(study, lambda name, group: rows.get(("predicted", name, group)))


def outcomes_tested(study: Study) -> int:
    """Count the comparisons that Holm's method takes as one family with these."""
    return int((study.attention_outcomes["map"] == "predicted").sum())


def controls(study: Study) -> list[dict[str, Any]]:
    """Lay out energy beside its controls, a row per condition, a cell per size group."""
    rows = keyed(study.attention_controls, "control", "condition", "size_group")

    def cell(name: str, group: str) -> list[tuple[str, Row]]:
        found = [(control, rows.get((control, name, group))) for control in CONTROLS]
        return [(MAPS[control].label, row) for control, row in found if row is not None]

    return _by_condition(study, cell)


def _by_condition(study: Study, cell: Any) -> list[dict[str, Any]]:
    found = []
    for name in conditions(study):
        cells = [cell(name, group) for group in ("all", *GROUPS)]
        if any(cells):
            found.append({"label": study.label(name), "cells": cells})
    return found


def regions(study: Study) -> list[Markup]:
    """Draw what removing and restoring regions does, a panel per size group."""
    table = study.faithfulness
    columns = [f"{region}{end}" for region in ("object", "random") for end in ("_low", "_high")]
    values = table.loc[table["size_group"] != "all", columns].to_numpy(float)
    values = values[np.isfinite(values)]
    if not len(values):
        return []
    room = 0.05 * max(float(np.ptp(values)), 0.02)
    limits = float(values.min()) - room, float(values.max()) + room
    return [
        Markup(
            deletion.regions(
                table[table["size_group"] == group].assign(
                    **{
                        f"{region}_tip": [_region_tip(row, region) for row in records]
                        for region in ("object", "random")
                    }
                ),
                limits=limits,
                name=f"regions-{group}",
                title=f"{group.capitalize()} objects",
            )
        )
        for group in GROUPS
        if (records := table[table["size_group"] == group].to_dict("records"))
    ]


def _region_tip(row: Row, region: str) -> str:
    whose = {"object": "the object’s region", "random": "another region"}[region]
    ends = f"{signed(row[f'{region}_low'])} to {signed(row[f'{region}_high'])}"
    said = f"{signed(row[region])} points"
    return tip(f"{whose} {row['change']}, {row['area']:g} × the box", said, ends, row["n"])


def faithfulness(study: Study) -> list[dict[str, Any]]:
    """Lay the same numbers out, a row per change and area, a cell per size group."""
    rows = keyed(study.faithfulness, "change", "area", "size_group")
    pairs = dict.fromkeys((change, area) for change, area, _ in rows)
    return [
        {
            "change": change,
            "area": area,
            "cells": [rows.get((change, area, group)) for group in GROUPS],
        }
        for change, area in pairs
    ]
