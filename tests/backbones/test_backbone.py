import numpy as np
import pytest
import torch
from torchvision.models import resnet18

from smallsight.backbones.backbone import Backbone
from smallsight.evaluation import heads


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.fixture
def pictures(noise):
    return torch.from_numpy(np.stack([noise(64, 64, seed) for seed in range(2)]))


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
    assert maps.shape == (2, backbone.record.dimensions, 2, 2)
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
