import pickle

import numpy as np
import pytest
import torch
from torchvision.models import resnet18

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.networks.weights import classifier_state, read_weights, write_weights


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_written_weights_come_back(tmp_path, weights, noise):
    own = weights._replace(mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 0.5), is_dilated=True)
    write_weights(own, tmp_path / "new/w.pth")
    back = read_weights(tmp_path / "new/w.pth")
    assert same(back.state, own.state)
    assert back._replace(state={}) == own._replace(state={})
    picture = torch.from_numpy(noise(64, 64)[None].copy())
    assert torch.equal(Backbone(back)(picture), Backbone(own)(picture))
    first = (tmp_path / "new/w.pth").read_bytes()
    write_weights(own, tmp_path / "new/w.pth")
    assert (tmp_path / "new/w.pth").read_bytes() == first


class Dangerous:
    def __reduce__(self):
        return (print, ("this code must not run",))


def test_a_file_that_holds_code_is_refused_and_not_run(tmp_path, weights, capsys):
    torch.save(weights._asdict() | {"mean": Dangerous()}, tmp_path / "w.pth")
    with pytest.raises(pickle.UnpicklingError):
        read_weights(tmp_path / "w.pth")
    assert capsys.readouterr().out == ""


def test_a_classifier_is_trunk_and_head_in_one_state(weights, noise):
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((3, 512)).astype(np.float32)
    bias = rng.standard_normal(3).astype(np.float32)
    state = classifier_state(weights, "fc", weight, bias)
    assert list(state)[-2:] == ["fc.weight", "fc.bias"]
    network = resnet18(num_classes=3)
    network.load_state_dict(state, strict=True)
    backbone = Backbone(weights)
    picture = torch.from_numpy(noise(64, 64)[None].copy())
    with torch.inference_mode():
        logits = network.eval()(backbone.inputs(picture)).numpy()
        feature = backbone(picture).mean(dim=(2, 3)).numpy()
    np.testing.assert_allclose(logits, feature @ weight.T + bias, rtol=1e-4, atol=1e-4)
