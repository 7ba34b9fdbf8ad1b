"""Maps of a classifier of the user's own: a sum where there is one, gradients elsewhere."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from builders.readings import Held
from smallsight.backbones.networks.network import channels_first
from smallsight.classifiers.mapping import OTHER, ClassMapping
from smallsight.runtime.tables import conform, read_table
from smallsight.saliency.explain import _logit
from smallsight.saliency.own_explainer import OwnExplainer
from smallsight.saliency.run import write_no_maps
from smallsight.saliency.tables import GALLERY, MAP_LIST, STRIPS

CLASSES, DIMENSIONS, CELLS, N = 5, 4, 3, 6


class Net(nn.Module):
    """Averages maps of a picture's colours, and reads the mean by a linear layer."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.maps = nn.Conv2d(3, DIMENSIONS, 4, stride=4)
        self.last = nn.Linear(DIMENSIONS, CLASSES)

    def forward(self, pictures):
        maps = self.maps(pictures.permute(0, 3, 1, 2).float() / 255)
        return self.last(maps.mean(dim=(2, 3)))


@pytest.fixture(scope="module")
def net():
    return Net().eval()


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (N, 12, 12, 3), np.uint8)


@pytest.fixture(scope="module")
def known(net, pictures):
    """The maps and the logits of the pictures."""
    with torch.inference_mode():
        shown = torch.from_numpy(pictures)
        maps = net.maps(shown.permute(0, 3, 1, 2).float() / 255)
        return maps.numpy(), net(shown).numpy()


def explainer(net, cpu, *, is_sum):
    linear = (net.last.weight.detach().numpy(), net.last.bias.detach().numpy())
    facts = SimpleNamespace(layer="maps", preprocessing=SimpleNamespace(input_size=12))
    own = SimpleNamespace(
        facts=facts, linear=linear if is_sum else None, explained=(net, net.maps, channels_first)
    )
    return OwnExplainer(own, cpu)


def one_hot(classes):
    return np.eye(CLASSES, dtype=np.float32)[classes]


def test_cells_and_bias_sum_to_the_logit(net, known, pictures, cpu):
    maps, logits = known
    classes = np.array([0, 1, 2, 3, 4, 0])
    made = explainer(net, cpu, is_sum=True)
    (found,) = made.class_maps(maps, Held(pictures), None, [one_hot(classes)])
    sums = found.contributed.sum(axis=(1, 2)) + made.bias(one_hot(classes), np.zeros(N))
    np.testing.assert_allclose(sums, logits[np.arange(N), classes], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found.saliency, np.maximum(found.contributed, 0))
    assert (made.is_sum, made.layer, made.size) == (True, "maps", 12)


def test_gradients_give_the_same_map_up_to_its_scale(net, known, pictures, cpu):
    """Grad-CAM of a layer that is averaged and read linearly is the closed form."""
    maps, _ = known
    weights = [one_hot(np.arange(N) % CLASSES), one_hot(np.full(N, 2))]
    due = explainer(net, cpu, is_sum=True).class_maps(maps, Held(pictures), None, weights)
    made = explainer(net, cpu, is_sum=False)
    found = made.class_maps(np.empty((N, 0, 0, 0)), Held(pictures), None, weights)
    for one, other in zip(found, due, strict=True):
        assert np.isnan(one.contributed).all()
        assert one.contributed.shape == one.saliency.shape == (N, CELLS, CELLS)
        np.testing.assert_allclose(one.saliency, other.saliency, rtol=1e-3, atol=1e-6)
    assert np.isnan(made.bias(weights[0], np.zeros(N, np.float32))).all()
    assert not made.is_sum


def test_a_category_is_explained_by_the_class_that_leads_in_it():
    membership = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 1]], bool)
    plain = np.array([[1, 5, 9, 0, 2], [7, 5, 0, 3, 2]], np.float32)
    mapping = ClassMapping(membership, keeps_rest=True)
    for classes, own in (((0, 0), (1, 0)), ((1, 1), (2, 2)), ((2, 2), (4, 3))):
        weight, bias = _logit(None, mapping, plain, np.array(classes))
        np.testing.assert_array_equal(weight, one_hot(list(own)))
        assert (bias == 0).all()
    assert OTHER == "other"


def test_without_maps_the_files_are_there_and_empty(tmp_path):
    write_no_maps(folder=tmp_path)
    for table in (GALLERY, STRIPS, MAP_LIST):
        found = read_table(tmp_path / f"{table.name}.csv", table)
        assert found.empty
        assert list(conform(found, table).columns) == table.names
    with np.load(tmp_path / "maps.npz") as file:
        assert file["cams"].shape == (0, 1, 1)
        assert len(file["task"]) == len(file["condition"]) == 0
    about = json.loads((tmp_path / "about.json").read_text())
    assert (about["layer"], about["cell"], about["largest_sum_error"]) == ("", None, None)
