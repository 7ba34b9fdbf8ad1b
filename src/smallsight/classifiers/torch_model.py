"""A network of torch's, frozen, and the layer of it that is looked at."""

from typing import Any, NamedTuple

import torch
from torch import fx, nn
from torch.fx.node import map_aggregate

from smallsight.backbones.networks.network import Capture, Layout, Network, channels_first
from smallsight.backbones.tensor_pooling import normalised


class Opened(NamedTuple):
    """A network as its source opens it, frozen by `frozen`.

    Attributes
    ----------
    module
        From inputs, (n, 3, size, size), to outputs.
    network
        What its library's anatomy says; None where nothing is known.
    is_channels_last
        Whether it may be fed in the memory format that convolutions like best.
    """

    module: nn.Module
    network: Network | None = None
    is_channels_last: bool = False


def frozen(
    module: nn.Module, network: Network | None = None, *, is_channels_last: bool = False
) -> Opened:
    """Freeze a network: its statistics do not move, and its layers write over no input.

    Parameters are those of `Opened`.
    """
    if not isinstance(module, fx.GraphModule):  # an exported one has no modes
        module.eval()
    for each in module.modules():
        if getattr(each, "inplace", False) is True:
            each.inplace = False  # type: ignore[assignment]
    module.requires_grad_(requires_grad=False)
    if is_channels_last:
        module.to(memory_format=torch.channels_last)
    return Opened(module, network, is_channels_last)


class Sight(NamedTuple):
    """A layer that is looked at.

    Attributes
    ----------
    layer
        A submodule, by name.
    layout
        How what it returns becomes maps.
    norm
        What is applied to their mean before the last layer.
    linear
        What makes logits of that mean, as `own.Model` has it; None: gradients are looked at.
    """

    layer: str
    layout: Layout = channels_first
    norm: nn.LayerNorm | None = None
    linear: tuple[torch.Tensor, torch.Tensor] | None = None


class TorchModel:
    """A `Model` of torch's."""

    def __init__(self, opened: Opened, sight: Sight | None = None) -> None:
        self._module, self._sight = opened.module, sight
        self._is_channels_last = opened.is_channels_last
        self._capture: Capture | None = None
        self._device = torch.device("cpu")
        self.linear = None if sight is None else sight.linear
        self.explained: tuple[nn.Module, nn.Module, Layout] | None = None
        if sight is not None and sight.linear is not None:
            self._capture = Capture(self._module, [sight.layer])
        elif sight is not None:
            layer = self._module.get_submodule(sight.layer)
            self.explained = (self._module, layer, sight.layout)

    def to(self, device: torch.device) -> None:
        """Move to a device."""
        if device == self._device:
            return
        self._module.to(device)
        _name_device(self._module, device)
        self._device = device
        if self.linear is not None:
            weight, bias = self.linear
            self.linear = weight.to(device), bias.to(device)

    def __call__(self, inputs: torch.Tensor) -> tuple[Any, torch.Tensor]:
        """Return outputs and, where they add up to these, maps; see `own.Model`."""
        if self._is_channels_last:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        if self._capture is None or self._sight is None:
            return self._module(inputs), inputs
        with self._capture.filled() as found:
            outputs = self._module(inputs)
        maps = self._sight.layout(found[self._sight.layer]).float()
        norm = self._sight.norm
        return outputs, maps if norm is None else normalised(maps, norm)


def _name_device(module: nn.Module, device: torch.device) -> None:
    """Write a device into the nodes of graphs that name the one they were exported on."""
    for graph in module.modules():
        if not isinstance(graph, fx.GraphModule):
            continue
        for node in graph.graph.nodes:
            node.args, node.kwargs = map_aggregate(
                (node.args, node.kwargs),
                lambda each: device if isinstance(each, torch.device) else each,
            )
        graph.recompile()
