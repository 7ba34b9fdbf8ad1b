import hashlib
import socket

import numpy as np
import pytest
import torch
from torchvision.models import ResNet18_Weights, get_model, get_model_weights

from smallsight import params
from smallsight.backbones.networks import downloads
from smallsight.backbones.networks.libraries import make_network
from smallsight.backbones.networks.weight_sources import (
    expected_by,
    load_weights,
    preview_weights,
    random_weights,
)
from smallsight.backbones.networks.weights import Weights
from smallsight.backbones.registry import BACKBONES, find_backbone
from smallsight.runtime.errors import DownloadError, ParameterError, WeightsError

CLASSIFIERS = [name for name, each in BACKBONES.items() if each.library == "torchvision"]


def settings(name="resnet18", **update):
    chosen = {"weights": "imagenet", "checkpoint": "none", "input_size": "auto", "dilated": False}
    return params.Backbone(name=name, **(chosen | update))


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def refused(load, error, *arguments, **update):
    with pytest.raises(error) as caught:
        load(settings(*arguments, **update), seed=0)
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No way out, and nothing in torch's cache; every try is kept."""
    tries = []

    def no_socket(*arguments, **_):
        tries.append(arguments)
        raise OSError("there is no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(socket, "socket", no_socket)
    monkeypatch.setattr(socket, "create_connection", no_socket)
    monkeypatch.setattr(socket, "getaddrinfo", no_socket)
    return tries


# Weights before any training.


@pytest.fixture(scope="module")
def drawn():
    return load_weights(settings(weights="random"), seed=3)


def test_random_weights_depend_on_the_seed_alone(drawn):
    threads = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(99)
        torch.set_num_threads(threads + 1)
        try:
            again = load_weights(settings(weights="random"), seed=3)
        finally:
            torch.set_num_threads(threads)
    other = load_weights(settings(weights="random"), seed=4)
    assert same(again.weights.state, drawn.weights.state)
    filters = [name for name, value in drawn.weights.state.items() if value.ndim == 4]
    assert len(filters) == 20
    for name in filters:
        assert not torch.equal(other.weights.state[name], drawn.weights.state[name])


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_lite0", "timm:test_vit"])
def test_drawing_leaves_torchs_own_random_state_alone(name):
    with torch.random.fork_rng():
        torch.manual_seed(5)
        due = torch.rand(4)
        torch.manual_seed(5)
        before = torch.get_rng_state()
        load_weights(settings(name, weights="random"), seed=0)
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.equal(torch.rand(4), due)


def test_random_weights_are_what_the_library_itself_begins_with(drawn):
    with torch.random.fork_rng():
        torch.manual_seed(6)
        own = get_model("resnet18").state_dict()
    state = drawn.weights.state
    assert own.keys() - state.keys() == {"fc.weight", "fc.bias"}
    for name, value in state.items():
        assert (value.dtype, value.shape) == (own[name].dtype, own[name].shape)
        if value.ndim == 4:
            assert value.std().item() == pytest.approx(own[name].std().item(), rel=0.05)
        else:
            assert torch.equal(value, own[name])


def test_random_weights_say_so(drawn):
    assert drawn.source == "drawn at random, untrained"
    assert (drawn.sha256, drawn.notes) == ("", ())
    # The normalisation is that of the weights that the network has otherwise.
    assert drawn.weights.mean == (0.485, 0.456, 0.406)
    lite = load_weights(settings("efficientnet_lite0", weights="random"), seed=0)
    assert lite.weights.mean == (0.5, 0.5, 0.5)


def test_other_random_weights_keep_the_network_and_its_normalisation():
    own = Weights("resnet18", is_dilated=True, state={}, mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 3.0))
    one, again = (random_weights(own, np.random.default_rng(1)) for _ in range(2))
    assert one._replace(state={}) == own
    assert same(one.state, again.state)
    network = make_network(find_backbone("resnet18"), is_dilated=True)
    network.module.load_state_dict(one.state)


# Weights that a library publishes.


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_addresses_and_preprocessing_are_those_of_torchvisions_enums(name, monkeypatch):
    entry = get_model_weights(name).IMAGENET1K_V1
    asked = []

    def nothing(url):
        asked.append(url)
        raise DownloadError(url, "nothing", "anything")

    monkeypatch.setattr(downloads, "download_state", nothing)
    refused(load_weights, DownloadError, name)
    assert asked == [entry.url]
    found, transforms = expected_by(find_backbone(name)), entry.transforms()
    assert [found.input_size] == transforms.crop_size
    assert (found.mean, found.std) == (tuple(transforms.mean), tuple(transforms.std))
    assert found.interpolation == transforms.interpolation.value


