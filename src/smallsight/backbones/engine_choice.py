"""The engine of the frozen trunk: chosen once, and checked against torch on real pictures."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.engine import ONNXRUNTIME, TORCH, Engine
from smallsight.backbones.engine_reader import reader_of
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


class Planned(NamedTuple):
    """What runs a trunk.

    Attributes
    ----------
    engine
        What it is called.
    graph
        The trunk as a graph; empty where torch runs it.
    reader
        The trunk, opened.
    """

    engine: Engine
    graph: bytes
    reader: Reader


def plan_engine(
    settings: params.Engine, weights: Weights, *, size: int, device: torch.device
) -> Planned:
    """Choose what runs a trunk, as far as that can be said without looking at pictures.

    Parameters
    ----------
    size
        Width and height of the input, in pixels.
    device
        Where the study's network runs.

    Raises
    ------
    ParameterError
        Where onnxruntime is asked for and cannot be had.
    """
    if settings.precision == "bfloat16" and settings.name == ONNXRUNTIME:
        wish = f"bfloat16 with {ONNXRUNTIME}"
        raise ParameterError(f"{WHERE}.precision", wish, f"float32, or engine.name: {TORCH}")
    engine = Engine(TORCH, settings.precision)
    if settings.precision == "float32" and settings.name != TORCH and device.type == "cpu":
        try:
            graph = export_trunk(Backbone(weights), size=size)
            return Planned(Engine(ONNXRUNTIME), graph, OnnxReader(graph))
        except (ExportError, ModuleNotFoundError) as error:
            engine = _torch_instead(settings, str(error))
    return Planned(engine, b"", reader_of(weights, engine, size=size, device=device))


def choose_engine(
    settings: params.Engine,
    weights: Weights,
    pictures: np.ndarray,
    boxes: np.ndarray,
    labels: np.ndarray,
    *,
    device: torch.device,
) -> tuple[Engine, bytes]:
    """Choose what runs a trunk, and hold it against torch in float32.

    Parameters
    ----------
    pictures
        (n, size, size, 3), uint8, real ones.
    boxes
        (n, 4): the object in each, as left, top, width, height in input pixels.
    labels
        (n,): the category of each.

    Returns
    -------
    engine
        What runs it.
    graph
        The trunk as a graph; empty where torch runs it.

    Raises
    ------
    ParameterError
        As `plan_engine`, and where onnxruntime is asked for and its features are not torch's.
    """
    engine, graph, reader = plan_engine(settings, weights, size=pictures.shape[1], device=device)
    if engine.name == TORCH and engine.precision == "float32":
        return engine, graph
    exact = _seen(TorchReader(Backbone(weights), device), pictures, boxes)
    found = _seen(reader, pictures, boxes)
    difference = _difference(exact, found)
    engine = replace(engine, pictures=len(pictures), difference=difference)
    if graph and difference > ROUNDING:
        reason = f"its features differ by {difference:.1e} from torch's"
        return _torch_instead(settings, reason), b""
    if engine.precision == "bfloat16":
        return _without_disagreement(engine, exact["scene"], found["scene"], labels), b""
    return engine, graph


def _torch_instead(settings: params.Engine, reason: str) -> Engine:
    """Fall back on torch, or refuse where onnxruntime is asked for by name."""
    reason = f"no {ONNXRUNTIME}: {reason}"
    if settings.name == ONNXRUNTIME:
        raise ParameterError(f"{WHERE}.name", reason, f"auto or {TORCH}") from None
    return Engine(TORCH, notes=(reason,))


def _without_disagreement(
    engine: Engine, exact: np.ndarray, found: np.ndarray, labels: np.ndarray
) -> Engine:
    """Go back to float32 where a head of its features answers otherwise on those in bfloat16."""
    from sklearn.linear_model import LogisticRegression  # a second to import, for bfloat16 alone

    head = LogisticRegression(max_iter=1000).fit(exact, labels)
    agreement = float((head.predict(exact) == head.predict(found)).mean())
    if agreement >= AGREEMENT:
        return replace(engine, agreement=agreement)
    note = f"bfloat16 was refused: fewer than {AGREEMENT:.1%} of predictions are the same"
    return replace(engine, agreement=agreement, precision="float32", notes=(note,))


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
