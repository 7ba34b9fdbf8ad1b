"""Sentences that say what the tables support, and no more.

A direction ("less often", "fall") is written only where two intervals lie apart. That is a strict
rule: of intervals that overlap, the sentence says that they overlap.
"""

import math
from collections.abc import Sequence
from typing import Literal

from smallsight.conditions import UNTOUCHED
from smallsight.report_inputs import GROUPS, Estimate, Study

_MOST_LISTED = 6
"""Names that a sentence can hold."""

Order = Literal["below", "above", "overlapping", "unknown"]


def percent(share: float) -> str:
    """Write a share as a percentage, or a dash where there is none."""
    return f"{100 * share:.1f}%" if math.isfinite(share) else "–"


def interval(estimate: Estimate) -> str:
    """Write an interval in percent, without the sign."""
    if not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return "no interval"
    return f"{100 * estimate.low:.1f}–{100 * estimate.high:.1f}"


def listed(parts: Sequence[str]) -> str:
    """Join parts as a sentence does: a, b and c; of very many, the first and how many more."""
    if len(parts) > _MOST_LISTED:
        parts = [*parts[: _MOST_LISTED - 1], f"{len(parts) - _MOST_LISTED + 1} more"]
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def order(one: Estimate | None, other: Estimate | None) -> Order:
    """Say on which side of the other's interval one interval lies, if it lies apart at all."""
    if one is None or other is None or not (one.is_known and other.is_known):
        return "unknown"
    if one.high < other.low:
        return "below"
    return "above" if one.low > other.high else "overlapping"


def verdict(study: Study) -> str:
    """Answer whether small objects are recognised less often than large ones, in one sentence."""
    regime = next(iter(study.regimes()), "fixed")
    small, large = (study.estimate(regime, UNTOUCHED, group) for group in ("small", "large"))
    found = order(small, large)
    if found == "unknown" or small is None or large is None:
        lacking = [
            name
            for name, estimate in (("small", small), ("large", large))
            if estimate is None or not estimate.is_known
        ]
        return (
            "Small and large objects cannot be compared: "
            f"there is no accuracy with an interval for {listed(lacking)} objects."
        )
    numbers = f"{percent(small.acc)} of {small.n}, against {percent(large.acc)} of {large.n}"
    if found == "below":
        return f"Small objects are recognised less often than large ones: {numbers}."
    if found == "above":
        return f"Small objects are recognised more often than large ones: {numbers}."
    return f"Small and large objects are not told apart by this sample: {numbers}."


def points(study: Study) -> list[str]:
    """Say what else stands in the tables: intervals, comparisons, changes, regimes."""
    sentences = (_intervals(study), _levels(study), _changes(study), _regimes(study))
    return [sentence for sentence in sentences if sentence]


def _intervals(study: Study) -> str:
    regime = next(iter(study.regimes()), "fixed")
    estimates = {group: study.estimate(regime, UNTOUCHED, group) for group in GROUPS}
    known = {group: one for group, one in estimates.items() if one is not None and one.is_known}
    if not known:
        return ""
    parts = [f"{group} {percent(one.acc)} ({interval(one)})" for group, one in known.items()]
    text = f"On untouched pictures, with {_confidence(study)} intervals: {listed(parts)}."
    found = order(known.get("small"), known.get("large"))
    if found == "unknown":
        return text
    apart = "overlap, which leaves either order open" if found == "overlapping" else "lie apart"
    return f"{text} The intervals of small and large {apart}."


def _levels(study: Study) -> str:
    """Compare small objects with answers that need no picture."""
    small = study.estimate(next(iter(study.regimes()), "fixed"), UNTOUCHED, "small")
    categories = study.sample["category_name"].nunique()
    if categories < 2:
        return f"The sample holds {categories} category: accuracy says nothing about recognition."
    if small is None or not small.is_known:
        return ""
    names = study.sample.loc[study.sample["size_group"] == "small", "category_name"]
    if names.empty:
        return ""
    common = float(names.value_counts(normalize=True).iloc[0])
    level = f"naming the commonest category every time, which is right for {percent(common)}"
    if small.low > common:
        return f"Small objects are recognised more often than by {level} of them."
    if small.high < common:
        return f"Small objects are recognised less often than by {level} of them."
    return f"For small objects the network is not told apart from {level} of them."


