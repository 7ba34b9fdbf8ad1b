"""Computes the differences of two studies: headline numbers, and accuracies by condition.

The numbers of both studies come from the same draws of the same images. Each difference is taken
draw by draw, so that its interval leaves out whatever makes both scatter alike.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from smallsight.analysis.gap import gap_parts
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.analysis.statistics.psychometric import Grid
from smallsight.analysis.thresholds import fit_untouched
from smallsight.comparison.pairs import Pair, SharedCondition
from smallsight.conditions.rendered.names import UNTOUCHED, split_name
from smallsight.vocabulary import ALL_AND_GROUPS

VERDICTS = verdicts.verdict_words("higher", "lower")
"""Words for the direction of a difference: the number is higher in B, lower in B, or neither."""

NUMBER_COLUMNS = (
    *("number", "n", "images", "a", "b", "difference", "ci_low", "ci_high", "p_value", "p_holm"),
    *("mde", "direction", "verdict", "condition_a", "condition_b"),
)

CONDITION_COLUMNS = (
    *("regime", "family", "level", "name_a", "name_b", "size_group", "n", "images", "a", "b"),
    *("difference", "ci_low", "ci_high", "positive_flips", "negative_flips", "p_value", "p_holm"),
    *("mde", "direction", "verdict"),
)


class Number(NamedTuple):
    """A headline number.

    Attributes
    ----------
    label, phrase
        Its name in a table, and in a sentence.
    better
        The direction in which it is better: higher (1), lower (-1), or neither (0).
    """

    label: str
    phrase: str
    better: int


NUMBERS = {
    "accuracy_all": Number("Accuracy, all", "accuracy on all objects", 1),
    "accuracy_small": Number("Accuracy, small", "accuracy on small objects", 1),
    "accuracy_medium": Number("Accuracy, medium", "accuracy on medium objects", 1),
    "accuracy_large": Number("Accuracy, large", "accuracy on large objects", 1),
    "size_gap": Number("Gap, large − small", "the gap between large and small objects", -1),
    "gap_by_resolution": Number("Gap by resolution", "the gap that resolution makes", 0),
    "gap_by_context": Number("Gap by context", "the gap that context makes", 0),
    "threshold_pixels": Number("Threshold in pixels", "the threshold in pixels", -1),
    "worst_effect_on_small": Number("Worst effect, small", "the worst effect on small objects", 1),
}
"""The numbers of `analysis.headline`, in the same order."""

FACTOR = "threshold_pixels"
"""The number whose difference is given as a factor, B over A."""


def compare_numbers(pair: Pair) -> pd.DataFrame:
    """Compare the headline numbers, on the shared instances in the first common regime.

    The test of an accuracy is McNemar's exact test on the majority votes of the seeds, with images
    in place of pairs. The test of every other number is Wald's. `p_holm` takes all rows as one
    family, and a direction needs both the interval and `p_holm`.

    Returns
    -------
    DataFrame
        `NUMBER_COLUMNS`, a row per number of `NUMBERS`. `a`, `b` and `difference` are shares of 1.
        The threshold is in pixels of A's input (0 or inf beyond all sides), and its difference is
        the factor B / A, with interval and `mde` on the same scale. A number that one study lacks
        has no difference, nor has the worst effect where the two conditions are not the same.
    """
    regime = pair.regimes[0]
    rows = [_accuracy(pair, group) for group in ALL_AND_GROUPS]
    rows += _gaps(pair, regime)
    rows += [_threshold(pair, regime), _worst_effect(pair, regime)]
    table = pd.DataFrame(rows).reindex(columns=list(NUMBER_COLUMNS))
    table["n"] = table["n"].astype(int)
    judged = verdicts.judge(table, VERDICTS, confidence=pair.a.settings.confidence)
    # The threshold is judged as a logarithm against 0, and shown as a factor.
    is_factor = judged["number"] == FACTOR
    columns = ["difference", "ci_low", "ci_high", "mde"]
    judged.loc[is_factor, columns] = np.exp(judged.loc[is_factor, columns].astype(float))
    return judged


def compare_conditions(pair: Pair) -> pd.DataFrame:
    """Compare the accuracies under every condition that both studies have, in every common regime.

    `p_holm` takes all rows as one family. Untouched pictures have rows in the first regime alone,
    for all regimes agree on them.

    Returns
    -------
    DataFrame
        `CONDITION_COLUMNS`, a row per regime, condition and size group, `all` first.
        `positive_flips` counts the instances that are wrong in A and right in B, `negative_flips`
        those that are right in A and wrong in B.
    """
    rows = []
    for condition in pair.conditions:
        if condition.family == UNTOUCHED and condition.regime != pair.regimes[0]:
            continue
        flips = pair.flips(condition)
        for group in ALL_AND_GROUPS:
            row = condition._asdict()
            row |= {"name_a": row.pop("a"), "name_b": row.pop("b"), "size_group": group}
            row |= pair.a.size(group)
            if row["n"]:
                chosen = flips[pair.a.members[group]]
                row["positive_flips"] = int((chosen == 1).sum())
                row["negative_flips"] = int((chosen == -1).sum())
                row |= _tested(pair, condition, group)
            rows.append(row)
    table = pd.DataFrame(rows).reindex(columns=list(CONDITION_COLUMNS))
    return verdicts.judge(table, VERDICTS, confidence=pair.a.settings.confidence)


def _accuracy(pair: Pair, group: str) -> dict[str, Any]:
    row = {"number": f"accuracy_{group}", **pair.a.size(group)}
    return row | (_tested(pair, pair.untouched, group) if row["n"] else {})


def _tested(pair: Pair, condition: SharedCondition, group: str) -> dict[str, Any]:
    """Compare one group's accuracy under one condition, by McNemar's exact test."""
    size, confidence = pair.a.size(group), pair.a.settings.confidence
    a = pair.a.accuracy(condition.regime, condition.a, group)
    b = pair.b.accuracy(condition.regime, condition.b, group)
    row = _compared(pair, a, b, images=size["images"])
    row["p_value"] = pair.a.flip_p(pair.flips(condition), pair.a.members[group])
    floor = min(tests.fewest_discordant(confidence) / size["n"], 1.0)
    return row | {"mde": float(np.fmax(row["mde"], floor))}


def _compared(pair: Pair, a: np.ndarray, b: np.ndarray, *, images: int) -> dict[str, Any]:
    """Subtract A's draws, (1 + draws,), the estimate first, from B's; test by Wald."""
    row = {"a": a[0], "b": b[0], "difference": b[0] - a[0]}
    confidence = pair.a.settings.confidence
    return row | bootstrap.estimate(b - a, confidence=confidence, images=images)


def _gaps(pair: Pair, regime: str) -> list[dict[str, Any]]:
    """Compare the gap between large and small objects, and the parts of two of its causes."""
    about = pair.a.size("small", "large")
    images = min(pair.a.size(group)["images"] for group in ("small", "large"))
    rows = {name: {"number": name, **about} for name in NUMBERS if "gap" in name}
    if images:
        a, b = (
            one.accuracy(regime, UNTOUCHED, "large") - one.accuracy(regime, UNTOUCHED, "small")
            for one in (pair.a, pair.b)
        )
        rows["size_gap"] |= _compared(pair, a, b, images=images)
    parts = [gap_parts(one, regime) for one in (pair.a, pair.b)]
    for part in ("resolution", "context"):
        row = rows[f"gap_by_{part}"]
        if all(parts):
            row |= _compared(pair, parts[0][part], parts[1][part], images=images)
        else:
            known = zip(("a", "b"), parts, strict=True)
            row |= {side: found[part][0] for side, found in known if found}
    return list(rows.values())


def _threshold(pair: Pair, regime: str) -> dict[str, Any]:
    """Compare the thresholds, as the logarithm of their ratio."""
    about = pair.a.size("all")
    row = {"number": FACTOR, **about}
    a, b = (
        fit_untouched(one, regime, Grid(np.log(one.side), one.chance)).locations
        for one in (pair.a, pair.b)
    )
    row |= {"a": np.exp(a[0]), "b": np.exp(b[0])}
    if not np.isfinite([a[0], b[0]]).all():
        return row
    confidence, images = pair.a.settings.confidence, about["images"]
    # In a draw where both thresholds lie beyond all sides, their ratio is unknown.
    with np.errstate(invalid="ignore"):
        shift = b - a
    low, high = bootstrap.percentile_interval(shift[1:], confidence, images=images)
    # The interval stands for the standard error: a few draws may be infinite.
    reach = stdtrit(max(images - 1, 1), (1 + confidence) / 2)
    error = (high - low) / 2 / reach if np.isfinite([low, high]).all() else np.nan
    return row | {
        "difference": shift[0],
        "ci_low": low,
        "ci_high": high,
        "p_value": tests.wald_p(shift[0], error, images=images),
        "mde": tests.minimum_detectable(error, confidence=confidence),
    }


def _worst_effect(pair: Pair, regime: str) -> dict[str, Any]:
    """Compare the effects of the corruption that costs small objects most in each study."""
    row: dict[str, Any] = {"number": "worst_effect_on_small", **pair.a.size("small")}
    if not row["n"]:
        return row
    a, b = (_worst(pair, outcomes, regime) for outcomes in (pair.a, pair.b))
    for side, found in (("a", a), ("b", b)):
        if found:
            row |= {f"condition_{side}": found[0], side: found[1][0]}
    same = {(one.a, one.b) for one in pair.conditions if one.regime == regime}
    if a and b and (a[0], b[0]) in same:
        row |= _compared(pair, a[1], b[1], images=row["images"])
    return row


def _worst(pair: Pair, outcomes: Outcomes, regime: str) -> tuple[str, np.ndarray] | None:
    """Return the corruption with the lowest effect on small objects, and its effect by draw."""
    reference = outcomes.accuracy(regime, UNTOUCHED, "small")
    effects = {
        name: outcomes.accuracy(regime, name, "small") - reference
        for name in outcomes.changed_conditions(regime)
        if not pair.is_intervention(split_name(name)[0])
    }
    return min(effects.items(), key=lambda item: item[1][0]) if effects else None
