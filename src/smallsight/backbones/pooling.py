"""Maps averaged over all their cells, and over boxes as RoIAlign does it."""

import numpy as np


def mean_over_cells(maps: np.ndarray) -> np.ndarray:
    """Average maps (n, channels, rows, columns) over their cells: (n, channels)."""
    return maps.mean(axis=(2, 3))


def mean_over_boxes(maps: np.ndarray, regions: np.ndarray, *, size: int) -> np.ndarray:
    """Average maps over boxes by RoIAlign; see `region_shares`.

    Parameters
    ----------
    maps
        (pictures, channels, cells, cells), float32.
    regions
        (n, 5), as `regions_of` returns them.
    size
        Width and height of the input, in pixels.

    Returns
    -------
    ndarray
        (n, channels), float32.
    """
    shares = region_shares(regions, cells=maps.shape[-1], size=size).reshape(len(regions), -1, 1)
    own = maps[regions[:, 0].astype(int)].reshape(len(regions), maps.shape[1], -1)
    return (own @ shares)[:, :, 0]


def region_shares(regions: np.ndarray, *, cells: int, size: int) -> np.ndarray:
    """Compute how much each cell counts in the mean over a box.

    That is RoIAlign with one bin (He et al., Mask R-CNN, ICCV 2017): values between the middles of
    cells are interpolated bilinearly, and those beyond the outermost middles are theirs. They are
    taken at evenly spaced points, in each direction as many as the box is wide in cells, rounded
    up.

    Parameters
    ----------
    regions
        (n, 5), as `regions_of` returns them; the pictures play no part.
    cells
        Rows and columns of the maps.
    size
        Width and height of the input, in pixels.

    Returns
    -------
    ndarray
        (n, cells, cells), float32; each sums to 1.
    """
    left, top, right, bottom = regions[:, 1:].T * (cells / size) - 0.5
    rows, columns = _line_shares(top, bottom, cells), _line_shares(left, right, cells)
    return (rows[:, :, None] * columns[:, None, :]).astype(np.float32)


def _line_shares(start: np.ndarray, end: np.ndarray, cells: int) -> np.ndarray:
    """Compute how much each cell of a line counts in the mean from start to end: (n, cells)."""
    count = np.maximum(np.ceil(end - start), 1)
    step = np.arange(count.max(initial=1))
    points = start[:, None] + (step + 0.5) * ((end - start) / count)[:, None]
    # Beyond the outermost middles, values are theirs; a cell's middle is its number.
    distances = np.abs(np.clip(points, 0, cells - 1)[:, :, None] - np.arange(cells))
    is_taken = (step < count[:, None])[:, :, None]
    return (np.maximum(1 - distances, 0) * is_taken).sum(axis=1) / count[:, None]


def cell_shares(boxes: np.ndarray, *, cells: int, size: int) -> np.ndarray:
    """Compute what `region_shares` does of boxes, (n, 4) as left, top, width, height.

    Examples
    --------
    >>> cell_shares(np.array([[0.0, 0.0, 16.0, 8.0]]), cells=2, size=16)[0]
    array([[0.5, 0.5],
           [0. , 0. ]], dtype=float32)
    """
    return region_shares(regions_of(boxes, np.zeros(len(boxes), int)), cells=cells, size=size)


def regions_of(boxes: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """Bring boxes, (n, 4) as left, top, width, height, to the form that `mean_over_boxes` takes.

    Parameters
    ----------
    pictures
        (n,), the number of each box's picture.

    Returns
    -------
    ndarray
        (n, 5), float32: each box's picture, and its left, top, right and bottom, in input pixels.
    """
    left, top, width, height = boxes.T
    return np.stack([pictures, left, top, left + width, top + height], axis=1).astype(np.float32)
