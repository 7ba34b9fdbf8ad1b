"""Paired tests, their adjustment, and the effects that they could have found."""

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaincinv, gammaln, ndtri, stdtr
from statsmodels.stats import contingency_tables, multitest

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
    least = 2.0 ** (1 - images)
    if error == 0:
        return least
    return max(float(2 * stdtr(max(images - 1, 1), -abs(effect) / error)), least)


def mcnemar_p(gained: int, lost: int) -> float:
    """Compute the two-sided p-value of McNemar's exact test.

    Parameters
    ----------
    gained, lost
        Numbers of positive and of negative flips: pairs that are correct only after the change,
        and only before it.

    Examples
    --------
    >>> round(mcnemar_p(1, 9), 4)
    0.0215
    """
    table = [[0, gained], [lost, 0]]
    return float(contingency_tables.mcnemar(table, exact=True).pvalue)


def clustered_mcnemar_p(changes: np.ndarray) -> float:
    """Compute the two-sided p-value of McNemar's exact test with images in place of pairs.

    If a change of the picture has no effect, all flips of an image could as well have gone the
    other way, together. The p-value is the share of all 2^images such outcomes whose net change is
    at least as large. Where no image holds two pairs, this is `mcnemar_p`; where pairs of one image
    flip together, `mcnemar_p` is too small.

    Parameters
    ----------
    changes
        (images,), whole numbers: positive minus negative flips of each image.

    Examples
    --------
    Eight negative flips, each in an image of its own, and in two images:

    >>> round(clustered_mcnemar_p(np.full(8, -1)), 4)
    0.0078
    >>> clustered_mcnemar_p(np.array([-4, -4]))
    0.5
    """
    sizes, counts = np.unique(abs(changes[changes != 0]), return_counts=True)
    shares = np.ones(1)  # of all outcomes, by their number of positive flips
    for size, count in zip(sizes, counts, strict=True):
        positive = np.arange(count + 1)
        ways = gammaln(count + 1) - gammaln(positive + 1) - gammaln(count - positive + 1)
        steps = np.zeros(size * count + 1)
        steps[::size] = np.exp(ways - count * np.log(2))
        shares = np.convolve(shares, steps)
    net = 2 * np.arange(len(shares)) - (len(shares) - 1)
    return min(float(shares[abs(net) >= abs(changes.sum())].sum()), 1.0)


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
    if tested.any():
        adjusted[tested] = multitest.multipletests(p_values[tested], method="holm")[1]
    return adjusted


def minimum_detectable(error: float, *, confidence: float) -> float:
    """Compute the smallest effect that a two-sided test would find in `POWER` of such studies.

    By the normal approximation, for one test at level 1 - confidence (Bloom, Minimum Detectable
    Effects, Evaluation Review 1995).

    Parameters
    ----------
    error
        The effect's standard error; the result is NaN where it is 0 or NaN.
    confidence
        0 to 1.

    Examples
    --------
    >>> round(minimum_detectable(0.1, confidence=0.95), 2)
    0.28
    """
    if not error > 0:
        return np.nan
    return float((ndtri(POWER) - ndtri((1 - confidence) / 2)) * error)


def fewest_discordant(confidence: float) -> float:
    """Compute how many pairs must flip, all one way, for McNemar's exact test to find them.

    This is the mean number of a Poisson distribution such that enough pairs flip in `POWER` of all
    studies.

    Examples
    --------
    >>> round(fewest_discordant(0.95), 1)
    7.9
    """
    enough = np.ceil(1 - np.log2(1 - confidence))
    return float(gammaincinv(enough, POWER))
