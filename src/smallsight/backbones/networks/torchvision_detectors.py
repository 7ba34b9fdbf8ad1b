"""torchvision's detectors, trained on COCO, as frozen extractors: body and feature pyramid."""

from typing import Any

import torch
from torch import nn
from torchvision.models import get_model, get_model_weights

from smallsight.backbones.networks.downloads import download_entry
from smallsight.backbones.networks.network import Capture, FeaturePyramid, Network
from smallsight.backbones.networks.published import Published
from smallsight.backbones.registry import Preprocessing

EPS = {"fasterrcnn_resnet50_fpn": torch.finfo(torch.float32).tiny}
"""Of batch normalisation, where torchvision changes it as it loads its own weights: to 0, which
torch 2.11 refuses. Of a sum with so little nothing is left.
"""


def make(architecture: str, classes: int | None = None) -> Network:
    """Make a detector; its last maps are those of its body, before the pyramid."""
    module: Any = get_model(architecture, weights=None, weights_backbone=None, num_classes=classes)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps = EPS.get(architecture, layer.eps)

    capture = Capture(module, ["backbone.body"])

    def run(inputs: torch.Tensor) -> torch.Tensor:
        with capture.filled() as found:
            module.backbone(inputs)
        return list(found["backbone.body"].values())[-1]

    return Network(
        module=module,
        unused=("rpn", "roi_heads"),
        last_layer="head",
        run=run,
        layers=tuple(f"backbone.body.{name}" for name in module.backbone.body.return_layers),
        pyramid=FeaturePyramid("backbone", module.roi_heads.box_roi_pool),
    )


def preprocessing(architecture: str) -> Preprocessing:
    """Return what torchvision's own COCO weights expect: the shorter side of a detector's input."""
    transform: Any = get_model(architecture, weights=None, weights_backbone=None).transform
    return Preprocessing(
        transform.min_size[-1], tuple(transform.image_mean), tuple(transform.image_std)
    )


def published(architecture: str) -> Published:
    """Download the COCO weights that torchvision publishes for a detector.

    Raises
    ------
    DownloadError
        Where they are not in torch's cache and their address gives no whole answer.
    """
    return download_entry(get_model_weights(architecture)["DEFAULT"])
