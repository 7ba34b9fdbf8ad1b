"""Readouts: how a picture's maps become one feature of the object."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torchvision.ops import roi_align

PARTS = {"scene": ("scene",), "box": ("box",), "pyramid": ("finer", "box"), "fpn": ("fpn",)}
"""By readout, the parts that are joined to its feature, as `feature_store` keeps them.

`scene`: the mean over the last layer's maps. `box`: their mean over the object's box. `finer`: the
same mean over the layers of strides 8 and 16. `fpn`: over a detector's feature pyramid, as the
detector pools it.
"""

PYRAMID_STRIDES = (8, 16, 32)
"""Strides of the layers that `pyramid` joins, in input pixels."""


def mean_over_cells(maps: torch.Tensor) -> torch.Tensor:
    """Average maps (n, channels, rows, columns) over their cells."""
    return maps.mean(dim=(2, 3))


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


def mirrored_boxes(boxes: np.ndarray, size: int) -> np.ndarray:
    """Return where boxes, (n, 4) as left, top, width, height, lie in the mirrored picture.

    Examples
    --------
    >>> mirrored_boxes(np.array([[1, 2, 3, 4]]), size=10).tolist()
    [[6, 2, 3, 4]]
    """
    left, top, width, height = boxes.T
    return np.stack([size - left - width, top, width, height], axis=1)


def pyramid_layers(cells: Mapping[str, int], size: int) -> tuple[str, ...] | None:
    """Choose the layers of strides 8, 16 and 32, the last of each stride.

    Parameters
    ----------
    cells
        By layer, from the input on, rows and columns of its maps.
    size
        Width and height of the input, in pixels.

    Returns
    -------
    tuple
        Their names; None where a stride is missing, or the last layer has another one than 32.

    Examples
    --------
    >>> cells = {"stem": 16, "one": 8, "two": 8, "three": 4, "last": 2}
    >>> pyramid_layers(cells, size=64)
    ('two', 'three', 'last')
    >>> pyramid_layers({"one": 4, "last": 4}, size=64) is None
    True
    """
    by_stride = {2 ** round(math.log2(size / count)): name for name, count in cells.items()}
    chosen = [by_stride.get(stride) for stride in PYRAMID_STRIDES]
    found = tuple(name for name in chosen if name is not None)
    return found if len(found) == len(chosen) and found[-1] == list(cells)[-1] else None


def joined(parts: Mapping[str, np.ndarray], readout: str) -> np.ndarray:
    """Join the parts of a readout's feature: (n, dimensions)."""
    return np.concatenate([parts[name] for name in PARTS[readout]], axis=1)


def available(parts: Sequence[str]) -> tuple[str, ...]:
    """Return the readouts whose parts are all there."""
    return tuple(name for name, needed in PARTS.items() if set(needed) <= set(parts))


def on_last_layer(weight: np.ndarray, readout: str, dimensions: int) -> np.ndarray | None:
    """Return the part of a head's weights that acts on the last layer's maps.

    Parameters
    ----------
    weight
        (..., length of the readout's feature).
    dimensions
        Channels of the last layer.

    Returns
    -------
    ndarray
        (..., dimensions); None where the readout does not average the last layer's maps.
    """
    return None if readout == "fpn" else weight[..., -dimensions:]
