"""Every network of the registry, and some of timm's, beside what its own library computes."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pytest
import timm
import torch
from torch import nn
from torchvision.models import get_model

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.facts import LAST
from smallsight.backbones.networks.weight_sources import load_weights
from smallsight.backbones.networks.weights import Weights, classifier_state
from smallsight.backbones.probe import find_facts
from smallsight.backbones.readouts import PARTS
from smallsight.backbones.registry import BACKBONES, DETECTOR, find_backbone


def as_they_are(output):
    return output


def from_rows_of_channels(output):
    return torch.movedim(output, -1, 1)


def from_tokens(output, first=1):
    """Cut the picture's tokens, which come row by row, into rows."""
    side = int((output.shape[1] - first) ** 0.5)
    rows = [output[:, first + row * side :][:, :side] for row in range(side)]
    return torch.stack(rows, dim=1).movedim(-1, 1)


@dataclass(frozen=True)
class Case:
    """What is known of a network beforehand: its anatomy, by its paper or its library's pages."""

    name: str
    size: int
    cells: dict[str, int]
    """By layer, the cells of its maps at that size; of those between, only the last is listed."""
    dimensions: int
    finer: int = 0
    """Channels of the layers of strides 8 and 16 that a pyramid joins; 0 where there is none."""
    layout: object = as_they_are
    head: str = ""
    """The last layer, in torchvision's words; timm says itself."""
    layers: int = field(default=0)
    """How many layers there are, where not all are listed."""
    is_mean_of_tokens: bool = False
    """Whether the library's own feature is a class token, which the study leaves out."""

    @property
    def seeds(self):
        """Of the pictures: one where the input is large, to save time."""
        return (0, 1) if self.size < 200 else (0,)


STAGES = {"stages.0": 16, "stages.1": 8, "stages.2": 4, "stages.3": 2, LAST: 2}
LITE = {"blocks.0": 32, "blocks.1": 16, "blocks.2": 8, "blocks.4": 4, "blocks.6": 2, LAST: 2}
RESNET = {"layer1": 16, "layer2": 8, "layer3": 4, LAST: 2}
FEATURES = {"features.1": 16, "features.3": 8, "features.5": 4, LAST: 2}
B0 = {"features.1": 32, "features.2": 16, "features.3": 8, "features.5": 4, "features.7": 2}
SWIN = {"layers.0": 56, "layers.1": 28, "layers.2": 14, "layers.3": 7, LAST: 7}
VIT, TINY_VIT = {"blocks.0": 14, "blocks.11": 14, LAST: 14}, {"blocks.0": 10, LAST: 10}

CASES = [
    Case("efficientnet_lite0", 64, LITE, 1280, 40 + 112),
    Case("efficientnet_lite1", 64, LITE, 1280, 40 + 112),
    Case("efficientnet_lite2", 64, LITE, 1280, 48 + 120),
    Case("resnet18", 64, RESNET, 512, 128 + 256, head="fc"),
    Case("resnet34", 64, RESNET, 512, 128 + 256, head="fc"),
    Case("resnet50", 64, RESNET, 2048, 512 + 1024, head="fc"),
    Case("convnext_tiny", 64, FEATURES, 768, 192 + 384, head="classifier.2"),
    Case("efficientnet_b0", 64, B0 | {LAST: 2}, 1280, 40 + 112, head="classifier.1", layers=8),
    Case("swin_t", 64, FEATURES, 768, 192 + 384, from_rows_of_channels, head="head"),
    Case(
        "vit_b_16", 224, {"encoder.layers.encoder_layer_0": 14, LAST: 14}, 768,
        layout=from_tokens, head="heads.head", layers=12, is_mean_of_tokens=True,
    ),
    Case("timm:resnet18", 64, RESNET | {"act1": 32, "layer4": 2}, 512, 128 + 256),
    Case("timm:convnext_atto", 64, STAGES, 320, 80 + 160),
    Case(
        "timm:swin_tiny_patch4_window7_224", 224, SWIN, 768, 192 + 384, from_rows_of_channels
    ),
    Case(
        "timm:vit_tiny_patch16_224", 224, VIT, 192, layout=from_tokens, layers=13,
        is_mean_of_tokens=True,
    ),
    Case("timm:test_vit", 160, TINY_VIT, 64, layout=from_tokens, layers=7, is_mean_of_tokens=True),
    # Its feature is the mean over the tokens of places, normalised after pooling.
    Case("timm:test_vit2", 160, TINY_VIT, 64, layout=from_tokens, layers=9),
    # It has no class token at all.
    Case(
        "timm:test_vit_relpos", 160, TINY_VIT, 96, layout=partial(from_tokens, first=0), layers=10
    ),
]  # fmt: skip


def settings_of(case):
    return params.Backbone(
        name=case.name, weights="random", checkpoint="none", input_size=case.size, dilated=False
    )


def shaken(state):
    """Move away from first weights whatever they leave at 0 or 1, so that nothing cancels."""
    generator = torch.Generator().manual_seed(7)
    found = {}
    for name, value in state.items():
        noise = torch.rand(value.shape, generator=generator) - 0.5
        if name.endswith("running_var"):
            found[name] = 1 + noise
        elif value.ndim == 1 and value.is_floating_point():
            found[name] = value + 0.3 * noise
        else:
            found[name] = value
    return found


@dataclass
class Made:
    """A network with random weights, the study's way and its library's."""

    case: Case
    weights: Weights
    facts: object
    backbone: Backbone
    pictures: torch.Tensor
    maps: dict
    due: dict
    feature: torch.Tensor