def test_published_weights_are_the_file_behind_the_enum(monkeypatch, tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(8)
        whole = get_model("resnet18").state_dict()
    cached = tmp_path / "hub/checkpoints/resnet18-f37072fd.pth"
    assert ResNet18_Weights.IMAGENET1K_V1.url.endswith(cached.name)
    cached.parent.mkdir(parents=True)
    torch.save(whole, cached)
    digest = hashlib.sha256(cached.read_bytes()).hexdigest()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    # The file is not the one that torchvision publishes, and only stands in for it.
    assert refused(load_weights, DownloadError).where == str(cached)
    monkeypatch.setattr(downloads, "sha256", lambda path: f"f37072fd{digest}")
    loaded = load_weights(settings(), seed=0)
    assert same(loaded.weights.state, {k: v for k, v in whole.items() if not k.startswith("fc.")})
    assert loaded.source == "torchvision, ResNet18_Weights.IMAGENET1K_V1"
    assert loaded.sha256 == f"f37072fd{digest}"
    assert loaded.notes == ()


def test_weights_that_nobody_sends_are_one_line(offline):
    error = refused(load_weights, DownloadError)
    assert error.where == ResNet18_Weights.IMAGENET1K_V1.url
    assert offline


@pytest.mark.parametrize(
    "name",
    ["resnet18", "swin_t", "fasterrcnn_mobilenet_v3_large_fpn", "efficientnet_lite0",
     "timm:test_vit", "timm:resnet18.a1_in1k"],
)  # fmt: skip
def test_a_preview_never_touches_the_network(name, offline, tmp_path):
    weights = "coco" if "rcnn" in name else "imagenet"
    found = preview_weights(settings(name, weights=weights), seed=0)
    assert found.weights.network == name
    assert not offline
    assert not (tmp_path / "torch").exists()
    if name != "efficientnet_lite0":
        assert found.source == f"published with {find_backbone(name).library}"


# Weights of the user's own.


@pytest.fixture
def mine(tmp_path, weights):
    """A whole network of another number of classes, with a normalisation of its own."""
    head = {"fc.weight": torch.zeros(6, 512), "fc.bias": torch.zeros(6)}
    content = {
        "state_dict": {f"module.{key}": part for key, part in (weights.state | head).items()}
    }
    path = tmp_path / "mine.pth"
    torch.save(content | {"mean": [0.5, 0.25, 0.75], "std": [0.5, 1.0, 2.0]}, path)
    return path


@pytest.mark.parametrize("load", [load_weights, preview_weights])
def test_a_checkpoint_is_loaded_with_its_normalisation(load, mine, weights):
    loaded = load(settings(weights="checkpoint", checkpoint=str(mine)), seed=0)
    assert same(loaded.weights.state, weights.state)
    assert (loaded.weights.mean, loaded.weights.std) == ((0.5, 0.25, 0.75), (0.5, 1.0, 2.0))
    assert loaded.source == f"checkpoint {mine}"
    assert loaded.sha256 == hashlib.sha256(mine.read_bytes()).hexdigest()
    notes = "\n".join(loaded.notes)
    for part in ("state_dict", "module.", "fc."):
        assert part in notes
    assert loaded.preprocessing.input_size == 224


def test_a_checkpoint_without_a_normalisation_has_the_networks(tmp_path, weights):
    path = tmp_path / "mine.pth"
    torch.save(weights.state, path)
    loaded = load_weights(settings(weights="checkpoint", checkpoint=str(path)), seed=0)
    assert (loaded.weights.mean, loaded.weights.std) == (weights.mean, weights.std)
    assert loaded.notes == ()


@pytest.mark.parametrize("load", [load_weights, preview_weights])
def test_a_checkpoint_of_another_network_is_one_line(load, mine):
    error = refused(load, WeightsError, "resnet34", weights="checkpoint", checkpoint=str(mine))
    assert error.where == str(mine)
    assert "ResNet34" in error.expected


@pytest.mark.parametrize("load", [load_weights, preview_weights])
def test_a_missing_checkpoint_is_one_line(load, tmp_path):
    path = tmp_path / "nowhere.pth"
    error = refused(load, WeightsError, weights="checkpoint", checkpoint=str(path))
    assert error.where == str(path)


# Names of weights.


@pytest.mark.parametrize("load", [load_weights, preview_weights])
def test_a_file_in_the_place_of_a_name_is_told_where_files_are_named(load):
    error = refused(load, ParameterError, weights="some/path.pth")
    assert error.where == "params.backbone.weights"
    assert error.found == "'some/path.pth' for resnet18"
    assert error.expected == (
        "one of imagenet, random, checkpoint; with checkpoint, backbone.checkpoint names your file"
    )


@pytest.mark.parametrize(
    ("name", "weights", "known"),
    [
        ("efficientnet_lite1", "coco", "imagenet, random, checkpoint"),
        ("vit_b_16", "ImageNet", "imagenet, random, checkpoint"),
        ("timm:resnet18", "phantom", "imagenet, random, checkpoint"),
        ("fasterrcnn_resnet50_fpn_v2", "imagenet", "coco, checkpoint"),
    ],
)
def test_unknown_weights_are_one_line_with_those_that_the_network_has(name, weights, known):
    error = refused(load_weights, ParameterError, name, weights=weights)
    assert error.found == f"{weights!r} for {name}"
    assert error.expected.startswith(f"one of {known};")


@pytest.mark.parametrize("load", [load_weights, preview_weights])
def test_an_unknown_network_is_one_line(load):
    assert refused(load, ParameterError, "resnet81").where == "params.backbone.name"
