"""Psychometric curves: accuracy as a function of the object's side, and its likelihood.

A curve rises from a floor, chance, to a ceiling, as a logistic function of the logarithm of the
side (Wichmann and Hill, The psychometric function I, Perception & Psychophysics 2001). Its
threshold is the side at which it is half-way up, and its location the threshold's logarithm.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

LOCATIONS = 61
"""Number of thresholds on the grid, from half the smallest side to twice the largest."""

SPREADS = np.geomspace(0.08, 3.2, 9)
"""Spreads on the grid, in logarithms of the side."""

CEILINGS = np.linspace(0.12, 1.0, 9)
"""Ceilings on the grid, as shares of the way from chance to 1."""


def curve(
    log_side: np.ndarray,
    *,
    location: float | np.ndarray,
    spread: float,
    ceiling: float,
    floor: float,
) -> np.ndarray:
    """Compute the accuracy at each logarithm of a side.

    Parameters
    ----------
    log_side
        Logarithms of sides.
    location
        Logarithm of the threshold.
    spread
        Scale of the logistic function, in logarithms of the side.
    ceiling, floor
        Accuracies on the largest and on the smallest objects, 0 to 1.

    Examples
    --------
    >>> log_side = np.log([4, 16, 64])
    >>> curve(log_side, location=np.log(16), spread=0.5, ceiling=0.9, floor=0.3).round(2).tolist()
    [0.34, 0.6, 0.86]
    """
    # The logistic function, in a form that does not overflow.
    share = (1 + np.tanh((log_side - location) / spread / 2)) / 2
    return floor + (ceiling - floor) * share


@dataclass(frozen=True)
class Grid:
    """Curves of every shape at every location, over the sides of n instances.

    Attributes
    ----------
    log_side
        (n,), logarithms of the sides.
    floor
        Accuracy of guessing.
    """

    log_side: np.ndarray
    floor: float

    @cached_property
    def locations(self) -> np.ndarray:
        """(m,), evenly spaced."""
        low, high = self.log_side.min() - np.log(2), self.log_side.max() + np.log(2)
        return np.linspace(low, high, LOCATIONS)

    @cached_property
    def shapes(self) -> list[tuple[float, float]]:
        """Pairs of spread and ceiling."""
        ceilings = self.floor + (1 - self.floor) * CEILINGS
        return [(float(spread), float(ceiling)) for spread in SPREADS for ceiling in ceilings]

    @cached_property
    def logs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """By shape, (n, m) each: log odds of being correct, and log probability of being wrong."""
        found = []
        for spread, ceiling in self.shapes:
            accuracy = curve(
                self.log_side[:, None],
                location=self.locations,
                spread=spread,
                ceiling=ceiling,
                floor=self.floor,
            ).clip(1e-6, 1 - 1e-6)
            wrong = np.log1p(-accuracy)
            found.append(((np.log(accuracy) - wrong).astype(np.float32), wrong.astype(np.float32)))
        return found

    def likelihoods(self, weights: np.ndarray, hit_rates: np.ndarray, shape: int) -> np.ndarray:
        """(draws, m): log likelihood of each location in each draw."""
        odds, wrong = self.logs[shape]
        return (weights * hit_rates.astype(np.float32)) @ odds + weights @ wrong

    def shape_by_draw(self, weights: np.ndarray, hit_rates: np.ndarray) -> np.ndarray:
        """(draws,): the shape with the greatest likelihood at any location."""
        best = [
            self.likelihoods(weights, hit_rates, shape).max(axis=1)
            for shape in range(len(self.shapes))
        ]
        return np.argmax(best, axis=0)

    def location_by_draw(
        self, weights: np.ndarray, hit_rates: np.ndarray, shape_of: np.ndarray
    ) -> np.ndarray:
        """(draws,): the likeliest location, given each draw's shape; infinite off the grid."""
        found = np.empty(len(weights))
        for shape in np.unique(shape_of):
            chosen = shape_of == shape
            found[chosen] = self._peaks(self.likelihoods(weights[chosen], hit_rates, shape))
        return found

    def _peaks(self, likelihoods: np.ndarray) -> np.ndarray:
        """Find each row's maximum between grid points, by a parabola through its neighbours."""
        top = likelihoods.argmax(axis=1)
        inner = top.clip(1, LOCATIONS - 2)
        left, middle, right = (
            likelihoods[np.arange(len(top)), inner + step].astype(float) for step in (-1, 0, 1)
        )
        bend = left - 2 * middle + right
        shift = np.divide(left - right, 2 * bend, out=np.zeros(len(top)), where=bend < 0)
        step = self.locations[1] - self.locations[0]
        peak = self.locations[inner] + shift.clip(-1, 1) * step
        return np.select([top == 0, top == LOCATIONS - 1], [-np.inf, np.inf], peak)
