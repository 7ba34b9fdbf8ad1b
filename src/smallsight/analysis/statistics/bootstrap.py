"""Intervals by bootstrap over images."""

import functools

import numpy as np
from scipy.special import ndtr, stdtrit

from smallsight.analysis.statistics.tests import minimum_detectable, wald_p


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
