"""Where a network of torch's has maps, found by shape, and whether they add up to its outputs."""

import copy
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import fx, nn
from torch.utils._python_dispatch import TorchDispatchMode

from smallsight.backbones.facts import LAST
from smallsight.backbones.networks.network import Layout, channels_first
from smallsight.backbones.tensor_pooling import mean_over_cells
from smallsight.classifiers.facts import MapKind
from smallsight.classifiers.torch_model import Opened, Sight, TorchModel
from smallsight.runtime.errors import ParameterError

WHERE = "params.explain.layer"

NO_MAPS = "no layer returns maps: four dimensions, with as many rows as columns, more than one"

SHOWN = 6
"""Layers that an error lists, the last ones."""

ToLogits = Callable[[Any], torch.Tensor]
"""Makes logits, (n, classes), of outputs."""


class Shape(NamedTuple):
    """What maps a layer returns."""

    channels: int
    cells: int


class Sighting(NamedTuple):
    """What was found of a classifier's maps, as `facts.ClassifierFacts` has it."""

    maps: MapKind
    layer: str
    cells: int
    no_maps: str


def look_for(opened: Opened, asked: str, inputs: torch.Tensor, logits_of: ToLogits) -> Sighting:
    """Find the layer that is looked at, and how.

    The last layer with maps is taken, in the order of execution. Where their mean and the last
    linear layer give the outputs for all inputs, the closed form is had; else gradients, at the
    last layer that they reach. Functions between a network's submodules are layers too where it can
    be traced.

    Parameters
    ----------
    asked
        A submodule, or a node of the network's graph, by name; `last`: found.
    inputs
        (n, 3, size, size), of different pictures.

    Raises
    ------
    ParameterError
        Where the layer that is asked for is not there, returns no maps, or has no gradients.
    """
    with torch.no_grad():
        logits = logits_of(opened.module(inputs))
    layers, nodes = _submodules(opened, inputs), _nodes(opened, inputs)
    functions = {name: shape for name, (shape, is_layer) in nodes.items() if not is_layer}
    shapes = functions | layers
    if asked == LAST:
        layers = coarsening(layers)
        kept = coarsening({name: shape for name, (shape, _) in nodes.items()})
        ends = [name for name in list(kept)[-1:] if name in functions]
        last, candidates = list(layers)[-1:] + ends, ends + _from_last(layers or kept)
    elif asked in shapes:
        last = candidates = [asked]
    else:
        shown = ", such as " + ", ".join(list(shapes)[-SHOWN:]) if shapes else ""
        raise ParameterError(WHERE, repr(asked), f"{LAST} or a layer that returns maps{shown}")
    for layer in last:
        if _adds_up(opened, layer, inputs, logits_of):
            return Sighting("closed_form", layer, shapes[layer].cells, "")
    # Where nothing changes the answers, one layer tells as much as all do.
    for layer in candidates if _differ(logits) else candidates[:1]:
        if _has_gradients(opened, layer, inputs, logits_of):
            return Sighting("gradient", layer, shapes[layer].cells, no_sum(layer, logits))
    if asked != LAST:
        found = f"{asked!r}, which no gradients reach"
        raise ParameterError(WHERE, found, f"{LAST}, or another layer")
    return Sighting("none", "", 0, f"no gradients reach {last[0]}" if last else NO_MAPS)


def no_sum(layer: str, logits: torch.Tensor) -> str:
    """Say why a layer's cells do not add up to logits, (n, classes)."""
    if not _differ(logits):
        return "test pictures get the same answers, so that nothing can be said of its maps"
    return f"the outputs are no linear layer of the mean of {layer}'s maps"


