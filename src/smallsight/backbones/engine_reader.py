"""Any trunk, opened by the engine that was chosen for the study's."""

import torch

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.engine import ONNXRUNTIME, Engine
from smallsight.backbones.networks.weights import Weights
from smallsight.backbones.onnx_export import export_trunk
from smallsight.backbones.onnx_reader import OnnxReader
from smallsight.backbones.reader import Reader
from smallsight.backbones.tensor_reader import TorchReader


def reader_of(weights: Weights, engine: Engine, *, size: int, device: torch.device) -> Reader:
    """Open a trunk.

    Parameters
    ----------
    size
        Width and height of the input, in pixels.

    Raises
    ------
    ExportError
        Where the engine is onnxruntime, and the trunk takes no such size.
    """
    backbone = Backbone(weights)
    if engine.name == ONNXRUNTIME and device.type == "cpu":
        return OnnxReader(export_trunk(backbone, size=size))
    return TorchReader(backbone, device, is_half=engine.precision == "bfloat16")
