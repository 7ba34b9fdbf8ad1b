"""Goodness of fit: whether the accuracies at the levels are those of a psychometric curve."""

import numpy as np

from smallsight.analysis.statistics.psychometric import Bounds, Curves

DISTINCT = 1e-9
"""A combination of parameters that changes no accuracy by more counts as none."""

AT_LEAST = 0.05
"""A statistic as small as this is none: where all objects agree, no draw differs from the sample,
and a logistic curve comes close to a step but never reaches it."""


def misfit_p(
    answers: np.ndarray,
    weights: np.ndarray,
    image: np.ndarray,
    *,
    log_sides: np.ndarray,
    curve: Curves,
    bounds: Bounds,
) -> float:
    """Test by a studentised cluster bootstrap whether a fitted curve is the true one.

    What no curve near the fitted one can follow is measured by contrasts of the accuracies, on
    which its parameters have no influence. The statistic is Hotelling's: their distance from the
    curve's, in units of how they scatter from image to image. It takes into account that the same
    objects are seen at every level, so that the accuracies differ by much less than each of them
    scatters. Each draw's own statistic, with the sample's contrasts in place of the curve's and the
    draw's own scatter, says how large it gets where the curve is true (Davison and Hinkley,
    Bootstrap Methods, 1997, section 4.4).

    Parameters
    ----------
    answers
        (n, m), 0 to 1: how often each of n instances is recognised at each of m levels.
    weights
        (1 + draws, n): how often it was drawn; the first row is the sample.
    image
        (n,): the image that it belongs to.
    log_sides
        (m,): logarithms of the levels' sides.
    curve
        The one that was fitted to the sample within `bounds`.

    Returns
    -------
    float
        Above 0 to 1; NaN where there are too few levels or images to tell.
    """
    contrasts = _contrasts(curve, log_sides, bounds)
    images, first, image_of = np.unique(image, return_index=True, return_inverse=True)
    if len(log_sides) <= curve.parameters.shape[1] or len(images) <= contrasts.shape[1]:
        return np.nan
    weights = weights[:, first].astype(float)
    values = np.zeros((len(images), contrasts.shape[1]))
    np.add.at(values, image_of, answers @ contrasts)
    counts = np.bincount(image_of).astype(float)
    means, scatter = _draw(values, counts, weights)
    distance = means - means[0]
    distance[0] = means[0] - curve.at(log_sides)[0] @ contrasts
    studentised = np.linalg.solve(scatter, distance[..., None])[..., 0]
    statistic = np.einsum("dp,dp->d", distance, studentised)
    greater = np.sum(statistic[1:] >= statistic[0] - AT_LEAST)
    return float((1 + greater) / len(statistic))


def _contrasts(curve: Curves, log_sides: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Return orthonormal contrasts that no free parameter changes: (m, levels - parameters)."""
    parameters = curve.parameters[0]
    free = (parameters > bounds.low) & (parameters < bounds.high)
    left, strengths, _ = np.linalg.svd(curve.gradients(log_sides)[0][:, free])
    return left[:, np.sum(strengths > DISTINCT) :]


def _draw(
    values: np.ndarray, counts: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compute means, (1 + draws, p), and their covariances over images, in every draw.

    Parameters
    ----------
    values, counts
        Of each image: sums of p contrasts over its instances, and their number.
    weights
        (1 + draws, images): how often each image was drawn.
    """
    total = (weights @ counts)[:, None]
    means = weights @ values / total
    # The sums of products of what each image deviates from the means, without deviations by draw.
    size = values.shape[1]
    squares = weights @ (values[:, :, None] * values[:, None]).reshape(len(values), -1)
    mixed = (weights @ (values * counts[:, None]))[:, :, None] * means[:, None]
    square_counts = (weights @ counts**2)[:, None, None]
    scatter = squares.reshape(-1, size, size) - mixed - mixed.transpose(0, 2, 1)
    scatter += square_counts * means[:, :, None] * means[:, None]
    # Where all images agree, the mean is known no better than to half an image.
    least = np.eye(size) / (2 * len(values)) ** 2
    return means, scatter / total[..., None] ** 2 + least
