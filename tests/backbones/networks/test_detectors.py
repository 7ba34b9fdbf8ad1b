"""torchvision's detectors as frozen extractors, beside what torchvision itself loads and runs."""

import numpy as np
import pytest
import torch
from torchvision.models import get_model, get_model_weights
from torchvision.models._api import WeightsEnum

from builders.readings import tensor_regions
from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.facts import LAST
from smallsight.backbones.networks import downloads
from smallsight.backbones.networks.weight_sources import load_weights, preview_weights
from smallsight.backbones.probe import find_facts
from smallsight.backbones.registry import BACKBONES, check_unseen
from smallsight.runtime.errors import ParameterError

SIZE = 96
CELLS = {
    "fasterrcnn_resnet50_fpn": {"layer1": 24, "layer2": 12, "layer3": 6, "layer4": 3},
    "fasterrcnn_resnet50_fpn_v2": {"layer1": 24, "layer2": 12, "layer3": 6, "layer4": 3},
    "fasterrcnn_mobilenet_v3_large_fpn": {"13": 3, "16": 3},
}
"""By the name of a detector, the cells of the maps that its pyramid is made of."""
DIMENSIONS = {"fasterrcnn_mobilenet_v3_large_fpn": 960}
FPN = 256

BOXES = np.array(
    [[5.0, 7, 20, 30], [0, 0, 96, 96], [60, 10, 36, 9], [31, 31, 3, 2], [2, 50, 90, 40],
     [40, 40, 16, 16]]
)  # fmt: skip
PICTURES = np.array([2, 0, 2, 0, 1, 2])
"""Of each box, out of order."""


def settings(name, **update):
    chosen = {"weights": "coco", "checkpoint": "none", "input_size": SIZE, "dilated": False}
    return params.Backbone(name=name, **(chosen | update))


def trained_state(name):
    """A whole detector's state, as its file holds it: statistics near 0 make the epsilon count."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = get_model(name, weights=None, weights_backbone=None).state_dict()
        for key, value in state.items():
            if key.endswith("running_var"):
                value.uniform_(0.5, 1.5)
            if key.endswith("running_mean"):
                value.uniform_(-0.1, 0.1)
        first = next(key for key in state if key.endswith("running_var"))
        state[first].uniform_(1e-5, 1e-4)
    # In frozen batch normalisation there is nothing that counts.
    if name != "fasterrcnn_resnet50_fpn_v2":
        state = {key: value for key, value in state.items() if "num_batches" not in key}
    return state


@pytest.fixture(scope="module", params=CELLS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def state(name):
    return trained_state(name)


@pytest.fixture(scope="module")
def detector(name, state):
    """The detector as torchvision makes it of its own weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WeightsEnum, "get_state_dict", lambda *_, **__: state)
        return get_model(name, weights="DEFAULT").eval()


@pytest.fixture(scope="module")
def loaded(name, state):
    """The detector as the study loads it: the download is replaced, and its address kept."""
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            downloads,
            "download_state",
            lambda url: (asked.append(url), (dict(state), "0123abcd"))[1],
        )
        loaded = load_weights(settings(name), seed=0)
    assert asked == [get_model_weights(name)["DEFAULT"].url]
    return loaded


@pytest.fixture(scope="module")
def backbone(loaded):
    return Backbone(loaded.weights)


@pytest.fixture(scope="module")
def pictures(noise):
    return torch.from_numpy(np.stack([noise(SIZE, SIZE, seed) for seed in range(3)]))


