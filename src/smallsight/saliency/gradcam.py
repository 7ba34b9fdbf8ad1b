"""Grad-CAM maps of any layer, by pytorch-grad-cam."""

from collections.abc import Callable

import numpy as np
import torch
from pytorch_grad_cam import GradCAM
from torch import nn

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.networks.network import Layout
from smallsight.backbones.pooling import regions_of
from smallsight.backbones.readouts import PARTS

BATCH_SIZE = 64
"""Pictures explained together."""


class _Reader(nn.Module):
    """The network and a readout: from pictures to the feature of one object in each."""

    def __init__(self, backbone: Backbone, readout: str) -> None:
        super().__init__()
        self.backbone = backbone
        self._parts = PARTS[readout]
        self.regions = torch.empty(0)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        parts = self.backbone.read_out(pictures, self.regions)
        return torch.cat([parts[name] for name in self._parts], dim=1)


def grad_cam(
    backbone: Backbone,
    pictures: np.ndarray,
    boxes: np.ndarray,
    weights: np.ndarray,
    *,
    layer: str,
    readout: str,
    device: torch.device,
) -> np.ndarray:
    """Compute Grad-CAM maps of one layer, each picture's for logits of its own.

    The maps keep their scale, while pytorch-grad-cam's own result is stretched to 0..1 map by map
    (Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2).

    Parameters
    ----------
    pictures
        (n, size, size, 3), uint8.
    boxes
        (n, 4): the objects' left, top, width and height, in input pixels.
    weights
        (logits, n, length of a feature): what makes a logit of features; a bias changes no map.
    layer
        A layer of the backbone.
    readout
        How maps become features.

    Returns
    -------
    ndarray
        (logits, n, cells, cells), float32, 0 or more.
    """
    reader = _Reader(backbone.to(device), readout)
    target, layout = backbone.source_of(layer)

    def begin(place: slice) -> None:
        given = regions_of(boxes[place], np.arange(len(boxes[place])))
        reader.regions = torch.from_numpy(given)

    return weigh_maps(reader, target, layout, pictures, weights, device=device, begin=begin)


def weigh_maps(
    module: nn.Module,
    target: nn.Module,
    layout: Layout,
    pictures: np.ndarray,
    weights: np.ndarray,
    *,
    device: torch.device,
    begin: Callable[[slice], None] = lambda place: None,
) -> np.ndarray:
    """Compute what `grad_cam` returns of any module.

    Parameters
    ----------
    module
        From pictures, (n, size, size, 3), uint8, to features, (n, length of a feature).
    target, layout
        The submodule whose maps are weighed, and how what it returns becomes maps.
    pictures, weights
        As for `grad_cam`.
    begin
        Called with the places of the pictures that the module is run on next.
    """
    parts = []
    with (
        # Before all other hooks, so that these see the start of the graph.
        target.register_forward_hook(_detached, prepend=True),
        GradCAM(module, [target], reshape_transform=layout) as cam,
    ):
        for start in range(0, len(pictures), BATCH_SIZE):
            place = slice(start, start + BATCH_SIZE)
            begin(place)
            batch = torch.from_numpy(pictures[place]).to(device)
            parts.append(np.stack([_unscaled(cam, batch, rows) for rows in weights[:, place]]))
    return np.concatenate(parts, axis=1)


def _detached(_module: nn.Module, _inputs: object, output: torch.Tensor) -> torch.Tensor:
    """Start the graph of gradients at a layer: nothing before it is differentiated."""
    return output.detach().requires_grad_()


def _unscaled(cam: GradCAM, pictures: torch.Tensor, weight: np.ndarray) -> np.ndarray:
    """Compute the maps of one logit per picture, before pytorch-grad-cam stretches them."""
    wanted = [_logit(row, pictures.device) for row in weight]
    cam(pictures, wanted)
    kept = cam.activations_and_grads
    seen, gradients = (part[0].cpu().numpy() for part in (kept.activations, kept.gradients))
    layer = cam.target_layers[0]
    return np.maximum(cam.get_cam_image(pictures, layer, wanted, seen, gradients), 0)


def _logit(weight: np.ndarray, device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
    row = torch.from_numpy(weight).to(device)
    return lambda features: features @ row
