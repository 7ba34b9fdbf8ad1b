"""Intervals by bootstrap over images."""

import functools

import numpy as np
from scipy.special import ndtr, stdtrit

from smallsight.analysis.statistics.tests import minimum_detectable, wald_p


def image_weights(image_ids: np.ndarray, *, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw images with replacement, and count how often each instance is drawn.

    Instances of one image are drawn together, because their outcomes depend on each other (the
    cluster bootstrap: Davison and Hinkley, Bootstrap Methods, 1997, section 3.8).

    Parameters
    ----------
    image_ids
        (n,), the image of each instance.

    Returns
    -------
    ndarray
        (draws, n), whole numbers of 0 or more, as float32.

    Examples
    --------
    Two instances of picture 7 are drawn together:

    >>> weights = image_weights(np.array([7, 7, 8]), draws=3, rng=np.random.default_rng(1))
    >>> weights.tolist()
    [[1.0, 1.0, 1.0], [2.0, 2.0, 0.0], [0.0, 0.0, 2.0]]
    """
    images, image_of = np.unique(image_ids, return_inverse=True)
    shares = np.full(len(images), 1 / len(images))
    counts = rng.multinomial(len(images), shares, size=draws).astype(np.float32)
    return counts[:, image_of]


def weighted_means(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Compute the means of (k, n) values in (draws, n) draws: (draws, k), NaN for an empty draw.

    Examples
    --------
    >>> weighted_means(np.array([[0.0, 1.0, 1.0]]), np.array([[1, 1, 1], [2, 0, 0]])).round(2)
    array([[0.67],
           [0.  ]])
    """
    # In double precision: in single precision, means of equal values differ by rounding errors.
    weights = weights.astype(np.float64)
    total = weights.sum(axis=1)[:, None]
    sums = weights @ values.T
    return np.divide(sums, total, out=np.full(sums.shape, np.nan), where=total > 0)


def percentile_interval(
    draws: np.ndarray, confidence: float, *, images: int
) -> tuple[float, float]:
    """Compute the expanded percentile interval; NaN where there are no draws.

    Plain percentiles are too narrow where images are few, like a normal interval that ignores the
    degrees of freedom. These are widened by as much as Student's interval is wider than the normal
    one (Hesterberg, What Teachers Should Know About the Bootstrap, American Statistician 2015).

    Parameters
    ----------
    draws
        Any number of them, NaN left out. Infinite draws count, so that an end may be infinite.
    confidence
        0 to 1.
    images
        Number of images in each draw.

    Returns
    -------
    low, high
        Its ends.

    Examples
    --------
    >>> draws = np.linspace(0, 1, 1001)
    >>> [round(end, 2) for end in percentile_interval(draws, 0.9, images=1000)]
    [0.05, 0.95]
    >>> [round(end, 2) for end in percentile_interval(draws, 0.9, images=10)]
    [0.03, 0.97]
    """
    draws = draws[~np.isnan(draws)]
    if not len(draws):
        return np.nan, np.nan
    freedom = max(images - 1, 1)
    reach = stdtrit(freedom, (1 - confidence) / 2) * np.sqrt(1 + 1 / freedom)
    tail = ndtr(reach)
    # Nothing lies between a finite and an infinite draw: choose one of them.
    quantile = functools.partial(np.quantile, draws, [tail, 1 - tail])
    low, high = quantile() if np.isfinite(draws).all() else quantile(method="inverted_cdf")
    return float(low), float(high)


def student_interval(
    value: float, draws: np.ndarray, confidence: float, *, images: int
) -> tuple[float, float]:
    """Compute Student's interval by the bootstrap's standard error; NaN where that is.

    Of a difference between means, it covers the truth as often as it says where images hold several
    instances each, which percentiles do not; and it is what Wald's test does not reject.

    Parameters
    ----------
    value
        The estimate.
    draws
        Its bootstrap.
    confidence
        0 to 1.
    images
        Number of images in each draw.

    Returns
    -------
    low, high
        Its ends.

    Examples
    --------
    >>> draws = np.tile([0.2, 0.4], 500)
    >>> [round(end, 2) for end in student_interval(0.3, draws, 0.95, images=100)]
    [0.1, 0.5]
    """
    error = standard_error(draws, images=images)
    reach = -stdtrit(max(images - 1, 1), (1 - confidence) / 2) * error
    return float(value - reach), float(value + reach)


def share_interval(
    share: float, draws: np.ndarray, confidence: float, *, images: int
) -> tuple[float, float]:
    """Compute Wilson's interval of a share, for the effective number of independent trials.

    That number gives a binomial variance equal to the draws' variance; where the draws do not
    scatter it is the number of images. Unlike percentiles, the interval is sound near 0 and 1
    (Franco et al., Comparative Study of Confidence Intervals for Proportions in Complex Sample
    Surveys, JSSAM 2019).

    Parameters
    ----------
    share
        The estimate, 0 to 1.
    draws
        Its bootstrap.
    confidence
        0 to 1.
    images
        Number of images in each draw.

    Returns
    -------
    low, high
        Its ends, 0 to 1, with the share between them.

    Examples
    --------
    All of ten images are recognised, in every draw:

    >>> [float(round(end, 2)) for end in share_interval(1.0, np.ones(100), 0.95, images=10)]
    [0.66, 1.0]
    """
    error = standard_error(draws, images=images)
    trials = share * (1 - share) / error**2 if error > 1e-9 else images
    reach = stdtrit(max(images - 1, 1), (1 - confidence) / 2) ** 2 / max(trials, 1)
    middle = (share + reach / 2) / (1 + reach)
    half = np.sqrt(reach * share * (1 - share) + reach**2 / 4) / (1 + reach)
    # Rounding errors may put the ends on the wrong side of the share.
    return min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)