@pytest.fixture(scope="module")
def due(detector, pictures):
    """The detector's own pyramid, and the maps of its body that it is made of."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    inputs = torch.movedim((pictures / 255 - mean) / std, -1, 1)
    with torch.inference_mode():
        return detector.backbone(inputs), list(detector.backbone.body(inputs).values())


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * other.abs().max().item())


def test_all_detectors_of_the_registry_are_here_with_weights_of_coco_alone():
    detectors = {name: each for name, each in BACKBONES.items() if "rcnn" in name}
    assert detectors.keys() == CELLS.keys()
    assert all(list(record.weights) == ["coco"] for record in detectors.values())


def test_weights_say_where_they_come_from(name, loaded):
    assert loaded.source == f"torchvision, {get_model_weights(name)['DEFAULT']}"
    assert loaded.sha256 == "0123abcd"
    assert not any(key.startswith(("rpn.", "roi_heads.")) for key in loaded.weights.state)
    # The shorter side of a detector's own input, and ImageNet's statistics.
    assert loaded.preprocessing.input_size == 800
    assert loaded.weights.mean == (0.485, 0.456, 0.406)
    assert loaded.weights.std == (0.229, 0.224, 0.225)
    assert loaded.preprocessing.interpolation == "bilinear"


def test_maps_are_those_of_the_detectors_body(name, backbone, pictures, due):
    with torch.inference_mode():
        maps = backbone.maps(pictures)
    _, body = due
    *layers, last = maps.items()
    assert [layer for layer, _ in layers] == [f"backbone.body.{part}" for part in CELLS[name]]
    for (_, found), expected, cells in zip(layers, body, CELLS[name].values(), strict=True):
        assert found.shape[2:] == (cells, cells)
        close(found, expected)
    assert last[0] == LAST
    close(last[1], body[-1])
    assert body[-1].shape[1] == DIMENSIONS.get(name, 2048)


def test_the_pyramid_is_pooled_as_the_detector_pools_it(backbone, detector, pictures, due, cpu):
    with torch.inference_mode():
        parts = backbone.read_out(pictures, tensor_regions(BOXES, PICTURES))
    pyramid, body = due
    corners = torch.tensor(BOXES, dtype=torch.float32)
    corners[:, 2:] += corners[:, :2]
    pool = detector.roi_heads.box_roi_pool
    for index, number in enumerate(PICTURES):
        # One box of one picture at a time.
        alone = {level: maps[[number]] for level, maps in pyramid.items()}
        pooled = pool(alone, [corners[[index]]], [(SIZE, SIZE)])
        assert pooled.shape == (1, FPN, 7, 7)
        close(parts["fpn"][index], pooled[0].mean(dim=(1, 2)))
    assert len({tuple(row.tolist()) for row in parts["fpn"].round(decimals=4)}) == len(BOXES)
    close(parts["scene"], body[-1].mean(dim=(2, 3)))


def test_all_readouts_come_of_one_pass(backbone, pictures, cpu):
    calls = []
    parts = ["backbone", "backbone.body", "backbone.fpn"]
    hooks = [
        backbone.trunk.get_submodule(part).register_forward_hook(lambda *_: calls.append(1))
        for part in parts
    ]
    with torch.inference_mode():
        backbone.read_out(pictures, tensor_regions(BOXES, PICTURES))
    for hook in hooks:
        hook.remove()
    assert len(calls) == len(parts)


def test_facts_tell_the_readouts(name, loaded):
    facts = find_facts(settings(name), loaded)
    dimensions = DIMENSIONS.get(name, 2048)
    lengths = {"scene": dimensions, "box": dimensions, "pyramid": 512 + 1024 + 2048, "fpn": FPN}
    if "mobilenet" in name:
        # Its body has no map of stride 8 or 16.
        del lengths["pyramid"]
    assert facts.readouts == lengths
    assert (facts.input_size, facts.weights, facts.sha256) == (SIZE, "coco", "0123abcd")
    assert list(facts.cells.values())[:-1] == list(CELLS[name].values())


def test_a_whole_checkpoint_is_loaded_without_its_heads(name, state, loaded, tmp_path):
    assert any(key.startswith("rpn.") for key in state)
    assert any(key.startswith("roi_heads.") for key in state)
    path = tmp_path / "mine.pth"
    torch.save({"model": {f"module.{key}": value for key, value in state.items()}}, path)
    own = load_weights(settings(name, weights="checkpoint", checkpoint=str(path)), seed=0)
    assert own.weights.state.keys() == loaded.weights.state.keys()
    assert all(torch.equal(own.weights.state[key], value) for key, value in
               loaded.weights.state.items() if "num_batches" not in key)  # fmt: skip
    assert any("rpn" in note for note in own.notes)
    assert any("roi_heads" in note for note in own.notes)


def test_gradients_of_the_last_layer_are_found_in_the_body(name, backbone):
    module, _ = backbone.source_of(LAST)
    assert module is backbone.trunk.get_submodule(f"backbone.body.{list(CELLS[name])[-1]}")


def test_untrained_detectors_are_refused(name):
    with pytest.raises(ParameterError) as caught:
        preview_weights(settings(name, weights="random"), seed=0)
    assert len(str(caught.value).splitlines()) == 1
    assert (caught.value.where, caught.value.found) == (
        "params.backbone.weights",
        f"'random' for {name}",
    )
    assert caught.value.expected.startswith("one of coco, checkpoint;")


def test_detectors_cannot_be_dilated(name):
    with pytest.raises(ParameterError) as caught:
        preview_weights(settings(name, dilated=True), seed=0)
    assert caught.value.where == "params.backbone.dilated"
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "place",
    [
        "train2017",
        "/data/coco/train2017",
        "annotations/instances_train2017.json",
        "http://images.cocodataset.org/train2017/000000000009.jpg",
    ],
)
def test_pictures_that_a_detector_was_trained_on_are_refused(name, place):
    with pytest.raises(ParameterError) as caught:
        check_unseen(settings(name), ["elsewhere", place])
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == "params.backbone.name"
    assert name in caught.value.found
    assert place in caught.value.found


def test_other_pictures_and_other_networks_are_not(name):
    unseen = ["val2017", "http://images.cocodataset.org/val2017/000000000139.jpg", "", "/data/mine"]
    check_unseen(settings(name), unseen)
    check_unseen(settings("resnet18", weights="imagenet"), ["train2017"])
