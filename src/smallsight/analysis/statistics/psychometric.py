"""Psychometric curves: accuracy as a function of the object's side, fitted in every draw.

A curve rises from a floor to a ceiling, as a logistic function of the logarithm of the side
(Wichmann and Hill, The psychometric function I, Perception & Psychophysics 2001). Its threshold is
the side at which it is half-way up, and its location the threshold's logarithm. The same objects
are seen at every level, so that a draw of objects is known by the accuracies at the levels.
"""

from dataclasses import dataclass

import numpy as np

SPREADS = (0.02, 2.0)
"""Least and greatest spread, in logarithms of the side."""

BEYOND = np.log(2)
"""How far a location may lie beyond the levels, as a logarithm of the side."""

LOCATIONS, SPREAD_COUNT = 17, 6
"""Numbers of locations and of spreads from which a fit starts."""

STEPS = 60
"""Greatest number of steps that a fit takes."""

ENOUGH = 1e-10
"""A fit ends where a step gains less, in mean log likelihood."""

TINY = 1e-12
"""Keeps steps finite where the likelihood does not depend on a parameter."""

NOWHERE = 1e-6
"""The likelihood takes no accuracy to be closer to 0 or 1."""


@dataclass(frozen=True)
class Curves:
    """Curves of d draws.

    Attributes
    ----------
    parameters
        (d, 4): location, logarithm of the spread, floor and ceiling. The floor and the ceiling are
        the accuracies that the curve approaches at small and at large sides, 0 to 1.

    Examples
    --------
    >>> one = Curves(np.array([[np.log(16), np.log(0.5), 0.3, 0.9]]))
    >>> one.at(np.log([4, 16, 64])).round(2).tolist()
    [[0.34, 0.6, 0.86]]
    """

    parameters: np.ndarray

    @property
    def location(self) -> np.ndarray:
        """(d,): logarithm of the threshold."""
        return self.parameters[:, 0]

    @property
    def spread(self) -> np.ndarray:
        """(d,): scale of the logistic function, in logarithms of the side."""
        return np.exp(self.parameters[:, 1])

    @property
    def floor(self) -> np.ndarray:
        """(d,): accuracy on the smallest objects."""
        return self.parameters[:, 2]

    @property
    def ceiling(self) -> np.ndarray:
        """(d,): accuracy on the largest objects."""
        return self.parameters[:, 3]

    def share(self, log_side: np.ndarray) -> np.ndarray:
        """(d, m): how far each curve has risen at each side, 0 at its floor to 1 at its ceiling."""
        # The logistic function, in a form that does not overflow.
        steps = (log_side - self.location[:, None]) / self.spread[:, None]
        return (1 + np.tanh(steps / 2)) / 2

    def at(self, log_side: np.ndarray) -> np.ndarray:
        """(d, m): accuracy of each curve at each of m logarithms of a side, or of (d, m) ones."""
        rise = self.ceiling - self.floor
        return self.floor[:, None] + rise[:, None] * self.share(log_side)

    def gradients(self, log_side: np.ndarray) -> np.ndarray:
        """(d, m, 4): derivatives of the accuracies by each parameter."""
        share = self.share(log_side)
        slope = (self.ceiling - self.floor)[:, None] * share * (1 - share)
        steps = (log_side - self.location[:, None]) / self.spread[:, None]
        return np.stack([-slope / self.spread[:, None], -slope * steps, 1 - share, share], axis=-1)


@dataclass(frozen=True)
class Bounds:
    """What a curve may be.

    Attributes
    ----------
    low, high
        (4,): bounds of `Curves.parameters`; besides, no floor is higher than its ceiling.
    """

    low: np.ndarray
    high: np.ndarray

    def keep(self, parameters: np.ndarray) -> np.ndarray:
        """Move (d, 4) parameters inside."""
        inside = parameters.clip(self.low, self.high)
        inside[:, 3] = inside[:, 2:].max(axis=1)
        return inside

    def reached(self, parameters: np.ndarray, uphill: np.ndarray) -> np.ndarray:
        """(d, 4), bool: which parameters a bound keeps from going uphill."""
        low = (parameters <= self.low) & (uphill < 0)
        return low | ((parameters >= self.high) & (uphill > 0))


