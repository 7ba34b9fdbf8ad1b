import hashlib
import socket

import pytest
import torch

from builders.http_server import Server, always, moved, truncated
from smallsight.backbones.networks import downloads
from smallsight.backbones.networks.downloads import download_state
from smallsight.runtime import download
from smallsight.runtime.errors import DownloadError

STATE = {"conv.weight": torch.arange(6.0).view(2, 3), "conv.bias": torch.ones(2)}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A file as torchvision publishes it: its name holds the first digits of its hash."""
    folder = tmp_path_factory.mktemp("published")
    torch.save(STATE, folder / "x")
    digest = hashlib.sha256((folder / "x").read_bytes()).hexdigest()
    (folder / "x").rename(folder / f"toy-{digest[:8]}.pth")
    return folder / f"toy-{digest[:8]}.pth", digest


@pytest.fixture
def server(published):
    """Serve the file under `/whole`, by two names, and cut it off in the middle under `/half`."""
    server = Server()
    content, half = published[0].read_bytes(), f"/half/{published[0].name}"
    served = (f"/whole/{published[0].name}", "/whole/toy-00000000.pth", half)
    server.files = dict.fromkeys(served, content)
    server.faults[half] = always(truncated)
    yield server.url, server.requests
    server.close()


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """torch's cache, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "WAITS", (0, 0))
    return tmp_path / "torch/hub/checkpoints"


def kept(cache):
    """What lies in the cache, beside the locks."""
    return [each.name for each in cache.iterdir() if each.suffix != ".lock"]


def refused(url):
    with pytest.raises(DownloadError) as caught:
        download_state(url)
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


def test_a_file_comes_with_its_hash_and_is_asked_for_once(server, published, cache):
    path, digest = published
    address, asked = server
    url = f"{address}/whole/{path.name}"
    before = len(asked)
    for _ in range(2):
        state, found = download_state(url)
        assert found == digest
        assert state.keys() == STATE.keys()
        assert all(torch.equal(value, STATE[name]) for name, value in state.items())
    assert asked[before:] == [f"/whole/{path.name}"]
    assert kept(cache) == [path.name]


def test_a_file_of_another_hash_is_refused_and_not_kept(server, cache):
    url = f"{server[0]}/whole/toy-00000000.pth"
    error = refused(url)
    assert error.where == url
    assert "00000000" in error.expected
    assert not kept(cache)


def test_an_answer_that_breaks_off_is_refused_and_gone_on_with(server, published, cache):
    name = published[0].name
    refused(f"{server[0]}/half/{name}")
    assert kept(cache) == [f".{name}.download"]
    download_state(f"{server[0]}/whole/{name}")
    assert kept(cache) == [name]


def test_an_address_that_has_nothing_is_one_line(server, published, cache):
    assert "404" in refused(f"{server[0]}/nowhere/{published[0].name}").found
    assert not kept(cache)


def test_an_address_that_nobody_answers_is_one_line(cache):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refused(f"http://127.0.0.1:{closed.getsockname()[1]}/toy-00000000.pth")


def test_an_address_that_sends_to_another_server_is_refused(server, published, cache):
    address, asked = server
    name = published[0].name
    sending = Server()
    sending.faults[f"/{name}"] = always(moved(f"{address}/whole/{name}"))
    before = len(asked)
    try:
        error = refused(f"{sending.url}/{name}")
    finally:
        sending.close()
    assert error.found == f"sends to {address}/whole/{name}"
    assert len(asked) == before
    assert not kept(cache)


def test_a_file_that_is_too_large_is_refused_and_not_kept(server, published, cache, monkeypatch):
    size = published[0].stat().st_size
    monkeypatch.setattr(downloads, "LARGEST", size - 1)
    error = refused(f"{server[0]}/whole/{published[0].name}")
    assert error.found == f"{size:,} bytes"
    assert not kept(cache)


@pytest.mark.parametrize("content", ["other weights", "truncated", "<html>"])
def test_a_file_in_the_cache_with_other_contents_is_named_and_left(
    server, published, cache, content
):
    address, asked = server
    cached = cache / published[0].name
    cache.mkdir(parents=True)
    if content == "other weights":
        torch.save(STATE | {"conv.bias": torch.zeros(2)}, cached)
    else:
        cached.write_bytes({"truncated": published[0].read_bytes()[:700]}.get(content, b"<html>"))
    before, questions = cached.read_bytes(), len(asked)
    error = refused(f"{address}/whole/{published[0].name}")
    assert error.where == str(cached)
    assert error.found == f"SHA-256 {hashlib.sha256(before).hexdigest()}"
    assert cached.read_bytes() == before
    assert len(asked) == questions


class Dangerous:
    def __reduce__(self):
        return (print, ("this code must not run",))


def test_a_file_that_holds_code_is_refused_and_not_run(cache, capsys):
    cache.mkdir(parents=True)
    torch.save(Dangerous(), cache / "x")
    digest = hashlib.sha256((cache / "x").read_bytes()).hexdigest()
    (cache / "x").rename(cache / f"toy-{digest[:8]}.pth")
    refused(f"http://127.0.0.1:9/toy-{digest[:8]}.pth")
    assert capsys.readouterr().out == ""


def test_an_address_without_a_hash_is_refused(server, cache):
    assert "hash" in refused(f"{server[0]}/whole/toy.pth").found
