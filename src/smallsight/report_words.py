"""Sentences that say what the tables support, and no more.

A direction ("less often", "larger") is written only where the verdict of its test gives one. Of
anything else the sentence says what could have been found.
"""

import math
from collections.abc import Callable, Iterable, Sequence

from smallsight.conditions import UNTOUCHED
from smallsight.report_marks import named
from smallsight.report_study import GROUPS, Row, Step, Study
from smallsight.report_text import (
    counted,
    factor,
    factor_span,
    interval,
    listed,
    p_equals,
    percent,
    signed,
    size,
    span,
    threshold,
    threshold_span,
)
from smallsight.vocabulary import DIFFERENCE

_LEAD = {
    "fixed": "With the head left as it is",
    "retrained": "With a head trained again under each condition",
}


def verdict(study: Study) -> str:
    """Answer whether small objects are recognised less often than large ones, in one sentence."""
    rows = study.claims[study.claims["claim"] == "small_worse_untouched"].to_dict("records")
    small, large = (
        study.estimate(study.headline, UNTOUCHED, group) for group in ("small", "large")
    )
    if not rows or small is None or large is None:
        lacking = [
            name
            for name, estimate in (("small", small), ("large", large))
            if estimate is None or not estimate.n
        ]
        why = f"no accuracy for {listed(lacking)} objects" if lacking else "nothing tests it"
        return f"Small and large objects cannot be compared: {why}."
    row = rows[0]
    numbers = f"{percent(small.acc)} of {small.n}, against {percent(large.acc)} of {large.n}"
    if row["verdict"] == "inconclusive":
        return (
            f"Small and large objects are not told apart by this sample: {numbers}; a gap of "
            f"{size(row['mde'])} points was detectable."
        )
    order, ends = "less", (row["ci_low"], row["ci_high"])
    if row["verdict"] == "contradicted":
        order, ends = "more", (-row["ci_high"], -row["ci_low"])
    gap = f"a gap of {size(row['effect'])} points ({' to '.join(map(size, ends))})"
    return f"Small objects are recognised {order} often than large ones: {numbers}, {gap}."


def points(study: Study) -> list[str]:
    """Say what else stands in the tables: intervals, comparisons, changes, thresholds."""
    sentences = [_intervals(study), _levels(study)]
    sentences += [_changes(study, regime) for regime in study.regimes]
    sentences += [
        _by_regime(study, "Small against large objects, change by change", _contrast),
        _by_regime(study, "To be recognised as often as untouched, by the fitted curves", _cost),
    ]
    return [sentence for sentence in sentences if sentence]


def _by_regime(study: Study, start: str, say: Callable[[Study, str], str]) -> str:
    """Put together what is said of each regime."""
    told = {regime: say(study, regime) for regime in study.regimes}
    parts = [f"{regime} head, {text}" for regime, text in told.items() if text]
    return f"{start}: {'; '.join(parts)}." if parts else ""


def _intervals(study: Study) -> str:
    estimates = {group: study.estimate(study.headline, UNTOUCHED, group) for group in GROUPS}
    known = {group: one for group, one in estimates.items() if one is not None and one.is_known}
    if not known:
        return ""
    parts = [f"{group} {percent(one.acc)} ({interval(one)})" for group, one in known.items()]
    text = f"On untouched pictures, with {confidence(study)} intervals: {listed(parts)}."
    row = study.threshold(study.headline, UNTOUCHED)
    if row is None:
        return text
    return (
        f"{text} Half-way from chance to the best accuracy lies a side of {threshold(row)} pixels "
        f"({threshold_span(row)})."
    )


def _levels(study: Study) -> str:
    """Put small objects beside answers that need no picture; no test compares them."""
    small = study.estimate(study.headline, UNTOUCHED, "small")
    categories = study.sample["category_name"].nunique()
    if categories == 1:
        return "The sample holds 1 category: accuracy says nothing about recognition."
    names = study.sample.loc[study.sample["size_group"] == "small", "category_name"]
    if small is None or not small.is_known or names.empty:
        return ""
    common = float(names.value_counts(normalize=True).iloc[0])
    return (
        f"Without looking, guessing is right for {percent(1 / categories)} of small objects, and "
        f"naming their commonest category every time for {percent(common)}."
    )


