"""The study's frozen trunk as its file has it, to be opened otherwise than the study runs it."""

from dataclasses import dataclass
from pathlib import Path

from smallsight.backbones.engine import Engine
from smallsight.backbones.engine_reader import reader_of
from smallsight.backbones.networks.weight_sources import random_weights
from smallsight.backbones.networks.weights import Weights, read_weights
from smallsight.backbones.reader import Reader
from smallsight.runtime.device import pick_device
from smallsight.runtime.opened import opened_once
from smallsight.runtime.randomness import derive


@dataclass(frozen=True)
class TrunkFile:
    """A trunk for an input of any size, dilated, or of random weights; called, it is opened.

    Other processes can be sent it, and other machines that have the same file.

    Attributes
    ----------
    path
        What the stage `backbone` wrote.
    engine
        What runs it.
    size
        Width and height of the input, in pixels.
    device
        As the parameter has it.
    is_dilated
        Whether its last stage is dilated even where the file's is not.
    untrained_seed
        Draws other weights, as before any training; None for the file's own.
    """

    path: Path
    engine: Engine
    size: int
    device: str
    is_dilated: bool = False
    untrained_seed: int | None = None

    def weights(self) -> Weights:
        """Read the weights, or draw them."""
        weights = read_weights(self.path)
        weights = weights._replace(is_dilated=self.is_dilated or weights.is_dilated)
        if self.untrained_seed is None:
            return weights
        return random_weights(weights, derive(self.untrained_seed, "random weights"))

    def __call__(self) -> Reader:
        """Open the trunk, or return what this process opened of the very same file.

        Raises
        ------
        ParameterError
            Where it cannot be dilated.
        ExportError
            Where the engine is onnxruntime, and the trunk takes no such size.
        """
        return _opened(self)


def _open(trunk: TrunkFile) -> Reader:
    device = pick_device(trunk.device)
    return reader_of(trunk.weights(), trunk.engine, size=trunk.size, device=device)


_opened = opened_once(_open, lambda trunk: (trunk.path,), at_most=8)
