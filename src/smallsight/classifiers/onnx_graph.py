"""The source onnx: a graph of ONNX's, run by onnxruntime."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from smallsight import params
from smallsight.backbones.facts import LAST
from smallsight.backbones.networks.fitting import check_finite
from smallsight.backbones.networks.network import Layout
from smallsight.backbones.onnx_reader import CPU, new_session
from smallsight.backbones.tensor_pooling import mean_over_cells
from smallsight.classifiers.anatomy import NO_MAPS, SHOWN, Shape, coarsening, do_agree, no_sum
from smallsight.classifiers.anatomy import WHERE as LAYER
from smallsight.classifiers.collecting import declared_facts
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.classifiers.formats import read_model
from smallsight.classifiers.metadata import read_metadata
from smallsight.classifiers.model_file import (
    check_graph_size,
    copy_model,
    origin_of,
    with_graph_size,
)
from smallsight.classifiers.own import OwnClassifier
from smallsight.classifiers.probe import check_answers, probe_pictures, reason
from smallsight.classifiers.sources import Wanted
from smallsight.runtime.errors import ClassifierError, ParameterError

DUE = "an ONNX model"

BATCH = "a dynamic batch: export with a first dimension that has a name, not a number"


def collect(settings: params.Classifier, model: Path, wanted: Wanted) -> ClassifierFacts:
    """Read a graph, check it, and copy its file.

    Raises
    ------
    SmallsightError
        Where the file is no such graph or keeps its weights elsewhere, these are not finite, it
        takes no batch of pictures, or it does not answer as it declares.
    """
    content = read_model(settings.file)
    graph = _parse(content, settings.file)
    _check_whole(graph, settings.file)
    _check_finite(graph, settings.file)
    size = _fixed_size(graph, settings.file)
    entries = {entry.key: entry.value for entry in graph.metadata_props}
    carried = with_graph_size(read_metadata(entries, settings.file), size)
    facts = declared_facts(settings, carried, origin_of(settings, content))
    check_graph_size(facts, size)
    plain = OwnClassifier(facts, OnnxModel(content, settings.file))
    check_answers(plain, settings.file)
    facts = _with_maps(graph, plain, wanted.layer)
    copy_model(content, model)
    return facts


def open_(facts: ClassifierFacts, model: Path) -> OwnClassifier:
    """Open what `collect` wrote."""
    content = read_model(model)
    if facts.maps == "none":
        return OwnClassifier(facts, OnnxModel(content, model))
    graph = _parse(content, model)
    shape = _tensors_with_maps(graph, facts.preprocessing.input_size)[facts.layer]
    return OwnClassifier(facts, _showing(graph, facts.layer, shape, len(facts.classes)))


class OnnxModel:
    """A `Model` of onnxruntime's, each run by one thread.

    Parameters
    ----------
    content
        Of the file, or of one with another output.
    where
        The file, for errors.
    linear
        As `own.Model` has it; the maps are the second output then.
    """

    explained: tuple[nn.Module, nn.Module, Layout] | None = None

    def __init__(
        self,
        content: bytes,
        where: object,
        linear: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> None:
        self.linear = linear
        self._content, self._where = content, where
        self._session = self._opened(CPU)
        self._name = self._session.get_inputs()[0].name
        self._is_on_gpu = False

    def to(self, device: torch.device) -> None:
        """Move to a GPU, where onnxruntime knows how."""
        provider = "CUDAExecutionProvider"
        if self.linear is not None:
            weight, bias = self.linear
            self.linear = weight.to(device), bias.to(device)
        wanted = device.type == "cuda" and provider in onnxruntime.get_available_providers()
        if wanted != self._is_on_gpu:
            number = {"device_id": device.index or 0}
            chosen = (provider, number) if wanted else CPU
            self._session, self._is_on_gpu = self._opened(chosen), wanted

    def __call__(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return outputs and, where they add up to these, maps; see `own.Model`."""
        found = self._session.run(None, {self._name: inputs.cpu().numpy()})
        if not isinstance(found[0], np.ndarray):
            raise TypeError(f"an output of type {type(found[0]).__name__}")
        tensors = [torch.from_numpy(part).to(inputs.device) for part in found]
        return tensors[0], tensors[-1]

    def _opened(self, provider: Any) -> Any:
        try:
            return new_session(self._content, provider)
        except Exception as error:  # whatever onnxruntime meets in a file
            raise ClassifierError(self._where, f"cannot be loaded ({reason(error)})", DUE) from None


