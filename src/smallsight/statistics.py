"""Intervals by bootstrap over images."""

import numpy as np


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
    """Mean of (n,) values in each of (draws, n) draws; NaN where a draw holds none of them."""
    total = weights.sum(axis=1)
    return np.divide(
        weights @ values.astype(np.float32),
        total,
        out=np.full(len(weights), np.nan, np.float32),
        where=total > 0,
    )


def percentile_interval(draws: np.ndarray, confidence: float) -> tuple[float, float]:
    """Give the central interval that holds a share `confidence` of the draws; NaN if none do."""
    draws = draws[~np.isnan(draws)]
    if not len(draws):
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)