def bounds_of(log_sides: np.ndarray, *, chance: float) -> Bounds:
    """Return what a curve over these levels may be.

    The floor may lie above `chance`, because colours and surroundings tell something even where
    the object has next to no pixels, and below it, because a head may name what few objects are.
    But an accuracy more than half-way from guessing to 1 is no floor.

    Examples
    --------
    >>> bounds = bounds_of(np.log([8, 16, 32]), chance=0.2)
    >>> np.exp(bounds.low[:2]).round(2).tolist(), np.exp(bounds.high[:2]).round(2).tolist()
    ([4.0, 0.02], [64.0, 2.0])
    >>> bounds.low[2:].tolist(), bounds.high[2:].tolist()
    ([0.0, 0.0], [0.6, 1.0])
    """
    low = np.array([log_sides.min() - BEYOND, np.log(SPREADS[0]), 0.0, 0.0])
    high = np.array([log_sides.max() + BEYOND, np.log(SPREADS[1]), (1 + chance) / 2, 1.0])
    return Bounds(low, high)


def fit(log_sides: np.ndarray, means: np.ndarray, *, bounds: Bounds) -> Curves:
    """Fit a curve to the accuracies at the levels by maximum likelihood, in every draw.

    Parameters
    ----------
    log_sides
        (m,): logarithms of the levels' sides, in ascending order.
    means
        (d, m), 0 to 1: accuracies at the levels in each draw, all of the same objects.

    Examples
    --------
    >>> log_sides = np.log([6, 8, 12, 16, 24, 32, 48, 64])
    >>> planted = Curves(np.array([[np.log(16), np.log(0.5), 0.3, 0.9]]))
    >>> found = fit(log_sides, planted.at(log_sides), bounds=bounds_of(log_sides, chance=0.2))
    >>> np.exp(found.location).round(1).tolist(), found.spread.round(2).tolist()
    ([16.0], [0.5])
    """
    parameters = _start(log_sides, means, bounds)
    reached = _likelihood(Curves(parameters).at(log_sides), means)
    damping = np.full(len(means), 1e-3)
    moving = np.arange(len(means))
    for _ in range(STEPS):
        here = parameters[moving]
        uphill, bend = _slopes(Curves(here), log_sides, means[moving], bounds)
        diagonal = np.arange(4)
        bend[:, diagonal, diagonal] *= 1 + damping[moving, None]
        bend[:, diagonal, diagonal] += TINY
        there = bounds.keep(here + np.linalg.solve(bend, uphill[..., None])[..., 0])
        found = _likelihood(Curves(there).at(log_sides), means[moving])
        gain = found - reached[moving]
        better = gain > 0
        parameters[moving[better]] = there[better]
        reached[moving[better]] = found[better]
        damping[moving] *= np.where(better, 0.1, 10.0)
        done = (better & (gain < ENOUGH)) | (damping[moving] > 1e6)
        moving = moving[~done]
        if not len(moving):
            break
    return Curves(parameters)


def _start(log_sides: np.ndarray, means: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Choose each draw's likeliest curve on a grid of locations and spreads: (d, 4)."""
    locations = np.linspace(bounds.low[0], bounds.high[0], LOCATIONS)
    spreads = np.linspace(bounds.low[1], bounds.high[1], SPREAD_COUNT)
    place, width = (axis.ravel() for axis in np.meshgrid(locations, spreads))
    none, one = np.zeros(len(place)), np.ones(len(place))
    shares = Curves(np.stack([place, width, none, one], axis=1)).at(log_sides)
    # The floor and the ceiling with the least squares, for each location and spread.
    design = np.stack([1 - shares, shares], axis=-1)
    ends = np.einsum("gem,dm->dge", np.linalg.pinv(design, rcond=1e-6), means)
    ends = ends.clip(bounds.low[2:], bounds.high[2:])
    ends[..., 1] = ends.max(axis=-1)
    accuracies = np.einsum("gme,dge->dgm", design, ends)
    best = _likelihood(accuracies, means[:, None]).argmax(axis=1)
    draws = np.arange(len(means))
    return np.column_stack([place[best], width[best], ends[draws, best]])


def _likelihood(accuracies: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Compute the mean log likelihood over the levels, the last axis."""
    right = accuracies.clip(NOWHERE, 1 - NOWHERE)
    return (means * np.log(right) + (1 - means) * np.log1p(-right)).mean(axis=-1)


def _slopes(
    curves: Curves, log_sides: np.ndarray, means: np.ndarray, bounds: Bounds
) -> tuple[np.ndarray, np.ndarray]:
    """Return gradients, (d, 4), and information, (d, 4, 4), of the mean log likelihood.

    Parameters that a bound keeps where they are have none.
    """
    accuracies = curves.at(log_sides).clip(NOWHERE, 1 - NOWHERE)
    gradients = curves.gradients(log_sides)
    weighted = gradients / (accuracies * (1 - accuracies))[..., None] / len(log_sides)
    uphill = np.einsum("dmp,dm->dp", weighted, means - accuracies)
    free = ~bounds.reached(curves.parameters, uphill)
    bend = np.einsum("dmp,dmq->dpq", weighted, gradients) * (free[:, None] & free[..., None])
    return uphill * free, bend