def coarsening(shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """Keep layers whose maps are as coarse as all before them.

    What is finer again are no places of a picture, such as tokens that attend to tokens.
    """
    kept: dict[str, Shape] = {}
    for name, shape in shapes.items():
        if all(shape.cells <= other.cells for other in kept.values()):
            kept[name] = shape
    return kept


def _from_last(shapes: Mapping[str, Shape]) -> list[str]:
    """List layers from the last on, those first that have as many channels as that.

    A transformer's class token is all that is read of its last layers: the next one before them
    that gradients reach is asked for as the whole, not for what attention makes of it.
    """
    names = list(shapes)[::-1]
    return sorted(names, key=lambda name: shapes[name].channels != shapes[names[0]].channels)


def seeing(opened: Opened, maps: MapKind, layer: str, example: torch.Tensor) -> TorchModel:
    """Make a model that returns a layer's maps, or whose gradients there can be had.

    Parameters
    ----------
    maps, layer
        As `look_for` found them.
    example
        (1, 3, size, size): the last linear layer is found by it.
    """
    if maps == "none":
        return TorchModel(opened)
    opened, name = _with_layer(opened, layer)
    layout = _layout(opened)
    if maps == "gradient":
        return TorchModel(opened, Sight(name, layout))
    norm = None if opened.network is None else opened.network.norm
    return TorchModel(opened, Sight(name, layout, norm, _last_linear(opened, name, example)))


def _layout(opened: Opened) -> Layout:
    return channels_first if opened.network is None else opened.network.layout


def _submodules(opened: Opened, inputs: torch.Tensor) -> dict[str, Shape]:
    """Return the maps that submodules return, by name, as they run: those that run once."""
    module, layout = opened.module, _layout(opened)
    shapes: dict[str, Shape | None] = {}
    runs: Counter[str] = Counter()

    def note(name: str, _module: nn.Module, _inputs: Any, output: Any) -> None:
        runs[name] += 1
        shapes[name] = _shape(output, layout)

    handles = [
        each.register_forward_hook(partial(note, name))
        for name, each in module.named_modules()
        if name and not isinstance(each, nn.Identity)
    ]
    try:
        with torch.no_grad():
            module(inputs[:1])
    finally:
        for handle in handles:
            handle.remove()
    return {name: shape for name, shape in shapes.items() if shape and runs[name] == 1}


def _shape(output: Any, layout: Layout) -> Shape | None:
    """Return the shape of maps; None where an output is none."""
    if not isinstance(output, torch.Tensor) or not output.is_floating_point():
        return None
    try:
        maps = layout(output)
    except (RuntimeError, ValueError, IndexError):
        return None  # an output of fewer dimensions, or of tokens in no square
    if maps.ndim != 4 or not maps.shape[2] == maps.shape[3] > 1:
        return None
    return Shape(*maps.shape[1:3])


def _nodes(opened: Opened, inputs: torch.Tensor) -> dict[str, tuple[Shape, bool]]:
    """Return the maps that the nodes of a network's graph return, by name, as they run.

    There are none where a network cannot be traced; of a known one, its submodules say all.

    Returns
    -------
    dict
        Also whether a node is a submodule that runs once.
    """
    graph = None if opened.network is not None else _graph(opened.module)
    if graph is None:
        return {}
    walk = _Walk(graph)
    try:
        with torch.no_grad():
            walk.run(inputs[:1])
    except Exception:  # what was traced does not run by itself
        return {}
    runs = _runs(graph)
    return {
        node.name: (shape, node.op == "call_module" and runs[str(node.target)] == 1)
        for node, shape in walk.shapes.items()
    }


class _Walk(fx.Interpreter):
    """Runs a graph node by node, and keeps the shapes of the maps that they return."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.shapes: dict[fx.Node, Shape] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        shape = _shape(result, channels_first)
        if n.op.startswith("call") and shape is not None:
            self.shapes[n] = shape
        return result


def _runs(graph: fx.GraphModule) -> Counter[str]:
    """Count how often each submodule runs."""
    return Counter(str(node.target) for node in graph.graph.find_nodes(op="call_module"))


def _graph(module: nn.Module) -> fx.GraphModule | None:
    """Return a network as a graph; None where it cannot be traced."""
    if isinstance(module, fx.GraphModule):
        return module
    try:
        return fx.symbolic_trace(module)
    except Exception:  # whatever a network does with a stand-in for numbers
        return None


_MAPS = "smallsight_maps"


def _with_layer(opened: Opened, layer: str) -> tuple[Opened, str]:
    """Return a network and its submodule that returns a layer's maps."""
    traced = None if opened.network is not None else _graph(opened.module)
    is_submodule = layer in dict(opened.module.named_modules())
    if traced is None or (is_submodule and _runs(traced)[layer] <= 1):
        return opened, layer
    graph = copy.deepcopy(traced.graph)
    traced = fx.GraphModule(traced, graph)
    traced.add_submodule(_MAPS, nn.Identity())
    node = next(node for node in graph.nodes if node.name == layer)
    with graph.inserting_after(node):
        maps = graph.call_module(_MAPS, (node,))
    # What comes next may write to its input: it gets another.
    with graph.inserting_after(maps):
        handed_on = graph.call_function(torch.clone, (maps,))
    node.replace_all_uses_with(handed_on, lambda user: user is not maps)
    traced.recompile()
    return opened._replace(module=traced), _MAPS


class _Linears(TorchDispatchMode):
    """Keeps weight, (classes, d), and bias of all that is linear with that many outputs."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.found: list[tuple[torch.Tensor, torch.Tensor]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        aten = torch.ops.aten
        if func is aten.addmm.default:
            self._keep(args[2].t(), args[0])
        elif func is aten.mm.default:
            self._keep(args[1].t(), None)
        elif func is aten.convolution.default and args[1].shape[2:] == (1, 1):
            self._keep(args[1].flatten(1), args[2])
        elif func is aten.add.Tensor and self.found:
            weight, _ = self.found[-1]
            biases = [each for each in args if getattr(each, "shape", None) == (self.classes,)]
            self.found[-1] = weight, (biases or [self.found[-1][1]])[0]
        return func(*args, **(kwargs or {}))

    def _keep(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        if weight.shape[0] == self.classes:
            self.found.append((weight, weight.new_zeros(self.classes) if bias is None else bias))


def _last_linear(
    opened: Opened, layer: str, example: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return weight and bias of the last linear layer, if it takes as many numbers as maps have.

    Where the maps are themselves one for each class, it is the identity.
    """
    seen = {}

    def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
        seen["channels"] = _layout(opened)(output).shape[1]

    handle = opened.module.get_submodule(layer).register_forward_hook(keep)
    try:
        with torch.no_grad():
            classes = opened.module(example).shape[1]
            linears = _Linears(classes)
            with linears:
                opened.module(example)
    finally:
        handle.remove()
    for weight, bias in linears.found[::-1][:1]:
        if weight.shape[1] == seen["channels"]:
            return weight.detach().float().clone(), bias.detach().float().expand(classes).clone()
    if seen["channels"] == classes:
        return torch.eye(classes), torch.zeros(classes)
    return None


def _adds_up(opened: Opened, layer: str, inputs: torch.Tensor, logits_of: ToLogits) -> bool:
    """Say whether the mean over a layer's maps and the last linear layer give the logits.

    A constant that is added to all logits of a picture says nothing.
    """
    model = seeing(opened, "closed_form", layer, inputs[:1])
    if model.linear is None:
        return False
    weight, bias = model.linear
    with torch.no_grad():
        outputs, maps = model(inputs)
        added = mean_over_cells(maps) @ weight.T + bias
        is_as_before = torch.allclose(outputs, opened.module(inputs), rtol=1e-3, atol=1e-4)
    return is_as_before and do_agree(added, logits_of(outputs))


def do_agree(added: torch.Tensor, logits: torch.Tensor) -> bool:
    """Say whether two sets of logits, (n, classes), give the same probabilities, but for rounding.

    Logits that are the same for all pictures agree with nothing.

    Examples
    --------
    >>> logits = torch.tensor([[0.0, 1.0], [2.0, 0.0]])
    >>> do_agree(logits + 5, logits), do_agree(1.1 * logits, logits)
    (True, False)
    """
    difference = float((added.log_softmax(dim=1) - logits.log_softmax(dim=1)).abs().max())
    spread, rounding = _spread(logits)
    return _differ(logits) and difference <= 1e-3 * spread + rounding


def _differ(logits: torch.Tensor) -> bool:
    """Say whether logits of different pictures differ by more than they are rounded."""
    spread, rounding = _spread(logits)
    return spread > 10 * rounding


def _spread(logits: torch.Tensor) -> tuple[float, float]:
    """Return how far the logarithms of probabilities lie apart, and how far they are rounded."""
    logs = logits.log_softmax(dim=1)
    return float((logs - logs.mean(dim=0)).abs().max()), 1e-6 * float(logs.abs().max())


def _has_gradients(opened: Opened, layer: str, inputs: torch.Tensor, logits_of: ToLogits) -> bool:
    """Say whether the largest logit changes with what a layer returns at places."""
    opened, name = _with_layer(opened, layer)
    seen: list[torch.Tensor] = []

    def start(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
        seen.append(output.detach().requires_grad_())
        return seen[-1]

    handle = opened.module.get_submodule(name).register_forward_hook(start)
    try:
        with torch.enable_grad():
            largest = logits_of(opened.module(inputs[-2:])).max(dim=1).values.sum()
            (gradient,) = torch.autograd.grad(largest, seen)
    except RuntimeError:  # it does not depend on the layer, or writes over what it returned
        return False
    finally:
        handle.remove()
    return bool((_layout(opened)(gradient) != 0).any())