def _changes(study: Study) -> str:
    """Compare small objects under each change with the untouched ones, the head being fixed."""
    base = study.estimate("fixed", UNTOUCHED, "small")
    if base is None or not base.is_known or not study.changes():
        return ""
    pairs = {name: study.estimate("fixed", name, "small") for name in study.changes()}
    lower, higher, same = _sorted_by_order(study, pairs, dict.fromkeys(pairs, base))
    parts = []
    if lower:
        parts.append(f"fall from {percent(base.acc)} to {listed(lower)}")
    if higher:
        parts.append(f"rise from {percent(base.acc)} to {listed(higher)}")
    text = "With the head left as it is, small objects "
    if parts:
        text += f"{', and '.join(parts)}."
        return f"{text} {_overlaps(same, 'the untouched one')}" if same else text
    return f"{text}show no clear change. {_overlaps(same, 'the untouched one')}" if same else ""


def _regimes(study: Study) -> str:
    """Compare the two regimes on small objects, change by change."""
    fixed = {name: study.estimate("fixed", name, "small") for name in study.changes()}
    again = {name: study.estimate("retrained", name, "small") for name in study.changes()}
    lower, higher, same = _sorted_by_order(study, again, fixed)
    if not (lower or higher or same):
        return ""
    text = "With the head trained again on the changed pictures, small objects "
    parts = [
        f"{verb} {listed(group)}"
        for verb, group in (("reach more:", higher), ("reach less:", lower))
        if group
    ]
    if not parts:
        return f"{text}show no clear change. {_overlaps(same, 'the fixed head’s')}"
    text += f"{', and '.join(parts)}."
    return f"{text} {_overlaps(same, 'the fixed head’s')}" if same else text


def _sorted_by_order(
    study: Study, estimates: dict[str, Estimate | None], bases: dict[str, Estimate | None]
) -> tuple[list[str], list[str], list[str]]:
    """Sort conditions by the side of their base they lie on: below, above, overlapping."""
    sides: dict[Order, list[str]] = {"below": [], "above": [], "overlapping": [], "unknown": []}
    for name, estimate in estimates.items():
        side = order(estimate, bases[name])
        value = f"{percent(estimate.acc)} under " if estimate and side != "overlapping" else ""
        sides[side].append(f"{value}“{study.label(name)}”")
    return sides["below"], sides["above"], sides["overlapping"]


def _overlaps(names: Sequence[str], base: str) -> str:
    intervals = "the interval overlaps" if len(names) == 1 else "the intervals overlap"
    return f"Under {listed(names)} {intervals} {base}: nothing is shown there either way."


def shortfalls(study: Study) -> list[str]:
    """Name the size groups that have fewer instances than were asked for."""
    due = int(study.sampling["requested_per_group"])
    sentences = []
    for group in GROUPS:
        drawn = int(study.sampling["drawn"].get(group, 0))
        eligible = sum(study.sampling["eligible"].get(group, {}).values())
        if drawn < due:
            text = f"{group.capitalize()}: {drawn} of the {due} requested were drawn"
            sentences.append(f"{text}; {eligible} were eligible.")
    return sentences


def counted(number: int, noun: str) -> str:
    """Write a count with its noun: 1 object, 2 objects."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def sample_line(study: Study) -> str:
    """Describe the sample in one line."""
    table = study.sample
    groups = ", ".join(f"{(table['size_group'] == group).sum()} {group}" for group in GROUPS)
    categories = table["category_name"].nunique()
    return (
        f"{counted(len(table), 'object')} in {counted(table['image_id'].nunique(), 'image')}: "
        f"{groups}; {categories} {'category' if categories == 1 else 'categories'}; "
        f"source: {study.params.data.source}."
    )


def _confidence(study: Study) -> str:
    return f"{100 * study.params.analysis.confidence:g}%"
