"""Readouts: how a picture's maps become one feature of the object."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

PARTS = {"scene": ("scene",), "box": ("box",), "pyramid": ("finer", "box"), "fpn": ("fpn",)}
"""By readout, the parts that are joined to its feature, as `feature_store` keeps them.

`scene`: the mean over the last layer's maps. `box`: their mean over the object's box. `finer`: the
same mean over the layers of strides 8 and 16. `fpn`: over a detector's feature pyramid, as the
detector pools it.
"""

PYRAMID_STRIDES = (8, 16, 32)
"""Strides of the layers that `pyramid` joins, in input pixels."""


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
