"""Accuracy against the object's side: thresholds in pixels, and what a condition costs.

Spread and ceiling of the curves are those of the untouched pictures; a condition moves the curve
along the axis, and by which factor is what it costs: under it an object must be that many times
larger to be recognised as often.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize, minimize_scalar
from scipy.special import ndtr

from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics.bootstrap import (
    percentile_interval,
    share_interval,
    weighted_means,
)
from smallsight.analysis.statistics.psychometric import CEILINGS, SPREADS, Grid, curve
from smallsight.analysis.statistics.tests import wald_p
from smallsight.analysis.statistics.verdicts import judge
from smallsight.conditions.names import UNTOUCHED

CURVE_COLUMNS = (
    *("regime", "condition", "n", "threshold", "ci_low", "ci_high"),
    *("cost", "cost_low", "cost_high", "p_value", "p_holm", "verdict"),
    *("floor", "ceiling", "spread", "side_min", "side_max"),
)


VERDICTS = {1: "larger", -1: "smaller", 0: "inconclusive", None: ""}
"""Whether an object must be larger to be recognised as often, may be smaller, or neither."""


BINS = 8
"""Groups of equally many instances in which a figure shows accuracy beside the curve."""


def fit(side: np.ndarray, shares: np.ndarray, *, floor: float) -> tuple[float, float, float]:
    """Fit one curve by maximum likelihood.

    Parameters
    ----------
    side
        (n,), in pixels, above 0.
    shares
        (n,), 0 to 1: how often each instance is right.
    floor
        Accuracy of guessing.

    Returns
    -------
    location, spread, ceiling
        The location is the logarithm of the threshold; -inf or inf where no side at all is near
        enough to say where the threshold is.
    """
    grid = Grid(np.log(side), floor)
    once = np.ones((1, len(side)), np.float32)
    shape = grid.shape_by_draw(once, shares)
    location = grid.location_by_draw(once, shares, shape)[0]
    spread, ceiling = grid.shapes[shape[0]]
    if not np.isfinite(location):
        return float(location), spread, ceiling
    found = minimize(
        lambda point: _loss(
            grid.log_side, shares, point[0], float(np.exp(point[1])), point[2], floor
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
    side: np.ndarray, shares: np.ndarray, *, spread: float, ceiling: float, floor: float
) -> float:
    """Fit where a curve of known shape lies; -inf or inf where it lies beyond all sides."""
    grid = Grid(np.log(side), floor)
    ends = grid.locations[[0, -1]]
    losses = [_loss(grid.log_side, shares, at, spread, ceiling, floor) for at in grid.locations]
    top = int(np.argmin(losses))
    if top in (0, len(losses) - 1):
        return -np.inf if top == 0 else np.inf
    found = minimize_scalar(
        lambda at: _loss(grid.log_side, shares, at, spread, ceiling, floor),
        bounds=(max(grid.locations[top - 1], ends[0]), min(grid.locations[top + 1], ends[1])),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(found.x)


def _loss(
    log_side: np.ndarray,
    shares: np.ndarray,
    location: float,
    spread: float,
    ceiling: float,
    floor: float,
) -> float:
    """Give the mean negative log likelihood."""
    right = curve(log_side, location=location, spread=spread, ceiling=ceiling, floor=floor)
    right = right.clip(1e-6, 1 - 1e-6)
    return float(-np.mean(shares * np.log(right) + (1 - shares) * np.log1p(-right)))


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
    shares = outcomes.shares[outcomes.row[regime, UNTOUCHED]]
    side, draws = outcomes.side, outcomes.weights[1:]
    _, spread, ceiling = fit(side, shares, floor=grid.floor)
    location = fit_location(side, shares, spread=spread, ceiling=ceiling, floor=grid.floor)
    shape_of = grid.shape_by_draw(draws, shares)
    located = grid.location_by_draw(draws, shares, shape_of)
    return UntouchedCurve(spread, ceiling, shape_of, np.concatenate([[location], located]))


def compute_thresholds(outcomes: Outcomes) -> pd.DataFrame:
    """Fit a curve to every condition, against the side in the untouched picture.

    Returns
    -------
    DataFrame
        `CURVE_COLUMNS`, a row per regime and condition. Thresholds and sides in input pixels; a
        threshold of 0 or inf lies beyond half the smallest and twice the largest side. Costs are
        factors on the side, above 1 where a condition hurts, empty where either threshold lies
        out there. `p_value` is Wald's, of the logarithm of the cost; `p_holm` takes all rows as
        one family, and a verdict needs both the interval and `p_holm`.
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
        for condition in (UNTOUCHED, *outcomes.changes(regime)):
            shares = outcomes.shares[outcomes.row[regime, condition]]
            location = located(shares)
            location_draws = grid.location_by_draw(draws, shares, shape_of)
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
    table = pd.DataFrame(rows).reindex(columns=list(CURVE_COLUMNS))
    ends = ("cost_low", "cost_high")
    return judge(table, VERDICTS, confidence=confidence, ends=ends, null=1.0)


def _error(draws: np.ndarray) -> float:
    """Give a quarter of the width of the central 95 % of draws: a few of them may be infinite."""
    draws = draws[~np.isnan(draws)]
    if not len(draws):
        return np.nan
    low, high = np.quantile(draws, ndtr([-2, 2]), method="inverted_cdf")
    return float((high - low) / 4) if np.isfinite([low, high]).all() else np.nan


def bin_by_side(outcomes: Outcomes) -> pd.DataFrame:
    """Accuracy in groups of equally many instances by side, to be shown beside the curves.

    Returns
    -------
    DataFrame
        regime, condition, side (median, input pixels), n, acc, ci_low, ci_high.
    """
    rank = outcomes.side.argsort(kind="stable").argsort(kind="stable")
    bins = rank * min(BINS, len(rank)) // len(rank)
    rows = []
    for number in range(bins.max() + 1):
        chosen = bins == number
        means = weighted_means(outcomes.shares[:, chosen], outcomes.weights[:, chosen])
        images = len(np.unique(outcomes.image[chosen]))
        for (regime, condition), index in outcomes.row.items():
            acc, draws = means[0, index], means[1:, index]
            low, high = share_interval(acc, draws, outcomes.settings.confidence, images=images)
            row: dict[str, Any] = {"regime": regime, "condition": condition}
            row |= {"side": np.median(outcomes.side[chosen]), "n": int(chosen.sum())}
            rows.append(row | {"acc": acc, "ci_low": low, "ci_high": high})
    order = pd.DataFrame(rows).sort_values(["regime", "condition", "side"], kind="stable")
    return order.reset_index(drop=True)
