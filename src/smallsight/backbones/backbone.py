"""The frozen network: how pictures enter it and run through its layers."""

import torch
from torch import nn

from smallsight.backbones.networks.makers import make_trunk
from smallsight.backbones.networks.weights import Weights
from smallsight.backbones.registry import find_backbone


class Backbone(nn.Module):
    """A network without its last layer, frozen: it never trains and its statistics never move.

    Parameters
    ----------
    weights
        The network's name, the weights of its trunk and their normalisation.

    Attributes
    ----------
    record
        What is known of the network: its layers, their strides, the length of its features.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.record = find_backbone(weights.network)
        self.trunk = make_trunk(self.record)
        self.trunk.load_state_dict(weights.state)
        self.trunk.to(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.tensor(weights.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(weights.std).view(1, 3, 1, 1))
        self.requires_grad_(requires_grad=False)
        super().train(mode=False)

    def train(self, mode: bool = True) -> "Backbone":
        """Stay in evaluation mode, whatever is asked."""
        return self

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the pooled layer's maps.

        Parameters
        ----------
        pictures
            (n, height, width, 3), uint8.

        Returns
        -------
        Tensor
            (n, dimensions, rows, columns).
        """
        return self.through(self.inputs(pictures))

    def inputs(self, pictures: torch.Tensor) -> torch.Tensor:
        """Normalise pictures, as `forward` takes them, to (n, 3, height, width)."""
        inputs = pictures.permute(0, 3, 1, 2).float() / 255
        inputs = (inputs - self.mean) / self.std
        return inputs.contiguous(memory_format=torch.channels_last)

    def through(
        self, maps: torch.Tensor, *, after: str | None = None, until: str | None = None
    ) -> torch.Tensor:
        """Run maps through some of the record's steps.

        Parameters
        ----------
        maps
            Normalised inputs, (n, 3, height, width), or the maps of the step `after`.
        after
            The step before the first that is run; None for all from the input on.
        until
            The last step that is run; None for the pooled layer.
        """
        steps = self.record.steps
        first = 0 if after is None else steps.index(after) + 1
        last = steps.index(until or self.record.pooled_layer)
        for name in steps[first : last + 1]:
            maps = self.trunk.get_submodule(name)(maps)
        return maps
