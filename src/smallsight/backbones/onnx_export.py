"""The frozen trunk written as a graph of ONNX's, from pictures to features and maps."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.facts import LAST
from smallsight.backbones.onnx_reader import FINER, PICTURES, SCENE
from smallsight.backbones.tensor_pooling import mean_over_cells

EXAMPLES = 2
"""Pictures that the trunk is traced on: of one, the number would be taken for fixed."""


class ExportError(Exception):
    """The trunk cannot be written as a graph; the message says why, in a few words."""


class _Outputs(nn.Module):
    """From pictures to what `OnnxReader` reads: the feature, the last maps, and finer ones."""

    def __init__(self, backbone: Backbone, finer: tuple[str, ...]) -> None:
        super().__init__()
        self.backbone = backbone
        self._finer = finer

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
        maps = self.backbone.maps(pictures)
        return mean_over_cells(maps[LAST]), maps[LAST], *(maps[name] for name in self._finer)


def export_trunk(backbone: Backbone, *, size: int) -> bytes:
    """Write a trunk that takes any number of pictures of one size.

    Equal trunks give equal bytes. They are traced by torch's older exporter: its successor takes
    15 times as long, needs two packages more, and says the same.

    Parameters
    ----------
    backbone
        On a CPU.
    size
        Width and height of the input, in pixels.

    Raises
    ------
    ExportError
        Where the network does what ONNX cannot say, takes no such size, or pools a feature
        pyramid, which is torchvision's own code.
    """
    if backbone.has_pyramid:
        raise ExportError("a detector's feature pyramid is pooled by torchvision")
    pictures = torch.zeros((EXAMPLES, size, size, 3), dtype=torch.uint8)
    content: Any = io.BytesIO()
    try:
        finer = backbone.finer_layers(pictures)
        names = [SCENE, LAST, *(f"{FINER}{number}" for number in range(len(finer)))]
        with _traced():
            torch.onnx.export(
                _Outputs(backbone, finer),
                (pictures,),
                content,
                dynamo=False,
                input_names=[PICTURES],
                output_names=names,
                dynamic_axes={name: {0: "n"} for name in (PICTURES, *names)},
            )
    except Exception as error:  # whatever torch meets in a network
        reason = (str(error) or type(error).__name__).strip().splitlines()[0][:120]
        raise ExportError(f"the network cannot be exported to ONNX ({reason})") from None
    return content.getvalue()


@contextlib.contextmanager
def _traced() -> Iterator[None]:
    """Keep what torch says of its own workings from the terminal, and to operators of ONNX's."""
    level, is_fused = logging.root.manager.disable, torch.backends.mha.get_fastpath_enabled()
    logging.disable(logging.WARNING)
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(is_fused)
        logging.disable(level)
