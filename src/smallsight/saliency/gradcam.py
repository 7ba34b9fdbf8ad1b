"""Grad-CAM of any layer, by pytorch-grad-cam: the reference for the last one's closed form."""

from collections.abc import Callable

import numpy as np
import torch
from pytorch_grad_cam import GradCAM
from torch import nn

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.features import pooled
from smallsight.backbones.resnet import LAYER

BATCH_SIZE = 64
"""Pictures explained together."""


class _Behind(nn.Module):
    """What lies behind a layer, up to the pooled features; the layer itself has already run."""

    def __init__(self, backbone: Backbone, layer: str) -> None:
        super().__init__()
        self.layer = nn.Identity()
        self._name = layer
        self._backbone = backbone

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        maps = self.layer(maps)
        if self._name != LAYER:
            maps = self._backbone.through(maps, after=self._name)
        return pooled(maps)


def grad_cam(
    backbone: Backbone,
    pictures: np.ndarray,
    weights: np.ndarray,
    *,
    layer: str,
    device: torch.device,
) -> np.ndarray:
    """Give Grad-CAM maps of one layer, each picture's for logits of its own.

    The maps keep their scale, which pytorch-grad-cam's own result does not: it stretches each to
    0..1 (Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2).

    Parameters
    ----------
    pictures
        (n, size, size, 3), uint8.
    weights
        (logits, n, dimensions): what makes a logit of pooled features; a bias changes no map.
    layer
        `layer1` to `layer4`.

    Returns
    -------
    ndarray
        (logits, n, cells, cells), float32, 0 or more.
    """
    behind = _Behind(backbone.to(device), layer)
    parts = []
    with GradCAM(behind, [behind.layer]) as cam:
        for start in range(0, len(pictures), BATCH_SIZE):
            batch = torch.from_numpy(pictures[start : start + BATCH_SIZE]).to(device)
            with torch.no_grad():
                maps = backbone.through(backbone.inputs(batch), until=layer)
            maps.requires_grad_()
            chosen = weights[:, start : start + BATCH_SIZE]
            parts.append(np.stack([_maps(cam, maps, rows) for rows in chosen]))
    return np.concatenate(parts, axis=1)


def _maps(cam: GradCAM, maps: torch.Tensor, weight: np.ndarray) -> np.ndarray:
    wanted = [_logit(row, maps.device) for row in weight]
    cam(maps, wanted)
    kept = cam.activations_and_grads
    seen, gradients = (part[0].cpu().numpy() for part in (kept.activations, kept.gradients))
    layer = cam.target_layers[0]
    return np.maximum(cam.get_cam_image(maps, layer, wanted, seen, gradients), 0)


def _logit(weight: np.ndarray, device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
    row = torch.from_numpy(weight).to(device)
    return lambda features: features @ row
