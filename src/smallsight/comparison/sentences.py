"""Writes the sentences of the page: the answer, what else differs, and what to know beforehand."""

import math
from collections.abc import Sequence

from smallsight.comparison.comparison import ComparedTask, Comparison
from smallsight.comparison.numbers import FACTOR, NUMBERS, VERDICTS
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.rows import Row, by_direction, records
from smallsight.report.subject import AS_IT_IS
from smallsight.report.text import (
    TASK_NAMES,
    counted,
    detectable,
    factor,
    factor_span,
    listed,
    p_equals,
    percent,
    signed,
    span,
    would_find,
)
from smallsight.report.text import points as points_with_ends
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, SCENE

_ORDERS = {1: "more", -1: "less"}
"""How often B recognises objects compared with A, by direction."""

_SHOWN = {
    HEADLINE_TASK: "Shown a window round each object",
    SCENE: "Shown the whole picture",
}
"""What the networks are given in each task."""


def shared(comparison: Comparison) -> str:
    """Write which objects are compared, and how many only one of the studies tests."""
    size_of = comparison.pair.a.size
    groups = [f"{size_of(group)['n']} {group}" for group in GROUPS]
    about = size_of("all")
    a, b = comparison.pair.alone
    others = f"{a} more by A alone, {b} by B alone" if a or b else "no others by either"
    tasks = [TASK_NAMES[one.task] for one in comparison.tasks]
    return (
        f"{counted(about['n'], 'object')} in {counted(about['images'], 'image')} are tested by "
        f"both ({listed(groups)}), {others}. The tasks are {listed(tasks)}. "
        f"Nothing is changed: {comparison.words.caption}."
    )


def notes(comparison: Comparison) -> list[str]:
    """Write what a reader must know of the two studies before comparing them."""
    writers = (_identity, _data, _input, _analysis, _sources)
    return [note for write in writers if (note := write(comparison))]


def _identity(comparison: Comparison) -> str:
    a, b = (side.revision for side in comparison.sides)
    if a.commit and a.commit == b.commit:
        return f"A and B are the same commit, {a.commit}."
    first, second = (side.fingerprints[side.files.predictions] for side in comparison.sides)
    if first == second:
        return "A and B have the same predictions, byte for byte."
    return ""


def _data(comparison: Comparison) -> str:
    keys = [one.name for one in comparison.parameters if one.name.startswith("data.")]
    if not keys:
        return ""
    return (
        f"The objects are the same, but {listed(keys)} {_differ(keys)}: the pictures themselves "
        "may not be."
    )


def _input(comparison: Comparison) -> str:
    if comparison.has_same_input:
        return ""
    return (
        f"B’s input has {factor(comparison.pair.scale)} times as many pixels to a side as A’s. "
        "Sides are given in pixels of A’s input, thresholds in native pixels."
    )


def _analysis(comparison: Comparison) -> str:
    a, b = (side.parameters for side in comparison.sides)
    keys = [
        key for key in ("analysis.confidence", "analysis.bootstrap_draws") if a.get(key) != b[key]
    ]
    if not keys:
        return ""
    values = listed([f"{key} is {b[key]} there and {a.get(key, 'absent')} in A" for key in keys])
    return f"Intervals are made as in B: {values}."


def _sources(comparison: Comparison) -> str:
    names = [one.name for one in comparison.sources]
    if not names:
        return ""
    return f"Code or data beside the parameters {_differ(names)}, by dvc.lock: {listed(names)}."


def _differ(names: Sequence[str]) -> str:
    return "differs" if len(names) == 1 else "differ"


def verdict(comparison: Comparison, compared: ComparedTask) -> str:
    """Answer in one sentence whether B recognises small objects more often than A in a task."""
    row = compared.number["accuracy_small"]
    a, b = comparison.names
    if not row["n"]:
        return f"Small objects cannot be compared: {a} and {b} share none."
    shown = _SHOWN[compared.task]
    of = f"of {counted(int(row['n']), 'small object')}"
    if nothing_differs(row):
        return (
            f"{shown}, {b} recognises as many small objects as {a}: {percent(row['b'])} {of} in "
            "both."
        )
    told = (
        f"{percent(row['b'])} against {percent(row['a'])} {of}. The difference is "
        f"{points_with_ends(row['difference'], row['ci_low'], row['ci_high'])}"
    )
    if row["direction"] == 0:
        return (
            f"{shown}, it is not decided whether {b} recognises small objects more often than {a}: "
            f"{told}. {would_find([row])}"
        ).strip()
    order = _ORDERS[row["direction"]]
    return f"{shown}, {b} recognises small objects {order} often than {a}: {told}, shown."


