"""Paired tests, their adjustment, and the effects that they could have found."""

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaincinv, stdtr, stdtrit

from smallsight.vocabulary import POWER


def wald_p(effect: float, error: float, *, images: int) -> float:
    """Compute Wald's two-sided p-value of an effect against none, by Student's distribution.

    It is never less than the chance that all images go one way by luck, which is the only evidence
    for an effect without any scatter.

    Parameters
    ----------
    effect, error
        The effect and its standard error; the p-value is NaN where the error is.
    images
        Number of images that they are from.

    Examples
    --------
    >>> round(wald_p(0.2, 0.1, images=50), 3)
    0.051
    >>> wald_p(1.0, 0.0, images=5)
    0.0625
    """
    if np.isnan(error) or abs(effect) < 1e-12:
        return np.nan if np.isnan(error) else 1.0
    if error == 0:
        return least_p(images)
    return max(float(2 * stdtr(max(images - 1, 1), -abs(effect) / error)), least_p(images))


def least_p(images: int) -> float:
    """Return the least p-value that images can give: the chance that all go one way by luck.

    Examples
    --------
    >>> least_p(5)
    0.0625
    """
    return min(2.0 ** (1 - min(images, 1000)), 1.0)


def sign_flip_p(changes: np.ndarray) -> float:
    """Compute the exact two-sided p-value of the sign-flip permutation test.

    If a change of the picture has no effect, all answers of an image could as well have been
    swapped between before and after, together. The p-value is the share of all 2^images such
    outcomes whose net change is at least as large (Pitman's test; Good, Permutation Tests, 2000,
    section 3.2). Where every image holds one instance and one seed names it, this is McNemar's
    exact test.

    Parameters
    ----------
    changes
        (images,), whole numbers: by how many right answers each image gains.

    Examples
    --------
    Eight answers lost, each in an image of its own, and in two images:

    >>> round(sign_flip_p(np.full(8, -1)), 4)
    0.0078
    >>> sign_flip_p(np.array([-4, -4]))
    0.5
    """
    net = abs(int(changes.sum()))
    return float(_flip_tails(changes)[net])


def detectable_change(changes: np.ndarray, *, level: float, whole: int) -> float:
    """Compute the net change below which the sign-flip test may find nothing.

    No test finds less than a handful of images that all go one way. This is the larger of two: the
    least net change of images like these that the test would find, and so many images, each with
    the mean change of those that changed, that enough of them do so in `POWER` of all studies, by a
    Poisson distribution.

    Parameters
    ----------
    changes
        As for `sign_flip_p`.
    level
        The largest p-value that counts.
    whole
        Change of an image, where none has changed.

    Examples
    --------
    >>> round(detectable_change(np.array([0, 0, 1]), level=0.05, whole=1), 1)
    7.9
    >>> detectable_change(np.ones(100, int), level=0.05, whole=1)
    21.0
    """
    changed = abs(changes[changes != 0])
    enough = np.ceil(1 - np.log2(level))
    handful = float(gammaincinv(enough, POWER)) * (changed.mean() if len(changed) else whole)
    found = np.flatnonzero(_flip_tails(changes) <= level)
    return float(max(handful, found[0] if len(found) else 0))


def _flip_tails(changes: np.ndarray) -> np.ndarray:
    """(1 + greatest net change,): by net change, the share of outcomes with at least as much."""
    changed = abs(changes[changes != 0])
    total = int(changed.sum())
    shares = np.zeros(total + 1)  # of all outcomes, by how much their gaining images gain
    shares[0], reach = 1.0, 1
    for size in np.sort(changed):
        half = shares[:reach] / 2
        shares[:reach] = half
        shares[size : size + reach] += half
        reach += size
    above = 2 * shares[::-1].cumsum()[: total // 2 + 1][::-1]
    # Nets have the parity of their sum; what lies between two of them has the upper one's share.
    tails = np.repeat(above, 2)[1 - total % 2 :] if total else above
    # Without rounding errors at either end.
    tails[-1] = least_p(len(changed))
    tails[0] = 1.0
    return tails.clip(least_p(len(changed)), 1.0)


def permutation_p(observed: float, permuted: np.ndarray) -> float:
    """Compute the two-sided p-value of a permutation test: twice the smaller of the two tails.

    The observed value counts as one of the permutations (Phipson and Smyth, Permutation P-values
    Should Never Be Zero, SAGMB 2010).

    Examples
    --------
    >>> permutation_p(9.0, np.arange(9))
    0.2
    """
    tails = [np.sum(permuted >= observed - 1e-9), np.sum(permuted <= observed + 1e-9)]
    return float(min(2 * (min(tails) + 1) / (len(permuted) + 1), 1.0))


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Adjust the p-values of one family of tests by Holm's method; NaN is left out of the family.

    Examples
    --------
    >>> holm([0.01, 0.04, np.nan]).round(2).tolist()
    [0.02, 0.04, nan]
    """
    p_values = np.asarray(p_values, float)
    adjusted = np.full(len(p_values), np.nan)
    tested = ~np.isnan(p_values)
    order = np.flatnonzero(tested)[p_values[tested].argsort(kind="stable")]
    # statsmodels' `multipletests` says the same, but collects garbage in every call, for 70 ms.
    steps = np.arange(len(order), 0, -1) * p_values[order]
    adjusted[order] = np.maximum.accumulate(steps).clip(max=1.0)
    return adjusted


def minimum_detectable(error: float, *, confidence: float, images: int) -> float:
    """Compute the smallest effect that Wald's test would find in `POWER` of such studies.

    For one test at level 1 - confidence (Bloom, Minimum Detectable Effects, Evaluation Review
    1995).

    Parameters
    ----------
    error
        The effect's standard error; the result is NaN where it is 0 or NaN.
    confidence
        0 to 1.
    images
        Number of images; NaN where so few can show nothing.

    Examples
    --------
    >>> round(minimum_detectable(0.1, confidence=0.95, images=1000), 2)
    0.28
    >>> round(minimum_detectable(0.1, confidence=0.95, images=10), 2)
    0.31
    """
    if not error > 0 or least_p(images) > 1 - confidence:
        return np.nan
    freedom = images - 1
    return float((stdtrit(freedom, POWER) - stdtrit(freedom, (1 - confidence) / 2)) * error)
