import hashlib
import http.server
import pickle
import socket
import threading

import numpy as np
import pytest
import torch
from torchvision.models import ResNet18_Weights, resnet18

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.resnet import DIMENSIONS, trunk
from smallsight.backbones.weights import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Weights,
    imagenet_weights,
    random_weights,
    read_weights,
    write_weights,
)
from smallsight.evaluation import heads
from smallsight.runtime.device import pick_device
from smallsight.runtime.errors import DownloadError, ParameterError, WeightsError

ANYWHERE = "http://127.0.0.1"


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def complaint(path):
    with pytest.raises(WeightsError) as caught:
        Backbone(read_weights(path))
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == str(path)
    return caught.value


@pytest.fixture
def pictures(noise):
    return torch.from_numpy(np.stack([noise(64, 64, seed) for seed in range(2)]))


# The frozen network.


def test_frozen_means_frozen(weights, pictures, study, cpu):
    backbone = Backbone(weights)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    assert len(before) > 100
    whole = torch.nn.Sequential(backbone, torch.nn.Flatten(), torch.nn.LazyLinear(3)).train()
    for mode in (False, True):
        backbone.train(mode)
        whole.train(mode)
    features = backbone(pictures).mean(dim=(2, 3))
    optimiser = torch.optim.SGD(whole.parameters(), lr=1.0)
    whole(pictures).sum().backward()
    optimiser.step()
    plain, rng = features.numpy(), np.random.default_rng(0)
    heads.fit(
        plain, plain, np.array([0, 1]), np.ones((1, 2), bool), [rng],
        classes=2, settings=study.heads, device=cpu,
    )  # fmt: skip
    assert same(backbone.state_dict(), before)
    assert not any(module.training for module in backbone.modules())
    assert not any(parameter.requires_grad for parameter in backbone.parameters())


def test_maps_are_torchvisions_layer4_of_the_normalised_picture(weights, backbone, pictures):
    network = resnet18()
    network.load_state_dict(weights.state, strict=False)
    network.eval()
    seen = []
    network.layer4.register_forward_hook(lambda *call: seen.append(call[2]))
    mean, std = (np.array(part, np.float32) for part in (weights.mean, weights.std))
    inputs = (pictures.numpy() / np.float32(255) - mean) / std
    with torch.inference_mode():
        network(torch.from_numpy(inputs).permute(0, 3, 1, 2))
        maps = backbone(pictures)
    assert maps.shape == (2, DIMENSIONS, 2, 2)
    assert maps.min() >= 0
    assert maps.std() > 0
    torch.testing.assert_close(maps, seen[0], rtol=1e-4, atol=1e-4)


def test_normalisation_is_the_weights_own(weights, pictures):
    shifted = Backbone(weights._replace(mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 4.0)))
    due = (pictures / 255 - torch.tensor([0.1, 0.2, 0.3])) / torch.tensor([1.0, 2.0, 4.0])
    inputs = shifted.inputs(pictures)
    torch.testing.assert_close(inputs, due.permute(0, 3, 1, 2), check_stride=False)
    torch.testing.assert_close(shifted(pictures), shifted.through(inputs))


@pytest.mark.parametrize(("layer", "shape"), [("conv1", (64, 32, 32)), ("layer1", (64, 16, 16)),
                                              ("layer2", (128, 8, 8)), ("layer3", (256, 4, 4)),
                                              ("layer4", (512, 2, 2))])  # fmt: skip
def test_layers_up_to_one_and_those_behind_it_are_all_of_them(backbone, pictures, layer, shape):
    whole = backbone(pictures)
    before = backbone.through(backbone.inputs(pictures), until=layer)
    assert before.shape == (2, *shape)
    kept = before.clone()
    # Behind the last layer there is none.
    torch.testing.assert_close(backbone.through(before, after=layer), whole)
    assert torch.equal(before, kept)


def test_layers_in_between_are_run_alone(weights, backbone):
    network = resnet18()
    network.load_state_dict(weights.state, strict=False)
    maps = torch.rand(2, 64, 8, 8, generator=torch.Generator().manual_seed(0))
    due = network.eval().layer3(network.layer2(maps))
    torch.testing.assert_close(
        backbone.through(maps, after="layer1", until="layer3"), due, rtol=1e-4, atol=1e-4
    )


# Weights before any training.


@pytest.fixture(scope="module")
def drawn():
    return random_weights(np.random.default_rng(0))


def test_random_weights_depend_on_their_generator_alone(drawn):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        again, other = (random_weights(np.random.default_rng(seed)) for seed in (0, 1))
    assert same(again.state, drawn.state)
    filters = [name for name, value in drawn.state.items() if value.ndim == 4]
    assert len(filters) == 20
    assert not any(torch.equal(other.state[name], drawn.state[name]) for name in filters)
    assert len({drawn.state[name].flatten()[0].item() for name in filters}) == len(filters)


def test_random_weights_are_spread_as_he_says(drawn):
    reference = trunk().state_dict()
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
    read = read_weights(tmp_path / "w.pth")
    assert same(read.state, weights.state)
    assert (read.mean, read.std) == (IMAGENET_MEAN, IMAGENET_STD)