def nothing_differs(row: Row) -> bool:
    """Return whether two numbers are the same, in the sample and in every draw of it."""
    return bool(row["a"] == row["b"] and row["ci_low"] == row["ci_high"])


def points(comparison: Comparison) -> list[str]:
    """Write what else the tables show: of the headline's task, and the answer in the other."""
    headline, *others = comparison.tasks
    name = TASK_NAMES[headline.task].capitalize()
    texts = [write(headline) for write in (_flips, _numbers, _conditions)]
    told = [f"{name}: {text}" for text in texts if text]
    return told + [verdict(comparison, one) for one in others]


def _flips(compared: ComparedTask) -> str:
    rows = {row["size_group"]: row for row in records(compared.counts)}
    small, whole = rows["small"], rows["all"]
    by = "by most of the seeds, " if compared.subject is not AS_IT_IS else ""
    if not (whole["positive_flips"] or whole["negative_flips"]):
        return f"{by}no object is right in one study and wrong in the other."
    every = (
        f"Of all sizes, {whole['positive_flips']} of {whole['failed']} are positive flips (wrong "
        f"in A, right in B) and {whole['negative_flips']} of {whole['right']} negative flips "
        "(right in A, wrong in B)."
    )
    if not small["n"]:
        return f"{by}{every[0].lower()}{every[1:]}"
    return (
        f"{by}of {counted(small['failed'], 'small object')} that A gets wrong, B gets "
        f"{small['positive_flips']} right. Of {small['right']} that A gets right, B gets "
        f"{small['negative_flips']} wrong. {every}"
    )


def _numbers(compared: ComparedTask) -> str:
    """Write how the other headline numbers differ."""
    known = [
        row
        for name, row in compared.number.items()
        if name != "accuracy_small" and math.isfinite(row["difference"])
    ]
    up, down, undecided = by_direction(known)
    numbers = NUMBERS[compared.task]
    parts = [
        f"{word} in B is "
        + listed([f"{numbers[row['number']].phrase} ({_difference(row)})" for row in part])
        for word, part in ((VERDICTS[1], up), (VERDICTS[-1], down))
        if part
    ]
    neither = [row for row in undecided if not nothing_differs(row)]
    if neither:
        # A factor has no place among points.
        some = [row for row in neither if row["number"] != FACTOR]
        least = f" ({detectable(some)})" if some else ""
        phrases = _phrases(compared, neither)
        parts.append(f"{VERDICTS[0]} is the difference in {listed(phrases)}{least}")
    return f"{'; '.join(parts)}." if parts else ""


def _phrases(compared: ComparedTask, rows: Sequence[Row]) -> list[str]:
    """Return the phrases for some numbers, with all accuracies in one phrase."""
    numbers = NUMBERS[compared.task]
    names = [row["number"] for row in rows]
    groups = [name.removeprefix("accuracy_") for name in names if name.startswith("accuracy_")]
    accuracies = [f"accuracy on {listed(groups)} objects"] if groups else []
    return accuracies + [numbers[name].phrase for name in names if not name.startswith("accuracy_")]


def _conditions(compared: ComparedTask) -> str:
    """Write under which conditions the accuracy differs."""
    rows = [row for row in records(compared.conditions) if row["n"]]
    changed = [row for row in rows if row["family"] != UNTOUCHED]
    if not changed:
        return ""
    up, down, undecided = by_direction(sorted(changed, key=lambda row: -abs(row["difference"])))
    parts = []
    for word, part in ((VERDICTS[1], up), (VERDICTS[-1], down)):
        if part:
            verb = "is" if len(part) == 1 else "are"
            parts.append(
                f"{len(part)} {verb} {word} in B, "
                + listed([_brief(compared, row) for row in part])
            )
    if undecided and all(map(nothing_differs, undecided)):
        parts.append("the rest are equal" if parts else "all are equal")
    elif undecided:
        where = "the rest are" if parts else "all are"
        parts.append(f"{where} {VERDICTS[0]} ({detectable(undecided)})")
    return f"of {counted(len(changed), 'comparison')} by condition and size, {'; '.join(parts)}."


def _brief(compared: ComparedTask, row: Row) -> str:
    name = compared.condition_label(row["family"], row["level"])
    regime = compared.subject.regimes[row["regime"]].caption
    return f"“{name}” {signed(row['difference'])} ({row['size_group']}, {regime})"


def _difference(row: Row) -> str:
    """Write a difference with its interval and adjusted test."""
    tested = p_equals(row["p_holm"])
    if row["number"] == FACTOR:
        ends = factor_span(row["ci_low"], row["ci_high"])
        return f"by a factor of {factor(row['difference'])}, {ends}, {tested}"
    return f"{signed(row['difference'])} points, {span(row)}, {tested}"
