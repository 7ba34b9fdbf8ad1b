"""Grad-CAM of real networks, against the library on plain networks and against torch.autograd."""

import functools
from typing import NamedTuple

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch.nn import functional
from torchvision.models import get_model

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.networks.weight_sources import random_weights
from smallsight.backbones.networks.weights import Weights
from smallsight.saliency import gradcam
from smallsight.saliency.measures import contributions

SIZE, CLASSES = 96, 6
TARGETS = np.array([0, 5, 2, 2])
BOXES = np.array([[0, 0, 96, 96], [10.5, 40, 30, 25.25], [60, 3, 9, 9], [70, 70, 26, 20]])
CELLS = {"layer3": 6, "layer2": 12}
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
    network = get_model("resnet18", num_classes=CLASSES)
    own = {"fc.weight": torch.from_numpy(head[0]), "fc.bias": torch.from_numpy(head[1])}
    network.load_state_dict(weights.state | own)
    inputs = normalised(backbone, pictures)
    wanted = [ClassifierOutputTarget(int(target)) for target in TARGETS]

    def library(layer):
        place = network.get_submodule(layer)
        with GradCAM(network.eval(), [place]) as cam:
            scaled = cam(inputs, wanted)
            kept = cam.activations_and_grads
            parts = kept.activations[0].numpy(), kept.gradients[0].numpy()
            return np.maximum(cam.get_cam_image(inputs, place, wanted, *parts), 0), scaled

    return library


def normalised(backbone, pictures):
    return (torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255 - backbone.mean) / backbone.std


@pytest.fixture(scope="module")
def explain(backbone, pictures, cpu):
    """Maps of these pictures, (logits, 4, cells, cells)."""

    def explain(weights, layer, shown=pictures, network=backbone, boxes=BOXES, readout="scene"):
        return gradcam.grad_cam(
            network, shown, boxes, np.asarray(weights), layer=layer, readout=readout, device=cpu
        )

    return explain


def close(one, other):
    assert other.max() > 0
    np.testing.assert_allclose(one, other, atol=1e-4 * other.max())


# Against the library on a plain network.


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


# Against gradients that torch finds when the layer's maps are the input.


class Halves(NamedTuple):
    """A network of torchvision's, divided behind a layer."""

    layer: str
    before: object
    """From normalised inputs to what the layer returns."""
    after: object
    """From there to the last layer's maps, (n, channels, rows, columns)."""
    as_maps: object = staticmethod(lambda output: output)
    """What the layer returns, as (n, channels, rows, columns)."""
    size: int = 64
    norm: str = ""
    """A normalisation of the pooled features, by name."""


def resnet(network):
    def before(inputs):
        inputs = network.maxpool(network.relu(network.bn1(network.conv1(inputs))))
        return network.layer3(network.layer2(network.layer1(inputs)))

    return Halves("layer3", before, network.layer4)


def convnext(network):
    features = network.features
    return Halves("features.5", features[:6], features[6:], norm="classifier.0")


def swin(network):
    def after(output):
        return network.norm(network.features[6:](output)).permute(0, 3, 1, 2)

    return Halves("features.5", network.features[:6], after, lambda out: out.permute(0, 3, 1, 2))


def vit(network):
    """At 224 pixels, 14 x 14 tokens behind the one of the class."""

    def before(inputs):
        tokens = network.conv_proj(inputs).flatten(2).transpose(1, 2)
        tokens = torch.cat([network.class_token.expand(len(tokens), 1, 768), tokens], dim=1)
        return network.encoder.layers[:11](tokens + network.encoder.pos_embedding)

    def after(tokens):
        return as_maps(network.encoder.ln(network.encoder.layers[11](tokens)))

    def as_maps(tokens):
        return tokens[:, 1:].transpose(1, 2).reshape(-1, 768, 14, 14)

    return Halves("encoder.layers.encoder_layer_10", before, after, as_maps, size=224)


DIVISIONS = {"resnet18": resnet, "convnext_tiny": convnext, "swin_t": swin, "vit_b_16": vit}


@functools.cache
def divided(name):
    """A network of random weights: the study's, torchvision's own, and that one's halves."""
    due = Weights(name, is_dilated=False, state={}, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.1))
    weights = random_weights(due, np.random.default_rng(0))
    with torch.device("meta"):
        network = get_model(name).eval()
    lacking = network.load_state_dict(weights.state, strict=False, assign=True)
    assert not lacking.unexpected_keys
    assert len(lacking.missing_keys) == 2  # the last layer's
    return Backbone(weights), network.requires_grad_(requires_grad=False), DIVISIONS[name](network)


