"""Intervals for limits: never narrower than so few images allow, and for several at once."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from smallsight.vocabulary import POWER


@dataclass(frozen=True)
class Interval:
    """An estimate, and the ends of its interval; NaN where there is none.

    Attributes
    ----------
    estimate, low, high
        Shares, or differences of shares.
    level
        The share of such intervals that miss the truth.
    """

    estimate: float
    low: float
    high: float
    level: float

    def negated(self) -> "Interval":
        """Return the interval of the same number with its sign turned."""
        return dataclasses.replace(self, estimate=-self.estimate, low=-self.high, high=-self.low)

    def as_one_of(self, family: int, *, images: int) -> "Interval":
        """Return the interval at which a whole family of them covers all truths (Bonferroni).

        Student's interval, from -1 to 1, is widened by as much as its quantile grows.

        Parameters
        ----------
        family
            Number of intervals.
        images
            Number of images that it is from.
        """
        # One end may have been cut off at -1 or 1.
        reach = max(self.estimate - self.low, self.high - self.estimate)
        level, freedom = self.level / family, max(images - 1, 1)
        reach *= stdtrit(freedom, level / 2) / stdtrit(freedom, self.level / 2)
        return self._reaching(reach, level=level)

    def at_least_of(self, images: int) -> "Interval":
        """Return the interval, no narrower than it would be if every image had one outcome.

        Where hardly an answer differs between images, the standard error says too little. Of
        `images` that all agree, up to a share of 1 - (level / 2) ** (1 / images) may yet differ
        (Clopper and Pearson, Biometrika 1934).
        """
        reach = 1 - (self.level / 2) ** (1 / max(images, 1))
        if not max(self.estimate - self.low, self.high - self.estimate) < reach:
            return self
        return self._reaching(reach, level=self.level)

    def _reaching(self, reach: float, *, level: float) -> "Interval":
        low, high = np.clip([self.estimate - reach, self.estimate + reach], -1, 1)
        return Interval(self.estimate, float(low), float(high), level)

    def factor_to_exclude(self, value: float) -> float:
        """Compute by which factor objects must grow in number for the interval to exclude a value.

        In `POWER` of such studies, if the truth lies where the estimate does, by the normal
        approximation: an interval's reach falls with the square root of their number. Infinite
        where the estimate is the value.
        """
        distance = abs(value - self.estimate)
        reach = self.high - self.estimate if value > self.estimate else self.estimate - self.low
        quantile = -ndtri(self.level / 2)
        needed = reach * (1 + ndtri(POWER) / quantile)
        return float((needed / distance) ** 2) if distance > 1e-9 else np.inf
