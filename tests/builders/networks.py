"""A small network of another library, entered as a new one would be: this module is the library."""

import sys

import torch
from torch import nn

from smallsight.backbones import registry
from smallsight.backbones.networks import libraries
from smallsight.backbones.networks.network import Network
from smallsight.backbones.networks.published import Published
from smallsight.backbones.registry import BackboneRecord, Preprocessing

TOY = BackboneRecord(
    name="toy",
    label="Toy",
    library="toys",
    architecture="toy_3",
    weights={"web": "published", "random": "untrained"},
)
EXPECTED = Preprocessing(80, mean=(0.4, 0.5, 0.6), std=(0.1, 0.2, 0.3), interpolation="bicubic")
STRIDES = {"stem": 4, "body.first": 8, "last": 16}
DIMENSIONS = 20
CLASSES = 7


class Toy(nn.Module):
    """Three convolutions; the head has neither the name nor the place of a ResNet's."""

    def __init__(self):
        super().__init__()
        self.classifier = nn.Linear(DIMENSIONS, CLASSES)
        self.stem = nn.Conv2d(3, 8, 4, stride=4)
        first = nn.Sequential(nn.Conv2d(8, 12, 2, stride=2), nn.BatchNorm2d(12), nn.Hardswish())
        second = nn.Sequential(nn.Conv2d(12, DIMENSIONS, 2, stride=2), nn.ReLU())
        self.body = nn.ModuleDict({"first": first, "second": second})

    def maps(self, inputs):
        return self.body["second"](self.body["first"](self.stem(inputs)))

    def forward(self, inputs):
        return self.classifier(self.maps(inputs).mean(dim=(2, 3)))


def trained():
    """The whole network as its library trained it: its statistics are not the first ones."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        network = Toy()
        norm = network.get_submodule("body.first.1")
        norm.running_mean.uniform_(-0.1, 0.1)
        norm.running_var.uniform_(0.5, 1.5)
    return network.eval()


def make(architecture):
    assert architecture == "toy_3"
    module = Toy()
    return Network(
        module=module,
        unused=("classifier",),
        last_layer="classifier",
        run=module.maps,
        layers=("stem", "body.first"),
    )


def preprocessing(architecture):
    assert architecture == "toy_3"
    return EXPECTED


def published(architecture):
    assert architecture == "toy_3"
    return Published(trained().state_dict(), "the toy box", "0123abcd")


def enter(patch):
    """Enter the toy into the registry, and its library beside the others."""
    patch.setitem(registry.BACKBONES, TOY.name, TOY)
    patch.setitem(libraries.LIBRARIES, TOY.library, "toys")
    patch.setitem(sys.modules, f"{libraries.__package__}.toys", sys.modules[__name__])
