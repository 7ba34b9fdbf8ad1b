"""Networks of torchvision's and timm's, whole: with their own last layer."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from smallsight.backbones.networks.libraries import library_of
from smallsight.backbones.networks.network import Network
from smallsight.backbones.registry import BACKBONES, DETECTOR, TIMM, BackboneRecord, find_backbone
from smallsight.classifiers.own_code import CODE
from smallsight.runtime.errors import ParameterError

WHERE = "params.classifier.architecture"


def find_network(architecture: str) -> BackboneRecord:
    """Return the record of a classifier.

    Raises
    ------
    ParameterError
        Where there is none of this name, or it is a detector.
    """
    known = [name for name, one in BACKBONES.items() if one.weights is not DETECTOR]
    if architecture not in known and not architecture.startswith(TIMM):
        due = f"one of {', '.join(known)}, {TIMM}<a network of timm's>"
        raise ParameterError(WHERE, repr(architecture), f"{due}, or for a state dict {CODE}<name>")
    return find_backbone(architecture)


def make_whole(record: BackboneRecord, classes: int | None = None) -> Network:
    """Make an untrained classifier: its first weights follow from torch's own random state.

    That state is left as it was.

    Parameters
    ----------
    classes
        Its outputs; None: as many as in the library's own.

    Raises
    ------
    ParameterError
        Where the library has no such network, or it is no classifier.
    """
    with _as_architecture(), torch.random.fork_rng(devices=[]):
        return library_of(record).make(record.architecture, classes)


@contextmanager
def _as_architecture() -> Iterator[None]:
    """Name the classifier's parameter where the registry names the backbone's."""
    try:
        yield
    except ParameterError as error:
        raise ParameterError(WHERE, error.found, error.expected) from None
