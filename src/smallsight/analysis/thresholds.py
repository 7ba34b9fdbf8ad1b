"""Accuracy against the object's side, by condition: thresholds.csv and bins.csv.

A psychometric curve is fitted to the untouched pictures. Every condition has a curve of the same
spread and ceiling that is moved along the axis. The factor by which its threshold is larger is the
condition's cost: an object must be that many times larger to be recognised as often.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize, minimize_scalar
from scipy.special import ndtr

from smallsight.analysis.columns import P_HOLM, P_VALUE, N, interval, judged
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics.bootstrap import (
    percentile_interval,
    share_interval,
    weighted_means,
)
from smallsight.analysis.statistics.psychometric import CEILINGS, SPREADS, Grid, curve
from smallsight.analysis.statistics.tests import wald_p
from smallsight.analysis.statistics.verdicts import judge, verdict_words
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, number
from smallsight.vocabulary import CONDITION, REGIME

VERDICTS = verdict_words("larger", "smaller")
"""The size that an object must have under the condition to be recognised as often."""

THRESHOLDS = Table(
    "thresholds",
    "the side at which objects are recognised half-way between chance and the best, by condition",
    (
        REGIME,
        CONDITION,
        N,
        number(
            "threshold", "side half-way up the curve, in input pixels; 0 or inf beyond all sides"
        ),
        *interval(of="threshold"),
        number("cost", "the threshold over that of the untouched pictures; above 1 where it hurts"),
        *interval("cost_low", "cost_high", of="cost"),
        P_VALUE,
        P_HOLM,
        *judged(VERDICTS),
        number("floor", "accuracy of guessing, at which the curve begins"),
        number("ceiling", "accuracy that the curve approaches"),
        number("spread", "scale of the logistic curve over the logarithm of the side"),
        number("side_min", "smallest side of an object in the untouched picture, in input pixels"),
        number("side_max", "largest side of an object in the untouched picture, in input pixels"),
    ),
)

BINS = Table(
    "bins",
    "accuracy in groups of equally many objects by side, to be shown beside the curves",
    (
        REGIME,
        CONDITION,
        number("side", "median side in the untouched picture, in input pixels"),
        N,
        number("acc", "share of the predictions that are correct, the mean over the seeds"),
        *interval(),
    ),
)

BIN_COUNT = 8
"""Groups of equally many instances in which a figure shows accuracy beside the curve."""


def fit(side: np.ndarray, hit_rates: np.ndarray, *, floor: float) -> tuple[float, float, float]:
    """Fit one psychometric curve by maximum likelihood.

    Parameters
    ----------
    side
        (n,), in pixels, above 0.
    hit_rates
        (n,), 0 to 1: the share of seeds that predict each instance correctly.
    floor
        Accuracy of guessing.

    Returns
    -------
    location, spread, ceiling
        The location is the logarithm of the threshold; -inf or inf where all sides lie too far
        above or below the threshold to find it.

    Examples
    --------
    >>> side = np.geomspace(4, 64, 100)
    >>> hit_rates = curve(np.log(side), location=np.log(16), spread=0.5, ceiling=0.9, floor=0.25)
    >>> location, spread, ceiling = fit(side, hit_rates, floor=0.25)
    >>> round(float(np.exp(location)), 1), round(spread, 1), round(ceiling, 1)
    (16.0, 0.5, 0.9)
    """
    grid = Grid(np.log(side), floor)
    once = np.ones((1, len(side)), np.float32)
    shape = grid.shape_by_draw(once, hit_rates)
    location = grid.location_by_draw(once, hit_rates, shape)[0]
    spread, ceiling = grid.shapes[shape[0]]
    if not np.isfinite(location):
        return float(location), spread, ceiling
    found = minimize(
        lambda point: _loss(
            grid.log_side, hit_rates, point[0], float(np.exp(point[1])), point[2], floor
        ),
        x0=(location, np.log(spread), ceiling),
        bounds=(
            (grid.locations[0], grid.locations[-1]),
            tuple(np.log(SPREADS[[0, -1]])),
            (floor + (1 - floor) * CEILINGS[0], 1.0),
        ),
        method="L-BFGS-B",
    )
    location, spread, ceiling = found.x
    return float(location), float(np.exp(spread)), float(ceiling)


def fit_location(
    side: np.ndarray, hit_rates: np.ndarray, *, spread: float, ceiling: float, floor: float
) -> float:
    """Fit the location of a curve of known shape; -inf or inf where it lies beyond all sides."""
    grid = Grid(np.log(side), floor)
    ends = grid.locations[[0, -1]]
    losses = [_loss(grid.log_side, hit_rates, at, spread, ceiling, floor) for at in grid.locations]
    top = int(np.argmin(losses))
    if top in (0, len(losses) - 1):
        return -np.inf if top == 0 else np.inf
    found = minimize_scalar(
        lambda at: _loss(grid.log_side, hit_rates, at, spread, ceiling, floor),
        bounds=(max(grid.locations[top - 1], ends[0]), min(grid.locations[top + 1], ends[1])),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(found.x)


def _loss(
    log_side: np.ndarray,
    hit_rates: np.ndarray,
    location: float,
    spread: float,
    ceiling: float,
    floor: float,
) -> float:
    """Compute the mean negative log likelihood."""
    accuracy = curve(log_side, location=location, spread=spread, ceiling=ceiling, floor=floor)
    accuracy = accuracy.clip(1e-6, 1 - 1e-6)
    return float(-np.mean(hit_rates * np.log(accuracy) + (1 - hit_rates) * np.log1p(-accuracy)))


class UntouchedCurve(NamedTuple):
    """The curve of the untouched pictures, in every draw.

    Attributes
    ----------
    spread, ceiling
        Its shape, which the curves under all conditions share.
    shape_of
        (draws,): which of the grid's shapes it has in each draw.
    locations
        (1 + draws,): logarithms of the threshold, the estimate first; -inf or inf beyond all sides.
    """

    spread: float
    ceiling: float
    shape_of: np.ndarray
    locations: np.ndarray


def fit_untouched(outcomes: Outcomes, regime: str, grid: Grid) -> UntouchedCurve:
    """Fit the curve of one regime's untouched pictures, to the sample and to every draw of it."""
    hit_rates = outcomes.hit_rates[outcomes.row[regime, UNTOUCHED]]
    side, draws = outcomes.side, outcomes.weights[1:]
    _, spread, ceiling = fit(side, hit_rates, floor=grid.floor)
    location = fit_location(side, hit_rates, spread=spread, ceiling=ceiling, floor=grid.floor)
    shape_of = grid.shape_by_draw(draws, hit_rates)
    located = grid.location_by_draw(draws, hit_rates, shape_of)
    return UntouchedCurve(spread, ceiling, shape_of, np.concatenate([[location], located]))


