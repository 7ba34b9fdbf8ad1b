"""The libraries that make networks, each in a module of its own that is imported when needed."""

import importlib
from typing import Protocol, cast

from torch import nn

from smallsight.backbones.networks.dilation import dilate
from smallsight.backbones.networks.network import Network
from smallsight.backbones.networks.published import Published
from smallsight.backbones.registry import BackboneRecord, Preprocessing


class Library(Protocol):
    """What a module of this folder offers for the networks of one library."""

    @staticmethod
    def make(architecture: str, classes: int | None = None) -> Network:
        """Make a network; its first weights come from torch's own random state.

        Parameters
        ----------
        classes
            Its outputs; None: as many as in the library's own.

        Raises
        ------
        ParameterError
            Where the library has no such network.
        """

    @staticmethod
    def preprocessing(architecture: str) -> Preprocessing:
        """Return what the weights that the library publishes for a network expect."""

    @staticmethod
    def published(architecture: str) -> Published:
        """Load what the library publishes for a network.

        Raises
        ------
        DownloadError
            Where it cannot be had.
        """


LIBRARIES = {
    "timm": "timm_models",
    "torchvision": "torchvision_models",
    "torchvision.detection": "torchvision_detectors",
}
"""By the name that records give: the module of this folder."""


def library_of(record: BackboneRecord) -> Library:
    """Return the library that makes a network."""
    return cast(Library, importlib.import_module(f"{__package__}.{LIBRARIES[record.library]}"))


def make_network(record: BackboneRecord, *, is_dilated: bool = False) -> Network:
    """Make an untrained network, with nothing in place of what the study does not run of it.

    Raises
    ------
    ParameterError
        As for `Library.make`, and where the network cannot be dilated.
    """
    network = library_of(record).make(record.architecture)
    if is_dilated:
        dilate(network.module, record.architecture)
    for name in network.unused:
        network.module.set_submodule(name, nn.Identity())
    return network
