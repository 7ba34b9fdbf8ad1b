"""Computes the differences of two studies: headline numbers, and accuracies by condition.

The numbers of both studies come from the same draws of the same images. Each difference is taken
draw by draw, so that its interval leaves out whatever makes both scatter alike.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from smallsight.analysis.ladder import (
    NOT_IDENTIFIED,
    arrange_rungs,
    compute_gap_parts,
    split_gap,
)
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.pixel_sweep import arrange_sweep, fit_sweep
from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.analysis.terms import PARTS
from smallsight.comparison.pairs import Pair, SharedCondition, Tables
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.vocabulary import ALL_AND_GROUPS, HEADLINE_TASK, INSTANCE, SCENE

VERDICTS = verdicts.verdict_words("higher", "lower")
"""Words for the direction of a difference: the number is higher in B, lower in B, or neither."""

NUMBER_COLUMNS = (
    *("task", "number", "n", "images", "a", "b", "difference", "ci_low", "ci_high", "p_value"),
    *("p_holm", "mde", "direction", "verdict", "about_a", "about_b"),
)

CONDITION_COLUMNS = (
    *("task", "regime", "family", "level", "name_a", "name_b", "size_group", "n", "images"),
    *("a", "b", "difference", "ci_low", "ci_high", "positive_flips", "negative_flips"),
    *("p_value", "p_holm", "mde", "direction", "verdict"),
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


IN_BOTH_TASKS = {
    "accuracy_all": Number("Accuracy, all", "accuracy on all objects", 1),
    "accuracy_small": Number("Accuracy, small", "accuracy on small objects", 1),
    "accuracy_medium": Number("Accuracy, medium", "accuracy on medium objects", 1),
    "accuracy_large": Number("Accuracy, large", "accuracy on large objects", 1),
    "size_gap": Number("Gap, large − small", "the gap between large and small objects", -1),
    "worst_effect_on_small": Number("Worst effect, small", "the worst effect on small objects", 1),
}
NUMBERS = {
    HEADLINE_TASK: IN_BOTH_TASKS
    | {
        "threshold_pixels": Number("Threshold", "the threshold in native pixels", -1),
    },
    SCENE: IN_BOTH_TASKS
    | {
        "ladder_largest_step": Number("Largest step of the ladder", "the ladder’s largest step", 0),
    },
}
"""By task, the numbers of `analysis.headline` that two studies of the same objects can differ in.

The ladder begins at the whole picture: its steps are parts of the gap of the scene task."""

FACTOR = "threshold_pixels"
"""The number whose difference is given as a factor, B over A."""

LARGEST_STEP = "ladder_largest_step"
"""The number that is about a step of the ladder."""

_PIXELS = "pixels"
"""The family that shows the same objects with few pixels and many."""


def compare_numbers(pair: Pair) -> pd.DataFrame:
    """Compare a task's headline numbers, on the shared instances in the first common regime.

    Differences of accuracies are tested by the sign-flip permutation of images, all others by
    Wald's test. `p_holm` takes all rows as one family, and a direction needs both the interval and
    `p_holm`.

    Returns
    -------
    DataFrame
        `NUMBER_COLUMNS`, a row per number of `NUMBERS`. `a`, `b` and `difference` are shares of 1.
        The threshold is in native pixels, and its difference is the factor B / A, with interval and
        `mde` on the same scale. `mde` is at the level of the strictest of these tests. `about_a`
        and `about_b` name the condition of the worst effect, and the largest step; where they
        differ there is no difference, nor is there one of a number that one study lacks.
    """
    regime = pair.regimes[0]
    numbers = NUMBERS[pair.task]
    level = (1 - pair.a.settings.confidence) / len(numbers)
    rows = [_accuracy(pair, group, level) for group in ALL_AND_GROUPS]
    rows += [_gap(pair, level), _worst_effect(pair, regime, level)]
    rows.append(_threshold(pair, regime, level) if FACTOR in numbers else _step(pair, level))
    table = pd.DataFrame(rows).assign(task=pair.task).reindex(columns=list(NUMBER_COLUMNS))
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
    for all regimes agree on them. Sweeps have none.

    Returns
    -------
    DataFrame
        `CONDITION_COLUMNS`, a row per regime, condition and size group, `all` first.
        `positive_flips` counts the instances that are wrong in A and right in B, `negative_flips`
        those that are right in A and wrong in B.
    """
    shown = [
        one for one in pair.conditions if one.family != UNTOUCHED or one.regime == pair.regimes[0]
    ]
    level = (1 - pair.a.settings.confidence) / (len(shown) * len(ALL_AND_GROUPS))
    rows = []
    for condition in shown:
        flips = pair.flips(condition)
        for group in ALL_AND_GROUPS:
            row = condition._asdict()
            row |= {"name_a": row.pop("a"), "name_b": row.pop("b"), "size_group": group}
            row |= pair.a.size(group)
            if row["n"]:
                chosen = flips[pair.a.members[group]]
                row["positive_flips"] = int((chosen == 1).sum())
                row["negative_flips"] = int((chosen == -1).sum())
                row |= _tested(pair, condition, group, level)
            rows.append(row)
    table = pd.DataFrame(rows).assign(task=pair.task).reindex(columns=list(CONDITION_COLUMNS))
    return verdicts.judge(table, VERDICTS, confidence=pair.a.settings.confidence)


