import hashlib
import http.server
import pickle
import socket
import threading

import numpy as np
import pytest
import torch

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.networks.makers import make_trunk
from smallsight.backbones.networks.weight_sources import (
    download_weights,
    random_weights,
    read_checkpoint,
)
from smallsight.backbones.networks.weights import read_weights, write_weights
from smallsight.backbones.registry import IMAGENET, Download, Preprocessing, find_backbone
from smallsight.runtime.errors import DownloadError, WeightsError

ANYWHERE = "http://127.0.0.1"
RESNET18 = find_backbone("resnet18")
OTHER = Preprocessing(160, mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
"""A preprocessing that no record has."""


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def complaint(path):
    with pytest.raises(WeightsError) as caught:
        Backbone(read_checkpoint(path, RESNET18))
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == str(path)
    return caught.value


@pytest.fixture
def pictures(noise):
    return torch.from_numpy(np.stack([noise(64, 64, seed) for seed in range(2)]))


# Weights before any training.


@pytest.fixture(scope="module")
def drawn():
    return random_weights(RESNET18, np.random.default_rng(0))


def test_random_weights_depend_on_their_generator_alone(drawn):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        again, other = (random_weights(RESNET18, np.random.default_rng(seed)) for seed in (0, 1))
    assert same(again.state, drawn.state)
    filters = [name for name, value in drawn.state.items() if value.ndim == 4]
    assert len(filters) == 20
    assert not any(torch.equal(other.state[name], drawn.state[name]) for name in filters)
    assert len({drawn.state[name].flatten()[0].item() for name in filters}) == len(filters)


def test_random_weights_are_spread_as_he_says(drawn):
    reference = make_trunk(RESNET18).state_dict()
    for name, value in drawn.state.items():
        assert value.dtype == reference[name].dtype
        if value.ndim == 4:
            outputs, _, height, width = value.shape
            due, count = 2 / (outputs * height * width), value.numel()
            # The variance of a variance is 2 / n.
            assert value.var().item() == pytest.approx(due, rel=5 * (2 / count) ** 0.5)
            assert value.var().item() == pytest.approx(reference[name].var().item(), rel=0.1)
            assert abs(value.mean().item()) < 5 * (due / count) ** 0.5
            beyond = (value.abs() > 2 * due**0.5).float().mean().item()
            assert beyond == pytest.approx(0.0455, abs=0.01)


def test_random_normalisation_changes_nothing(drawn):
    for name, value in drawn.state.items():
        if value.ndim < 4:
            due = 1 if name.endswith(("weight", "running_var")) else 0
            assert (value == due).all()


def test_a_network_of_random_weights_sees_something_of_its_own(drawn, backbone, pictures):
    maps = Backbone(drawn)(pictures)
    assert maps.isfinite().all()
    assert maps.min() == 0
    assert maps.std() > 0
    assert (maps[0] - maps[1]).abs().max() > 0.01 * maps.max()
    assert not torch.allclose(maps, backbone(pictures), rtol=0.1)
    assert not any(
        torch.equal(value, backbone.state_dict()[f"trunk.{name}"])
        for name, value in drawn.state.items()
        if value.ndim == 4
    )


# Files of weights.


@pytest.mark.parametrize("key", [None, "state", "state_dict", "model_state_dict"])
@pytest.mark.parametrize("classes", [0, 6])
def test_usual_checkpoints_are_read(tmp_path, weights, key, classes):
    head = {"fc.weight": torch.zeros(classes, 512), "fc.bias": torch.zeros(classes)}
    state = weights.state | (head if classes else {})
    torch.save({key: state, "epoch": 3} if key else state, tmp_path / "w.pth")
    read = read_checkpoint(tmp_path / "w.pth", RESNET18)
    assert same(read.state, weights.state)
    assert (read.mean, read.std) == (IMAGENET.mean, IMAGENET.std)


@pytest.mark.parametrize("kind", [list, tuple, torch.tensor])
def test_normalisation_in_the_file_is_honoured(tmp_path, weights, kind):
    content = {"state": weights.state, "mean": kind([0.5, 0.25, 0.75]), "std": kind([0.5, 1, 2])}
    torch.save(content, tmp_path / "w.pth")
    read = read_checkpoint(tmp_path / "w.pth", RESNET18)
    assert [float(value) for value in read.mean] == [0.5, 0.25, 0.75]
    assert Backbone(read).std.flatten().tolist() == [0.5, 1, 2]


def test_weights_without_counters_of_batches_are_read(tmp_path, weights):
    # As torch up to 0.4 wrote them, and as `load_state_dict` still takes them.
    old = {n: v for n, v in weights.state.items() if not n.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "w.pth")
    state = Backbone(read_checkpoint(tmp_path / "w.pth", RESNET18)).trunk.state_dict()
    assert all(torch.equal(state[name], value) for name, value in old.items())


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04" + bytes(100), b"\x80\x02."])
def test_a_file_that_is_no_checkpoint_is_named(tmp_path, content):
    (tmp_path / "w.pth").write_bytes(content)
    assert "ResNet18" in complaint(tmp_path / "w.pth").expected


class Dangerous:
    def __reduce__(self):
        return (print, ("this code must not run",))


@pytest.mark.parametrize("save", [torch.save, lambda what, path: path.write_bytes(
    pickle.dumps(what))])  # fmt: skip
def test_a_pickled_object_is_refused_and_not_run(tmp_path, capsys, save):
    save({"state": Dangerous()}, tmp_path / "w.pth")
    assert "weights_only=True" in complaint(tmp_path / "w.pth").expected
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["nowhere.pth", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    complaint(tmp_path / name)


def test_a_truncated_file_is_named(tmp_path, weights):
    write_weights(weights, tmp_path / "w.pth")
    whole = (tmp_path / "w.pth").read_bytes()
    (tmp_path / "w.pth").write_bytes(whole[: len(whole) // 2])
    complaint(tmp_path / "w.pth")


def test_a_wrong_shape_is_named_with_both_shapes(tmp_path, weights):
    torch.save(weights.state | {"layer1.0.conv1.weight": torch.zeros(64, 64, 1, 1)}, tmp_path / "w")
    error = complaint(tmp_path / "w")
    assert error.found == "layer1.0.conv1.weight: 64x64x1x1"
    assert error.expected == "64x64x3x3"


def test_a_missing_entry_is_named(tmp_path, weights):
    state = {name: value for name, value in weights.state.items() if name != "layer2.0.bn1.bias"}
    torch.save({"state_dict": state}, tmp_path / "w.pth")
    assert complaint(tmp_path / "w.pth").found == "layer2.0.bn1.bias: nothing"


def test_an_unknown_entry_is_named(tmp_path, weights):
    torch.save(weights.state | {"layer5.weight": torch.zeros(1)}, tmp_path / "w.pth")
    assert "layer5.weight" in complaint(tmp_path / "w.pth").found


@pytest.mark.parametrize(
    "content",
    [[1, 2], torch.zeros(3), 5, None, {}, {"state": 5}, {"state_dict": [1]}, {1: torch.zeros(2)},
     {"state": {1: torch.zeros(2)}}],
    ids=repr,
)  # fmt: skip
def test_a_checkpoint_of_something_else_is_named(tmp_path, content):
    torch.save(content, tmp_path / "w.pth")
    complaint(tmp_path / "w.pth")


@pytest.mark.parametrize("wrong", [{"mean": 0.5}, {"mean": [0.5]}, {"std": ["a", "b", "c"]},
                                   {"std": [0.0, 1.0, 1.0]}], ids=repr)  # fmt: skip
def test_a_normalisation_that_is_none_is_named(tmp_path, weights, wrong):
    torch.save({"state": weights.state} | wrong, tmp_path / "w.pth")
    complaint(tmp_path / "w.pth")


# Weights from a cache, and from an address of the test's own.


@pytest.fixture
def fetch(monkeypatch, tmp_path):
    """Download weights from an address that ends in their hash; torch's cache is empty at first."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "*")

    def fetch(url):
        download = Download(url, url.rpartition("-")[2].removesuffix(".pth"))
        return download_weights(RESNET18, download, OTHER)

    return fetch


@pytest.fixture(scope="module")
def published(tmp_path_factory, weights):
    """A file as torchvision publishes it: with a head, and its hash in its name."""
    head = {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    folder = tmp_path_factory.mktemp("published")
    torch.save(weights.state | head, folder / "x")
    digest = hashlib.sha256((folder / "x").read_bytes()).hexdigest()
    return (folder / "x").rename(folder / f"resnet18-{digest[:8]}.pth")


def refused(fetch, url):
    with pytest.raises(DownloadError) as caught:
        fetch(url)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == url
    return caught.value


def test_weights_come_by_their_hash_and_can_be_read_back(fetch, published, weights, tmp_path):
    fetched = fetch(published.as_uri())
    assert same(fetched.state, weights.state)
    assert (fetched.network, fetched.mean, fetched.std) == ("resnet18", OTHER.mean, OTHER.std)
    write_weights(fetched, tmp_path / "w.pth")
    assert same(read_weights(tmp_path / "w.pth").state, weights.state)
    # The second time, torch's cache has them.
    assert same(fetch(f"{ANYWHERE}:9/{published.name}").state, weights.state)


def test_weights_of_another_hash_are_refused(fetch, published, tmp_path):
    wrong = tmp_path / "resnet18-00000000.pth"
    wrong.write_bytes(published.read_bytes())
    refused(fetch, wrong.as_uri())
    assert not list((tmp_path / "torch").rglob("*.pth"))


@pytest.mark.parametrize("damage", ["truncated", "garbage", "other weights"])
def test_weights_damaged_in_the_cache_are_refused(fetch, published, tmp_path, damage):
    cached = tmp_path / "torch/hub/checkpoints" / published.name
    cached.parent.mkdir(parents=True)
    if damage == "other weights":
        torch.save(torch.load(published) | {"bn1.bias": torch.ones(64)}, cached)
    else:
        content = {"truncated": published.read_bytes()[:5_000_000], "garbage": b"<html>"}
        cached.write_bytes(content[damage])
    refused(fetch, published.as_uri())


def test_an_address_that_nobody_answers_is_one_line(fetch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"{ANYWHERE}:{closed.getsockname()[1]}/resnet18-00000000.pth"
        refused(fetch, url)


@pytest.fixture
def server(published):
    """Serve the first half of the published file as if it were whole; 404 for the rest."""
    half = published.read_bytes()[:1_000_000]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if published.name not in self.path:
                return self.send_error(404)
            self.send_response(200)
            self.send_header("Content-Length", str(2 * len(half)))
            self.end_headers()
            return self.wfile.write(half)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"{ANYWHERE}:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_that_has_nothing_is_one_line(fetch, server):
    assert "404" in refused(fetch, f"{server}/resnet18-00000000.pth").found


def test_an_answer_that_breaks_off_is_refused(fetch, server, published, tmp_path):
    refused(fetch, f"{server}/{published.name}")
    assert not list((tmp_path / "torch").rglob("*.pth"))
