"""The ledger: the gap between large and small objects, split into causes that add up.

Class mix is what goes when every category weighs the same in both groups: the composition component
of Kitagawa (Components of a Difference Between Two Rates, JASA 1955); a category that one group
lacks is a matter of mix alone. The rest is a game of two interventions, more pixels and no context.
What a set of them is worth is how much of the standardised gap it takes away; each gets its Shapley
value (A Value for n-Person Games, 1953), and what both leave is the residual.
"""

import itertools
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap, verdicts
from smallsight.analysis.terms import BOTH, INTERVENTIONS, MORE_PIXELS, NO_CONTEXT, PARTS, PATHS
from smallsight.conditions.names import UNTOUCHED

STEPS = {
    "resolution_with_context": (frozenset[str](), MORE_PIXELS),
    "resolution_without_context": (NO_CONTEXT, BOTH),
}
"""The interventions between which each of `PATHS` lies: resolution's value is their mean."""


GAP_COLUMNS = (
    *("regime", "part", "n", "images", "thinnest", "value", "ci_low", "ci_high", "share"),
    *("p_value", "p_holm", "mde", "verdict"),
)


VERDICTS = {1: "favours large", -1: "favours small", 0: "inconclusive", None: ""}
"""Which objects a part makes the better recognised ones."""


AGREEMENT_COLUMNS = (
    *("part", "fixed", "retrained", "difference", "ci_low", "ci_high"),
    *("p_value", "p_holm", "mde", "verdict"),
)


AGREEMENTS = {1: "larger", -1: "smaller", 0: "inconclusive", None: ""}
"""How a part in the fixed regime compares with itself in the retrained one."""


_GROUPS = ("small", "large")


_ROUNDING = 1e-12


def decompose_gap(outcomes: Outcomes) -> pd.DataFrame:
    """Split the gap between large and small objects, in every regime that allows it.

    All parts share their bootstrap draws, and in each of them `PARTS` sum to the gap. `p_value` is
    Wald's, `p_holm` takes all rows as one family, and a verdict needs both the interval and
    `p_holm`.

    Returns
    -------
    DataFrame
        `LEDGER_COLUMNS`, a row per regime and part: gap, then `PARTS`, then `PATHS`. Values are
        differences of accuracies, above 0 where a part makes large objects the better ones;
        `thinnest` counts the rarest category's instances in the group that has fewest of it;
        `share` is the value over the gap, empty where the gap has no verdict. No rows for a
        regime in which one of `INTERVENTIONS` was not evaluated, or without small or large objects.
    """
    rows: list[dict[str, Any]] = []
    for regime in outcomes.regimes:
        for part, draws in gap_parts(outcomes, regime).items():
            row = {"regime": regime, "part": part, **outcomes.size(*_GROUPS)}
            row |= {"thinnest": smallest_cell(outcomes), "value": draws[0]}
            rows.append(row | _estimate(outcomes, draws))
    table = pd.DataFrame(rows).reindex(columns=list(GAP_COLUMNS))
    table = verdicts.judge(table, VERDICTS, confidence=outcomes.settings.confidence)
    gaps = table[(table["part"] == "gap") & table["verdict"].isin([VERDICTS[1], VERDICTS[-1]])]
    whole = table["regime"].map(gaps.set_index("regime")["value"]).astype(float)
    return table.assign(share=table["value"] / whole)


def compare_regimes(outcomes: Outcomes) -> pd.DataFrame:
    """Compare the parts of the gap between the two regimes, draw by draw.

    A surround of one colour is foreign to a head that was trained on whole pictures and not to one
    that was trained on such: where the regimes disagree, a part is no property of the pictures.

    Returns
    -------
    DataFrame
        `AGREEMENT_COLUMNS`, a row per part: fixed minus retrained. No rows where one of the
        regimes has no ledger.
    """
    rows: list[dict[str, Any]] = []
    by_regime = {regime: gap_parts(outcomes, regime) for regime in outcomes.regimes}
    if all(by_regime.get(regime) for regime in ("fixed", "retrained")):
        fixed, retrained = by_regime["fixed"], by_regime["retrained"]
        for part in (*PARTS, *PATHS):
            both = {"fixed": fixed[part][0], "retrained": retrained[part][0]}
            draws = fixed[part] - retrained[part]
            row = {"part": part, **both, "difference": draws[0]}
            rows.append(row | _estimate(outcomes, draws))
    table = pd.DataFrame(rows).reindex(columns=list(AGREEMENT_COLUMNS))
    return verdicts.judge(table, AGREEMENTS, confidence=outcomes.settings.confidence)