def _parse(content: bytes, where: object) -> Any:
    """Return a graph as protobuf has it."""
    try:
        model = onnx.load_model_from_string(content)
    except Exception:  # whatever protobuf meets in a file
        raise ClassifierError(where, "no ONNX model, or a damaged one", DUE) from None
    if not model.graph.node:
        raise ClassifierError(where, "no ONNX model, or a damaged one", DUE)
    return model


def _check_whole(model: Any, where: object) -> None:
    """Refuse weights in other files, and more or fewer inputs and outputs than one."""
    for tensor in onnx.external_data_helper._get_all_tensors(model):
        if onnx.external_data_helper.uses_external_data(tensor):
            due = "one file: export with external_data=False"
            raise ClassifierError(where, f"weights in another file, such as {tensor.name}", due)
    for what, values in (("input", _inputs(model)), ("output", model.graph.output)):
        if len(values) != 1:
            found = f"a graph with {len(values)} {what}s"
            raise ClassifierError(where, found, "one input, one output")


def _check_finite(model: Any, where: object) -> None:
    """Refuse weights that are not finite; a number alone may be an operator's bound."""
    for name, value in _constants(model).items():
        if value.ndim and np.issubdtype(value.dtype, np.floating):
            check_finite({name: torch.from_numpy(value.copy())}, where)


def _inputs(model: Any) -> list[Any]:
    """List the inputs that are no weights."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in weights]


def _sides(value: Any) -> list[int | None]:
    """Return the dimensions of a graph's value; None for each that is not fixed."""
    dims = value.type.tensor_type.shape.dim
    return [each.dim_value if each.HasField("dim_value") else None for each in dims]


def _fixed_size(model: Any, where: object) -> int | None:
    """Return width and height of the input, in pixels; None where any is taken.

    Raises
    ------
    ClassifierError
        Where it takes no batch of pictures of three channels, or one of a fixed number, or returns
        no batch of numbers.
    """
    (value,) = _inputs(model)
    sides = _sides(value)
    shape = " x ".join("n" if side is None else str(side) for side in sides)
    kind = onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()
    if len(sides) != 4 or sides[1] not in (3, None) or kind != "float":
        found = f"an input of {shape or 'no dimensions'}, {kind}"
        raise ClassifierError(where, found, "pictures: n x 3 x rows x columns, float")
    count, _, rows, columns = sides
    if count is not None:
        raise ClassifierError(where, f"a batch fixed at {count}", BATCH)
    returned = _sides(model.graph.output[0])
    if returned and len(returned) != 2:
        shape = " x ".join("n" if side is None else str(side) for side in returned)
        raise ClassifierError(
            where, f"an output of {shape}", "a number for each class: n x classes"
        )
    if rows is not None and columns is not None and rows != columns:
        raise ClassifierError(where, f"an input of {shape}", "as many rows as columns")
    return rows if rows == columns else None


