"""torchvision's classifiers: how they are built, and what torchvision publishes for them."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torchvision.models import (
    ConvNeXt,
    EfficientNet,
    ResNet,
    SwinTransformer,
    VisionTransformer,
    get_model,
    get_model_weights,
)

from smallsight.backbones.networks.downloads import download_entry
from smallsight.backbones.networks.network import (
    Capture,
    Network,
    channels_last,
    vision_transformer,
)
from smallsight.backbones.networks.published import Published
from smallsight.backbones.registry import Preprocessing


def make(architecture: str, classes: int | None = None) -> Network:
    """Make a classifier; its first weights come from torch's own random state."""
    outputs = {} if classes is None else {"num_classes": classes}
    module = get_model(architecture, weights=None, **outputs)
    return ANATOMIES[type(module)](module)


def _resnet(module: Any) -> Network:
    children = dict(module.named_children())
    before_pooling = list(children)[: list(children).index("avgpool")]
    return Network(
        module=module,
        unused=("fc",),
        last_layer="fc",
        run=nn.Sequential(*(children[name] for name in before_pooling)),
        layers=("layer1", "layer2", "layer3"),
    )


def _convnext(module: Any) -> Network:
    return Network(
        module=module,
        unused=("classifier.2",),
        last_layer="classifier.2",
        run=module.features,
        layers=("features.1", "features.3", "features.5"),
        norm=module.classifier[0],
    )


def _efficientnet(module: Any) -> Network:
    return Network(
        module=module,
        unused=("classifier.1",),
        last_layer="classifier.1",
        run=module.features,
        layers=tuple(f"features.{number}" for number in range(1, len(module.features) - 1)),
    )


def _swin(module: Any) -> Network:
    return Network(
        module=module,
        unused=("head",),
        last_layer="head",
        run=nn.Sequential(module.features, module.norm),
        layers=("features.1", "features.3", "features.5"),
        layout=channels_last,
    )


def _vit(module: Any) -> Network:
    capture = Capture(module, ["encoder"])

    def run(inputs: torch.Tensor) -> torch.Tensor:
        with capture.filled() as found:
            module(inputs)
        return found["encoder"]

    blocks = [name for name, _ in module.encoder.layers.named_children()]
    return Network(
        module=module,
        unused=("heads.head",),
        last_layer="heads.head",
        run=run,
        layers=tuple(f"encoder.layers.{name}" for name in blocks[:-1]),
        layout=vision_transformer(others=1),
    )


ANATOMIES: dict[type[nn.Module], Callable[[Any], Network]] = {
    ResNet: _resnet,
    ConvNeXt: _convnext,
    EfficientNet: _efficientnet,
    SwinTransformer: _swin,
    VisionTransformer: _vit,
}
"""By class of network: where its parts lie."""


def preprocessing(architecture: str) -> Preprocessing:
    """Return what torchvision's own ImageNet weights expect, as their entry says."""
    transforms: Any = _entry(architecture).transforms()
    (size,) = transforms.crop_size
    return Preprocessing(
        size, tuple(transforms.mean), tuple(transforms.std), transforms.interpolation.value
    )


def published(architecture: str) -> Published:
    """Download the first ImageNet weights that torchvision published for a classifier.

    Raises
    ------
    DownloadError
        Where they are not in torch's cache and their address gives no whole answer.
    """
    return download_entry(_entry(architecture))


def _entry(architecture: str) -> Any:
    return get_model_weights(architecture)["IMAGENET1K_V1"]