def gap_parts(outcomes: Outcomes, regime: str) -> dict[str, np.ndarray]:
    """Give the gap, its `PARTS` and its `PATHS` in every draw, (1 + draws,) each.

    The estimate comes first. Nothing where the regime or the sample does not allow a ledger.
    """
    known = all((regime, name) in outcomes.row for name in INTERVENTIONS.values())
    if not known or not all(outcomes.members[group].any() for group in _GROUPS):
        return {}
    gap = outcomes.accuracy(regime, UNTOUCHED, "large")
    gap = gap - outcomes.accuracy(regime, UNTOUCHED, "small")
    left = {
        removed: standardised_gap(outcomes, regime, name) for removed, name in INTERVENTIONS.items()
    }
    found = {"class_mix": gap - left[frozenset()], "residual": left[BOTH]}
    found |= shapley({removed: -value for removed, value in left.items()}, BOTH)
    found |= {name: left[before] - left[after] for name, (before, after) in STEPS.items()}
    # Equal accuracies differ by nothing, not by what rounding leaves.
    return {"gap": gap} | {
        name: np.where(abs(found[name]) < _ROUNDING, 0.0, found[name]) for name in (*PARTS, *PATHS)
    }


def standardised_gap(outcomes: Outcomes, regime: str, condition: str) -> np.ndarray:
    """Give the accuracy on large minus that on small objects, as if of one mix of categories.

    Returns
    -------
    ndarray
        (1 + draws,). Each category weighs the mean of its shares of both groups; one that a group
        lacks adds nothing.
    """
    right = outcomes.shares[outcomes.row[regime, condition]]
    is_category = np.eye(outcomes.category.max() + 1)[outcomes.category]
    rates, shares = [], []
    for group in ("large", "small"):
        chosen = outcomes.members[group]
        weights = outcomes.weights[:, chosen].astype(np.float64)
        counts = weights @ is_category[chosen]
        hits = weights @ (is_category[chosen] * right[chosen, None])
        nowhere = np.full(counts.shape, np.nan)
        rates.append(np.divide(hits, counts, out=nowhere, where=counts > 0))
        shares.append(_normalised(counts))
    differences = np.nan_to_num(rates[0] - rates[1])
    return (differences * np.mean(shares, axis=0)).sum(axis=1)


def smallest_cell(outcomes: Outcomes) -> int:
    """Count the rarest category of small or large objects in the group that has fewest of it."""
    length = outcomes.category.max() + 1
    counts = np.stack(
        [
            np.bincount(outcomes.category[outcomes.members[group]], minlength=length)
            for group in _GROUPS
        ]
    )
    return int(counts[:, counts.any(axis=0)].min())


def shapley(
    worth: Mapping[frozenset[str], np.ndarray], players: Collection[str]
) -> dict[str, np.ndarray]:
    """Give every player's Shapley value: what it adds, on average over all orders of joining.

    Parameters
    ----------
    worth
        What every set of players achieves, the empty one included.
    """
    values = {}
    for player in sorted(players):
        others = [name for name in sorted(players) if name != player]
        value = np.zeros_like(worth[frozenset()])
        for size in range(len(players)):
            orders = math.factorial(size) * math.factorial(len(others) - size)
            for joined in map(frozenset, itertools.combinations(others, size)):
                added = worth[joined | {player}] - worth[joined]
                value = value + added * orders / math.factorial(len(players))
        values[player] = value
    return values


def _normalised(counts: np.ndarray) -> np.ndarray:
    """Divide by the sum of each row; a draw without any instance has no shares."""
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)


def _estimate(outcomes: Outcomes, draws: np.ndarray) -> dict[str, float]:
    images = min(outcomes.size(group)["images"] for group in _GROUPS)
    return bootstrap.estimate(draws, confidence=outcomes.settings.confidence, images=images)