def _with_maps(model: Any, plain: OwnClassifier, layer: str) -> ClassifierFacts:
    """Find the last tensor with maps, and whether they add up to the outputs."""
    facts = plain.facts
    shapes = _tensors_with_maps(model, facts.preprocessing.input_size)
    if layer != LAST and layer not in shapes:
        shown = "".join(f", {name}" for name in list(shapes)[-SHOWN:])
        raise ParameterError(LAYER, repr(layer), f"{LAST}{shown}")
    if not shapes:
        return replace(facts, no_maps=NO_MAPS)
    name = list(coarsening(shapes))[-1] if layer == LAST else layer
    showing = _showing(model, name, shapes[name], len(facts.classes))
    inputs = plain.inputs(probe_pictures(facts.preprocessing.input_size)[3::2])
    outputs, maps = showing(inputs)
    logits = plain.logits_of(outputs)
    if showing.linear is not None:
        weight, bias = showing.linear
        if do_agree(mean_over_cells(maps) @ weight.T + bias, logits):
            return replace(facts, maps="closed_form", layer=name, cells=shapes[name].cells)
    return replace(facts, no_maps=f"{no_sum(name, logits)}, and ONNX has no gradients")


def _tensors_with_maps(model: Any, size: int) -> dict[str, Shape]:
    """Return tensors of four dimensions, with as many rows as columns, in the nodes' order."""
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    (entry,) = _inputs(sized)
    for dim, side in zip(entry.type.tensor_type.shape.dim[1:], (3, size, size), strict=True):
        dim.dim_value = side
    try:
        inferred = onnx.shape_inference.infer_shapes(sized, data_prop=True).graph
    except Exception:  # operators that onnx itself does not know
        return {}
    sides = {value.name: _sides(value) for value in inferred.value_info}
    found = {}
    for name in (name for node in inferred.node for name in node.output):
        match sides.get(name):
            case [_, int(channels), int(rows), int(columns)] if rows == columns > 1:
                found[name] = Shape(channels, rows)
    return found


def _showing(model: Any, layer: str, shape: Shape, classes: int) -> OnnxModel:
    """Return a graph with a tensor as its second output, and the linear layer that reads it.

    That is the last one, if it takes as many numbers; the identity for maps of each class.
    """
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    shown.graph.output.append(onnx.ValueInfoProto(name=layer))
    linear = _last_linear(model, classes)
    if linear is None or linear[0].shape[1] != shape.channels:
        is_by_class = shape.channels == classes
        linear = (torch.eye(classes), torch.zeros(classes)) if is_by_class else None
    return OnnxModel(shown.SerializeToString(), layer, linear)


def _last_linear(model: Any, classes: int) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Find weight, (classes, d), and bias, (classes,), of the last linear layer of all.

    Returns
    -------
    tuple
        None where there is none whose numbers are in the graph.
    """
    numbers = _constants(model)
    nodes = list(model.graph.node)
    for place in reversed(range(len(nodes))):
        node = nodes[place]
        if node.op_type not in ("Gemm", "MatMul") or node.input[1] not in numbers:
            continue
        weight = numbers[node.input[1]]
        how = {each.name: each for each in node.attribute}
        if "transB" not in how or not how["transB"].i:
            weight = weight.T
        if weight.ndim != 2 or len(weight) != classes:
            continue
        bias = numbers.get(node.input[2]) if len(node.input) > 2 else None
        if node.op_type == "MatMul":
            bias = _added_next(nodes[place + 1 :], node.output[0], numbers)
        bias = np.zeros(classes) if bias is None else bias
        alpha, beta = (how[name].f if name in how else 1.0 for name in ("alpha", "beta"))
        return _tensor(alpha * weight), _tensor(np.broadcast_to(beta * bias.reshape(-1), classes))
    return None


def _added_next(nodes: list[Any], name: str, numbers: dict[str, np.ndarray]) -> np.ndarray | None:
    """Find what is added to a tensor."""
    for node in nodes:
        if node.op_type == "Add" and name in node.input:
            added = [numbers[each] for each in node.input if each in numbers]
            return added[0] if added else None
    return None


def _constants(model: Any) -> dict[str, np.ndarray]:
    """Return the graph's numbers, by name."""
    to_array = onnx.numpy_helper.to_array
    found = {tensor.name: to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            found[node.output[0]] = to_array(node.attribute[0].t)
    return found


def _tensor(numbers: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(numbers, np.float32, order="C"))
