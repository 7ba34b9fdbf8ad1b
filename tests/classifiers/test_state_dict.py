import pickle

import numpy as np
import pytest
import timm
import torch
from torch import nn
from torchvision.models import resnet18

from builders import own_classifiers as own
from builders.readings import tensor_regions
from smallsight.backbones.facts import LAST
from smallsight.classifiers.load import open_classifier
from smallsight.runtime.errors import ClassifierError, ParameterError, WeightsError

WHOLE = np.array([[0.0, 0.0, own.SIZE, own.SIZE]])


@pytest.fixture
def saved(tmp_path):
    """Save what is given, and return parameters that name it."""

    def save(content, architecture="code:Small", names=own.CLASSES, **changed):
        torch.save(content, tmp_path / "w.pth")
        named = own.names_file(tmp_path, names) | changed
        return own.settings(
            "state_dict", file=tmp_path / "w.pth", architecture=architecture, **named
        )

    return save


@pytest.mark.parametrize("network", own.NETWORKS, ids=lambda network: network.__name__)
def test_a_network_of_own_code_answers_as_it_does_by_itself(network, saved, tmp_path):
    module = own.trained(network)
    output = "probabilities" if network is own.Probable else "logits"
    chosen = saved(module.state_dict(), f"code:{network.__name__}", output=output)
    facts, opened = own.collected(chosen, tmp_path)
    shown = own.pictures()
    with torch.inference_mode():
        due, found = module(own.inputs_of(shown)), opened.scene(shown)
    due = due if network is own.Probable else due.softmax(dim=1)
    torch.testing.assert_close(found.softmax(dim=1), due, rtol=1e-5, atol=1e-6)
    if network not in (own.LogProbable, own.Probable):
        with torch.inference_mode():
            torch.testing.assert_close(found, module(own.inputs_of(shown)))
    assert (facts.label, facts.architecture) == (network.__name__, f"code:{network.__name__}")
    assert facts.classes == own.CLASSES
    assert facts.origin == str(tmp_path / "w.pth")
    assert len(facts.sha256) == len(facts.code_sha256) == 64


