import numpy as np
import pytest
import torch
from limit import SIZES, exported, rate, rates
from torch import nn


@pytest.fixture
def threads():
    """Bring torch back to the number of threads that all tests have."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
def test_every_engine_has_a_rate(monkeypatch):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "1")
    found = rates(pictures=16, size=32)
    assert {name for name in found if name.startswith("torch")} == {
        f"torch, batches of {count}{each}"
        for count in SIZES
        for each in ("", ", all threads on each")
    }
    assert all(pictures > 0 for pictures in found.values())


def test_every_picture_is_counted_once():
    seen = []
    batches = [torch.zeros(3, 1), torch.zeros(2, 1)]
    assert rate(lambda batch: seen.append(len(batch)), batches, threads=1) > 0
    assert sorted(seen) == [2, 2, 3, 3]  # once to warm up


def test_the_exported_network_answers_like_torch():
    for name in ("onnxruntime", "onnxscript"):
        pytest.importorskip(name)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)).eval()
    inputs = torch.randn(2, 3, 8, 8)
    (found,) = exported(network, inputs)(inputs.numpy())
    np.testing.assert_allclose(found, network(inputs).detach(), atol=1e-5)
