"""Grad-CAM maps of any layer, by pytorch-grad-cam."""

from collections.abc import Callable

import numpy as np
import torch
from pytorch_grad_cam import GradCAM
from torch import nn

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.features import pooled

BATCH_SIZE = 64
"""Pictures explained together."""


class _Tail(nn.Module):
    """The rest of the network: from a layer's maps to the pooled features."""

    def __init__(self, backbone: Backbone, layer: str) -> None:
        super().__init__()
        # Stands for the layer, which has run before: pytorch-grad-cam needs a module to hook.
        self.maps = nn.Identity()
        self._layer = layer
        self._backbone = backbone

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return pooled(self._backbone.through(self.maps(maps), after=self._layer))


def grad_cam(
    backbone: Backbone,
    pictures: np.ndarray,
    weights: np.ndarray,
    *,
    layer: str,
    device: torch.device,
) -> np.ndarray:
    """Compute Grad-CAM maps of one layer, each picture's for logits of its own.

    The maps keep their scale, while pytorch-grad-cam's own result is stretched to 0..1 map by map
    (Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2).

    Parameters
    ----------
    pictures
        (n, size, size, 3), uint8.
    weights
        (logits, n, dimensions): what makes a logit of pooled features; a bias changes no map.
    layer
        A layer of the backbone's record that has a stride.

    Returns
    -------
    ndarray
        (logits, n, cells, cells), float32, 0 or more.
    """
    tail = _Tail(backbone.to(device), layer)
    parts = []
    with GradCAM(tail, [tail.maps]) as cam:
        for start in range(0, len(pictures), BATCH_SIZE):
            batch = torch.from_numpy(pictures[start : start + BATCH_SIZE]).to(device)
            with torch.no_grad():
                maps = backbone.through(backbone.inputs(batch), until=layer)
            maps.requires_grad_()
            chosen = weights[:, start : start + BATCH_SIZE]
            parts.append(np.stack([_unscaled(cam, maps, rows) for rows in chosen]))
    return np.concatenate(parts, axis=1)


def _unscaled(cam: GradCAM, maps: torch.Tensor, weight: np.ndarray) -> np.ndarray:
    """Compute the maps of one logit per picture, before pytorch-grad-cam stretches them."""
    wanted = [_logit(row, maps.device) for row in weight]
    cam(maps, wanted)
    kept = cam.activations_and_grads
    seen, gradients = (part[0].cpu().numpy() for part in (kept.activations, kept.gradients))
    layer = cam.target_layers[0]
    return np.maximum(cam.get_cam_image(maps, layer, wanted, seen, gradients), 0)


def _logit(weight: np.ndarray, device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
    row = torch.from_numpy(weight).to(device)
    return lambda features: features @ row
