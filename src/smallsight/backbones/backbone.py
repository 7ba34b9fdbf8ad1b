"""The frozen network: how pictures enter it and become maps and features."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from smallsight.backbones.facts import LAST
from smallsight.backbones.networks.libraries import make_network
from smallsight.backbones.networks.network import Capture, Layout
from smallsight.backbones.networks.weights import Weights
from smallsight.backbones.readouts import pyramid_layers
from smallsight.backbones.registry import find_backbone
from smallsight.backbones.tensor_pooling import mean_over_boxes, mean_over_cells, normalised


class Backbone(nn.Module):
    """A network without its last layer, frozen: it never trains and its statistics never move.

    Parameters
    ----------
    weights
        The network's name, the weights of its trunk and their normalisation.

    Attributes
    ----------
    batch_size
        Pictures per run.
    layers
        The layers whose maps can be explained, from the input on; the last one is `LAST`.
    last_layer
        The linear layer in whose place the study puts its own heads, as the library calls it.
    trunk
        The network, under its library's own names.
    """

    batch_size = 8  # small, because the maps of more fall out of a CPU's cache
    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self._network = make_network(find_backbone(weights.network), is_dilated=weights.is_dilated)
        pyramid = self._network.pyramid
        self._capture = Capture(
            self._network.module,
            [*self._network.layers, *([pyramid.layer] if pyramid else [])],
        )
        self.layers = (*self._network.layers, LAST)
        self.last_layer = self._network.last_layer
        self.trunk = self._network.module
        self.trunk.load_state_dict(weights.state)
        self.trunk.to(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.tensor(weights.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(weights.std).view(1, 3, 1, 1))
        self.requires_grad_(requires_grad=False)
        super().train(mode=False)

    @property
    def has_pyramid(self) -> bool:
        """Whether it is a detector, whose feature pyramid is pooled as well."""
        return self._network.pyramid is not None

    def train(self, mode: bool = True) -> "Backbone":
        """Stay in evaluation mode, whatever is asked."""
        return self

    def inputs(self, pictures: torch.Tensor) -> torch.Tensor:
        """Normalise pictures, (n, size, size, 3), uint8, to (n, 3, size, size)."""
        inputs = pictures.permute(0, 3, 1, 2).float() / 255
        inputs = (inputs - self.mean) / self.std
        return inputs.contiguous(memory_format=torch.channels_last)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the last layer's maps, whose means over the cells are the features.

        Parameters
        ----------
        pictures
            (n, size, size, 3), uint8.

        Returns
        -------
        Tensor
            (n, dimensions, rows, columns).
        """
        return self._last_maps(self.inputs(pictures))

    def scene(self, pictures: torch.Tensor, names: Sequence[tuple[str, str]] = ()) -> torch.Tensor:
        """Compute the features, (n, dimensions), of pictures; see `TensorReader`."""
        return mean_over_cells(self(pictures))

    def maps(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the maps of all `layers`, each (n, channels, rows, columns), of one pass."""
        with self._capture.filled() as found:
            last = self(pictures)
        return self._maps_of(found, last)

    def finer_layers(self, pictures: torch.Tensor) -> tuple[str, ...]:
        """Return the layers that `pyramid` joins to the last one, for such pictures."""
        return _finer(self.maps(pictures), pictures.shape[1])

    def _maps_of(self, found: dict[str, Any], last: torch.Tensor) -> dict[str, torch.Tensor]:
        layout = self._network.layout
        return {name: layout(found[name]) for name in self._network.layers} | {LAST: last}

    def source_of(self, layer: str) -> tuple[nn.Module, Layout]:
        """Return the submodule whose output becomes a layer's maps, and how it does.

        A layer's gradients are found there.

        Raises
        ------
        ValueError
            For the last layer of a network without a feature pyramid: its maps are all that is
            read, so that nothing has to be differentiated.
        """
        if layer == LAST:
            if self._network.pyramid is None:
                raise ValueError("the last layer's maps need no gradients")
            layer = self._network.layers[-1]
        return self.trunk.get_submodule(layer), self._network.layout

    def read_out(
        self,
        pictures: torch.Tensor,
        regions: torch.Tensor,
        names: Sequence[tuple[str, str]] = (),
    ) -> dict[str, torch.Tensor]:
        """Compute, of one pass, the parts of all readouts' features, and the last layer's maps.

        Parameters
        ----------
        pictures
            (pictures, size, size, 3), uint8.
        regions
            (n, 5), the objects, as `pooling.regions_of` returns them.
        names
            As for `TensorReader`; a network does without.

        Returns
        -------
        dict
            `scene`, (pictures, dimensions), and the other names of `readouts.PARTS` that the
            network has, (n, channels); `LAST`, (pictures, dimensions, rows, columns).
        """
        size, pyramid = pictures.shape[1], self._network.pyramid
        with self._capture.filled() as found:
            last = self(pictures)
        parts = {
            LAST: last,
            "scene": mean_over_cells(last),
            "box": mean_over_boxes(last, regions, size=size),
        }
        maps = self._maps_of(found, last)
        if chosen := _finer(maps, size):
            finer = [mean_over_boxes(maps[name], regions, size=size) for name in chosen]
            parts["finer"] = torch.cat(finer, dim=1)
        if pyramid is not None:
            parts["fpn"] = self._pool_pyramid(found[pyramid.layer], regions, len(pictures), size)
        return parts

    def _pool_pyramid(
        self, maps: dict[str, torch.Tensor], regions: torch.Tensor, n: int, size: int
    ) -> torch.Tensor:
        """Pool a feature pyramid over boxes as its detector does, then average: (n, channels)."""
        assert self._network.pyramid is not None
        order = regions[:, 0].argsort(stable=True)
        picture, boxes = regions[order, 0], regions[order, 1:].to(self.mean.device)
        by_picture = [boxes[picture == number] for number in range(n)]
        found = self._network.pyramid.pool(maps, by_picture, [(size, size)] * n)
        pooled = torch.empty_like(found[..., 0, 0])
        pooled[order] = mean_over_cells(found)
        return pooled

    def _last_maps(self, inputs: torch.Tensor) -> torch.Tensor:
        maps = self._network.layout(self._network.run(inputs)).float()
        norm = self._network.norm
        return maps if norm is None else normalised(maps, norm)


def _finer(maps: dict[str, torch.Tensor], size: int) -> tuple[str, ...]:
    """Choose, by maps of an input of some size, the layers that `pyramid` joins to the last."""
    chosen = pyramid_layers({name: each.shape[-1] for name, each in maps.items()}, size)
    return () if chosen is None else chosen[:-1]