def averaged(maps, readout, boxes, size):
    """Average maps over all cells, or over points that lie evenly in each picture's box."""
    if readout == "scene":
        return maps.mean(dim=(2, 3))
    found = []
    for one, (left, top, width, height) in zip(maps, boxes, strict=True):
        cell = size / one.shape[-1]
        across, down = (
            start + length * (np.arange(n := int(np.ceil(length / cell))) + 0.5) / n
            for start, length in ((left, width), (top, height))
        )
        # From pixels to -1..1, from the outer edge of the first cell to that of the last.
        points = np.stack(np.meshgrid(across, down), axis=-1) / size * 2 - 1
        points = torch.from_numpy(points[None].astype(np.float32))
        seen = functional.grid_sample(one[None], points, padding_mode="border", align_corners=False)
        found.append(seen[0].mean(dim=(1, 2)))
    return torch.stack(found)


def feature_of(maps, network, halves, readout, boxes):
    feature = averaged(maps, readout, boxes, halves.size)
    if not halves.norm:
        return feature
    # Statistics are those of the whole picture's mean, whatever is read out.
    norm, whole = network.get_submodule(halves.norm), maps.mean(dim=(2, 3))
    deviation = (whole.var(dim=1, keepdim=True, correction=0) + norm.eps).sqrt()
    return (feature - whole.mean(dim=1, keepdim=True)) / deviation * norm.weight + norm.bias


@pytest.mark.parametrize("readout", ["scene", "box"])
@pytest.mark.parametrize("name", DIVISIONS)
def test_maps_follow_from_the_gradients_of_the_rest_of_the_network(explain, noise, name, readout):
    backbone, network, halves = divided(name)
    size = halves.size
    n = 2 if size < 100 else 1
    boxes = np.array([[3.0, 5.0, size / 2, size / 3], [size / 2, size / 4, size / 8, size / 2]])[:n]
    pictures = np.stack([noise(size, size, seed) for seed in range(n)])
    output = halves.before(normalised(backbone, pictures)).requires_grad_()
    feature = feature_of(halves.after(output), network, halves, readout, boxes)
    weight = np.random.default_rng(0).standard_normal((n, feature.shape[1])).astype(np.float32)
    (saliency,) = explain([weight], halves.layer, pictures, backbone, boxes, readout)
    logits = (feature * torch.from_numpy(weight)).sum()
    (gradient,) = torch.autograd.grad(logits, output)
    gradient, maps = (halves.as_maps(part.detach()) for part in (gradient, output))
    alpha = gradient.mean(dim=(2, 3), keepdim=True)
    close(saliency, (alpha * maps).sum(dim=1).clamp(min=0).numpy())


def test_for_a_box_the_last_layers_map_is_that_of_the_whole_picture(maps, head):
    """The gradient is the head's weight times a cell's share of the box, and shares sum to 1."""
    values = torch.from_numpy(maps).requires_grad_()
    weight = torch.from_numpy(head[0][TARGETS])
    (averaged(values, "box", BOXES, SIZE) * weight).sum().backward()
    alpha = values.grad.mean(dim=(2, 3)).numpy()
    due = np.maximum(np.einsum("nd,ndij->nij", alpha, maps), 0)
    close(np.maximum(contributions(maps, head[0][TARGETS]), 0), due)


# A feature pyramid.


@pytest.fixture(scope="module")
def detector():
    name, half = "fasterrcnn_mobilenet_v3_large_fpn", (0.5, 0.5, 0.5)
    due = Weights(name, is_dilated=False, state={}, mean=half, std=half)
    return Backbone(random_weights(due, np.random.default_rng(0)))


@pytest.mark.parametrize("layer", ["last", "backbone.body.13"])
def test_a_pyramid_reads_all_layers_of_its_detector(detector, explain, pictures, layer):
    weight = np.random.default_rng(0).standard_normal((2, 4, 256)).astype(np.float32)
    found = explain(weight, layer, network=detector, readout="fpn")
    assert found.shape == (2, 4, 3, 3)
    shown = torch.from_numpy(pictures)
    with torch.inference_mode():
        due = detector.maps(shown)[layer].contiguous()
    # The rest of the detector, as one function of this layer's maps.
    place, _ = detector.source_of(layer)
    regions = torch.tensor([[n, x, y, x + w, y + h] for n, (x, y, w, h) in enumerate(BOXES)])
    values = due.clone().requires_grad_()
    with place.register_forward_hook(lambda *_: values, prepend=True):
        feature = detector.read_out(shown, regions.float())["fpn"]
    for saliency, one in zip(found, weight, strict=True):
        logits = (feature * torch.from_numpy(one)).sum()
        (gradient,) = torch.autograd.grad(logits, values, retain_graph=True)
        alpha = gradient.mean(dim=(2, 3), keepdim=True)
        close(saliency, (alpha * due).sum(dim=1).clamp(min=0).numpy())


