"""What is found out of a network; `networks.test_every_network` does so for all of them."""

import dataclasses

import pytest

from smallsight import params
from smallsight.backbones.networks.weight_sources import load_weights
from smallsight.backbones.probe import find_facts
from smallsight.runtime.errors import ParameterError


def settings(name, size, **update):
    chosen = {"weights": "random", "checkpoint": "none", "dilated": False}
    return params.Backbone(name=name, input_size=size, **(chosen | update))


def found(chosen):
    return find_facts(chosen, load_weights(chosen, seed=0))


@pytest.mark.parametrize(
    ("size", "pixels", "cells"),
    [("auto", 224, [56, 28, 14, 7]), (64, 64, [16, 8, 4, 2]), (100, 100, [25, 13, 7, 4])],
)
def test_cells_follow_the_input_size(size, pixels, cells):
    facts = found(settings("resnet18", size))
    assert facts.input_size == pixels
    assert facts.cells == dict(zip(["layer1", "layer2", "layer3", "last"], cells, strict=True))


def test_facts_are_those_of_the_settings_and_of_the_weights():
    chosen = settings("resnet18", 64)
    loaded = load_weights(chosen, seed=0)
    told = loaded._replace(
        source="somewhere", sha256="abc", notes=("one", "two"),
        weights=loaded.weights._replace(mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6)),
        preprocessing=dataclasses.replace(loaded.preprocessing, interpolation="bicubic"),
    )  # fmt: skip
    facts = find_facts(chosen, told)
    assert (facts.name, facts.label, facts.weights) == ("resnet18", "ResNet18", "random")
    assert (facts.source, facts.sha256, facts.notes) == ("somewhere", "abc", ("one", "two"))
    assert (facts.mean, facts.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert (facts.interpolation, facts.last_layer) == ("bicubic", "fc")
    assert not facts.is_dilated


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("vit_b_16", "ViT-B/16 takes: 224"),
        ("timm:vit_tiny_patch16_224", "vit_tiny_patch16_224 takes: 224"),
    ],
)
def test_an_input_that_the_network_does_not_take_is_one_line(name, takes):
    with pytest.raises(ParameterError) as caught:
        found(settings(name, 96))
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == "params.backbone.input_size"
    assert caught.value.found.startswith("96: ")
    assert caught.value.expected == f"what {takes}"
