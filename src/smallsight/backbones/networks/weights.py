"""Weights of a frozen network, as the study keeps them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from smallsight.runtime.torch_archives import write_archive


class Weights(NamedTuple):
    """A trunk's weights, and how it is built and fed.

    Attributes
    ----------
    network
        What the parameters call the network.
    is_dilated
        Whether its last stage is dilated.
    state
        State of the network without what the study does not run of it, such as the last layer.
    mean, std
        Per channel, of pictures in 0..1.
    """

    network: str
    is_dilated: bool
    state: dict[str, torch.Tensor]
    mean: tuple[float, ...]
    std: tuple[float, ...]


def write_weights(weights: Weights, path: str | Path) -> None:
    """Write weights so that `read_weights` reads them."""
    write_archive(weights._asdict(), path)


def read_weights(path: str | Path) -> Weights:
    """Read weights that `write_weights` wrote; `weight_sources` reads files of other origin."""
    return Weights(**torch.load(path, map_location="cpu", weights_only=True))


def classifier_state(
    weights: Weights, last_layer: str, head_weight: np.ndarray, head_bias: np.ndarray
) -> dict[str, torch.Tensor]:
    """Join a trunk and a head to one state.

    Parameters
    ----------
    last_layer
        The submodule in whose place the head is put.
    head_weight, head_bias
        (classes, dimensions) and (classes,).

    Returns
    -------
    dict
        Where the head reads the mean over the last layer, what the network's library loads. A
        transformer's own head reads its class token instead.
    """
    head = {
        f"{last_layer}.weight": torch.from_numpy(head_weight),
        f"{last_layer}.bias": torch.from_numpy(head_bias),
    }
    return weights.state | head
