"""Sentences on what two studies share, and on what a reader must know before comparing them."""

import math
from collections.abc import Sequence

from smallsight.comparison.comparison import Comparison
from smallsight.comparison.numbers import FACTOR, NUMBERS
from smallsight.conditions.names import UNTOUCHED
from smallsight.report.rows import Row
from smallsight.report.study import family_label
from smallsight.report.text import (
    counted,
    detectable,
    factor,
    factor_span,
    listed,
    p_equals,
    percent,
    signed,
    size,
    span,
)
from smallsight.vocabulary import GROUPS


def shared(found: Comparison) -> str:
    """Say which objects are compared, and how many only one of the studies tests."""
    size_of = found.pair.a.size
    groups = [f"{size_of(group)['n']} {group}" for group in GROUPS]
    about = size_of("all")
    a, b = found.pair.alone
    others = f"{a} more by A alone, {b} by B alone" if a or b else "no others by either"
    return (
        f"{counted(about['n'], 'object')} in {counted(about['images'], 'image')} are tested by "
        f"both ({listed(groups)}), {others}. {found.regime.capitalize()} head, untouched pictures."
    )


def notes(found: Comparison) -> list[str]:
    """Say what a reader must know of the two studies before comparing them."""
    told = [_identity(found), _data(found), _input(found), _analysis(found), _sources(found)]
    return [note for note in told if note]


def _identity(found: Comparison) -> str:
    a, b = (side.revision for side in found.sides)
    if a.commit and a.commit == b.commit:
        return f"A and B are the same commit, {a.commit}."
    first, second = (side.fingerprints[side.files.predictions] for side in found.sides)
    if first == second:
        return "A and B have the same predictions, byte for byte."
    return ""


def _data(found: Comparison) -> str:
    keys = [one.name for one in found.parameters if one.name.startswith("data.")]
    if not keys:
        return ""
    return (
        f"The objects are the same, but {listed(keys)} {_differ(keys)}: the pictures themselves "
        "may not be."
    )


def _input(found: Comparison) -> str:
    if found.has_same_input:
        return ""
    return (
        f"B’s input has {factor(found.pair.scale)} times as many pixels to a side as A’s. Sides "
        "and thresholds are given in pixels of A’s input, so that they are of the same objects."
    )


def _analysis(found: Comparison) -> str:
    a, b = (side.parameters for side in found.sides)
    keys = [
        key for key in ("analysis.confidence", "analysis.bootstrap_draws") if a.get(key) != b[key]
    ]
    if not keys:
        return ""
    told = listed([f"{key} is {b[key]} there and {a.get(key, 'absent')} in A" for key in keys])
    return f"Intervals are made as in B: {told}."


def _sources(found: Comparison) -> str:
    names = [one.name for one in found.sources]
    if not names:
        return ""
    return f"Code or data beside the parameters {_differ(names)}, by dvc.lock: {listed(names)}."


def _differ(names: Sequence[str]) -> str:
    return "differs" if len(names) == 1 else "differ"


_ORDERS = {"higher": "more", "lower": "less"}


def verdict(found: Comparison) -> str:
    """Answer whether B recognises small objects more often than A, in one sentence."""
    row = found.number["accuracy_small"]
    a, b = found.names
    if not row["n"]:
        return f"Small objects cannot be compared: {a} and {b} share none."
    of = f"of {counted(int(row['n']), 'small object')}"
    if nothing_differs(row):
        return f"{b} recognises as many small objects as {a}: {percent(row['b'])} {of} in both."
    tested = f"({span(row)}, {p_equals(row['p_holm'])})"
    difference = f"a difference of {signed(row['difference'])} points {tested}"
    if row["verdict"] == "inconclusive":
        return (
            f"No difference is shown on small objects: {b} recognises {percent(row['b'])} {of}, "
            f"{a} {percent(row['a'])}, {difference}; {size(row['mde'])} points were detectable."
        )
    return (
        f"{b} recognises small objects {_ORDERS[row['verdict']]} often than {a}: "
        f"{percent(row['b'])} against {percent(row['a'])} {of}, {difference}."
    )


def nothing_differs(row: Row) -> bool:
    """Say whether two numbers are the same, in the sample and in every draw of it."""
    return bool(row["a"] == row["b"] and row["ci_low"] == row["ci_high"])


