"""The networks that can be used frozen, as data: layers, preprocessing, origin of weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from smallsight import params
from smallsight.runtime.errors import ParameterError


@dataclass(frozen=True)
class Preprocessing:
    """How pictures become a network's input.

    Attributes
    ----------
    input_pixels
        Width and height of the input.
    mean, std
        Per channel, of pictures in 0..1.
    interpolation
        How pictures are resized to the input, with antialiasing.
    """

    input_pixels: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Literal["bilinear"] = "bilinear"


@dataclass(frozen=True)
class Download:
    """A file of weights on the web.

    Attributes
    ----------
    url
        Its address.
    sha256
        The hexadecimal digits with which the SHA-256 of the file begins.
    """

    url: str
    sha256: str


@dataclass(frozen=True)
class NamedWeights:
    """Weights that are asked for by name.

    Attributes
    ----------
    description
        What they are, in a few words.
    preprocessing
        What they expect.
    download
        Where they come from; None where the study trains them.
    """

    description: str
    preprocessing: Preprocessing
    download: Download | None


@dataclass(frozen=True)
class BackboneRecord:
    """What is known of a network without making it.

    Attributes
    ----------
    name
        What the parameters call it.
    label
        What people call it.
    library
        A key of `networks.MAKERS`.
    architecture
        What the library calls it.
    steps
        Its layers, from the input to the pooled one: names of submodules, each of which takes what
        the one before it returns.
    strides
        Of the steps whose maps can be explained: input pixels from one cell to the next.
    pooled_layer
        The step whose maps are averaged into features.
    dimensions
        Length of a feature.
    last_layer
        The linear layer on the features: the submodule in whose place the study puts its own heads.
    weights
        By name.
    preprocessing
        What weights from a file of the user's own expect.
    """

    name: str
    label: str
    library: str
    architecture: str
    steps: tuple[str, ...]
    strides: Mapping[str, int]
    pooled_layer: str
    dimensions: int
    last_layer: str
    weights: Mapping[str, NamedWeights]
    preprocessing: Preprocessing


IMAGENET = Preprocessing(224, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""What most published weights expect."""

BACKBONES = {
    record.name: record
    for record in (
        BackboneRecord(
            name="resnet18",
            label="ResNet18",
            library="torchvision",
            architecture="resnet18",
            steps=(
                *("conv1", "bn1", "relu", "maxpool"),
                *("layer1", "layer2", "layer3", "layer4"),
            ),
            strides={"layer1": 4, "layer2": 8, "layer3": 16, "layer4": 32},
            pooled_layer="layer4",
            dimensions=512,
            last_layer="fc",
            weights={
                "phantom": NamedWeights(
                    "trained on generated pictures",
                    Preprocessing(96, mean=IMAGENET.mean, std=IMAGENET.std),
                    download=None,
                ),
                "imagenet": NamedWeights(
                    "torchvision's ImageNet weights",
                    IMAGENET,
                    Download(
                        "https://download.pytorch.org/models/resnet18-f37072fd.pth", "f37072fd"
                    ),
                ),
            },
            preprocessing=IMAGENET,
        ),
    )
}
"""By the name that the parameters choose."""


def find_backbone(name: str) -> BackboneRecord:
    """Return the record of a network.

    Raises
    ------
    ParameterError
        Where there is none of this name.

    Examples
    --------
    >>> record = find_backbone("resnet18")
    >>> record.pooled_layer, record.dimensions, record.strides["layer4"]
    ('layer4', 512, 32)
    >>> find_backbone("resnet81")  # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
        ...
    smallsight.runtime.errors.ParameterError: parameter error: params.backbone.name: 'resnet81';
    expected one of resnet18
    """
    if name not in BACKBONES:
        raise ParameterError("params.backbone.name", repr(name), f"one of {', '.join(BACKBONES)}")
    return BACKBONES[name]


def check_layer(record: BackboneRecord, layer: str) -> None:
    """Refuse a layer whose maps cannot be explained.

    Raises
    ------
    ParameterError
        Where the network has no such layer.

    Examples
    --------
    >>> record = find_backbone("resnet18")
    >>> check_layer(record, "layer3")
    >>> check_layer(record, "layer5")  # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
        ...
    smallsight.runtime.errors.ParameterError: parameter error: params.explain.layer: 'layer5';
    expected one of layer1, layer2, layer3, layer4
    """
    if layer not in record.strides:
        raise ParameterError(
            "params.explain.layer", repr(layer), f"one of {', '.join(record.strides)}"
        )


def input_pixels(settings: params.Backbone) -> int:
    """Return the width and height of the network's input, in pixels.

    Raises
    ------
    ParameterError
        Where there is no such network.

    Examples
    --------
    >>> training = params.Pretraining(
    ...     pictures=2, picture_size=32, epochs=1, batch_size=2, learning_rate=0.01
    ... )
    >>> for weights in ("phantom", "imagenet", "my/own.pth"):
    ...     settings = params.Backbone(
    ...         name="resnet18", weights=weights, input_size="auto", pretraining=training
    ...     )
    ...     print(weights, input_pixels(settings))
    phantom 96
    imagenet 224
    my/own.pth 224
    """
    record = find_backbone(settings.name)
    if settings.input_size != "auto":
        return settings.input_size
    named = record.weights.get(settings.weights)
    return (named or record).preprocessing.input_pixels
