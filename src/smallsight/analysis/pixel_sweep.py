"""The same objects with fewer and fewer pixels: their psychometric curve and its threshold."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics.bootstrap import percentile_interval, weighted_means
from smallsight.analysis.statistics.goodness_of_fit import misfit_p
from smallsight.analysis.statistics.psychometric import Curves, bounds_of, fit
from smallsight.vocabulary import INSTANCE

ON_SLOPE = 0.05, 0.95
"""A curve's location and spread are known from the levels at which it has risen so far."""


@dataclass(frozen=True)
class Sweep:
    """Answers to the same objects at m levels of pixels.

    Attributes
    ----------
    sides
        (m,), in native pixels, in ascending order.
    chosen
        (n,), bool: the instances of the outcomes that were seen at every level.
    hit_rates
        By regime, (chosen, m), 0 to 1: how often each of them was recognised at each level.
    """

    sides: np.ndarray
    chosen: np.ndarray
    hit_rates: Mapping[str, np.ndarray]

    @cached_property
    def log_sides(self) -> np.ndarray:
        """(m,): logarithms of the sides."""
        return np.log(self.sides)


@dataclass(frozen=True)
class Fitted:
    """A sweep's curve in one regime.

    Attributes
    ----------
    curves
        The curve in every draw, the estimate first.
    known
        (1 + draws,), bool: whether any of the objects was drawn. `curves` has these draws alone.
    p_fit
        Of the test of fit.
    fits
        Whether that test does not refuse the curve.
    threshold
        In native pixels; NaN where the curve does not fit, where it is not shown to rise, where it
        is half-way up outside the levels, and where its floor is too far below them to be known.
    ends
        Those of the threshold's interval, no farther than the levels reach; NaN without one.
    """

    curves: Curves
    known: np.ndarray
    p_fit: float
    fits: bool
    threshold: float
    ends: tuple[float, float]


def arrange_sweep(sweep: pd.DataFrame, outcomes: Outcomes) -> Sweep:
    """Arrange the predictions of objects that were reduced to every level.

    Parameters
    ----------
    sweep
        The columns of `evaluation.tables.PREDICTIONS`, of one family whose levels name a side, as
        `side=6` does.
    outcomes
        Of the same task.
    """
    swept = sweep.assign(side=sweep["level"].str.split("=").str[-1].to_numpy(float))
    hit_rates = {}
    chosen = np.zeros(len(outcomes.instances), bool)
    for regime in outcomes.regimes:
        table = swept[swept["regime"] == regime].pivot_table(
            index=INSTANCE, columns="side", values="correct", aggfunc="mean"
        )
        aligned = outcomes.align(table.reset_index())[table.columns].to_numpy(float)
        chosen = ~np.isnan(aligned).any(axis=1) & (aligned.shape[1] > 0)
        hit_rates[regime] = aligned[chosen]
    return Sweep(np.sort(swept["side"].unique()), chosen, hit_rates)


def fit_sweep(sweep: Sweep, regime: str, outcomes: Outcomes) -> Fitted:
    """Fit one regime's curve in every draw, test its fit, and find its threshold."""
    hit_rates, image = sweep.hit_rates[regime], outcomes.image[sweep.chosen]
    confidence, images = outcomes.settings.confidence, outcomes.images(sweep.chosen)
    weights = outcomes.weights[:, sweep.chosen]
    known = np.any(weights, axis=1)
    means = weighted_means(hit_rates.T, weights[known])
    bounds = bounds_of(sweep.log_sides, chance=outcomes.chance)
    curves = fit(sweep.log_sides, means, bounds=bounds)
    p_fit = misfit_p(
        hit_rates,
        weights[known],
        image,
        log_sides=sweep.log_sides,
        curve=Curves(curves.parameters[:1]),
        bounds=bounds,
    )
    fits = bool(p_fit > 1 - confidence)
    rise = percentile_interval(means[1:, -1] - means[1:, 0], confidence, images=images)[0]
    location = curves.location[0]
    is_inside = sweep.log_sides[0] <= location <= sweep.log_sides[-1]
    # A floor at its bound says that the smallest objects are recognised too well to show one.
    is_inside &= curves.floor[0] < bounds.high[2]
    threshold, ends = np.nan, (np.nan, np.nan)
    if fits and rise > 0 and is_inside:
        low, high = percentile_interval(curves.location[1:], confidence, images=images)
        around = _levels_around(curves, sweep.log_sides)
        reach = np.exp([min(low, *around), max(high, *around)])
        first, last = reach.clip(sweep.sides[0], sweep.sides[-1])
        threshold, ends = float(np.exp(location)), (float(first), float(last))
    return Fitted(curves, known, p_fit, fits, threshold, ends)


def _levels_around(curves: Curves, log_sides: np.ndarray) -> np.ndarray:
    """Return the levels next to the location where no more is known; else the location itself.

    The levels say where between two of them a curve is half-way up only if at least two of them
    are on its slope.
    """
    share = curves.share(log_sides)[0]
    location = curves.location[0]
    if np.sum((share > ON_SLOPE[0]) & (share < ON_SLOPE[1])) > 1:
        return np.array([location])
    place = int(np.searchsorted(log_sides, location).clip(1, len(log_sides) - 1))
    return log_sides[place - 1 : place + 1]
