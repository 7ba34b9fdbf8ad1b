"""Weights that are not finite are refused, whatever file they come in, before anything is run."""

import math

import pytest
import torch

from builders import own_classifiers as own
from smallsight.runtime.errors import WeightsError


def damaged(entry, value):
    """Make a network with one number that is none."""
    network = own.trained(own.Small)
    network.state_dict()[entry].view(-1)[-1] = value
    return network


def refusal(path, source, folder, **changed):
    with pytest.raises(WeightsError) as caught:
        own.collected(own.settings(source, file=path, **changed), folder)
    assert not (folder / "model").exists()
    line = str(caught.value)
    assert line.startswith(f"weights error: {path}: ")
    assert line.endswith("; expected finite numbers")
    return caught.value.found


def state_dict(network, path):
    torch.save(network.state_dict(), path)
    return path


WRITERS = {
    "state_dict": (state_dict, {"architecture": "code:Small"}),
    "export": (own.write_pt2, {}),
    "torchscript": (own.write_torchscript, {}),
}


@pytest.mark.parametrize(("value", "word"), [(math.nan, "NaN"), (-math.inf, "infinity")])
@pytest.mark.parametrize("entry", ["norm.running_mean", "last.weight"])
@pytest.mark.parametrize("source", WRITERS)
def test_the_entry_is_named(source, entry, value, word, tmp_path):
    write, changed = WRITERS[source]
    path = write(damaged(entry, value), tmp_path / "own.pt2")
    (tmp_path / "names.txt").write_text("\n".join(own.CLASSES), encoding="utf-8")
    changed = changed | {"class_names": "file", "class_names_file": tmp_path / "names.txt"}
    assert refusal(path, source, tmp_path, **changed) == f"{entry} holds {word}"


@pytest.mark.parametrize(("value", "word"), [(math.nan, "NaN"), (math.inf, "infinity")])
def test_the_entry_of_a_graph_is_named(value, word, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    path = own.write_onnx(damaged("last.weight", value), tmp_path / "own.onnx")
    assert refusal(path, "onnx", tmp_path) == f"last.weight holds {word}"
