"""Effects of conditions, compared on the same instances: effects.csv."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import IMAGES, P_HOLM, P_VALUE, N, interval, judged
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.severity import find_unchanged
from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.conditions.rendered.names import UNTOUCHED, FamilyFacts
from smallsight.runtime.tables import Table, flag, number, text
from smallsight.vocabulary import (
    CONDITION,
    DIFFERENCE,
    HEADLINE_TASK,
    POWER,
    REGIME,
    SIZE_GROUPS,
    TASK,
)

VERDICTS = verdicts.verdict_words("higher", "lower")
"""Accuracy under the condition, compared with that on untouched pictures."""

EFFECTS = Table(
    "effects",
    "what each condition does to the accuracy on the same objects, compared with untouched",
    (
        REGIME,
        CONDITION,
        text("size_group", f"small, medium or large; {DIFFERENCE} for the difference of effects"),
        N,
        number("acc_reference", "accuracy on the untouched pictures"),
        number("acc", "accuracy under the condition"),
        number("delta", "acc minus acc_reference"),
        *interval(),
        P_VALUE,
        P_HOLM,
        IMAGES,
        number("gained", "number of objects that most seeds get right under the condition alone"),
        number("lost", "number of objects that most seeds get right untouched alone"),
        number("balanced_reference", "mean of the categories' accuracies, untouched"),
        number("balanced", "the same under the condition"),
        number("balanced_delta", "balanced minus balanced_reference"),
        number("mde", f"smallest effect found in {POWER:.0%} of such studies, at the row's level"),
        number("p_least", "least p_value that images like these could give"),
        *judged(VERDICTS, empty="where not primary"),
        flag("vacuous", "whether the condition makes no visible change to objects of this size"),
        flag("primary", "whether the row is one of the family of tests that have a verdict"),
        TASK,
    ),
)

PRIMARY_GROUP = "small"
"""The size group of the primary family."""


def compute_effects(
    outcomes: Outcomes,
    severities: pd.DataFrame,
    facts: Mapping[str, FamilyFacts],
    *,
    headline: str = HEADLINE_TASK,
) -> pd.DataFrame:
    """Compare every condition with the untouched pictures, on the same instances.

    The primary family has verdicts: corruptions at their reference levels, on small objects, in the
    headline task and regime, where they change the object visibly. All else has intervals.

    Parameters
    ----------
    severities
        As `severity.summarise_severity` returns them, of the same task.
    facts
        By family.
    headline
        The headline task.

    Returns
    -------
    DataFrame
        The columns of `EFFECTS`; a row per regime, condition and size group, `small-large` last.
        `delta` is the mean over seeds, its interval Student's by the bootstrap over images, and its
        `p_value` of the same quantity: `tests.sign_flip_p`. `p_holm` takes the primary rows as one
        family; a verdict needs both the interval and `p_holm`. `mde` is at the level of the primary
        family's strictest test in its rows, and of one test elsewhere. `gained` and `lost` count
        positive and negative flips. A row of an empty group has n 0, images 0 and nothing else.

    Examples
    --------
    Downscaling makes all small objects unrecognisable, and leaves the large ones as they were:

    >>> from smallsight import params
    >>> from smallsight.analysis.outcomes import arrange_outcomes
    >>> from smallsight.conditions.rendered.names import Condition
    >>> rows = [
    ...     {"task": task, "condition": condition, "image_id": image, "size_group": size,
    ...      "correct": condition == "orig_full" or size == "large"}
    ...     for task in ("scene", "object")
    ...     for condition in ("orig_full", "downscale")
    ...     for image, size in enumerate(["small"] * 20 + ["large"] * 20)
    ... ]
    >>> predictions = pd.DataFrame(rows).assign(
    ...     regime="fixed", level="scale=0.5", ann_id=1, category_name="car", side=8.0, p_car=0.5
    ... )
    >>> outcomes = arrange_outcomes(
    ...     predictions.assign(family=predictions["condition"]),
    ...     task="object",
    ...     settings=params.Analysis(confidence=0.95, bootstrap_draws=200),
    ...     rng=np.random.default_rng(0),
    ... )
    >>> downscale = FamilyFacts("downscale", "Downscale", "Fewer pixels.", "corruption", {}, ())
    >>> severities = pd.DataFrame({"condition": [], "size_group": [], "vacuous": []}, dtype=bool)
    >>> effects = compute_effects(outcomes, severities, {"downscale": downscale})
    >>> effects = effects.set_index("size_group").loc[["small", "large"]]
    >>> effects[["delta", "lost", "verdict"]].values.tolist()
    [[-1.0, 20.0, 'lower'], [0.0, 0.0, '']]
    """
    unchanged = find_unchanged(severities)
    primary = _primary(outcomes, unchanged, facts) if outcomes.task == headline else set()
    rows = [
        row
        for regime in outcomes.regimes
        for condition in outcomes.changed_conditions(regime)
        for row in _rows(outcomes, regime, condition, primary)
    ]
    table = pd.DataFrame(rows).reindex(columns=EFFECTS.names)
    table["vacuous"] = [
        all((condition, group) in unchanged for group in groups.split("-"))
        for condition, groups in zip(table["condition"], table["size_group"], strict=True)
    ]
    table = table.astype({"primary": bool}).assign(task=outcomes.task, verdict=VERDICTS[None])
    chosen = table[table["primary"]]
    judged = verdicts.judge(chosen, VERDICTS, confidence=outcomes.settings.confidence)
    for name in ("p_holm", "direction", "verdict"):
        table.loc[judged.index, name] = judged[name]
    return table


def compare(
    outcomes: Outcomes, regime: str, condition: str, group: str, *, level: float
) -> dict[str, float]:
    """Compare a condition with the untouched pictures, on the objects of one size group.

    Parameters
    ----------
    level
        The largest p-value that counts.

    Returns
    -------
    dict
        delta, ci_low, ci_high, p_value, p_least and mde, as in `EFFECTS`. An effect beyond `mde`
        has a p-value of at most `level`.
    """
    changes = outcomes.changes(regime, UNTOUCHED, condition, outcomes.members[group])
    return {
        "delta": outcomes.delta(regime, condition, group)[0],
        **_estimate(outcomes, regime, condition, (group,), level=level),
        "p_value": tests.sign_flip_p(changes),
        "p_least": tests.least_p(int(np.count_nonzero(changes))),
    }


def _primary(
    outcomes: Outcomes, unchanged: set[tuple[str, str]], facts: Mapping[str, FamilyFacts]
) -> set[tuple[str, str, str]]:
    """Return regime, condition and size group of the primary family, in the headline task."""
    if not outcomes.members[PRIMARY_GROUP].any():
        return set()
    regime = outcomes.regimes[0]
    return {
        (regime, condition, PRIMARY_GROUP)
        for condition in outcomes.changed_conditions(regime)
        # At its reference level, a family gives the condition its name.
        if condition in facts
        and facts[condition].role == "corruption"
        and (condition, PRIMARY_GROUP) not in unchanged
    }


def _rows(
    outcomes: Outcomes, regime: str, condition: str, primary: set[tuple[str, str, str]]
) -> list[dict[str, Any]]:
    """Compare one condition with the untouched pictures, in every size group."""
    flips = outcomes.flips(regime, UNTOUCHED, condition)
    alone = 1 - outcomes.settings.confidence
    rows = []
    for group in SIZE_GROUPS:
        key = regime, condition, group
        row: dict[str, Any] = dict(zip(("regime", "condition", "size_group"), key, strict=True))
        row |= outcomes.size(group) | {"primary": key in primary}
        if row["n"]:
            chosen = outcomes.members[group]
            row["acc_reference"] = outcomes.accuracy(regime, UNTOUCHED, group)[0]
            row["acc"] = outcomes.accuracy(regime, condition, group)[0]
            row |= compare(outcomes, *key, level=alone / (len(primary) if key in primary else 1))
            row |= {"gained": (flips[chosen] > 0).sum(), "lost": (flips[chosen] < 0).sum()}
            row["balanced_reference"] = outcomes.balanced_accuracy(regime, UNTOUCHED, group)
            row["balanced"] = outcomes.balanced_accuracy(regime, condition, group)
            row["balanced_delta"] = row["balanced"] - row["balanced_reference"]
        rows.append(row)
    return [*rows, _difference(outcomes, rows)]


def _difference(outcomes: Outcomes, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Subtract the large group's row from the small group's."""
    by_group = {row["size_group"]: row for row in rows}
    groups = tuple(DIFFERENCE.split("-"))
    small, large = (by_group[group] for group in groups)
    row = {key: small[key] for key in ("regime", "condition")}
    row |= {"size_group": DIFFERENCE, "primary": False}
    if not (small["n"] and large["n"]):
        return row | {"n": 0, "images": 0}
    row |= outcomes.size(*groups)
    accuracies = ("acc_reference", "acc", "delta")
    for key in (*accuracies, "balanced_reference", "balanced", "balanced_delta"):
        row[key] = small[key] - large[key]
    alone = 1 - outcomes.settings.confidence
    return row | _estimate(outcomes, row["regime"], row["condition"], groups, level=alone)


def _estimate(
    outcomes: Outcomes, regime: str, condition: str, groups: tuple[str, ...], *, level: float
) -> dict[str, float]:
    """Return interval and smallest detectable effect, on a group or on the first minus the second.

    By the bootstrap's standard error, but not below what a permutation could find in each group.
    """
    draws, *rest = (outcomes.delta(regime, condition, group) for group in groups)
    for other in rest:
        draws = draws - other
    sizes = [outcomes.size(group) for group in groups]
    images = min(size["images"] for size in sizes)
    ends = bootstrap.student_interval(
        draws[0], draws[1:], outcomes.settings.confidence, images=images
    )
    low, high = np.clip(ends, -len(groups), len(groups))
    error = bootstrap.standard_error(draws[1:], images=images)
    limits = [tests.minimum_detectable(error, confidence=1 - level, images=images)]
    for group, size in zip(groups, sizes, strict=True):
        changes = outcomes.changes(regime, UNTOUCHED, condition, outcomes.members[group])
        whole = outcomes.n_seeds
        limit = tests.detectable_change(changes, level=level, whole=whole) / (whole * size["n"])
        limits.append(min(limit, 1.0))
    return {"ci_low": low, "ci_high": high, "mde": float(np.nanmax(limits))}
