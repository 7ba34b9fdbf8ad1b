"""Maps brought to one feature otherwise than by their mean over all cells."""

import numpy as np

SHARPNESS = 2.0
"""Of the log-sum-exp: half-way from the mean to the maximum on the last maps of EfficientNet-Lite0,
whose values vary by about 0.5 from cell to cell (with 1 it is a third of the way, with 10 0.87)."""

POWER = 3
"""Of the generalised mean: the power that its authors start from."""

LEAST = np.float32(1e-6)
"""The generalised mean is one of positive values: those below this are raised to it."""


def maximum_over_cells(maps: np.ndarray) -> np.ndarray:
    """Keep the largest value of each map.

    Oquab et al., Is object localization for free?, CVPR 2015: a small object counts as much as a
    large one, wherever it lies.

    Parameters
    ----------
    maps
        (n, dimensions, rows, columns), float32.

    Returns
    -------
    ndarray
        (n, dimensions), float32.

    Examples
    --------
    >>> maps = np.array([[[[4, 0, 0, 0], [0, 1, 0, 3]]]], np.float32)
    >>> maximum_over_cells(maps)
    array([[4.]], dtype=float32)
    """
    return maps.max(axis=(2, 3))


def top_quarter_over_cells(maps: np.ndarray) -> np.ndarray:
    """Average the largest quarter of each map's values, at least two of them.

    Durand et al., WELDON, CVPR 2016: several cells are less noisy than the largest alone.

    Parameters
    ----------
    maps
        (n, dimensions, rows, columns), float32.

    Returns
    -------
    ndarray
        (n, dimensions), float32.

    Examples
    --------
    >>> maps = np.array([[[[4, 0, 0, 0], [0, 1, 0, 3]]]], np.float32)
    >>> top_quarter_over_cells(maps)
    array([[3.5]], dtype=float32)
    """
    values = np.sort(_by_map(maps), axis=2)
    count = max(round(values.shape[2] / 4), 2)
    return values[:, :, -count:].mean(axis=2)


def log_sum_exp_over_cells(maps: np.ndarray) -> np.ndarray:
    """Take the logarithm of the mean exponential of each map's values: a smooth maximum.

    Pinheiro and Collobert, From image-level to pixel-level labeling, CVPR 2015. `SHARPNESS` says
    how near the maximum it is.

    Parameters
    ----------
    maps
        (n, dimensions, rows, columns), float32.

    Returns
    -------
    ndarray
        (n, dimensions), float32.

    Examples
    --------
    >>> maps = np.array([[[[4, 0, 0, 0], [0, 1, 0, 3]]]], np.float32)
    >>> log_sum_exp_over_cells(maps).round(2)
    array([[3.03]], dtype=float32)
    """
    values = _by_map(maps)
    largest = values.max(axis=2, keepdims=True)
    powers = np.exp(np.float32(SHARPNESS) * (values - largest)).mean(axis=2)
    return largest[:, :, 0] + np.log(powers) / np.float32(SHARPNESS)


def generalised_mean_over_cells(maps: np.ndarray) -> np.ndarray:
    """Take the root of the mean power of each map's values.

    Radenović et al., Fine-tuning CNN image retrieval with no human annotation, TPAMI 2019.

    Parameters
    ----------
    maps
        (n, dimensions, rows, columns), float32.

    Returns
    -------
    ndarray
        (n, dimensions), float32.

    Examples
    --------
    >>> maps = np.array([[[[4, 0, 0, 0], [0, 1, 0, 3]]]], np.float32)
    >>> generalised_mean_over_cells(maps).round(2)
    array([[2.26]], dtype=float32)
    """
    powers = np.maximum(_by_map(maps), LEAST) ** POWER
    return powers.mean(axis=2) ** np.float32(1 / POWER)


def _by_map(maps: np.ndarray) -> np.ndarray:
    """Flatten (n, dimensions, rows, columns) to (n, dimensions, cells)."""
    return maps.reshape(*maps.shape[:2], -1)
