"""A small network of another library, entered as a new one would be."""

import torch
from torch import nn

from smallsight.backbones import registry
from smallsight.backbones.networks import makers
from smallsight.backbones.registry import BackboneRecord, Download, NamedWeights, Preprocessing

TOY = BackboneRecord(
    name="toy",
    label="Toy",
    library="toys",
    architecture="toy_3",
    steps=("stem", "body.first", "body.second"),
    strides={"stem": 4, "body.first": 8, "body.second": 16},
    pooled_layer="body.second",
    dimensions=20,
    last_layer="classifier",
    weights={
        "web": NamedWeights(
            "from the web",
            Preprocessing(80, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
            Download("https://example.org/toy-0123abcd.pth", "0123abcd"),
        )
    },
    preprocessing=Preprocessing(64, mean=(0.4, 0.5, 0.6), std=(0.1, 0.2, 0.3)),
)
"""Its layers have other names, strides and lengths than a ResNet's, and lie at two depths."""


class Toy(nn.Module):
    """Three convolutions; the head has neither the name nor the place of a ResNet's."""

    def __init__(self, classes):
        super().__init__()
        self.classifier = nn.Linear(20, classes)
        self.stem = nn.Conv2d(3, 8, 4, stride=4)
        first = nn.Sequential(nn.Conv2d(8, 12, 2, stride=2), nn.BatchNorm2d(12), nn.Hardswish())
        second = nn.Sequential(nn.Conv2d(12, 20, 2, stride=2), nn.ReLU())
        self.body = nn.ModuleDict({"first": first, "second": second})

    def forward(self, inputs):
        maps = self.body["second"](self.body["first"](self.stem(inputs)))
        return self.classifier(maps.mean(dim=(2, 3)))


def make(architecture, *, classes=None):
    """Make a toy, as the module of a library does."""
    assert architecture == "toy_3"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Toy(7 if classes is None else classes)


def enter(patch):
    """Enter the toy into the registry, and its library's maker beside the others."""
    patch.setitem(registry.BACKBONES, TOY.name, TOY)
    patch.setitem(makers.MAKERS, TOY.library, make)