def points(found: Comparison) -> list[str]:
    """Say what else stands in the tables: what turned, other numbers, conditions."""
    return [say for say in (_turned(found), _numbers(found), _conditions(found)) if say]


def _turned(found: Comparison) -> str:
    rows = {row["size_group"]: row for row in found.counts.to_dict("records")}
    small, whole = rows["small"], rows["all"]
    if not (whole["fixed"] or whole["broken"]):
        return "By most of the seeds, no object is right in one study and wrong in the other."
    every = (
        f"of all sizes, {whole['fixed']} of {whole['failed']} are fixed and {whole['broken']} of "
        f"{whole['right']} newly broken"
    )
    if not small["n"]:
        return f"By most of the seeds, {every}."
    return (
        f"Of {counted(small['failed'], 'small object')} that A gets wrong, B gets {small['fixed']} "
        f"right; of {small['right']} that A gets right, B gets {small['broken']} wrong; {every}."
    )


def _numbers(found: Comparison) -> str:
    """Tell of the headline's other numbers."""
    rows = [row for name, row in found.number.items() if name != "accuracy_small"]
    known = [row for row in rows if math.isfinite(row["difference"])]
    parts = [
        f"{order} in B is "
        + listed([f"{NUMBERS[row['number']].phrase} ({_told(row)})" for row in part])
        for order in _ORDERS
        if (part := [row for row in known if row["verdict"] == order])
    ]
    neither = [row for row in known if row["verdict"] not in _ORDERS and not nothing_differs(row)]
    if neither:
        # A factor has no place among points.
        some = [row for row in neither if row["number"] != FACTOR]
        least = f" ({detectable(some)})" if some else ""
        parts.append(f"no difference is shown in {listed(_phrases(neither))}{least}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _phrases(rows: Sequence[Row]) -> list[str]:
    """Name numbers in a sentence, all accuracies at once."""
    names = [row["number"] for row in rows]
    groups = [name.removeprefix("accuracy_") for name in names if name.startswith("accuracy_")]
    told = [f"accuracy on {listed(groups)} objects"] if groups else []
    return told + [NUMBERS[name].phrase for name in names if not name.startswith("accuracy_")]


def _conditions(found: Comparison) -> str:
    """Tell under which conditions the accuracy differs."""
    rows = [row for row in found.conditions.to_dict("records") if row["n"]]
    changed = [row for row in rows if row["family"] != UNTOUCHED]
    if not changed:
        return ""
    parts = []
    for order in _ORDERS:
        part = [row for row in changed if row["verdict"] == order]
        part.sort(key=lambda row: -abs(row["difference"]))
        if part:
            verb = "is" if len(part) == 1 else "are"
            parts.append(
                f"{len(part)} {verb} {order} in B, {listed([_brief(found, row) for row in part])}"
            )
    neither = [row for row in changed if row["verdict"] not in _ORDERS]
    if neither and all(map(nothing_differs, neither)):
        parts.append("the rest are equal" if parts else "all are equal")
    elif neither:
        where = "no difference is shown in the rest" if parts else "in none is a difference shown"
        parts.append(f"{where} ({detectable(neither)})")
    return f"Of {counted(len(changed), 'comparison')} by condition and size: {'; '.join(parts)}."


def _brief(found: Comparison, row: Row) -> str:
    name = label(found, row["family"], row["level"])
    return f"“{name}” {signed(row['difference'])} ({row['size_group']}, {row['regime']} head)"


def label(found: Comparison, family: str, level: str) -> str:
    """Call a condition by its family's label, and by its level where it has or had others.

    Of a level, the options that vary between the levels in this comparison.
    """
    name = family_label(family)
    same = {one.level: one for one in found.pair.conditions if one.family == family}
    if same[level].a == same[level].b == family:
        return name
    options = {other: other.split(",") for other in same}
    varying = [one for one in options[level] if not all(one in parts for parts in options.values())]
    return f"{name}, {', '.join(varying) or level}"


def _told(row: Row) -> str:
    """Write a difference with its interval and adjusted test, inside brackets."""
    tested = p_equals(row["p_holm"])
    if row["number"] == FACTOR:
        ends = factor_span(row["ci_low"], row["ci_high"])
        return f"by a factor of {factor(row['difference'])}, {ends}, {tested}"
    return f"{signed(row['difference'])} points, {span(row)}, {tested}"