@pytest.mark.parametrize(
    ("network", "maps", "layer", "cells", "said"),
    [
        (own.Small, "closed_form", "relu_1", 8, ""),
        (own.LogProbable, "closed_form", "relu_1", 8, ""),
        (own.ByClass, "closed_form", "body", 8, ""),
        (own.Product, "closed_form", "relu", 8, ""),
        (own.Flat, "gradient", "relu_1", 8,
         "the outputs are no linear layer of the mean of relu_1's maps"),
        (own.Deciding, "gradient", "second", 8,
         "the outputs are no linear layer of the mean of second's maps"),
        (own.NoMaps, "none", "", 0,
         "no layer returns maps: four dimensions, with as many rows as columns, more than one"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_where_maps_are_is_found_by_shape(network, maps, layer, cells, said, saved, tmp_path):
    chosen = saved(own.trained(network).state_dict(), f"code:{network.__name__}")
    facts, opened = own.collected(chosen, tmp_path)
    assert (facts.maps, facts.layer, facts.cells, facts.no_maps) == (maps, layer, cells, said)
    assert (opened.linear is not None) == (maps == "closed_form")
    assert (opened.explained is not None) == (maps == "gradient")
    regions = tensor_regions(WHOLE, np.zeros(1))
    with torch.inference_mode():
        parts = opened.read_out(own.pictures(1), regions)
    if maps == "closed_form":
        torch.testing.assert_close(parts["box"], parts["scene"], rtol=1e-4, atol=1e-5)
        assert parts[LAST].shape[2:] == (cells, cells)
    else:
        assert set(parts) == {"scene", LAST}
        assert parts[LAST].shape == (1, 0, 0, 0)


def test_the_state_that_is_written_loads_by_torch_alone(saved, tmp_path):
    module = own.trained(own.Small)
    own.collected(saved({"model": module.state_dict(), "epoch": 3}), tmp_path)
    content = torch.load(tmp_path / "model", weights_only=True)
    assert content["classes"] == list(own.CLASSES)
    own.Small(len(own.CLASSES)).load_state_dict(content["model_state_dict"])
    assert content["architecture"] == "code:Small"


def test_prefixes_and_containers_are_noted(saved, tmp_path):
    state = {f"module.{key}": value for key, value in own.trained(own.Small).state_dict().items()}
    facts, _ = own.collected(saved({"state_dict": state}), tmp_path)
    assert facts.notes == ("opened `state_dict`", "prefix `module.` taken off 11 names")


def test_mean_and_deviation_of_the_file_are_taken_unless_declared(saved, tmp_path):
    content = {"model": own.trained(own.Small).state_dict(), "mean": [0.1, 0.2, 0.3]}
    content["std"] = torch.tensor([0.5, 0.6, 0.7])
    without = own.DECLARED | {"mean": None, "std": None}
    facts, _ = own.collected(saved(content, preprocessing=without), tmp_path)
    np.testing.assert_allclose(facts.preprocessing.mean, (0.1, 0.2, 0.3))
    np.testing.assert_allclose(facts.preprocessing.std, (0.5, 0.6, 0.7))
    facts, _ = own.collected(saved(content), tmp_path)
    assert facts.preprocessing.mean == (0.4, 0.5, 0.6)
    assert facts.notes == (
        "opened `model`",
        "preprocessing: mean 0.4, 0.5, 0.6 as declared, not 0.1, 0.2, 0.3",
        "preprocessing: std 0.2, 0.3, 0.4 as declared, not 0.5, 0.6, 0.7",
    )


@pytest.mark.parametrize(
    ("architecture", "make", "layer"),
    [
        ("resnet18", resnet18, "layer4"),
        ("timm:test_convnext", lambda **how: timm.create_model("test_convnext", **how), "stages"),
    ],
)
def test_a_network_of_a_library_takes_as_many_classes_as_there_are_names(
    architecture, make, layer, saved, tmp_path
):
    module = make(num_classes=5).eval()
    declared = own.DECLARED | {"input_size": 64}
    facts, opened = own.collected(
        saved(module.state_dict(), architecture, preprocessing=declared), tmp_path
    )
    shown = own.pictures(size=64)
    with torch.inference_mode():
        due, found = module(own.inputs_of(shown)), opened.scene(shown)
    torch.testing.assert_close(found, due, rtol=1e-4, atol=1e-5)
    assert (facts.maps, facts.layer, facts.code) == ("closed_form", layer, "")


def test_a_class_token_is_explained_at_the_last_layer_that_it_attends_to(saved, tmp_path):
    module = timm.create_model("test_vit", num_classes=5).eval()
    declared = own.DECLARED | {"input_size": 160}
    chosen = saved(module.state_dict(), "timm:test_vit", preprocessing=declared)
    facts, opened = own.collected(chosen, tmp_path)
    assert (facts.maps, facts.layer, facts.cells) == ("gradient", "blocks.5.norm1", 10)
    network, layer, layout = opened.explained
    seen = []
    layer.register_forward_hook(lambda _module, _inputs, output: seen.append(layout(output)))
    shown = own.pictures(2, 160)
    torch.testing.assert_close(network(shown), opened.scene(shown))
    assert seen[0].shape == (2, 64, 10, 10)


# What is refused.


def test_another_number_of_classes_is_said_with_both_numbers(saved, tmp_path):
    state = own.trained(own.Small).state_dict()
    for container in (state, {"model": {f"module.{key}": each for key, each in state.items()}}):
        with pytest.raises(ClassifierError) as caught:
            own.collected(saved(container, names="abcd"), tmp_path)
        error = own.one_line(caught, tmp_path / "w.pth")
        assert error.found.startswith("5 classes in ")
        assert error.expected == "4, as there are class names"
    with pytest.raises(ClassifierError, match=r"w\.pth: 1000 classes in fc\.weight; expected 5"):
        own.collected(saved(resnet18().state_dict(), "resnet18"), tmp_path)


def test_a_fixed_number_of_outputs_is_counted_as_it_runs(saved, tmp_path):
    chosen = saved(own.trained(own.ByClass).state_dict(), "code:ByClass", names="abcd")
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen, tmp_path)
    error = own.one_line(caught)
    assert error.found == "5 outputs per picture"
    assert error.expected == "4, as there are class names"


def test_the_whole_state_must_fit(saved, tmp_path):
    state = own.trained(own.Small).state_dict()
    del state["last.bias"]
    with pytest.raises(WeightsError) as caught:
        own.collected(saved(state), tmp_path)
    assert own.one_line(caught).found == "missing last.bias"
    assert caught.value.expected == "the 11 entries of Small"
    with pytest.raises(WeightsError, match=r"left over extra\.weight"):
        state = own.trained(own.Small).state_dict() | {"extra.weight": torch.zeros(2)}
        own.collected(saved(state), tmp_path)


def test_nan_in_the_weights_is_named(saved, tmp_path):
    state = own.trained(own.Small).state_dict()
    state["second.bias"][3] = torch.nan
    with pytest.raises(WeightsError, match=r"second\.bias holds NaN"):
        own.collected(saved(state), tmp_path)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickled_network_is_refused(zipped, saved, tmp_path):
    chosen = saved({})
    torch.save(own.Small(5), tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError) as caught:
        own.collected(chosen, tmp_path)
    assert own.one_line(caught).found == (
        "holds builders.own_classifiers.Small, which weights_only=True does not load"
    )
    assert not (tmp_path / "model").exists()


def test_a_bomb_does_not_go_off(saved, tmp_path):
    chosen = saved(own.Bomb(tmp_path))
    with pytest.raises(WeightsError, match=r"holds os\.makedirs, which weights_only=True does not"):
        own.collected(chosen, tmp_path)
    (tmp_path / "w.pth").write_bytes(own.bomb_bytes(tmp_path))
    with pytest.raises(WeightsError):
        own.collected(chosen, tmp_path)
    assert not (tmp_path / own.RAN).exists()
    pickle.loads(own.bomb_bytes(tmp_path))
    assert (tmp_path / own.RAN).exists()  # as it would have


@pytest.mark.parametrize(
    ("name", "found", "expected"),
    [
        ("broken", "ValueError (no)", "a call with num_classes, or without arguments"),
        ("leaving", "SystemExit (2)", "a call with num_classes, or without arguments"),
        ("wanting", "TypeError (wanting() missing 1 required positional argument: 'width')",
         "a call with num_classes, or without arguments"),
        ("number", "makes int", "a torch.nn.Module"),
    ],
)  # fmt: skip
def test_what_own_code_does_wrong_is_one_line(name, found, expected, saved, tmp_path):
    with pytest.raises(ClassifierError) as caught:
        own.collected(saved(own.trained(own.Small).state_dict(), f"code:{name}"), tmp_path)
    error = own.one_line(caught, f"{own.CODE}, {name}")
    assert (error.found, error.expected) == (found, expected)


def test_a_name_that_the_code_lacks_is_said_with_those_it_has(saved, tmp_path):
    with pytest.raises(ClassifierError) as caught:
        own.collected(saved(own.trained(own.Small).state_dict(), "code:Smal"), tmp_path)
    error = own.one_line(caught, own.CODE)
    assert error.found == "no Smal"
    assert error.expected.startswith("a function or class of this file: Small, Flat, ")


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        (None, "net.py", "no such file"),
        ("import nothing_of_this_name", "net.py",
         "ModuleNotFoundError (No module named 'nothing_of_this_name')"),
        ("def (", "net.py", "SyntaxError (invalid syntax (net.py, line 1))"),
        ("raise SystemExit(3)", "net.py", "SystemExit (3)"),
        ("x = 1", "net.txt", "suffix '.txt'"),
        ("x = 1", "net.py", "no Small"),
    ],
)  # fmt: skip
def test_code_that_cannot_be_imported_is_one_line(content, name, found, saved, tmp_path):
    code = tmp_path / name
    if content is not None:
        code.write_text(content)
    with pytest.raises(ClassifierError) as caught:
        own.collected(saved(own.trained(own.Small).state_dict(), code=str(code)), tmp_path)
    assert own.one_line(caught, code).found == found