def test_the_last_layer_of_a_classifier_needs_no_gradients(explain, head):
    with pytest.raises(ValueError, match="no gradients"):
        explain([head[0][TARGETS]], "last")


# Each by itself.


@every_layer
@pytest.mark.parametrize("readout", ["scene", "box"])
def test_several_logits_at_once_are_each_alone(explain, head, layer, readout):
    several = np.stack([head[0][TARGETS], -head[0][TARGETS], head[0][TARGETS[::-1]]])
    together = explain(several, layer, readout=readout)
    assert together.shape[:2] == (3, 4)
    for saliency, weight in zip(together, several, strict=True):
        close(saliency, explain([weight], layer, readout=readout)[0])
    assert np.abs(together[0] - together[1]).max() > 0.1 * together.max()


@every_layer
@pytest.mark.parametrize("size", [1, 3])
def test_batches_do_not_matter(explain, head, monkeypatch, layer, size):
    several = np.stack([head[0][TARGETS], head[0][TARGETS[::-1]]])
    together = explain(several, layer, readout="box")
    monkeypatch.setattr(gradcam, "BATCH_SIZE", size)
    close(explain(several, layer, readout="box"), together)


@every_layer
def test_maps_keep_their_scale(explain, head, layer):
    weight = head[0][TARGETS]
    few, many = explain([weight, 1000 * weight], layer)
    close(many, 1000 * few)


@every_layer
@pytest.mark.parametrize("readout", ["scene", "box"])
def test_each_map_is_of_its_own_picture_box_and_weight(explain, head, pictures, layer, readout):
    weight = head[0][TARGETS]
    backwards = explain(
        [weight[::-1]], layer, shown=pictures[::-1].copy(), boxes=BOXES[::-1], readout=readout
    )
    close(backwards[:, ::-1], explain([weight], layer, readout=readout))


def test_a_box_matters_where_it_is_read(explain, head):
    weight = head[0][TARGETS]
    one, other = (explain([weight], "layer3", boxes=each) for each in (BOXES, BOXES[::-1]))
    np.testing.assert_array_equal(one, other)
    one, other = (
        explain([weight], "layer3", boxes=each, readout="box") for each in (BOXES, BOXES[::-1])
    )
    assert np.abs(one - other).max() > 0.1 * one.max()


@every_layer
def test_a_logit_without_weights_has_no_evidence(explain, layer):
    assert not explain(np.zeros((1, 4, 512), np.float32), layer).any()


# What is left behind.


def hooks_of(network):
    return [list(module._forward_hooks.values()) for module in network.modules()]


@every_layer
def test_the_network_and_what_it_is_shown_stay_as_they_are(weights, explain, head, pictures, layer):
    network, own = Backbone(weights), pictures.copy()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    hooks = hooks_of(network)
    one, other = (explain([head[0][TARGETS]], layer, own, network) for _ in range(2))
    assert (one == other).all()
    assert (own == pictures).all()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert hooks_of(network) == hooks


def test_hooks_go_where_the_network_fails(weights, explain, head):
    network = Backbone(weights)
    hooks = hooks_of(network)
    with pytest.raises(RuntimeError):
        explain([head[0][TARGETS]], "layer3", np.zeros((4, SIZE, SIZE, 2), np.uint8), network)
    assert hooks_of(network) == hooks


def test_nothing_before_the_layer_is_differentiated(backbone, explain, head):
    """Or every map before it would be kept for gradients that no one asks for."""
    graphs = {}

    def look(name):
        def hook(_module, inputs, output):
            graphs[name] = (inputs[0].requires_grad, output.grad_fn is not None)

        return backbone.trunk.get_submodule(name).register_forward_hook(hook)

    with look("layer2"), look("layer3.1"), look("layer4"):
        explain([head[0][TARGETS]], "layer3")
    assert graphs == {"layer2": (False, False), "layer3.1": (False, False), "layer4": (True, True)}
