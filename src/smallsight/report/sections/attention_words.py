"""Sentences about attention: what maps and their controls show, and no more."""

import math

from smallsight.conditions.names import UNTOUCHED
from smallsight.report.rows import Row, keyed
from smallsight.report.study import Study
from smallsight.report.text import (
    counted,
    detectable,
    listed,
    p_equals,
    percent,
    signed,
    size,
    span,
)
from smallsight.vocabulary import GROUPS


def claim(study: Study) -> str:
    """Say whether failed predictions look away from the object; empty where nothing tests it."""
    rows = study.claims[study.claims["claim"] == "failed_look_away"].to_dict("records")
    if not rows or not math.isfinite(rows[0]["effect"]):
        return ""
    row = rows[0]
    ends = f"{percent(0.5 + row['ci_low'])} to {percent(0.5 + row['ci_high'])}"
    numbers = (
        f"of a correct and a failed prediction of one size group, the correct one has the greater "
        f"lift in {percent(0.5 + row['effect'])} of pairs ({ends}, {p_equals(row['p_holm'])}; half "
        "would be no difference)"
    )
    told = {
        "supported": f"Supported: failed predictions look away from the object; {numbers}.",
        "contradicted": (
            f"Contradicted: failed predictions look at the object more than correct ones do; "
            f"{numbers}."
        ),
    }
    undecided = (
        f"Whether failed predictions look away from the object is not decided: {numbers}; a "
        f"distance from half of {size(row['mde'])} points was detectable."
    )
    return told.get(row["verdict"], undecided)


def by_size(study: Study) -> str:
    """Say for which size groups correct predictions are shown to look more, or less."""
    rows = keyed(study.attention_outcomes, "map", "condition", "size_group")
    known = [
        row for group in GROUPS if (row := rows.get(("predicted", UNTOUCHED, group))) is not None
    ]
    if not known:
        return ""
    parts = [
        f"{wording} for {listed([_superiority(row) for row in part])}"
        for verdict, wording in (("correct", "shown"), ("failed", "the reverse shown"))
        if (part := [row for row in known if row["verdict"] == verdict])
    ]
    neither = [row for row in known if row["verdict"] not in ("correct", "failed")]
    if neither:
        names = listed([_superiority(row) for row in neither])
        parts.append(f"not shown for {names} ({detectable(neither)})")
    return f"Size by size, untouched: {'; '.join(parts)}."


def _superiority(row: Row) -> str:
    ends = f"{percent(row['ci_low'])} to {percent(row['ci_high'])}"
    return f"{row['size_group']} objects ({percent(row['superiority'])}, {ends})"


def controls(study: Study) -> str:
    """Say whether maps have more on the object than a box elsewhere would hold, and the centre."""
    rows = keyed(study.attention_controls, "control", "condition", "size_group")
    told = []
    for control, against in (
        ("random_box", "a box of the same size anywhere"),
        ("centre", "a map that always looks at the middle"),
        ("random_weights", "a backbone with random weights"),
    ):
        known = [
            row for group in GROUPS if (row := rows.get((control, UNTOUCHED, group))) is not None
        ]
        parts = [
            f"{verdict} for {listed([_excess(row) for row in part])}"
            for verdict in ("more", "less")
            if (part := [row for row in known if row["verdict"] == verdict])
        ]
        neither = [row for row in known if row["verdict"] == "inconclusive"]
        if neither:
            names = listed([f"{row['size_group']} objects" for row in neither])
            parts.append(f"no difference shown for {names} ({detectable(neither)})")
        if parts:
            told.append(f"Against {against}: {'; '.join(parts)}.")
    if not told:
        return ""
    return f"Share of a map’s energy in the box, untouched. {' '.join(told)}"


def _excess(row: Row) -> str:
    numbers = f"{signed(row['excess'])} points, {span(row)}, {p_equals(row['p_holm'])}"
    return f"{row['size_group']} objects ({numbers})"


def removal(study: Study) -> str:
    """Say what removing objects does, beside removing another region as large."""
    rows = keyed(study.faithfulness, "change", "area", "size_group")
    known = [row for group in GROUPS if (row := rows.get(("removed", 1.0, group))) is not None]
    if not known:
        return ""
    told = [
        f"{row['size_group']} ones {signed(row['object'])} points, against {signed(row['random'])} "
        f"by another region as large ({_shown(row)})"
        for row in known
    ]
    return f"Without its box, an object’s true class changes in probability: {'; '.join(told)}."


def _shown(row: Row) -> str:
    numbers = f"difference {signed(row['difference'])}, {span(row)}, {p_equals(row['p_holm'])}"
    if row["verdict"] in ("higher", "lower"):
        return numbers
    return f"{numbers}; no difference shown, {detectable([row])}"


def ranks(study: Study) -> str:
    """Say whether maps tell beforehand whose object matters."""
    rows = keyed(study.faithfulness, "change", "area", "size_group")
    known = [
        row
        for group in GROUPS
        if (row := rows.get(("removed", 1.0, group))) is not None and row["rank"] == row["rank"]
    ]
    if not known:
        return ""
    told = [
        f"{row['size_group']} {row['rank']:.2f} ({row['rank_low']:.2f} to {row['rank_high']:.2f})"
        for row in known
    ]
    return (
        "Do maps tell what matters? Rank correlation between the share of the true class’s map in "
        "the box and what its removal costs, within size groups and with the box’s area held "
        f"fixed: {listed(told)}."
    ).replace("-", "−")


def shown(study: Study, group: str, outcome: str) -> str:
    """Say of how many objects a gallery shows some: 4 of 120."""
    rows = keyed(study.attention, "map", "condition", "size_group", "outcome")
    row = rows.get(("predicted", UNTOUCHED, group, outcome))
    return counted(int(row["n"]), "object") if row is not None else counted(0, "object")