def _changes(study: Study, regime: str) -> str:
    """Compare small objects under each change with the same objects untouched."""
    rows = _rows(study, regime, "small", [step for step in study.changes if step.is_reference])
    if not rows:
        return ""
    lower, higher, neither = _by_verdict(rows)
    told = [
        f"{order} often under {listed([_told(study, row) for row in part])}"
        for order, part in (("less", lower), ("more", higher))
        if part
    ]
    parts = [f"small objects are recognised {' and '.join(told)}"] if told else []
    if neither:
        names = listed([named(study, row["condition"], "small") for row in neither])
        parts.append(f"no change on them is shown under {names} ({_detectable(neither)})")
    text = f"{_LEAD.get(regime, regime)}, {'; '.join(parts)}."
    if not told:
        text = text.replace("on them", "on small objects", 1)
    return f"{text} {_further(study, regime)}".strip()


def _further(study: Study, regime: str) -> str:
    """Sum up the levels beyond the reference ones."""
    rows = _rows(study, regime, "small", [step for step in study.changes if not step.is_reference])
    if not rows:
        return ""
    lower, higher, neither = _by_verdict(rows)
    told = [
        f"{len(part)} {order}, {listed([_brief(study, row) for row in part])}"
        for order, part in (("lower", lower), ("higher", higher))
        if part
    ]
    if not told:
        levels = counted(len(rows), "further level")
        return f"No change is shown under {levels} ({_detectable(neither)})."
    if neither:
        told.append(f"{len(neither)} without a change that is shown ({_detectable(neither)})")
    return f"Of {counted(len(rows), 'further level')}: {'; '.join(told)}."


def _contrast(study: Study, regime: str) -> str:
    """Compare what changes do to small objects with what they do to large ones."""
    rows = _rows(study, regime, DIFFERENCE, study.changes)
    if not rows:
        return ""
    lower, higher, neither = _by_verdict(rows)
    told = [
        f"small ones lose {order} under "
        f"{listed([_told(study, row, 'small', 'large') for row in part])}"
        for order, part in (("more, or gain less,", lower), ("less, or gain more,", higher))
        if part
    ]
    if not told:
        return f"no difference is shown ({_detectable(neither)})"
    return " and ".join(told)


def _cost(study: Study, regime: str) -> str:
    """Say by which factor a change moves the threshold, where the verdict gives a direction."""
    rows = [study.threshold(regime, step.name) for step in study.changes]
    known = [row for row in rows if row is not None and row["cost"] > 0]
    if not known:
        return ""
    larger = [row for row in known if row["verdict"] == "larger"]
    smaller = [
        {
            "condition": row["condition"],
            "cost": 1 / row["cost"],
            "cost_low": 1 / row["cost_high"],
            "cost_high": _inverse(row["cost_low"]),
        }
        for row in known
        if row["verdict"] == "smaller"
    ]
    told = [
        f"an object {order} by a factor of {_factors(study, part)}"
        for order, part in (("must be larger", larger), ("may be smaller", smaller))
        if part
    ]
    return " and ".join(told) or "no factor is shown"


def _factors(study: Study, rows: Sequence[Row]) -> str:
    """Write costs; of further levels only how many there are, where there are others."""
    references = [row for row in rows if "/" not in row["condition"]] or rows
    parts = [
        f"{factor(row['cost'])} ({factor_span(row['cost_low'], row['cost_high'])}) under "
        f"{named(study, row['condition'])}"
        for row in references
    ]
    more = len(rows) - len(references)
    if more:
        parts.append(f"more than 1 under {counted(more, 'further level')}")
    return listed(parts)


def _inverse(value: float) -> float:
    return 1 / value if value > 0 else math.inf


def _rows(study: Study, regime: str, group: str, steps: Iterable[Step]) -> list[Row]:
    rows = (study.effect(regime, step.name, group) for step in steps)
    return [row for row in rows if row is not None]


def _by_verdict(rows: Sequence[Row]) -> list[list[Row]]:
    """Sort effects by their verdicts: lower, higher, neither."""
    sorted_out: dict[str, list[Row]] = {"lower": [], "higher": [], "inconclusive": []}
    for row in rows:
        sorted_out[row["verdict"]].append(row)
    return list(sorted_out.values())


def _told(study: Study, row: Row, *groups: str) -> str:
    marked = named(study, row["condition"], *(groups or (row["size_group"],)))
    return f"{marked} ({signed(row['delta'])} points, {span(row)}, {p_equals(row['p_holm'])})"


def _brief(study: Study, row: Row) -> str:
    return f"{named(study, row['condition'], row['size_group'])} ({signed(row['delta'])})"


def _detectable(rows: Sequence[Row]) -> str:
    """Say what could have been found where nothing is shown."""
    ends = sorted({size(pick(row["mde"] for row in rows)) for pick in (min, max)}, key=float)
    return f"detectable: {' to '.join(ends)} points"


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


def confidence(study: Study) -> str:
    """Write the intervals' confidence in percent."""
    return f"{100 * study.params.analysis.confidence:g}%"
