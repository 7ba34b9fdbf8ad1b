"""What `pooling` does, on tensors: wherever they lie, and with gradients."""

import torch
from torch import nn

from smallsight.backbones.pooling import region_shares


def mean_over_cells(maps: torch.Tensor) -> torch.Tensor:
    """Average maps (n, channels, rows, columns) over their cells."""
    return maps.mean(dim=(2, 3))


def mean_over_boxes(maps: torch.Tensor, regions: torch.Tensor, *, size: int) -> torch.Tensor:
    """Average maps over boxes: (n, channels); see `pooling.mean_over_boxes`.

    Regions lie in the CPU's memory, wherever the maps do.
    """
    shares = region_shares(regions.numpy(), cells=maps.shape[-1], size=size)
    weights = torch.from_numpy(shares).to(maps.device).unsqueeze(1)
    return (maps[regions[:, 0].long()] * weights).sum(dim=(2, 3))


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