@pytest.mark.parametrize("kind", [list, tuple, torch.tensor])
def test_normalisation_in_the_file_is_honoured(tmp_path, weights, kind):
    content = {"state": weights.state, "mean": kind([0.5, 0.25, 0.75]), "std": kind([0.5, 1, 2])}
    torch.save(content, tmp_path / "w.pth")
    read = read_weights(tmp_path / "w.pth")
    assert [float(value) for value in read.mean] == [0.5, 0.25, 0.75]
    assert Backbone(read).std.flatten().tolist() == [0.5, 1, 2]


def test_written_weights_come_back(tmp_path, weights):
    own = weights._replace(mean=(0.1, 0.2, 0.3), std=(0.5, 0.5, 0.5))
    write_weights(own, tmp_path / "new/w.pth")
    read = read_weights(tmp_path / "new/w.pth")
    assert same(read.state, own.state)
    assert (read.mean, read.std) == (own.mean, own.std)
    first = (tmp_path / "new/w.pth").read_bytes()
    write_weights(own, tmp_path / "new/w.pth")
    assert (tmp_path / "new/w.pth").read_bytes() == first


def test_weights_without_counters_of_batches_are_read(tmp_path, weights):
    # As torch up to 0.4 wrote them, and as `load_state_dict` still takes them.
    old = {n: v for n, v in weights.state.items() if not n.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "w.pth")
    state = Backbone(read_weights(tmp_path / "w.pth")).trunk.state_dict()
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


# ImageNet's weights, from a cache and an address of the test's own.


@pytest.fixture
def address(monkeypatch, tmp_path):
    """Let torchvision's weights have another address, and torch an empty cache."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "*")
    source = ResNet18_Weights.IMAGENET1K_V1
    return lambda url: monkeypatch.setattr(source.value, "url", url)


@pytest.fixture(scope="module")
def published(tmp_path_factory, weights):
    """A file as torchvision publishes it: with a head, and its hash in its name."""
    head = {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    folder = tmp_path_factory.mktemp("published")
    torch.save(weights.state | head, folder / "x")
    digest = hashlib.sha256((folder / "x").read_bytes()).hexdigest()
    return (folder / "x").rename(folder / f"resnet18-{digest[:8]}.pth")


def refused():
    with pytest.raises(DownloadError) as caught:
        imagenet_weights()
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


def test_imagenet_weights_come_by_their_hash_and_can_be_read_back(
    address, published, weights, tmp_path
):
    address(published.as_uri())
    fetched = imagenet_weights()
    assert same(fetched.state, weights.state)
    write_weights(fetched, tmp_path / "w.pth")
    assert same(read_weights(tmp_path / "w.pth").state, weights.state)
    address(f"{ANYWHERE}:9/{published.name}")  # the second time, torch's cache has it
    assert same(imagenet_weights().state, weights.state)


def test_imagenet_weights_of_another_hash_are_refused(address, published, tmp_path):
    wrong = tmp_path / "resnet18-00000000.pth"
    wrong.write_bytes(published.read_bytes())
    address(wrong.as_uri())
    assert refused().where == wrong.as_uri()
    assert not list((tmp_path / "torch").rglob("*.pth"))


@pytest.mark.parametrize("damage", ["truncated", "garbage", "other weights"])
def test_imagenet_weights_damaged_in_the_cache_are_refused(address, published, tmp_path, damage):
    address(published.as_uri())
    cached = tmp_path / "torch/hub/checkpoints" / published.name
    cached.parent.mkdir(parents=True)
    if damage == "other weights":
        torch.save(torch.load(published) | {"bn1.bias": torch.ones(64)}, cached)
    else:
        content = {"truncated": published.read_bytes()[:5_000_000], "garbage": b"<html>"}
        cached.write_bytes(content[damage])
    refused()


def test_an_address_that_nobody_answers_is_one_line(address):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"{ANYWHERE}:{closed.getsockname()[1]}/resnet18-00000000.pth"
        address(url)
        error = refused()
    assert error.where == url


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


def test_an_address_that_has_nothing_is_one_line(address, server):
    address(f"{server}/resnet18-00000000.pth")
    assert "404" in refused().found


def test_an_answer_that_breaks_off_is_refused(address, server, published, tmp_path):
    address(f"{server}/{published.name}")
    refused()
    assert not list((tmp_path / "torch").rglob("*.pth"))


# Devices.


@pytest.mark.parametrize(
    ("name", "count", "due"),
    [("auto", 0, "cpu"), ("auto", 2, "cuda"), ("cpu", 2, "cpu"), ("cuda", 1, "cuda"),
     ("cuda:1", 2, "cuda:1"), ("cuda", 0, None), ("cuda:0", 0, None), ("cuda:2", 2, None)],
)  # fmt: skip
def test_devices_are_those_that_the_machine_has(monkeypatch, name, count, due):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    if due:
        assert pick_device(name) == torch.device(due)
    else:
        with pytest.raises(ParameterError, match=f"'{name}'") as caught:
            pick_device(name)
        assert caught.value.where == "params.device"


def test_weights_have_imagenets_normalisation_unless_they_say_so(weights):
    transform = ResNet18_Weights.IMAGENET1K_V1.transforms()
    assert list(Weights(weights.state).mean) == transform.mean
    assert list(Weights(weights.state).std) == transform.std
