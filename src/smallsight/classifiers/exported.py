"""The source export: a .pt2 archive of torch.export's."""

import io
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import fx
from torch.export import ExportedProgram
from torch.export.pt2_archive._package import load_pt2

from smallsight import params
from smallsight.backbones.networks.fitting import check_finite
from smallsight.classifiers.collecting import declared_facts, examine, reopen
from smallsight.classifiers.exported_archives import check_archive
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.classifiers.formats import PT2, check_format, read_model
from smallsight.classifiers.metadata import FILE, read_metadata_file
from smallsight.classifiers.model_file import (
    check_graph_size,
    copy_model,
    origin_of,
    with_graph_size,
)
from smallsight.classifiers.own import OwnClassifier
from smallsight.classifiers.probe import reason
from smallsight.classifiers.sources import Wanted
from smallsight.classifiers.torch_model import frozen
from smallsight.runtime.errors import ClassifierError

DYNAMIC = "a dynamic batch: torch.export.export(..., dynamic_shapes=({0: torch.export.Dim('n')},))"


def collect(settings: params.Classifier, model: Path, wanted: Wanted) -> ClassifierFacts:
    """Read an archive, check it, and copy it.

    Raises
    ------
    SmallsightError
        Where the file is no such archive, holds more than a graph and tensors, its graph takes no
        batch of pictures, its weights are not finite, or it does not answer as it declares.
    """
    content = read_model(settings.file)
    check_format(content, PT2, settings.file)
    check_archive(content, settings.file)
    graph, metadata = _load(content, settings.file)
    check_finite(graph.state_dict(), settings.file)
    size = _fixed_size(graph, settings.file)
    carried = with_graph_size(read_metadata_file(metadata, settings.file), size)
    facts = declared_facts(settings, carried, origin_of(settings, content))
    check_graph_size(facts, size)
    facts = examine(facts, frozen(graph), wanted.layer)
    copy_model(content, model)
    return facts


def open_(facts: ClassifierFacts, model: Path) -> OwnClassifier:
    """Open what `collect` wrote."""
    content = read_model(model)
    check_archive(content, model)
    return reopen(facts, frozen(_load(content, model)[0]))


class _Loaded(NamedTuple):
    """The graph of an archive, and the text of its metadata; empty where there is none."""

    graph: fx.GraphModule
    metadata: str


def _load(content: bytes, where: object) -> _Loaded:
    """Load an archive that was checked.

    The guards that it holds are code: they are left out.
    """
    try:
        loaded = load_pt2(io.BytesIO(content))
        (program,) = loaded.exported_programs.values()
        _check_signature(program, where)
        graph: Any = program.module(check_guards=False)
    except ClassifierError:
        raise
    except Exception as error:  # whatever torch meets in a file
        raise ClassifierError(where, f"cannot be loaded ({reason(error)})", PT2) from None
    return _Loaded(graph, loaded.extra_files.get(FILE, ""))


def _check_signature(program: ExportedProgram, where: object) -> None:
    signature = program.graph_signature
    if signature.buffers_to_mutate:
        changed = sorted(signature.buffers_to_mutate.values())[0]
        due = "a model that was exported in evaluation mode: model.eval()"
        raise ClassifierError(where, f"a graph that changes its own {changed}", due)
    for what, names in (("input", signature.user_inputs), ("output", signature.user_outputs)):
        if len(names) != 1:
            raise ClassifierError(
                where, f"a graph with {len(names)} {what}s", "one input, one output"
            )


def _fixed_size(graph: fx.GraphModule, where: object) -> int | None:
    """Return width and height of the input, in pixels; None where any is taken.

    Raises
    ------
    ClassifierError
        Where it takes no batch of pictures of three channels, or one of a fixed number.
    """
    (entry,) = graph.graph.find_nodes(op="placeholder")
    value = entry.meta["val"]
    due = "pictures: n x 3 x rows x columns, float32"
    shape = " x ".join(str(side) if isinstance(side, int) else "n" for side in value.shape)
    if value.ndim != 4 or value.shape[1] != 3 or value.dtype is not torch.float32:
        kind = str(value.dtype).removeprefix("torch.")
        raise ClassifierError(where, f"an input of {shape}, {kind}", due)
    count, _, rows, columns = value.shape
    if isinstance(count, int):
        raise ClassifierError(where, f"a batch fixed at {count}", DYNAMIC)
    if not isinstance(rows, int) or not isinstance(columns, int):
        return None
    if rows != columns:
        raise ClassifierError(where, f"an input of {shape}", "as many rows as columns")
    return rows
