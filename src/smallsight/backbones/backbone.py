"""The frozen network: how pictures enter it and run through its layers."""

import torch
from torch import nn

from smallsight.backbones.resnet import LAYER, trunk
from smallsight.backbones.weights import Weights


class Backbone(nn.Module):
    """A ResNet18 without its last layer, frozen: it never trains and its statistics never move.

    Parameters
    ----------
    weights
        The trunk's weights and normalisation.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.trunk = trunk()
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
        """Give the last layer's maps.

        Parameters
        ----------
        pictures
            (n, height, width, 3), uint8.

        Returns
        -------
        Tensor
            (n, `DIMENSIONS`, rows, columns), 0 or more.
        """
        return self.through(self.inputs(pictures))

    def inputs(self, pictures: torch.Tensor) -> torch.Tensor:
        """Normalise pictures, as `forward` takes them, to (n, 3, height, width)."""
        inputs = pictures.permute(0, 3, 1, 2).float() / 255
        inputs = (inputs - self.mean) / self.std
        return inputs.contiguous(memory_format=torch.channels_last)

    def through(
        self, maps: torch.Tensor, *, after: str | None = None, until: str = LAYER
    ) -> torch.Tensor:
        """Run some of the layers: those that follow one, or all, up to another one.

        Parameters
        ----------
        maps
            Normalised inputs, (n, 3, height, width), or the maps of the layer `after`.
        """
        names = [name for name, _ in self.trunk.named_children()]
        first = 0 if after is None else names.index(after) + 1
        for name in names[first : names.index(until) + 1]:
            maps = self.trunk.get_submodule(name)(maps)
        return maps
