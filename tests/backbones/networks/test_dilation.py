import pytest
import torch
from torchvision.models import resnet50

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.facts import LAST
from smallsight.backbones.networks.weight_sources import load_weights
from smallsight.backbones.probe import find_facts
from smallsight.runtime.errors import ParameterError


def settings(name, *, dilated, size=64):
    return params.Backbone(
        name=name, weights="random", checkpoint="none", input_size=size, dilated=dilated
    )


@pytest.fixture(scope="module", params=["resnet18", "resnet34", "resnet50"])
def pair(request):
    """The same weights in a network as it is and in one that is dilated."""
    loaded = [
        load_weights(settings(request.param, dilated=dilated), seed=0) for dilated in (False, True)
    ]
    return request.param, loaded, [Backbone(each.weights) for each in loaded]


def shown(noise, size):
    return torch.from_numpy(noise(size, size)[None].copy())


@pytest.mark.parametrize(
    ("size", "cells"), [(64, (2, 4)), (96, (3, 6)), (100, (4, 7)), (33, (2, 3))]
)
def test_every_second_cell_is_that_of_the_network_as_it_is(pair, noise, size, cells):
    _, _, backbones = pair
    plain, dilated = (backbone.maps(shown(noise, size)) for backbone in backbones)
    assert (plain[LAST].shape[-1], dilated[LAST].shape[-1]) == cells
    torch.testing.assert_close(
        dilated[LAST][..., ::2, ::2], plain[LAST], rtol=1e-4, atol=1e-4 * plain[LAST].max().item()
    )
    # What lies between is new, and no copy.
    between = dilated[LAST][..., 1::2, 1::2]
    height, width = between.shape[2:]
    assert (between - plain[LAST][..., :height, :width]).abs().max() > 0.05 * plain[LAST].max()
    assert torch.equal(dilated["layer3"], plain["layer3"])


def test_weights_stay_what_they_are(pair):
    _, (plain, dilated), _ = pair
    assert plain.weights.state.keys() == dilated.weights.state.keys()
    assert all(
        torch.equal(value, dilated.weights.state[name])
        for name, value in plain.weights.state.items()
    )
    assert (plain.weights.is_dilated, dilated.weights.is_dilated) == (False, True)


def test_facts_say_so_and_offer_no_pyramid(pair):
    name, (plain, dilated), _ = pair
    facts = find_facts(settings(name, dilated=True), dilated)
    assert facts.is_dilated
    assert facts.cells[LAST] == facts.cells["layer3"] == 4
    assert list(facts.readouts) == ["scene", "box"]
    assert "its last stage dilated" in facts.describe()
    undilated = find_facts(settings(name, dilated=False), plain)
    assert not undilated.is_dilated
    assert undilated.cells[LAST] == 2
    assert "dilated" not in undilated.describe()


def test_a_dilated_resnet50_is_torchvisions_own(noise):
    """torchvision itself can put dilation in the place of strides, in ResNets of bottlenecks."""
    loaded = load_weights(settings("resnet50", dilated=True), seed=1)
    own = resnet50(replace_stride_with_dilation=[False, False, True]).eval()
    own.fc = torch.nn.Identity()
    own.load_state_dict(loaded.weights.state)
    backbone = Backbone(loaded.weights)
    picture = shown(noise, 100)
    with torch.inference_mode():
        due, found = own(backbone.inputs(picture)), backbone(picture).mean(dim=(2, 3))
    torch.testing.assert_close(found, due, rtol=1e-4, atol=1e-4 * due.max().item())


@pytest.mark.parametrize("name", ["convnext_tiny", "efficientnet_lite0", "timm:resnet18"])
def test_other_networks_cannot_be_dilated(name):
    with pytest.raises(ParameterError) as caught:
        load_weights(settings(name, dilated=True), seed=0)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == "params.backbone.dilated"
    assert name.removeprefix("timm:").removeprefix("efficientnet_") in caught.value.found
    assert "ResNet" in caught.value.expected
