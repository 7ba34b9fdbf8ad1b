import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torchvision.models import resnet18
from torchvision.ops import roi_align

from builders.readings import tensor_regions
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.facts import LAST
from smallsight.evaluation import heads

SIZE = 64
LAYERS = {"layer1": "layer1", "layer2": "layer2", "layer3": "layer3", LAST: "layer4"}
"""By layer of a ResNet, the submodule that returns its maps."""
BOXES = np.array([[5.0, 7, 20, 30], [0, 0, 64, 64], [40, 10, 24, 9], [31, 31, 2, 2]])
PICTURES = np.array([1, 0, 1, 0])


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def pictures(noise):
    return torch.from_numpy(np.stack([noise(SIZE, SIZE, seed) for seed in range(2)]))


@pytest.fixture(scope="module")
def due(weights, pictures):
    """What torchvision's own network computes: each layer's maps and the pooled feature."""
    network = resnet18()
    network.fc = torch.nn.Identity()
    network.load_state_dict(weights.state)
    seen = {}
    for layer, name in LAYERS.items():
        network.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, layer=layer: seen.update({layer: output})
        )
    mean, std = (np.array(part, np.float32) for part in (weights.mean, weights.std))
    inputs = (pictures.numpy() / np.float32(255) - mean) / std
    with torch.inference_mode():
        feature = network.eval()(torch.from_numpy(inputs).permute(0, 3, 1, 2))
    return seen, feature


@pytest.fixture(scope="module")
def regions(cpu):
    return tensor_regions(BOXES, PICTURES)


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
        classes=2, settings=study.heads,
    )  # fmt: skip
    assert same(backbone.state_dict(), before)
    assert not any(module.training for module in backbone.trunk.modules())
    assert not any(parameter.requires_grad for parameter in backbone.parameters())


def test_the_state_is_the_trunks_own(weights, backbone):
    assert same(backbone.trunk.state_dict(), weights.state)
    assert not any(name.startswith("fc.") for name in weights.state)


def test_normalisation_is_the_weights_own(weights, pictures):
    shifted = Backbone(weights._replace(mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 4.0)))
    due = (pictures / 255 - torch.tensor([0.1, 0.2, 0.3])) / torch.tensor([1.0, 2.0, 4.0])
    inputs = shifted.inputs(pictures)
    torch.testing.assert_close(inputs, due.permute(0, 3, 1, 2), check_stride=False)


def test_maps_are_torchvisions_and_their_mean_is_its_feature(backbone, pictures, due):
    seen, feature = due
    maps = backbone.maps(pictures)
    assert backbone.layers == tuple(maps) == tuple(LAYERS)
    for layer, found in maps.items():
        assert found.std() > 0
        close(found, seen[layer])
    assert torch.equal(backbone(pictures), maps[LAST])
    close(maps[LAST].mean(dim=(2, 3)), feature)


def test_maps_of_an_input_of_odd_size_have_as_many_cells_as_fit(backbone, noise):
    maps = backbone.maps(torch.from_numpy(noise(100, 100)[None].copy()))
    assert {layer: found.shape[2:] for layer, found in maps.items()} == {
        "layer1": (25, 25), "layer2": (13, 13), "layer3": (7, 7), LAST: (4, 4),
    }  # fmt: skip


def test_all_readouts_are_torchvisions_maps_pooled(backbone, pictures, regions, due):
    seen, feature = due
    parts = backbone.read_out(pictures, regions)
    assert set(parts) == {LAST, "scene", "box", "finer"}
    close(parts[LAST], seen[LAST])
    close(parts["scene"], feature)

    def over_boxes(layer):
        maps = seen[layer]
        return roi_align(maps, regions, 1, maps.shape[-1] / SIZE, aligned=True)[..., 0, 0]

    close(parts["box"], over_boxes(LAST))
    close(parts["finer"], torch.cat([over_boxes("layer2"), over_boxes("layer3")], dim=1))
    # The box over everything is the scene; the others are not.
    close(parts["box"][1], feature[0])
    assert (parts["box"][[0, 2]] - feature[1]).abs().amax(dim=1).min() > 0.05


def test_all_readouts_come_of_one_pass(backbone, pictures, regions):
    calls = []
    hooks = [
        backbone.trunk.get_submodule(name).register_forward_hook(lambda *_: calls.append(1))
        for name in ("conv1", "layer2.0.conv1", "layer4.1.conv2")
    ]
    backbone.read_out(pictures, regions)
    for hook in hooks:
        hook.remove()
    assert len(calls) == 3


def test_pictures_without_objects_are_read_as_well(backbone, pictures, cpu):
    nothing = tensor_regions(np.empty((0, 4)), np.empty(0, int))
    parts = backbone.read_out(pictures, nothing)
    assert parts["scene"].shape == (2, 512)
    assert parts["box"].shape == (0, 512)


def test_threads_that_run_one_network_see_maps_of_their_own(backbone, noise):
    pictures = [torch.from_numpy(noise(SIZE, SIZE, seed)[None].copy()) for seed in range(8)]
    alone = [backbone.maps(picture)["layer2"] for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(backbone.maps, pictures * 3))
    for number, maps in enumerate(together):
        close(maps["layer2"], alone[number % 8])
    assert not torch.allclose(alone[0], alone[1])


def test_a_layers_gradient_is_found_where_its_maps_are_made(backbone, pictures, due):
    for layer in ("layer1", "layer3"):
        module, layout = backbone.source_of(layer)
        assert module is backbone.trunk.get_submodule(layer)
        close(layout(due[0][layer]), backbone.maps(pictures)[layer])
    with pytest.raises(ValueError, match="no gradients"):
        backbone.source_of(LAST)


def test_memory_of_maps_is_given_back_after_a_pass(backbone, pictures, regions):
    kept = []
    layer = backbone.trunk.get_submodule("layer2")
    hook = layer.register_forward_hook(lambda *call: kept.append(weakref.ref(call[2])))
    backbone.read_out(pictures, regions)
    hook.remove()
    gc.collect()
    assert [maps() for maps in kept] == [None]
