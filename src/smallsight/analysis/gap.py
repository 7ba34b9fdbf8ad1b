"""Gap decomposition: large minus small objects, as parts that add up; ledger.csv, agreement.csv.

Class mix is the part that disappears when every category weighs the same in both groups: the
composition component of Kitagawa (Components of a Difference Between Two Rates, JASA 1955). A
category that one group lacks counts as class mix alone. The standardised gap that is left is a game
of two interventions, more pixels and no context. A set of them is worth the amount by which it
reduces that gap. Each gets its Shapley value (A Value for n-Person Games, 1953), and the gap under
both is the residual.
"""

import itertools
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import IMAGES, MDE, P_HOLM, P_VALUE, N, interval, judged
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap, verdicts
from smallsight.analysis.terms import BOTH, INTERVENTIONS, MORE_PIXELS, NO_CONTEXT, PARTS, PATHS
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, number, text, whole
from smallsight.vocabulary import REGIME

STEPS = {
    "resolution_with_context": (frozenset[str](), MORE_PIXELS),
    "resolution_without_context": (NO_CONTEXT, BOTH),
}
"""The interventions between which each of `PATHS` lies: resolution's value is their mean."""

VERDICTS = verdicts.verdict_words("favours large", "favours small")
"""The objects that a part makes the better recognised ones."""

AGREEMENTS = verdicts.verdict_words("larger", "smaller")
"""A part in the fixed regime, compared with the same part in the retrained one."""

_PART = text("part", f"gap; one of its parts {', '.join(PARTS)}; or a path of resolution")

LEDGER = Table(
    "ledger",
    "the gap in accuracy between large and small objects, and the parts that it splits into",
    (
        REGIME,
        _PART,
        N,
        IMAGES,
        whole("thinnest", "objects in the smallest cell of category x group"),
        number("value", "difference of accuracies, above 0 where it favours large objects"),
        *interval(),
        number("share", "value over the gap; empty where the gap is inconclusive"),
        P_VALUE,
        P_HOLM,
        MDE,
        *judged(VERDICTS),
    ),
)

AGREEMENT = Table(
    "agreement",
    "the parts of the gap, compared between the two regimes",
    (
        _PART,
        number("fixed", "the part's value in the fixed regime"),
        number("retrained", "its value in the retrained regime"),
        number("difference", "fixed minus retrained"),
        *interval(),
        P_VALUE,
        P_HOLM,
        MDE,
        *judged(AGREEMENTS),
    ),
)

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
        The columns of `LEDGER`, a row per regime and part: gap, then `PARTS`, then `PATHS`. Values
        are differences of accuracies, above 0 where a part makes large objects the better
        recognised ones; `thinnest` is `smallest_cell`; `share` is the value over the gap, empty
        where the gap has no direction. No rows for a regime in which one of `INTERVENTIONS` was not
        evaluated, or without small or large objects.
    """
    rows: list[dict[str, Any]] = []
    for regime in outcomes.regimes:
        for part, draws in gap_parts(outcomes, regime).items():
            row = {"regime": regime, "part": part, **outcomes.size(*_GROUPS)}
            row |= {"thinnest": smallest_cell(outcomes), "value": draws[0]}
            rows.append(row | _estimate(outcomes, draws))
    table = pd.DataFrame(rows).reindex(columns=LEDGER.names)
    table = verdicts.judge(table, VERDICTS, confidence=outcomes.settings.confidence)
    gaps = table[(table["part"] == "gap") & table["direction"].isin([1, -1])]
    whole = table["regime"].map(gaps.set_index("regime")["value"]).astype(float)
    return table.assign(share=table["value"] / whole)


def compare_regimes(outcomes: Outcomes) -> pd.DataFrame:
    """Compare the parts of the gap between the two regimes, draw by draw.

    A plain background is unfamiliar to a head that was trained on whole pictures, and familiar to
    one that was trained on plain backgrounds. A part on which the regimes disagree is therefore no
    property of the pictures alone.

    Returns
    -------
    DataFrame
        The columns of `AGREEMENT`, a row per part: fixed minus retrained. No rows where the gap of
        one of the regimes cannot be decomposed.
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
    table = pd.DataFrame(rows).reindex(columns=AGREEMENT.names)
    return verdicts.judge(table, AGREEMENTS, confidence=outcomes.settings.confidence)


def gap_parts(outcomes: Outcomes, regime: str) -> dict[str, np.ndarray]:
    """Compute the gap, its `PARTS` and its `PATHS` in every draw.

    Returns
    -------
    dict
        (1 + draws,) each, the estimate first. Empty where one of `INTERVENTIONS` was not evaluated,
        or without small or large objects.
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
    # A difference of equal accuracies is exactly zero, without rounding errors.
    return {"gap": gap} | {
        name: np.where(abs(found[name]) < _ROUNDING, 0.0, found[name]) for name in (*PARTS, *PATHS)
    }


def standardised_gap(outcomes: Outcomes, regime: str, condition: str) -> np.ndarray:
    """Compute the accuracy on large minus that on small objects, at one mix of categories.

    Returns
    -------
    ndarray
        (1 + draws,). Each category weighs the mean of its shares of both groups; one that a group
        lacks adds nothing.
    """
    hit_rates = outcomes.hit_rates[outcomes.row[regime, condition]]
    is_category = np.eye(outcomes.category.max() + 1)[outcomes.category]
    rates, shares = [], []
    for group in ("large", "small"):
        chosen = outcomes.members[group]
        weights = outcomes.weights[:, chosen].astype(np.float64)
        counts = weights @ is_category[chosen]
        hits = weights @ (is_category[chosen] * hit_rates[chosen, None])
        nowhere = np.full(counts.shape, np.nan)
        rates.append(np.divide(hits, counts, out=nowhere, where=counts > 0))
        shares.append(_normalised(counts))
    differences = np.nan_to_num(rates[0] - rates[1])
    return (differences * np.mean(shares, axis=0)).sum(axis=1)


def smallest_cell(outcomes: Outcomes) -> int:
    """Smallest category x group cell count, of categories that have small or large objects."""
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
    """Compute every player's Shapley value: its mean contribution over all orders of joining.

    Parameters
    ----------
    worth
        The worth of every set of players, the empty one included.
    players
        Their names.

    Examples
    --------
    Pixels alone reduce a gap by 0.2, a plain background alone by 0.1, both by 0.4:

    >>> sets = [frozenset(), {"pixels"}, {"plain"}, {"pixels", "plain"}]
    >>> worth = dict(zip(map(frozenset, sets), np.array([0.0, 0.2, 0.1, 0.4]), strict=True))
    >>> values = shapley(worth, ["pixels", "plain"])
    >>> {name: round(float(value), 2) for name, value in values.items()}
    {'pixels': 0.25, 'plain': 0.15}
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
    """Divide by the sum of each row; NaN in a draw without any instance."""
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)


def _estimate(outcomes: Outcomes, draws: np.ndarray) -> dict[str, float]:
    images = min(outcomes.size(group)["images"] for group in _GROUPS)
    return bootstrap.estimate(draws, confidence=outcomes.settings.confidence, images=images)
