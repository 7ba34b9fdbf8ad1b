"""The engine of the frozen trunk: chosen once, and checked against torch on real pictures."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.engine import ONNXRUNTIME, TORCH, Engine
from smallsight.backbones.features import Parts, gathered, passes
from smallsight.backbones.networks.weights import Weights
from smallsight.backbones.onnx_export import ExportError, export_trunk
from smallsight.backbones.onnx_reader import OnnxReader
from smallsight.backbones.reader import Reader
from smallsight.backbones.tensor_reader import TorchReader
from smallsight.runtime.errors import ParameterError
from smallsight.runtime.parallel import here

ROUNDING = 1e-4
"""Values that differ by a larger share of the largest one differ by more than rounding."""

AGREEMENT = 0.999
"""The share of predictions that have to be the same in bfloat16."""

WHERE = "params.engine"


def reader_of(weights: Weights, engine: Engine, *, size: int, device: torch.device) -> Reader:
    """Open any trunk by the engine that was chosen for the study's.

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


def choose_engine(
    settings: params.Engine,
    weights: Weights,
    pictures: np.ndarray,
    boxes: np.ndarray,
    same_predictions: Callable[[np.ndarray, np.ndarray], float],
    *,
    device: torch.device,
) -> tuple[Engine, bytes]:
    """Choose what runs a trunk, and write it as a graph where onnxruntime does.

    Parameters
    ----------
    pictures
        (n, size, size, 3), uint8, real ones.
    boxes
        (n, 4): the object in each, as left, top, width, height in input pixels.
    same_predictions
        Takes features of float32 and others of the same pictures, (n, dimensions), and returns the
        share of predictions that are the same.
    device
        Where the study's network runs.

    Returns
    -------
    engine
        What runs it.
    graph
        Empty where torch does.

    Raises
    ------
    ParameterError
        Where onnxruntime is asked for and cannot be had.
    """
    plain = TorchReader(Backbone(weights), device)
    if settings.precision == "bfloat16":
        if settings.name == ONNXRUNTIME:
            wish = f"bfloat16 with {ONNXRUNTIME}"
            raise ParameterError(f"{WHERE}.precision", wish, f"float32, or engine.name: {TORCH}")
        half = TorchReader(Backbone(weights), device, is_half=True)
        return _checked_half(plain, half, pictures, boxes, same_predictions), b""
    if settings.name == TORCH or device.type == "cuda":
        return Engine(TORCH), b""
    try:
        graph = export_trunk(Backbone(weights), size=pictures.shape[1])
        exact = _seen(plain, pictures, boxes)
        found = _seen(OnnxReader(graph), pictures, boxes)
        engine = Engine(ONNXRUNTIME, pictures=len(pictures), difference=_difference(exact, found))
        if engine.difference > ROUNDING:
            raise ExportError(f"its features differ by {engine.difference:.1e} from torch's")
    except (ExportError, ModuleNotFoundError) as error:
        reason = f"no {ONNXRUNTIME}: {error}"
        if settings.name == ONNXRUNTIME:
            raise ParameterError(f"{WHERE}.name", reason, f"auto or {TORCH}") from None
        return Engine(TORCH, notes=(reason,)), b""
    return engine, graph


def _checked_half(
    plain: Reader,
    half: Reader,
    pictures: np.ndarray,
    boxes: np.ndarray,
    same_predictions: Callable[[np.ndarray, np.ndarray], float],
) -> Engine:
    exact, found = _seen(plain, pictures, boxes), _seen(half, pictures, boxes)
    engine = Engine(
        TORCH,
        "bfloat16",
        pictures=len(pictures),
        difference=_difference(exact, found),
        agreement=same_predictions(exact["scene"], found["scene"]),
    )
    if engine.agreement is not None and engine.agreement < AGREEMENT:
        note = f"bfloat16 was refused: fewer than {AGREEMENT:.1%} of predictions are the same"
        return replace(engine, precision="float32", notes=(note,))
    return engine


def _seen(reader: Reader, pictures: np.ndarray, boxes: np.ndarray) -> Parts:
    """Read pictures of one object each out in all ways."""
    row, description = np.arange(len(pictures)), "checking the engine"
    with here():
        found = passes(
            lambda: reader, lambda place: pictures[place], boxes, row, description=description
        )
        return gathered([plain for plain, _ in found], row)


def _difference(exact: Parts, found: Parts) -> float:
    """Return the largest difference of any part's values, as a share of its largest value."""
    shares: Sequence[float] = [
        float(np.abs(found[name] - part).max() / np.abs(part).max()) for name, part in exact.items()
    ]
    return max(shares)
