"""Maps averaged over all their cells, and over boxes by RoIAlign."""

import numpy as np
import torch
from torch import nn
from torchvision.ops import roi_align


def mean_over_cells(maps: torch.Tensor) -> torch.Tensor:
    """Average maps (n, channels, rows, columns) over their cells."""
    return maps.mean(dim=(2, 3))


def normalised(maps: torch.Tensor, norm: nn.LayerNorm) -> torch.Tensor:
    """Normalise maps so that their means over the cells are the normalised means.

    All cells are shifted and scaled alike, by the statistics of the pooled feature.

    Parameters
    ----------
    maps
        (n, channels, rows, columns).
    """
    pooled = mean_over_cells(maps)
    deviation = (pooled.var(dim=1, unbiased=False) + norm.eps).sqrt()
    shifted = maps - pooled.mean(dim=1)[:, None, None, None]
    scaled = shifted / deviation[:, None, None, None]
    return scaled * norm.weight[:, None, None] + norm.bias[:, None, None]


def mean_over_boxes(maps: torch.Tensor, regions: torch.Tensor, *, size: int) -> torch.Tensor:
    """Average maps over boxes by RoIAlign (He et al., Mask R-CNN, ICCV 2017).

    Values between the middles of cells are interpolated bilinearly, and those beyond the outermost
    middles are theirs. They are taken at evenly spaced points, in each direction as many as the box
    is wide in cells, rounded up.

    Parameters
    ----------
    maps
        (pictures, channels, cells, cells).
    regions
        (n, 5), float32: each box's picture, and its left, top, right and bottom, in input pixels.
    size
        Width and height of the input, in pixels.

    Returns
    -------
    Tensor
        (n, channels).
    """
    scale = maps.shape[-1] / size
    found = roi_align(maps, regions, (1, 1), scale, sampling_ratio=-1, aligned=True)
    return found.flatten(1)


def cell_shares(boxes: np.ndarray, *, cells: int, size: int) -> np.ndarray:
    """Compute how much each cell counts in the mean over a box.

    Parameters
    ----------
    boxes
        (n, 4), left, top, width and height, in input pixels.
    cells
        Rows and columns of the map.
    size
        Width and height of the input, in pixels.

    Returns
    -------
    ndarray
        (n, cells, cells), float32; each map sums to 1.

    Examples
    --------
    >>> cell_shares(np.array([[0.0, 0.0, 16.0, 8.0]]), cells=2, size=16)[0]
    array([[0.5, 0.5],
           [0. , 0. ]], dtype=float32)
    """
    one_each = torch.eye(cells**2).view(1, cells**2, cells, cells)
    regions = regions_of(boxes, np.zeros(len(boxes), int), torch.device("cpu"))
    return mean_over_boxes(one_each, regions, size=size).view(-1, cells, cells).numpy()


def regions_of(boxes: np.ndarray, pictures: np.ndarray, device: torch.device) -> torch.Tensor:
    """Bring boxes, (n, 4) as left, top, width, height, to the form that RoIAlign takes.

    Parameters
    ----------
    pictures
        (n,), the number of each box's picture.

    Returns
    -------
    Tensor
        (n, 5), float32, as `mean_over_boxes` takes them.
    """
    left, top, width, height = boxes.T
    regions = np.stack([pictures, left, top, left + width, top + height], axis=1)
    return torch.from_numpy(regions.astype(np.float32)).to(device)
