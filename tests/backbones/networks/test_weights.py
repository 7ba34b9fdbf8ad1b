import numpy as np
import pytest
import torch

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.networks.weight_sources import read_checkpoint
from smallsight.backbones.networks.weights import (
    classifier_state,
    read_weights,
    without_last_layer,
    write_weights,
)
from smallsight.backbones.registry import find_backbone

RESNET18 = find_backbone("resnet18")


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(
    "read", [read_weights, lambda path: read_checkpoint(path, RESNET18)], ids=["own", "user's"]
)
def test_written_weights_come_back(tmp_path, weights, read):
    own = weights._replace(mean=(0.1, 0.2, 0.3), std=(0.5, 0.5, 0.5))
    write_weights(own, tmp_path / "new/w.pth")
    back = read(tmp_path / "new/w.pth")
    assert same(back.state, own.state)
    assert (back.network, back.mean, back.std) == (own.network, own.mean, own.std)
    assert Backbone(back).record is RESNET18
    first = (tmp_path / "new/w.pth").read_bytes()
    write_weights(own, tmp_path / "new/w.pth")
    assert (tmp_path / "new/w.pth").read_bytes() == first


def test_a_classifier_is_trunk_and_head_and_comes_apart_again(weights):
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((3, RESNET18.dimensions)).astype(np.float32)
    bias = rng.standard_normal(3).astype(np.float32)
    state = classifier_state(weights, weight, bias)
    assert list(state)[-2:] == ["fc.weight", "fc.bias"]
    assert (state["fc.weight"].numpy() == weight).all()
    assert (state["fc.bias"].numpy() == bias).all()
    assert same(without_last_layer(RESNET18, state), weights.state)
