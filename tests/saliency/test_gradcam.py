import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torchvision.models import resnet18

from smallsight.backbones.backbone import Backbone
from smallsight.saliency import gradcam
from smallsight.saliency.measures import contributions

SIZE, CLASSES = 96, 6
TARGETS = np.array([0, 5, 2, 2])
CELLS = {"layer4": 3, "layer3": 6, "layer2": 12}
every_layer = pytest.mark.parametrize("layer", CELLS)


@pytest.fixture(scope="module")
def head():
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((CLASSES, 512)).astype(np.float32) / 20
    return weight, rng.standard_normal(CLASSES).astype(np.float32)


@pytest.fixture(scope="module")
def pictures(noise):
    return np.stack([noise(SIZE, SIZE, seed) for seed in range(4)])


@pytest.fixture(scope="module")
def maps(backbone, pictures):
    with torch.inference_mode():
        return backbone(torch.from_numpy(pictures)).contiguous().numpy()


@pytest.fixture(scope="module")
def library(weights, head, backbone, pictures):
    """What pytorch-grad-cam makes of the whole network: maps as they are, and its own result."""
    network = resnet18(num_classes=CLASSES)
    own = {"fc.weight": torch.from_numpy(head[0]), "fc.bias": torch.from_numpy(head[1])}
    network.load_state_dict(weights.state | own)
    inputs = (torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255 - backbone.mean) / backbone.std
    wanted = [ClassifierOutputTarget(int(target)) for target in TARGETS]

    def library(layer):
        place = network.get_submodule(layer)
        with GradCAM(network.eval(), [place]) as cam:
            scaled = cam(inputs, wanted)
            kept = cam.activations_and_grads
            parts = kept.activations[0].numpy(), kept.gradients[0].numpy()
            return np.maximum(cam.get_cam_image(inputs, place, wanted, *parts), 0), scaled

    return library


@pytest.fixture(scope="module")
def explain(backbone, pictures, cpu):
    """Maps of these pictures, (logits, 4, cells, cells)."""

    def explain(weights, layer, shown=pictures, network=backbone):
        return gradcam.grad_cam(network, shown, np.asarray(weights), layer=layer, device=cpu)

    return explain


def close(one, other):
    assert other.max() > 0
    np.testing.assert_allclose(one, other, atol=1e-4 * other.max())


@every_layer
def test_maps_are_those_of_the_whole_network(explain, head, library, layer):
    (saliency,) = explain([head[0][TARGETS]], layer)
    unscaled, scaled = library(layer)
    assert saliency.shape == (4, CELLS[layer], CELLS[layer])
    assert saliency.dtype == np.float32
    close(saliency, unscaled)
    # The library stretches each map to 0..1 before it enlarges it, and once more after that.
    twice = scale_cam_image(scale_cam_image(saliency, (SIZE, SIZE)))
    np.testing.assert_allclose(twice, scaled, atol=1e-3)


def test_the_closed_form_is_what_the_whole_network_gives(maps, head, library):
    contributed = contributions(maps, head[0][TARGETS])
    assert contributed.min() < 0
    close(np.maximum(contributed, 0), library("layer4")[0])


def test_the_last_layers_maps_are_what_the_closed_form_leaves_above_zero(explain, maps, head):
    several = np.stack([head[0][TARGETS], -head[0][TARGETS], head[0][TARGETS[::-1]]])
    for saliency, weight in zip(explain(several, "layer4"), several, strict=True):
        close(saliency, np.maximum(contributions(maps, weight), 0))


@every_layer
def test_several_logits_at_once_are_each_alone(explain, head, layer):
    several = np.stack([head[0][TARGETS], -head[0][TARGETS], head[0][TARGETS[::-1]]])
    together = explain(several, layer)
    assert together.shape[:2] == (3, 4)
    for saliency, weight in zip(together, several, strict=True):
        close(saliency, explain([weight], layer)[0])
    assert np.abs(together[0] - together[1]).max() > 0.1 * together.max()


@every_layer
@pytest.mark.parametrize("size", [1, 3])
def test_batches_do_not_matter(explain, head, monkeypatch, layer, size):
    several = np.stack([head[0][TARGETS], head[0][TARGETS[::-1]]])
    together = explain(several, layer)
    monkeypatch.setattr(gradcam, "BATCH_SIZE", size)
    close(explain(several, layer), together)


@every_layer
def test_maps_keep_their_scale(explain, head, layer):
    weight = head[0][TARGETS]
    few, many = explain([weight, 1000 * weight], layer)
    close(many, 1000 * few)


@every_layer
def test_each_map_is_of_its_own_picture_and_weight(explain, head, pictures, layer):
    weight = head[0][TARGETS]
    backwards = explain([weight[::-1]], layer, shown=pictures[::-1].copy())
    close(backwards[:, ::-1], explain([weight], layer))


@every_layer
def test_a_logit_without_weights_has_no_evidence(explain, layer):
    assert not explain(np.zeros((1, 4, 512), np.float32), layer).any()


@every_layer
def test_the_network_and_what_it_is_shown_stay_as_they_are(weights, explain, head, pictures, layer):
    network, own = Backbone(weights), pictures.copy()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    hooks = [len(module._forward_hooks) for module in network.modules()]
    one, other = (explain([head[0][TARGETS]], layer, own, network) for _ in range(2))
    assert (one == other).all()
    assert (own == pictures).all()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert [len(module._forward_hooks) for module in network.modules()] == hooks
