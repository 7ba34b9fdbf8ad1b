"""Weights of a frozen network, as the study keeps them."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from smallsight.backbones.registry import BackboneRecord, find_backbone
from smallsight.runtime.files import new_file


class Weights(NamedTuple):
    """A trunk's weights and the normalisation that they expect.

    Attributes
    ----------
    network
        Name of the network in the registry.
    state
        State of the network without its last layer.
    mean, std
        Per channel, of pictures in 0..1.
    """

    network: str
    state: dict[str, torch.Tensor]
    mean: tuple[float, ...]
    std: tuple[float, ...]


def write_weights(weights: Weights, path: str | Path) -> None:
    """Write weights so that `read_weights` reads them."""
    with new_file(path) as partial:
        torch.save(weights._asdict(), partial)


def read_weights(path: str | Path) -> Weights:
    """Read weights that `write_weights` wrote; `weight_sources` reads files of other origin."""
    return Weights(**torch.load(path, map_location="cpu", weights_only=True))


def without_last_layer(
    record: BackboneRecord, state: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Leave the last layer out of a whole network's state."""
    prefix = f"{record.last_layer}."
    return {name: value for name, value in state.items() if not name.startswith(prefix)}


def classifier_state(
    weights: Weights, head_weight: np.ndarray, head_bias: np.ndarray
) -> dict[str, torch.Tensor]:
    """Join a trunk and a head to the state of the whole network, as its library loads it.

    Parameters
    ----------
    head_weight, head_bias
        (classes, dimensions) and (classes,).
    """
    layer = find_backbone(weights.network).last_layer
    head = {
        f"{layer}.weight": torch.from_numpy(head_weight),
        f"{layer}.bias": torch.from_numpy(head_bias),
    }
    return weights.state | head
