"""Sentences about causes: what the ledger and its companions show, and no more."""

from smallsight.analysis.terms import NEIGHBOURS, PARTS, PATHS
from smallsight.report.rows import Row, keyed
from smallsight.report.study import Study
from smallsight.report.text import counted, detectable, listed, p_equals, percent, signed, span

_THIN = 10
"""Objects of a category in a size group below which the ledger's simulations lose coverage."""


_SHOWN = ("favours large", "favours small")


def parts(study: Study, regime: str) -> str:
    """Say what makes the gap in one regime; empty where it has no ledger."""
    rows = keyed(study.ledger, "regime", "part")
    if (regime, "gap") not in rows:
        return ""
    gap = f"{signed(rows[regime, 'gap']['value'])} points"
    found = [rows[regime, part] for part in PARTS]
    shown = [row for row in found if row["verdict"] in _SHOWN]
    neither = [row for row in found if row["verdict"] not in _SHOWN]
    if not shown:
        return f"no part of {gap} is shown ({detectable(neither)})"
    told = f"of {gap}, {listed([_part(row) for row in shown])}"
    if not neither:
        return told
    return (
        f"{told}; none shown for {listed([_name(row) for row in neither])} ({detectable(neither)})"
    )


def _name(row: Row) -> str:
    return PARTS[row["part"]].label.lower()


def _part(row: Row) -> str:
    numbers = f"{signed(row['value'])} ({span(row)}, {p_equals(row['p_holm'])})"
    return f"{_name(row)} {numbers}"


def disagreement(study: Study) -> str:
    """Say on which parts the two regimes differ; empty where they cannot be compared."""
    rows = _compared(study)
    if not rows:
        return ""
    differing = _differing(rows)
    if not differing:
        return f"The regimes are not shown to disagree on any part ({detectable(rows)})."
    told = [
        f"{_name(row)} ({signed(row['fixed'])} fixed, {signed(row['retrained'])} retrained, "
        f"difference {signed(row['difference'])}, {span(row)}, {p_equals(row['p_holm'])})"
        for row in differing
    ]
    return (
        f"The regimes disagree on {listed(told)}: what they disagree on is no property of the "
        "pictures alone."
    )


def disagreeing(study: Study) -> str:
    """Name the parts on which the two regimes differ; empty where none is shown to."""
    names = [_name(row) for row in _differing(_compared(study))]
    if not names:
        return ""
    return f"The regimes disagree on {listed(names)}: that is no property of the pictures alone."


def _compared(study: Study) -> list[Row]:
    """Give the parts of the gap on which the two regimes are compared."""
    return study.agreement[study.agreement["part"].isin(PARTS)].to_dict("records")


def _differing(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["verdict"] in ("larger", "smaller")]


def thinnest(study: Study) -> str:
    """Warn where a category is so rare in one group that weighing it there says little."""
    counts = study.ledger["thinnest"].unique()
    if not len(counts) or counts[0] >= _THIN:
        return ""
    return (
        f"A category has {counted(int(counts[0]), 'object')} in one of the two groups: below about "
        f"{_THIN}, class mix and the rest are told apart poorly, and intervals may be too narrow."
    )


def clean(study: Study) -> str:
    """Set what more pixels do without any context beside what they do with it."""
    told = []
    rows = keyed(study.ledger, "regime", "part")
    for regime in study.regimes:
        if (regime, "gap") in rows:
            kept, none = (rows[regime, path] for path in PATHS)
            told.append(
                f"{regime} head, {signed(kept['value'])} points ({span(kept)}) with the context "
                f"kept and {signed(none['value'])} ({span(none)}) without any"
            )
    return f"What more pixels alone take off the gap: {'; '.join(told)}." if told else ""


def neighbours(study: Study, group: str) -> str:
    """Say how often failures of one size group name a neighbour; empty where there are none."""
    rows = keyed(study.neighbours, "size_group", "pictures", "neighbour")
    anyone, larger = (rows.get((group, "several", kind)) for kind in NEIGHBOURS)
    if anyone is None or larger is None or not anyone["failed"]:
        return ""
    noun = "failed object" if group == "all" else f"failed {group} object"
    failed = counted(int(anyone["failed"]), noun)
    text = (
        f"Of {failed} in pictures of several categories, {percent(anyone['share'])} are named as "
        f"another object of the picture and {percent(larger['share'])} as a larger one; "
    )
    return text + listed([_chance(anyone, "any"), _chance(larger, "larger")]) + "."


def _chance(row: Row, kind: str) -> str:
    whom = {"any": "any neighbour", "larger": "a larger one"}[kind]
    numbers = f"{signed(row['excess'])} points, {span(row)}, {p_equals(row['p_holm'])}"
    order = {"more": "more often than by chance", "less": "less often than by chance"}
    said = order.get(row["verdict"], "no more often than by chance, as far as is shown")
    return f"{whom} {said} ({numbers})"


def background(study: Study) -> str:
    """Say for which size groups the background gap is shown, in the headline regime."""
    table = study.background[study.background["regime"] == study.headline]
    rows = [row for row in table.to_dict("records") if row["n"] and row["size_group"] != "all"]
    if not rows:
        return ""
    shown = [row for row in rows if row["verdict"] in ("higher", "lower")]
    neither = [row for row in rows if row not in shown]
    told = [
        f"{row['size_group']} {signed(row['gap'])} ({span(row)}, {p_equals(row['p_holm'])})"
        for row in shown
    ]
    parts = [f"shown for {listed(told)}"] if told else []
    if neither:
        names = listed([row["size_group"] for row in neither])
        parts.append(f"not shown for {names} ({detectable(neither)})")
    return f"Background gap, {study.headline} head, in points: {'; '.join(parts)}."


def native(study: Study) -> str:
    """Say how many small objects zooming cannot give the pixels that it shows; may be empty."""
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