def test_own_code_may_hold_data_classes_and_leaves_torchs_random_state(saved, tmp_path):
    code = tmp_path / "net.py"
    code.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from torch import nn\n"
        "@dataclass\nclass Width:\n    outputs: int\n"
        "def Small(num_classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(3072, Width(num_classes).outputs))\n"
    )
    state = {"1.weight": torch.randn(5, 3072), "1.bias": torch.zeros(5)}
    before = torch.get_rng_state()
    facts, opened = own.collected(saved(state, code=str(code)), tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
    assert facts.code == str(code)
    assert opened.scene(own.pictures()).shape == (4, 5)


def test_code_that_changed_since_is_said(saved, tmp_path):
    code = tmp_path / "net.py"
    code.write_bytes(own.CODE.read_bytes())
    chosen = saved(own.trained(own.Small).state_dict(), code=str(code))
    facts, _ = own.collected(chosen, tmp_path)
    code.write_bytes(own.CODE.read_bytes() + b"\n")
    with pytest.raises(ClassifierError) as caught:
        open_classifier(facts, tmp_path / "model")
    assert own.one_line(caught, code).found == "changed or missing"
    code.unlink()
    with pytest.raises(ClassifierError, match="changed or missing"):
        open_classifier(facts, tmp_path / "model")


def test_numbers_that_nobody_says_are_named(saved, tmp_path):
    declared = {"input_size": own.SIZE, "channels": "rgb", "range": "0..1"}
    with pytest.raises(ParameterError) as caught:
        own.collected(saved(own.trained(own.Small).state_dict(), preprocessing=declared), tmp_path)
    error = own.one_line(caught, "params.classifier.preprocessing")
    assert error.found == f"no mean, std, interpolation for {tmp_path / 'w.pth'}"


def test_a_file_has_no_names_of_classes(saved, tmp_path):
    chosen = saved(own.trained(own.Small).state_dict(), class_names="metadata")
    with pytest.raises(ParameterError) as caught:
        own.collected(chosen, tmp_path)
    error = own.one_line(caught, "params.classifier.class_names")
    assert error.expected == "file or imagenet"


@pytest.mark.parametrize(
    ("architecture", "found"),
    [("resnet81", "'resnet81'"),
     ("fasterrcnn_resnet50_fpn", "'fasterrcnn_resnet50_fpn'"),
     ("timm:resnet81", "'timm:resnet81': Unknown model (resnet81)")],
)  # fmt: skip
def test_a_network_that_nobody_makes_is_said(architecture, found, saved, tmp_path):
    with pytest.raises(ParameterError) as caught:
        own.collected(saved(nn.Linear(2, 5).state_dict(), architecture), tmp_path)
    assert own.one_line(caught, "params.classifier.architecture").found == found


def test_a_missing_file_is_said(saved, tmp_path):
    chosen = saved({})
    (tmp_path / "w.pth").unlink()
    with pytest.raises(WeightsError) as caught:
        own.collected(chosen, tmp_path)
    assert own.one_line(caught, tmp_path / "w.pth").found == "No such file or directory"
