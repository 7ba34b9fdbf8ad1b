"""An untrained network of some library, and how its maps are reached."""

import math
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:  # heavy, and only detectors need it
    from torchvision.ops import MultiScaleRoIAlign

Layout = Callable[[torch.Tensor], torch.Tensor]
"""Brings what a layer returns to (n, channels, rows, columns)."""


def channels_first(output: torch.Tensor) -> torch.Tensor:
    """Leave (n, channels, rows, columns) as it is."""
    return output


def channels_last(output: torch.Tensor) -> torch.Tensor:
    """Bring (n, rows, columns, channels) to (n, channels, rows, columns)."""
    return output.permute(0, 3, 1, 2)


def tokens(output: torch.Tensor, *, others: int) -> torch.Tensor:
    """Lay out tokens, (n, tokens, channels), as maps over a square input.

    Parameters
    ----------
    others
        Number of tokens that stand for no place and come first: those of the class, registers.

    Examples
    --------
    >>> tokens(torch.arange(10.0).view(1, 5, 2), others=1)[0, 0]
    tensor([[2., 4.],
            [6., 8.]])
    """
    places = output[:, others:]
    side = math.isqrt(places.shape[1])
    return places.unflatten(1, (side, side)).permute(0, 3, 1, 2)


def vision_transformer(others: int) -> Layout:
    """Return the layout of a transformer whose first tokens stand for no place."""
    return partial(tokens, others=others)


class Capture:
    """Keeps what submodules return while a network runs.

    Several threads may run the network at once: each sees what its own run returns.

    Parameters
    ----------
    module
        The network.
    names
        Of the submodules.
    """

    def __init__(self, module: nn.Module, names: Iterable[str]) -> None:
        self._kept = threading.local()
        for name in names:
            module.get_submodule(name).register_forward_hook(self._hook(name))

    @contextmanager
    def filled(self) -> Iterator[dict[str, Any]]:
        """Yield what the submodules return inside the context, by name, filled as they run."""
        found: dict[str, Any] = {}
        self._kept.found = found
        try:
            yield found
        finally:
            del self._kept.found

    def _hook(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
            found = getattr(self._kept, "found", None)
            if found is not None:
                found[name] = output

        return keep


@dataclass(frozen=True)
class FeaturePyramid:
    """The feature pyramid of a detector.

    Attributes
    ----------
    layer
        The submodule that returns its maps, by name.
    pool
        Pools them over boxes, as the detector does.
    """

    layer: str
    pool: "MultiScaleRoIAlign"


@dataclass(frozen=True)
class Network:
    """An untrained network of some library, and how its maps are reached.

    Attributes
    ----------
    module
        The whole network, under the library's own names.
    unused
        Its submodules that the study does not run: the last layer first, where there is one.
    last_layer
        The linear layer in whose place the study puts its own heads.
    run
        Takes normalised inputs, (n, 3, size, size), and returns what the last layer does.
    layers
        Submodules whose maps can be explained besides the last layer's, from the input on.
    layout
        How what the layers return becomes maps.
    norm
        What the network applies to its pooled features before the last layer.
    pyramid
        The detector's feature pyramid, which `run` runs as well; None where there is none.
    """

    module: nn.Module
    unused: tuple[str, ...]
    last_layer: str
    run: Callable[[torch.Tensor], torch.Tensor]
    layers: tuple[str, ...]
    layout: Layout = channels_first
    norm: nn.LayerNorm | None = None
    pyramid: FeaturePyramid | None = None
