"""Sentences that say what the tables support, and no more.

A direction ("less often", "larger") is written only where the verdict of its test gives one. Of
anything else the sentence says what could have been found.
"""

import math
from collections.abc import Callable, Iterable, Sequence

from smallsight.conditions.names import UNTOUCHED
from smallsight.report.marks import named
from smallsight.report.rows import Row
from smallsight.report.sections import cause_words
from smallsight.report.sections.sample import without_looking
from smallsight.report.study import Step, Study
from smallsight.report.text import (
    counted,
    detectable,
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
from smallsight.vocabulary import DIFFERENCE, GROUPS

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
        least = f"; a gap of {size(row['mde'])} points was detectable"
        return (
            f"Small and large objects are not told apart by this sample: {numbers}"
            f"{least if math.isfinite(row['mde']) else ''}."
        )
    order, ends = "less", (row["ci_low"], row["ci_high"])
    if row["verdict"] == "contradicted":
        order, ends = "more", (-row["ci_high"], -row["ci_low"])
    gap = f"a gap of {size(row['effect'])} points ({' to '.join(map(size, ends))})"
    return f"Small objects are recognised {order} often than large ones: {numbers}, {gap}."


def finding(study: Study) -> list[str]:
    """Say what follows the verdict on page one: where the gap comes from, and what moves it."""
    sentences = [_by_regime(study, "Where the gap comes from", cause_words.parts)]
    told, _ = _told_changes(study, study.headline)
    if told:
        sentences.append(f"{_LEAD[study.headline]}, small objects are recognised {told}.")
    return [sentence for sentence in sentences if sentence]


def points(study: Study) -> list[str]:
    """Say what stands in the tables: intervals, comparisons, changes, thresholds."""
    sentences = [_intervals(study), without_looking(study)]
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


def _changes(study: Study, regime: str) -> str:
    """Compare small objects under each change with the same objects untouched."""
    told, neither = _told_changes(study, regime)
    parts = [f"small objects are recognised {told}"] if told else []
    if neither:
        names = listed([named(study, row["condition"], "small") for row in neither])
        whom = "them" if told else "small objects"
        parts.append(f"no change on {whom} is shown under {names} ({detectable(neither)})")
    if not parts:
        return ""
    return f"{_LEAD[regime]}, {'; '.join(parts)}. {_further(study, regime)}".strip()


def _told_changes(study: Study, regime: str) -> tuple[str, list[Row]]:
    """Tell under which reference levels small objects are recognised more or less often.

    Returns
    -------
    told, neither
        The words, empty where no verdict gives a direction, and the rows without one.
    """
    steps = [step for step in study.happenings if step.is_reference]
    told, neither = _by_verdict(
        _rows(study, regime, "small", steps),
        ("less", "more"),
        lambda order, part: f"{order} often under {listed([_told(study, row) for row in part])}",
    )
    return " and ".join(told), neither


def _further(study: Study, regime: str) -> str:
    """Sum up the levels beyond the reference ones."""
    rows = _rows(
        study, regime, "small", [step for step in study.happenings if not step.is_reference]
    )
    if not rows:
        return ""
    told, neither = _by_verdict(
        rows,
        ("lower", "higher"),
        lambda order, part: f"{len(part)} {order}, {listed([_brief(study, row) for row in part])}",
    )
    if not told:
        levels = counted(len(rows), "further level")
        return f"No change is shown under {levels} ({detectable(neither)})."
    if neither:
        told.append(f"{len(neither)} without a change that is shown ({detectable(neither)})")
    return f"Of {counted(len(rows), 'further level')}: {'; '.join(told)}."


def _contrast(study: Study, regime: str) -> str:
    """Compare what changes do to small objects with what they do to large ones."""
    rows = _rows(study, regime, DIFFERENCE, study.happenings)
    if not rows:
        return ""
    told, neither = _by_verdict(
        rows,
        ("more, or gain less,", "less, or gain more,"),
        lambda order, part: (
            f"small ones lose {order} under "
            f"{listed([_told(study, row, 'small', 'large') for row in part])}"
        ),
    )
    if not told:
        return f"no difference is shown ({detectable(neither)})"
    return " and ".join(told)


def _cost(study: Study, regime: str) -> str:
    """Say by which factor a change moves the threshold, where the verdict gives a direction."""
    rows = [study.threshold(regime, step.name) for step in study.happenings]
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


def _by_verdict(
    rows: Sequence[Row], orders: tuple[str, str], tell: Callable[[str, list[Row]], str]
) -> tuple[list[str], list[Row]]:
    """Tell which effects are lower and which higher, in these words; give the rest back."""
    by_verdict: dict[str, list[Row]] = {"lower": [], "higher": [], "inconclusive": []}
    for row in rows:
        by_verdict[row["verdict"]].append(row)
    *directed, neither = by_verdict.values()
    told = [tell(order, part) for order, part in zip(orders, directed, strict=True) if part]
    return told, neither


def _told(study: Study, row: Row, *groups: str) -> str:
    marked = named(study, row["condition"], *(groups or (row["size_group"],)))
    return f"{marked} ({signed(row['delta'])} points, {span(row)}, {p_equals(row['p_holm'])})"


def _brief(study: Study, row: Row) -> str:
    return f"{named(study, row['condition'], row['size_group'])} ({signed(row['delta'])})"


def confidence(study: Study) -> str:
    """Write the intervals' confidence in percent."""
    return f"{100 * study.params.analysis.confidence:g}%"
