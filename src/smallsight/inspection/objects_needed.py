"""How many objects the study's own tests need to find an effect, and what a sample can show.

Accuracy under a condition is compared with that on untouched pictures by the exact sign-flip test,
which is McNemar's where every picture holds one object. The gap between groups is tested by Wald's.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from smallsight.analysis.statistics.tests import minimum_detectable
from smallsight.vocabulary import POWER

EFFECTS = (0.02, 0.05, 0.10)
"""Differences of accuracy that objects are counted for."""

GAINED = (0.05, 0.10)
"""Shares of objects that are named rightly under a condition alone, few and many. Objects that are
lost are these and the effect. On photographs and drawn scenes 1 to 11 % were gained."""

MOST_OBJECTS = 1_000_000
"""Beyond as many, no number is given."""


@dataclass(frozen=True)
class Needed:
    """Objects per size group that find an effect in `POWER` of all studies.

    Attributes
    ----------
    effect
        A difference of accuracy, 0 to 1.
    paired
        For a change under a condition, where few and where many answers change both ways.
    gap
        For a gap between two size groups of as many objects.
    """

    effect: float
    paired: tuple[int, int]
    gap: int


@dataclass(frozen=True)
class Detectable:
    """The least effects that a sample shows in `POWER` of all studies; NaN where it shows none.

    The ends stand for pictures whose objects are right or wrong each by itself, few answers
    changing both ways, and for pictures whose objects all go together, many answers changing.

    Attributes
    ----------
    n, images
        Objects of a size group, and the pictures that hold them.
    best, worst
        A change of accuracy, 0 to 1.
    """

    n: int
    images: int
    best: float
    worst: float


def count_needed(*, level: float, confidence: float) -> list[Needed]:
    """Count the objects that each of `EFFECTS` needs.

    Parameters
    ----------
    level
        Of the strictest test of a condition: the largest p-value that counts.
    confidence
        Of the one test of the gap.
    """
    return [
        Needed(
            effect,
            (
                pairs_needed(effect, gained=GAINED[0], level=level),
                pairs_needed(effect, gained=GAINED[1], level=level),
            ),
            gap_needed(effect, confidence=confidence),
        )
        for effect in EFFECTS
    ]


def paired_power(n: int, effect: float, *, gained: float, level: float) -> float:
    """Compute how often McNemar's exact test finds a loss of accuracy.

    Parameters
    ----------
    n
        Objects, each in a picture of its own.
    effect
        The share of objects that are lost minus that of those that are gained, 0 to 1.
    gained
        The share that is gained, 0 to 1.
    level
        The largest two-sided p-value that counts.

    Examples
    --------
    >>> round(paired_power(200, 0.1, gained=0.05, level=0.05), 2)
    0.88
    """
    lost = min(effect + gained, 1 - gained)
    changed = lost + gained
    if not changed:
        return 0.0
    least, most = binom.ppf([1e-9, 1 - 1e-9], n, changed).astype(int)
    numbers = np.arange(least, most + 1)
    # As many losses, of so many changes, have a p-value that counts.
    enough = binom.isf(level / 2, numbers, 0.5) + 1
    found = binom.sf(enough - 1, numbers, lost / changed)
    found += binom.cdf(numbers - enough, numbers, lost / changed)
    return float((binom.pmf(numbers, n, changed) * found).sum())


def pairs_needed(effect: float, *, gained: float, level: float) -> int:
    """Return how many objects McNemar's exact test needs, for `POWER`.

    Examples
    --------
    >>> pairs_needed(0.1, gained=0.05, level=0.05)
    168
    """
    return _least(lambda n: paired_power(n, effect, gained=gained, level=level) >= POWER)


def gap_needed(gap: float, *, confidence: float) -> int:
    """Return how many objects of each of two groups Wald's test of their gap needs, for `POWER`.

    Accuracies lie evenly on both sides of one half, where a gap is hardest to tell.

    Examples
    --------
    >>> gap_needed(0.1, confidence=0.95)
    390
    """
    return _least(lambda n: _gap_found(gap, n, n, confidence=confidence) <= gap)


def detectable_change(n: float, *, gained: float, level: float) -> float:
    """Return the least loss of accuracy that n objects show in `POWER` of all studies.

    NaN where they show none.

    Examples
    --------
    >>> round(detectable_change(200, gained=0.05, level=0.05), 3)
    0.089
    """
    objects, most = int(n), 1 - 2 * gained

    def is_found(effect: float) -> bool:
        return paired_power(objects, effect, gained=gained, level=level) >= POWER

    if objects < 1 or not is_found(most):
        return np.nan
    low, high = 0.0, most
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if is_found(middle) else (middle, high)
    return high


def detectable_by(images: pd.Series, *, level: float) -> Detectable:
    """Return what the objects of one size group show of a condition.

    Parameters
    ----------
    images
        (n,): the picture of each object.
    level
        The largest p-value that counts.
    """
    n = len(images)
    return Detectable(
        n,
        images.nunique(),
        detectable_change(n, gained=GAINED[0], level=level),
        detectable_change(independent(images), gained=GAINED[1], level=level),
    )


def detectable_gap(small: pd.Series, large: pd.Series, *, confidence: float) -> tuple[float, float]:
    """Return the least gap that two groups show in `POWER` of all studies; NaN where none.

    Parameters
    ----------
    small, large
        (n,) each: the picture of each object.

    Returns
    -------
    best, worst
        Where the objects of a picture are right each by itself, and where all go together.
    """
    if small.empty or large.empty:
        return np.nan, np.nan
    best = _gap_found(0.0, len(small), len(large), confidence=confidence)
    worst = _gap_found(0.0, independent(small), independent(large), confidence=confidence)
    return best, worst


def independent(images: pd.Series) -> float:
    """Count as how many objects these are, if all objects of a picture go together (Kish, 1965).

    Examples
    --------
    >>> independent(pd.Series([7, 7, 8, 9]))
    2.6666666666666665
    """
    counts = images.value_counts().to_numpy()
    return float(counts.sum() ** 2 / (counts**2).sum()) if len(counts) else 0.0


def _gap_found(gap: float, n: float, m: float, *, confidence: float) -> float:
    """Return the least gap that groups of n and m objects show, accuracies lying `gap` apart."""
    error = np.sqrt((1 - gap**2) / 4 * (1 / n + 1 / m))
    return minimum_detectable(error, confidence=confidence, images=max(int(n + m), 2))


def _least(is_enough: Callable[[int], bool]) -> int:
    high = 2
    while not is_enough(high):
        if high > MOST_OBJECTS:
            return high
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