@pytest.fixture(scope="module", params=CASES, ids=[case.name for case in CASES])
def made(request, noise):
    case = request.param
    loaded = load_weights(settings_of(case), seed=0)
    weights = loaded.weights._replace(state=shaken(loaded.weights.state))
    backbone = Backbone(weights)
    pictures = torch.from_numpy(
        np.stack([noise(case.size, case.size, seed) for seed in case.seeds])
    )
    whole = whole_network(case)
    assert not whole.load_state_dict(weights.state, strict=False).unexpected_keys
    seen = {}
    for layer in backbone.layers[:-1]:
        whole.get_submodule(layer).register_forward_hook(
            lambda _module, _inputs, output, layer=layer: seen.update({layer: output})
        )
    mean, std = (torch.tensor(part).view(3, 1, 1) for part in (weights.mean, weights.std))
    inputs = (torch.movedim(pictures, 3, 1) / 255 - mean) / std
    with torch.inference_mode():
        feature = own_feature(case, whole, inputs)
        maps = backbone.maps(pictures)
    facts = find_facts(settings_of(case), loaded)
    return Made(case, weights, facts, backbone, pictures, maps, seen, feature)


def whole_network(case):
    """The library's own network, with its last layer."""
    name = find_backbone(case.name).architecture
    return (get_model(name) if case.head else timm.create_model(name)).eval()


def own_feature(case, whole, inputs):
    """What the library's last layer is given; for class tokens, the mean of the other tokens."""
    if case.name == "vit_b_16":
        kept = []
        whole.encoder.register_forward_hook(lambda *call: kept.append(call[2]))
        whole(inputs)
        return kept[0][:, 1:].mean(dim=1)
    if case.head:
        whole.set_submodule(case.head, nn.Identity())
        return whole(inputs)
    output = whole.forward_features(inputs)
    if case.is_mean_of_tokens:
        return output[:, 1:].mean(dim=1)
    return whole.forward_head(output, pre_logits=True)


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * other.abs().max().item())


def test_all_classifiers_of_the_registry_are_here():
    classifiers = {name for name, record in BACKBONES.items() if record.weights is not DETECTOR}
    assert classifiers <= {case.name for case in CASES}


def test_the_mean_over_the_last_maps_is_the_feature_of_the_library(made):
    assert made.feature.shape == (len(made.pictures), made.case.dimensions)
    assert made.feature.std() > 0
    close(made.maps[LAST].mean(dim=(2, 3)), made.feature)


def test_maps_of_layers_are_those_that_the_library_computes(made):
    assert tuple(made.maps) == made.backbone.layers
    assert len(made.maps) == (made.case.layers or len(made.case.cells))
    for layer, output in made.due.items():
        due = made.case.layout(output)
        close(made.maps[layer], due)
        assert due.std() > 0


def test_cells_are_as_many_as_the_architecture_says(made):
    shapes = {layer: maps.shape[2:] for layer, maps in made.maps.items()}
    for layer, cells in made.case.cells.items():
        assert shapes[layer] == (cells, cells), layer
    assert made.facts.cells == {layer: columns for layer, (_, columns) in shapes.items()}
    assert list(made.facts.cells)[-1] == LAST


def test_a_change_at_one_place_shows_at_that_place(made):
    """Rows are rows and columns are columns, also where maps are laid out from tokens."""
    layer, size = made.backbone.layers[0], made.case.size
    changed = made.pictures.clone()
    rows, columns = slice(size * 5 // 8, size * 3 // 4), slice(size // 8, size // 4)
    changed[:, rows, columns] = 255 - changed[:, rows, columns]
    with torch.inference_mode():
        difference = made.backbone.maps(changed)[layer] - made.maps[layer]
    strength = difference.abs().sum(dim=1)
    cells = strength.shape[-1]
    for picture in strength:
        for number, place in zip(
            divmod(picture.argmax().item(), cells), (rows, columns), strict=True
        ):
            middle, cell = (number + 0.5) * size / cells, size / cells
            assert place.start - cell < middle < place.stop + cell


def test_it_is_frozen(made):
    before = {name: value.clone() for name, value in made.backbone.state_dict().items()}
    made.backbone.train()
    made.backbone(made.pictures)
    assert not any(module.training for module in made.backbone.trunk.modules())
    assert not any(parameter.requires_grad for parameter in made.backbone.parameters())
    after = made.backbone.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_readouts_are_those_that_the_strides_allow(made):
    case = made.case
    lengths = {"scene": case.dimensions, "box": case.dimensions}
    if case.finer:
        lengths["pyramid"] = case.finer + case.dimensions
    assert made.facts.readouts == lengths
    whole = torch.tensor([[number, 0.0, 0, case.size, case.size] for number in case.seeds])
    with torch.inference_mode():
        parts = made.backbone.read_out(made.pictures, whole)
    for readout, length in lengths.items():
        feature = torch.cat([parts[name] for name in PARTS[readout]], dim=1)
        assert feature.shape == (len(case.seeds), length)
    close(parts["box"], made.feature)


def test_a_head_in_the_place_of_the_last_layer_makes_a_state_that_the_library_loads(made):
    last = made.facts.last_layer
    with torch.device("meta"):
        whole = whole_network(made.case)
    shape = tuple(whole.get_submodule(last).weight.shape)
    assert shape == (1000, made.case.dimensions)
    weight, bias = np.ones(shape, np.float32), np.ones(1000, np.float32)
    whole.load_state_dict(
        classifier_state(made.weights, last, weight, bias), strict=True, assign=True
    )
    assert (whole.get_submodule(last).weight == 1).all()
