"""Untrained networks, each made by the library that its record names."""

from typing import Protocol

from torch import nn

from smallsight.backbones.networks import torchvision_models
from smallsight.backbones.registry import BackboneRecord


class Maker(Protocol):
    """Makes untrained networks of one library."""

    def __call__(self, architecture: str, *, classes: int | None = None) -> nn.Module:
        """Make a classifier of a number of classes; the library's own number where none is given.

        First weights come from torch's own random state.
        """


MAKERS: dict[str, Maker] = {"torchvision": torchvision_models.make}
"""By library."""


def make_classifier(record: BackboneRecord, *, classes: int) -> nn.Module:
    """Make a whole network, its last layer of a number of classes."""
    return MAKERS[record.library](record.architecture, classes=classes)


def make_trunk(record: BackboneRecord) -> nn.Module:
    """Make a network with nothing in place of its last layer."""
    network = MAKERS[record.library](record.architecture)
    network.set_submodule(record.last_layer, nn.Identity())
    return network