def compute_thresholds(outcomes: Outcomes) -> pd.DataFrame:
    """Fit a curve to every condition, over the side in the untouched picture.

    Returns
    -------
    DataFrame
        The columns of `THRESHOLDS`, a row per regime and condition. Thresholds and sides are in
        input pixels; a threshold of 0 or inf lies below half the smallest or above twice the
        largest side. Costs are factors on the side, above 1 where a condition hurts, empty where
        one of the two thresholds is 0 or inf. `p_value` is Wald's, of the logarithm of the cost;
        `p_holm` takes all rows as one family, and a verdict needs both the interval and `p_holm`.
    """
    side, floor = outcomes.side, outcomes.chance
    confidence, images = outcomes.settings.confidence, outcomes.size("all")["images"]
    interval = functools.partial(percentile_interval, confidence=confidence, images=images)
    grid = Grid(np.log(side), floor)
    draws = outcomes.weights[1:]
    rows = []
    for regime in outcomes.regimes:
        spread, ceiling, shape_of, references = fit_untouched(outcomes, regime, grid)
        reference = references[0]
        located = functools.partial(fit_location, side, spread=spread, ceiling=ceiling, floor=floor)
        for condition in (UNTOUCHED, *outcomes.changed_conditions(regime)):
            hit_rates = outcomes.hit_rates[outcomes.row[regime, condition]]
            location = located(hit_rates)
            location_draws = grid.location_by_draw(draws, hit_rates, shape_of)
            low, high = np.exp(interval(location_draws))
            row: dict[str, Any] = {"regime": regime, "condition": condition, "n": len(side)}
            row |= {"threshold": np.exp(location), "ci_low": low, "ci_high": high}
            if condition != UNTOUCHED and np.isfinite([location, reference]).all():
                with np.errstate(invalid="ignore"):
                    shift = location_draws - references[1:]
                row |= dict(zip(("cost_low", "cost_high"), np.exp(interval(shift)), strict=True))
                row |= {"cost": np.exp(location - reference)}
                row["p_value"] = wald_p(location - reference, _error(shift), images=images)
            row |= {"floor": floor, "ceiling": ceiling, "spread": spread}
            rows.append(row | {"side_min": side.min(), "side_max": side.max()})
    table = pd.DataFrame(rows).reindex(columns=THRESHOLDS.names)
    ends = ("cost_low", "cost_high")
    return judge(table, VERDICTS, confidence=confidence, ends=ends, null=1.0)


def _error(draws: np.ndarray) -> float:
    """Compute a standard error from the central 95 % of draws, a few of which may be infinite."""
    draws = draws[~np.isnan(draws)]
    if not len(draws):
        return np.nan
    low, high = np.quantile(draws, ndtr([-2, 2]), method="inverted_cdf")
    return float((high - low) / 4) if np.isfinite([low, high]).all() else np.nan


def bin_by_side(outcomes: Outcomes) -> pd.DataFrame:
    """Compute the accuracy in groups of equally many instances by side.

    Returns
    -------
    DataFrame
        The columns of `BINS`: regime, condition, side (median, in input pixels), n, acc, ci_low,
        ci_high; sorted by regime, condition and side.
    """
    rank = outcomes.side.argsort(kind="stable").argsort(kind="stable")
    bins = rank * min(BIN_COUNT, len(rank)) // len(rank)
    rows = []
    for index in range(bins.max() + 1):
        chosen = bins == index
        means = weighted_means(outcomes.hit_rates[:, chosen], outcomes.weights[:, chosen])
        images = len(np.unique(outcomes.image[chosen]))
        for (regime, condition), place in outcomes.row.items():
            acc, draws = means[0, place], means[1:, place]
            low, high = share_interval(acc, draws, outcomes.settings.confidence, images=images)
            row: dict[str, Any] = {"regime": regime, "condition": condition}
            row |= {"side": np.median(outcomes.side[chosen]), "n": int(chosen.sum())}
            rows.append(row | {"acc": acc, "ci_low": low, "ci_high": high})
    order = pd.DataFrame(rows).sort_values(["regime", "condition", "side"], kind="stable")
    return order.reset_index(drop=True)