def _accuracy(pair: Pair, group: str, level: float) -> dict[str, Any]:
    row = {"number": f"accuracy_{group}", **pair.a.size(group)}
    return row | (_tested(pair, pair.untouched, group, level) if row["n"] else {})


def _tested(pair: Pair, condition: SharedCondition, group: str, level: float) -> dict[str, Any]:
    """Compare one group's accuracy under one condition, by permutation."""
    size = pair.a.size(group)
    a = pair.a.accuracy(condition.regime, condition.a, group)
    b = pair.b.accuracy(condition.regime, condition.b, group)
    row = _compared(pair, a, b, images=size["images"], level=level)
    changes = pair.changes(condition, group)
    least = tests.detectable_change(changes, level=level, whole=pair.answers)
    least = min(least / (pair.answers * size["n"]), 1.0)
    return row | {"p_value": tests.sign_flip_p(changes), "mde": float(np.fmax(row["mde"], least))}


def _compared(
    pair: Pair, a: np.ndarray, b: np.ndarray, *, images: int, level: float
) -> dict[str, Any]:
    """Subtract A's draws, (1 + draws,), the estimate first, from B's; test by Wald.

    Parameters
    ----------
    level
        The largest p-value that counts, for the detectable difference.
    """
    draws = b - a
    confidence = pair.a.settings.confidence
    low, high = bootstrap.percentile_interval(draws[1:], confidence, images=images)
    error = bootstrap.standard_error(draws[1:], images=images)
    return {
        "a": a[0],
        "b": b[0],
        "difference": draws[0],
        "ci_low": low,
        "ci_high": high,
        "p_value": tests.wald_p(draws[0], error, images=images),
        "mde": tests.minimum_detectable(error, confidence=1 - level, images=images),
    }


def _images_of_both(pair: Pair) -> int:
    """Count the images of small objects or of large ones, whichever are fewer."""
    return min(pair.a.size(group)["images"] for group in ("small", "large"))


def _gap(pair: Pair, level: float) -> dict[str, Any]:
    """Compare the gap between large and small objects."""
    row: dict[str, Any] = {"number": "size_gap", **pair.a.size("small", "large")}
    images = _images_of_both(pair)
    if not images:
        return row
    regime = pair.regimes[0]
    a, b = (
        one.accuracy(regime, UNTOUCHED, "large") - one.accuracy(regime, UNTOUCHED, "small")
        for one in (pair.a, pair.b)
    )
    return row | _compared(pair, a, b, images=images, level=level)


