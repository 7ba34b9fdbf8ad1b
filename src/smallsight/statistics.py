"""Intervals by bootstrap over images, paired tests, and what they could have found."""

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import gammaincinv, gammaln, ndtr, ndtri, stdtr, stdtrit
from statsmodels.stats import contingency_tables, multitest

from smallsight.vocabulary import POWER


def image_weights(image_ids: np.ndarray, *, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw images with replacement; say how often each instance comes along.

    Instances of one image are drawn together, because they share its scene and its fate (the
    cluster bootstrap: Davison and Hinkley, Bootstrap Methods, 1997, section 3.8).

    Parameters
    ----------
    image_ids
        (n,), the image of each instance.

    Returns
    -------
    ndarray
        (draws, n), whole numbers of 0 or more, as float32.
    """
    images, image_of = np.unique(image_ids, return_inverse=True)
    shares = np.full(len(images), 1 / len(images))
    counts = rng.multinomial(len(images), shares, size=draws).astype(np.float32)
    return counts[:, image_of]


def weighted_means(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Means of (k, n) values in each of (draws, n) draws: (draws, k), NaN where one is empty."""
    # In double precision, or else equal values would differ by what rounding leaves.
    weights = weights.astype(np.float64)
    total = weights.sum(axis=1)[:, None]
    sums = weights @ values.T
    return np.divide(sums, total, out=np.full(sums.shape, np.nan), where=total > 0)


def percentile_interval(
    draws: np.ndarray, confidence: float, *, images: int
) -> tuple[float, float]:
    """Give the expanded percentile interval; NaN where there are no draws.

    Plain percentiles are too narrow where images are few, as a normal interval is that takes no
    heed of degrees of freedom; these lie as much further out as Student's interval does
    (Hesterberg, What Teachers Should Know About the Bootstrap, American Statistician 2015).

    Parameters
    ----------
    draws
        Any number of them. Infinite draws are draws like others: an end may be infinite.
    images
        How many images each draw takes.
    """
    draws = draws[~np.isnan(draws)]
    if not len(draws):
        return np.nan, np.nan
    freedom = max(images - 1, 1)
    reach = stdtrit(freedom, (1 - confidence) / 2) * np.sqrt(1 + 1 / freedom)
    tail = ndtr(reach)
    # Between a finite and an infinite draw there is nothing to interpolate.
    quantile = functools.partial(np.quantile, draws, [tail, 1 - tail])
    low, high = quantile() if np.isfinite(draws).all() else quantile(method="inverted_cdf")
    return float(low), float(high)


def share_interval(
    share: float, draws: np.ndarray, confidence: float, *, images: int
) -> tuple[float, float]:
    """Give Wilson's interval of a share, for as many independent trials as the draws amount to.

    That number is the one whose binomial variance is the draws' own; without any scatter it is
    the number of images. Unlike percentiles, it holds near 0 and 1 (Franco et al., Comparative
    Study of Confidence Intervals for Proportions in Complex Sample Surveys, JSSAM 2019).

    Parameters
    ----------
    share
        The estimate, 0 to 1.
    draws
        Its bootstrap.
    images
        How many images each draw takes.
    """
    error = standard_error(draws, images=images)
    trials = share * (1 - share) / error**2 if error > 1e-9 else images
    reach = stdtrit(max(images - 1, 1), (1 - confidence) / 2) ** 2 / max(trials, 1)
    middle = (share + reach / 2) / (1 + reach)
    half = np.sqrt(reach * share * (1 - share) + reach**2 / 4) / (1 + reach)
    # Rounding may leave the ends beyond what they enclose.
    return min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)


def standard_error(draws: np.ndarray, *, images: int) -> float:
    """Give the standard deviation of the draws; NaN where fewer than two are numbers.

    Draws scatter around the sample's own value, which costs them one image's worth of variance.
    """
    draws = draws[np.isfinite(draws)]
    if len(draws) < 2:
        return np.nan
    return float(draws.std(ddof=1) * np.sqrt(1 + 1 / max(images - 1, 1)))


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


def superiority(
    first: np.ndarray, second: np.ndarray, first_weights: np.ndarray, second_weights: np.ndarray
) -> np.ndarray:
    """Give the chance that one of the first is greater than one of the second, in every draw.

    Ties count half: the probability of superiority, Mann and Whitney's U over the number of pairs
    (McGraw and Wong, A Common Language Effect Size Statistic, Psychological Bulletin 1992).

    Parameters
    ----------
    first, second
        (m,) and (n,) numbers.
    first_weights, second_weights
        (draws, m) and (draws, n): how often each was drawn.

    Returns
    -------
    ndarray
        (draws,), 0 to 1; NaN where a draw lacks one side.
    """
    order = np.argsort(second, kind="stable")
    below = np.zeros((len(second_weights), len(second) + 1))
    second_weights[:, order].cumsum(axis=1, dtype=float, out=below[:, 1:])
    places = [np.searchsorted(second[order], first, side) for side in ("left", "right")]
    won = sum(below[:, place] for place in places) / 2
    pairs = first_weights.sum(axis=1, dtype=float) * below[:, -1]
    wins = (first_weights * won).sum(axis=1)
    return np.divide(wins, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def estimate(draws: np.ndarray, *, confidence: float, images: int) -> dict[str, float]:
    """Give what stands beside an estimate in a table.

    Parameters
    ----------
    draws
        (1 + draws,), the estimate first, then its bootstrap.
    images
        How many images each draw takes.

    Returns
    -------
    dict
        ci_low, ci_high: the percentile interval; p_value: Wald's, against 0; mde: what a test would
        find.
    """
    low, high = percentile_interval(draws[1:], confidence, images=images)
    error = standard_error(draws[1:], images=images)
    return {
        "ci_low": low,
        "ci_high": high,
        "p_value": wald_p(draws[0], error, images=images),
        "mde": minimum_detectable(error, confidence=confidence),
    }


def fewest_discordant(confidence: float) -> float:
    """Give how many pairs must turn, all one way, for McNemar's exact test to find them.

    That many on average, so that in `POWER` of all studies enough of them turn (by Poisson's
    distribution).
    """
    enough = np.ceil(1 - np.log2(1 - confidence))
    return float(gammaincinv(enough, POWER))


def judge(
    table: pd.DataFrame,
    verdicts: Mapping[int | None, str],
    *,
    confidence: float,
    ends: tuple[str, str] = ("ci_low", "ci_high"),
    null: float = 0.0,
) -> pd.DataFrame:
    """Adjust a table's p-values as one family of tests, and name what each row shows.

    Parameters
    ----------
    table
        Columns p_value and `ends`, those of the interval.
    verdicts
        What to call an interval above `null` (1), below it (-1), neither (0), and none (None).
    null
        The value of no effect.

    Returns
    -------
    DataFrame
        The table with p_holm and verdict. A direction needs both interval and adjusted test.
    """
    low, high = (table[end].to_numpy(float) for end in ends)
    p_holm = holm(table["p_value"].to_numpy(float))
    side = ((low > null).astype(int) - (high < null)) * (p_holm <= 1 - confidence)
    known = ~np.isnan(low)
    names = [
        verdicts[int(one) if has_interval else None]
        for one, has_interval in zip(side, known, strict=True)
    ]
    return table.assign(p_holm=p_holm, verdict=names)
