"""Paired tests, their adjustment, and the effects that they could have found."""

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaincinv, gammaln, ndtri, stdtr
from statsmodels.stats import contingency_tables, multitest

from smallsight.vocabulary import POWER


def wald_p(effect: float, error: float, *, images: int) -> float:
    """Give the two-sided p-value of an effect against none, by its standard error.

    By Student's distribution; never less than the chance that all images go one way by luck,
    which is all that speaks for an effect without any scatter. NaN without an error.
    """
    if np.isnan(error) or abs(effect) < 1e-12:
        return np.nan if np.isnan(error) else 1.0
    least = 2.0 ** (1 - images)
    if error == 0:
        return least
    return max(float(2 * stdtr(max(images - 1, 1), -abs(effect) / error)), least)


def mcnemar_p(gained: int, lost: int) -> float:
    """Give the two-sided p-value of McNemar's exact test.

    Parameters
    ----------
    gained, lost
        Pairs that are right only after the change, and only before it.
    """
    table = [[0, gained], [lost, 0]]
    return float(contingency_tables.mcnemar(table, exact=True).pvalue)


def clustered_mcnemar_p(changes: np.ndarray) -> float:
    """Give the two-sided p-value of McNemar's exact test with images in place of single pairs.

    If a change of the picture does nothing, all that turned in an image might as well have turned
    the other way, together: p is the share of all 2^images such outcomes whose net change is as
    large. Where no image holds two pairs, this is `mcnemar_p`; where images hold several that
    turn together, that would find too much.

    Parameters
    ----------
    changes
        (images,), whole numbers: how many of an image's pairs turn right, minus how many turn
        wrong.
    """
    sizes, counts = np.unique(abs(changes[changes != 0]), return_counts=True)
    shares = np.ones(1)  # of the outcomes, by the sum of all that turns right
    for size, count in zip(sizes, counts, strict=True):
        right = np.arange(count + 1)
        ways = gammaln(count + 1) - gammaln(right + 1) - gammaln(count - right + 1)
        steps = np.zeros(size * count + 1)
        steps[::size] = np.exp(ways - count * np.log(2))
        shares = np.convolve(shares, steps)
    net = 2 * np.arange(len(shares)) - (len(shares) - 1)
    return min(float(shares[abs(net) >= abs(changes.sum())].sum()), 1.0)


def permutation_p(observed: float, permuted: np.ndarray) -> float:
    """Give the two-sided p-value of a permutation test: twice the smaller of the two tails.

    What was observed is one of the permutations (Phipson and Smyth, Permutation P-values Should
    Never Be Zero, SAGMB 2010).
    """
    tails = [np.sum(permuted >= observed - 1e-9), np.sum(permuted <= observed + 1e-9)]
    return float(min(2 * (min(tails) + 1) / (len(permuted) + 1), 1.0))


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Adjust the p-values of one family of tests by Holm's method; NaN stays out of the family."""
    p_values = np.asarray(p_values, float)
    adjusted = np.full(len(p_values), np.nan)
    tested = ~np.isnan(p_values)
    if tested.any():
        adjusted[tested] = multitest.multipletests(p_values[tested], method="holm")[1]
    return adjusted


def minimum_detectable(error: float, *, confidence: float) -> float:
    """Give the least effect that a two-sided test would find in `POWER` of all studies like this.

    By the normal approximation, for one test at level 1 - confidence (Bloom, Minimum Detectable
    Effects, Evaluation Review 1995). NaN where nothing scatters.

    Parameters
    ----------
    error
        The effect's standard error.
    """
    if not error > 0:
        return np.nan
    return float((ndtri(POWER) - ndtri((1 - confidence) / 2)) * error)


def fewest_discordant(confidence: float) -> float:
    """Give how many pairs must turn, all one way, for McNemar's exact test to find them.

    That many on average, so that in `POWER` of all studies enough of them turn (by Poisson's
    distribution).
    """
    enough = np.ceil(1 - np.log2(1 - confidence))
    return float(gammaincinv(enough, POWER))