def _step(pair: Pair, level: float) -> dict[str, Any]:
    """Compare the step of the ladder that changes the gap most in each study."""
    row: dict[str, Any] = {"number": LARGEST_STEP, **pair.a.size("small", "large")}
    a, b = (
        _largest_step(tables, outcomes)
        for tables, outcomes in zip(pair.tables, (pair.a, pair.b), strict=True)
    )
    return row | _compared_if_same(pair, a, b, images=_images_of_both(pair), level=level)


def _largest_step(tables: Tables, outcomes: Outcomes) -> tuple[str, np.ndarray] | None:
    """Return the largest step that is identified, and its part of the gap by draw."""
    rungs = arrange_rungs(tables.rungs, outcomes)
    parts = compute_gap_parts(rungs, outcomes)
    steps = parts[~parts["part"].isin(list(PARTS)) & (parts["verdict"] != NOT_IDENTIFIED)]
    steps = steps.dropna(subset="value")
    if steps.empty:
        return None
    name = str(steps["part"].iloc[steps["value"].abs().argmax()])
    return name, split_gap(rungs, outcomes)[name]


def _worst_effect(pair: Pair, regime: str, level: float) -> dict[str, Any]:
    """Compare the effects of the corruption that costs small objects most in each study."""
    row: dict[str, Any] = {"number": "worst_effect_on_small", **pair.a.size("small")}
    if not row["n"]:
        return row
    worst = [_worst(pair, regime, side) for side in "ab"]
    return row | _compared_if_same(pair, *worst, images=row["images"], level=level)


def _worst(pair: Pair, regime: str, side: str) -> tuple[str, np.ndarray] | None:
    """Return the corruption with the lowest effect on small objects, and its effect by draw.

    Of the levels that both studies have, so that neither has more to choose from.
    """
    outcomes: Outcomes = getattr(pair, side)
    effects = {
        f"{one.family}/{one.level}": outcomes.delta(regime, getattr(one, side), "small")
        for one in pair.conditions
        if one.regime == regime
        and one.family != UNTOUCHED
        and pair.families[one.family].role == "corruption"
    }
    return min(effects.items(), key=lambda item: item[1][0]) if effects else None


def _compared_if_same(
    pair: Pair,
    a: tuple[str, np.ndarray] | None,
    b: tuple[str, np.ndarray] | None,
    *,
    images: int,
    level: float,
) -> dict[str, Any]:
    """Compare two numbers that are about something, if that is the same in both."""
    row: dict[str, Any] = {}
    for side, found in (("a", a), ("b", b)):
        if found:
            row |= {f"about_{side}": found[0], side: found[1][0]}
    if a and b and a[0] == b[0]:
        row |= _compared(pair, a[1], b[1], images=images, level=level)
    return row


def _threshold(pair: Pair, regime: str, level: float) -> dict[str, Any]:
    """Compare the thresholds of the objects that both show with few pixels and many.

    As the logarithm of their ratio.
    """
    sweeps = [one.of_role("sweep") for one in pair.tables]
    sweeps = [one[one["family"] == _PIXELS] for one in sweeps]
    shown = [pd.MultiIndex.from_frame(one[INSTANCE].drop_duplicates()) for one in sweeps]
    both = shown[0].intersection(shown[1])
    row: dict[str, Any] = {
        "number": FACTOR,
        "n": len(both),
        "images": both.get_level_values("image_id").nunique(),
    }
    if not row["n"]:
        return row
    found = []
    for sweep, outcomes in zip(sweeps, (pair.a, pair.b), strict=True):
        same = sweep[pd.MultiIndex.from_frame(sweep[INSTANCE]).isin(both)]
        found.append(fit_sweep(arrange_sweep(same, outcomes), regime, outcomes))
    a, b = found
    row |= {"a": a.threshold, "b": b.threshold}
    if not (math.isfinite(a.threshold) and math.isfinite(b.threshold)):
        return row
    curves = (one.curves.location for one in found)
    shift = _compared(pair, *curves, images=row["images"], level=level)
    return row | {name: shift[name] for name in shift if name not in ("a", "b")}
