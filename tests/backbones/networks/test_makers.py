"""A network of another library takes a maker, an entry and nothing else."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from builders import networks
from builders.networks import TOY
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.features import extract_features, pooled
from smallsight.backbones.networks.makers import make_classifier, make_trunk
from smallsight.backbones.networks.weight_sources import random_weights, read_checkpoint
from smallsight.backbones.networks.weights import classifier_state, read_weights, write_weights
from smallsight.backbones.registry import check_layer, find_backbone, input_pixels
from smallsight.conditions.rendered.store import picture_name
from smallsight.evaluation.heads import LinearHeads
from smallsight.runtime.errors import ParameterError, WeightsError
from smallsight.saliency.gradcam import grad_cam
from smallsight.saliency.measures import contributions

pytestmark = pytest.mark.usefixtures("single_worker", "toy")

SIZE, CLASSES = 48, 4


@pytest.fixture
def toy(monkeypatch):
    networks.enter(monkeypatch)


@pytest.fixture
def trained():
    """The whole network, with statistics that are not the first ones, and its state."""
    network = make_classifier(TOY, classes=CLASSES)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        norm = network.get_submodule("body.first.1")
        norm.running_mean.uniform_(-0.1, 0.1)
        norm.running_var.uniform_(0.5, 1.5)
    return network.eval()


@pytest.fixture
def weights(trained, tmp_path):
    """Its trunk, as a user's own checkpoint brings it into a study."""
    torch.save({"state_dict": trained.state_dict()}, tmp_path / "own.pth")
    own = read_checkpoint(tmp_path / "own.pth", find_backbone("toy"))
    write_weights(own, tmp_path / "kept.pth")
    return read_weights(tmp_path / "kept.pth")


@pytest.fixture
def pictures(noise):
    return np.stack([noise(SIZE, SIZE, seed) for seed in range(3)])


def inputs_of(pictures):
    """Normalise by the record's own mean and standard deviation."""
    expected = TOY.preprocessing
    mean, std = (np.array(part, np.float32) for part in (expected.mean, expected.std))
    scaled = (pictures.astype(np.float32) / 255 - mean) / std
    return torch.from_numpy(scaled).permute(0, 3, 1, 2)


def test_the_input_size_is_the_records(study):
    for weights, pixels in (("web", 80), ("own.pth", 64)):
        update = {"name": "toy", "weights": weights, "input_size": "auto"}
        assert input_pixels(study.backbone.model_copy(update=update)) == pixels


def test_layers_are_the_records():
    check_layer(TOY, "body.first")
    with pytest.raises(ParameterError, match=r"one of stem, body\.first, body\.second$"):
        check_layer(TOY, "layer4")


def test_a_trunk_is_the_network_without_its_last_layer():
    whole, trunk = make_classifier(TOY, classes=CLASSES), make_trunk(TOY)
    head = {"classifier.weight", "classifier.bias"}
    assert set(whole.state_dict()) - set(trunk.state_dict()) == head
    assert whole.classifier.out_features == CLASSES


def test_features_are_what_its_own_head_is_given(trained, weights, pictures, tmp_path, cpu):
    ids = [(number, 10) for number in range(3)]
    for (image_id, ann_id), picture in zip(ids, pictures, strict=True):
        Image.fromarray(picture).save(tmp_path / picture_name(image_id, ann_id))
    views = pd.DataFrame(ids, columns=["image_id", "ann_id"])
    views = views.assign(box_x=1.0, box_y=2.0, box_w=9.0, box_h=4.0)
    seen = extract_features(views, tmp_path, Backbone(weights), keep_maps=True, device=cpu)
    assert seen.maps.shape == (3, TOY.dimensions, SIZE // 16, SIZE // 16)
    head = trained.classifier
    heads = LinearHeads(*(part.detach().numpy()[None] for part in (head.weight, head.bias)))
    for features, shown in ((seen.plain, pictures), (seen.mirrored, pictures[:, :, ::-1])):
        due = trained(inputs_of(shown)).detach().numpy()
        np.testing.assert_allclose(heads.logits(features)[0], due, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(seen.maps.mean(axis=(2, 3)), seen.plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", TOY.strides)
def test_grad_cam_is_the_gradient_of_the_whole_network(trained, weights, pictures, cpu, layer):
    classes = [0, 3, 1]
    kept = []
    place = trained.get_submodule(layer)
    hook = place.register_forward_hook(lambda *call: kept.append(call[2]))
    logits = trained(inputs_of(pictures))[range(3), classes]
    hook.remove()
    (gradient,) = torch.autograd.grad(logits.sum(), kept)
    alpha = gradient.mean(dim=(2, 3), keepdim=True)
    due = (alpha * kept[0]).sum(dim=1).clamp(min=0).detach().numpy()
    weight = trained.classifier.weight.detach().numpy()[classes]
    backbone = Backbone(weights)
    (found,) = grad_cam(backbone, pictures, weight[None], layer=layer, device=cpu)
    assert found.shape == (3, *[SIZE // TOY.strides[layer]] * 2)
    assert due.max() > 0
    np.testing.assert_allclose(found, due, atol=1e-4 * due.max())
    if layer == TOY.pooled_layer:
        maps = backbone(torch.from_numpy(pictures))
        closed = np.maximum(contributions(maps.numpy(), weight), 0)
        np.testing.assert_allclose(found, closed, atol=1e-4 * due.max())
        torch.testing.assert_close(pooled(maps), maps.mean(dim=(2, 3)))


def test_its_checkpoint_is_loaded_by_its_library(trained, weights):
    head = trained.classifier
    state = classifier_state(weights, head.weight.detach().numpy(), head.bias.detach().numpy())
    again = make_classifier(TOY, classes=CLASSES)
    again.load_state_dict(state, strict=True)
    assert all(torch.equal(value, state[name]) for name, value in trained.state_dict().items())


def test_random_weights_depend_on_their_generator_alone():
    one, again = (random_weights(TOY, np.random.default_rng(3)) for _ in range(2))
    assert all(torch.equal(value, again.state[name]) for name, value in one.state.items())
    assert (one.network, one.mean) == ("toy", TOY.preprocessing.mean)
    assert not one.state["stem.bias"].any()
    deviation = (2 / (20 * 2 * 2)) ** 0.5
    assert one.state["body.second.0.weight"].std().item() == pytest.approx(deviation, rel=0.1)


def test_weights_of_another_network_are_named(tmp_path, trained):
    torch.save(trained.state_dict(), tmp_path / "toy.pth")
    with pytest.raises(WeightsError, match=r"expected 64x3x7x7$"):
        read_checkpoint(tmp_path / "toy.pth", find_backbone("resnet18"))
