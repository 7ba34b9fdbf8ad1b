"""A network of another library takes a module and two entries, and nothing else."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from builders import networks
from builders.networks import CLASSES, DIMENSIONS, STRIDES, TOY
from builders.readings import extracted
from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.facts import LAST
from smallsight.backbones.feature_store import place_of_maps, read_features, write_features
from smallsight.backbones.networks.libraries import LIBRARIES, library_of, make_network
from smallsight.backbones.networks.weight_sources import load_weights, preview_weights
from smallsight.backbones.networks.weights import classifier_state, read_weights, write_weights
from smallsight.backbones.probe import find_facts
from smallsight.backbones.registry import BACKBONES
from smallsight.conditions.rendered.names import Condition
from smallsight.conditions.rendered.store import picture_name
from smallsight.evaluation.heads import LinearHeads
from smallsight.runtime.errors import ParameterError
from smallsight.saliency.gradcam import grad_cam

pytestmark = pytest.mark.usefixtures("single_worker", "toy")

SIZE = 48
BOXES = np.array([[1.0, 2, 9, 4], [0, 0, 48, 48], [20, 30, 16, 16]])


@pytest.fixture
def toy(monkeypatch):
    networks.enter(monkeypatch)


@pytest.fixture
def trained():
    return networks.trained()


@pytest.fixture
def loaded():
    return load_weights(settings(), seed=0)


@pytest.fixture
def pictures(noise):
    return np.stack([noise(SIZE, SIZE, seed) for seed in range(3)])


def settings(**update):
    chosen = {"weights": "web", "checkpoint": "none", "input_size": SIZE, "dilated": False}
    return params.Backbone(name="toy", **(chosen | update))


def inputs_of(pictures):
    """Normalise by what the library says of its weights."""
    mean, std = (np.array(part, np.float32) for part in ((0.4, 0.5, 0.6), (0.1, 0.2, 0.3)))
    scaled = (pictures.astype(np.float32) / 255 - mean) / std
    return torch.from_numpy(scaled).permute(0, 3, 1, 2)


def test_every_library_offers_what_the_others_do():
    assert {record.library for record in BACKBONES.values()} == set(LIBRARIES)
    for record in BACKBONES.values():
        library = library_of(record)
        assert all(
            callable(getattr(library, part)) for part in ("make", "preprocessing", "published")
        )


def test_published_weights_are_its_librarys(loaded, trained):
    assert (loaded.source, loaded.sha256) == ("the toy box", "0123abcd")
    assert (loaded.weights.mean, loaded.weights.std) == ((0.4, 0.5, 0.6), (0.1, 0.2, 0.3))
    whole = trained.state_dict()
    assert whole.keys() - loaded.weights.state.keys() == {"classifier.weight", "classifier.bias"}
    assert all(torch.equal(part, whole[name]) for name, part in loaded.weights.state.items())


def test_what_is_unused_of_a_network_is_nothing():
    network = make_network(TOY)
    assert isinstance(network.module.classifier, nn.Identity)
    assert not any(name.startswith("classifier") for name in network.module.state_dict())


def test_facts_are_found_by_running_it(loaded):
    facts = find_facts(settings(), loaded)
    assert (facts.name, facts.label, facts.last_layer) == ("toy", "Toy", "classifier")
    assert facts.cells == {layer: SIZE // stride for layer, stride in STRIDES.items()}
    assert facts.readouts == {"scene": DIMENSIONS, "box": DIMENSIONS}
    assert (facts.input_size, facts.interpolation) == (SIZE, "bicubic")
    assert find_facts(settings(input_size="auto"), loaded).input_size == 80
    with pytest.raises(ParameterError, match=r"one of stem, body\.first, last$"):
        facts.check_layer("layer4")


@pytest.mark.parametrize(
    ("size", "where"),
    [(SIZE, "params.backbone.input_size"), ("auto", "params.backbone.name")],
)
def test_maps_that_are_no_squares_are_refused(loaded, monkeypatch, size, where):
    whole = networks.Toy.maps
    monkeypatch.setattr(networks.Toy, "maps", lambda self, inputs: whole(self, inputs)[:, :, 1:])
    with pytest.raises(ParameterError, match=r"a layer of \d rows and \d columns") as caught:
        find_facts(settings(input_size=size), loaded)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == where


def test_weights_that_it_does_not_have_are_refused():
    with pytest.raises(ParameterError, match="one of web, random, checkpoint;"):
        load_weights(settings(weights="imagenet"), seed=0)
    previewed = preview_weights(settings(), seed=0)
    assert previewed.source == "published with toys"


def test_features_are_what_its_own_head_is_given(trained, loaded, pictures, tmp_path, cpu):
    ids = [(number, 10) for number in range(3)]
    for (image_id, ann_id), picture in zip(ids, pictures, strict=True):
        Image.fromarray(picture).save(tmp_path / picture_name(image_id, ann_id))
    views = pd.DataFrame(ids, columns=["image_id", "ann_id"])
    views[["box_x", "box_y", "box_w", "box_h"]] = BOXES
    write_weights(loaded.weights, tmp_path / "kept.pth")
    backbone = Backbone(read_weights(tmp_path / "kept.pth"))
    condition = Condition("orig_full", "default", is_reference=True)
    place = tmp_path / "orig_full" / place_of_maps(condition)
    found, maps = extracted(views, tmp_path, backbone, place)
    assert maps.shape == (3, DIMENSIONS, SIZE // 16, SIZE // 16)
    write_features(found, condition, tmp_path / "orig_full")
    seen = read_features(tmp_path, condition, "scene", maps=True)
    head = trained.classifier
    heads = LinearHeads(*(part.detach().numpy()[None] for part in (head.weight, head.bias)))
    for features, shown in ((seen.plain, pictures), (seen.mirrored, pictures[:, :, ::-1])):
        due = trained(inputs_of(shown)).detach().numpy()
        np.testing.assert_allclose(heads.logits(features)[0], due, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layer", ["stem", "body.first"])
def test_grad_cam_is_the_gradient_of_the_whole_network(trained, loaded, pictures, cpu, layer):
    classes = [0, 3, 1]
    kept = []
    hook = trained.get_submodule(layer).register_forward_hook(lambda *call: kept.append(call[2]))
    logits = trained(inputs_of(pictures))[range(3), classes]
    hook.remove()
    (gradient,) = torch.autograd.grad(logits.sum(), kept)
    alpha = gradient.mean(dim=(2, 3), keepdim=True)
    due = (alpha * kept[0]).sum(dim=1).clamp(min=0).detach().numpy()
    weight = trained.classifier.weight.detach().numpy()[classes]
    (found,) = grad_cam(
        Backbone(loaded.weights), pictures, BOXES, weight[None],
        layer=layer, readout="scene", device=cpu,
    )  # fmt: skip
    assert found.shape == (3, *[SIZE // STRIDES[layer]] * 2)
    assert due.max() > 0
    np.testing.assert_allclose(found, due, atol=1e-4 * due.max())


def test_its_checkpoint_is_loaded_by_its_library(trained, loaded):
    weight = np.ones((CLASSES, DIMENSIONS), np.float32)
    state = classifier_state(loaded.weights, "classifier", weight, np.zeros(CLASSES, np.float32))
    again = networks.Toy()
    again.load_state_dict(state, strict=True)
    backbone = Backbone(loaded.weights)
    assert backbone.layers == ("stem", "body.first", LAST)
    picture = np.full((1, SIZE, SIZE, 3), 200, np.uint8)
    pooled = backbone(torch.from_numpy(picture)).mean(dim=(2, 3)).sum(dim=1)
    logits = again.eval()(inputs_of(picture))
    torch.testing.assert_close(logits, pooled[:, None].expand(1, CLASSES), rtol=1e-4, atol=1e-4)