def standard_error(draws: np.ndarray, *, images: int) -> float:
    """Compute the standard error by the draws' deviation; NaN where fewer than two are finite.

    Draws scatter around the sample's mean instead of the truth, which makes their variance too
    small by a factor of 1 - 1 / images; this is corrected.

    Parameters
    ----------
    draws
        The bootstrap of an estimate.
    images
        Number of images in each draw.
    """
    draws = draws[np.isfinite(draws)]
    if len(draws) < 2:
        return np.nan
    return float(draws.std(ddof=1) * np.sqrt(1 + 1 / max(images - 1, 1)))


def superiority(
    first: np.ndarray, second: np.ndarray, first_weights: np.ndarray, second_weights: np.ndarray
) -> np.ndarray:
    """Compute the probability of superiority in every draw.

    This is the chance that one of the first numbers is greater than one of the second, ties
    counting half: Mann and Whitney's U over the number of pairs (McGraw and Wong, A Common Language
    Effect Size Statistic, Psychological Bulletin 1992).

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

    Examples
    --------
    >>> once = np.ones((1, 2))
    >>> superiority(np.array([2.0, 3.0]), np.array([1.0, 2.0]), once, once).tolist()
    [0.875]
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
    """Compute the interval, the test and the detectable effect of an estimate.

    Parameters
    ----------
    draws
        (1 + draws,), the estimate first, then its bootstrap.
    confidence
        0 to 1.
    images
        Number of images in each draw.

    Returns
    -------
    dict
        ci_low, ci_high: Student's interval; p_value: Wald's, against 0; mde: the smallest
        effect that a test would find with `POWER`.
    """
    low, high = student_interval(draws[0], draws[1:], confidence, images=images)
    error = standard_error(draws[1:], images=images)
    return {
        "ci_low": low,
        "ci_high": high,
        "p_value": wald_p(draws[0], error, images=images),
        "mde": minimum_detectable(error, confidence=confidence, images=images),
    }
