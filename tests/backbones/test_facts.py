import dataclasses
import json

import pytest

from smallsight.backbones.facts import BackboneFacts, read_backbone_facts, write_backbone_facts
from smallsight.runtime.errors import ParameterError, SmallsightError

FACTS = BackboneFacts(
    name="resnet18",
    label="ResNet18",
    weights="checkpoint",
    source="checkpoint größe/mine.pth",
    sha256="0" * 64,
    notes=("opened `state_dict`", "left out `fc.` of 6 classes"),
    input_size=100,
    interpolation="bicubic",
    mean=(0.1, 0.2, 0.3),
    std=(0.5, 0.25, 1.0),
    is_dilated=False,
    cells={"layer1": 25, "layer2": 13, "layer3": 7, "last": 4},
    readouts={"scene": 512, "box": 512, "pyramid": 896},
    last_layer="fc",
)


@pytest.mark.parametrize("facts", [FACTS, dataclasses.replace(FACTS, notes=(), is_dilated=True)])
def test_written_facts_come_back(tmp_path, facts):
    write_backbone_facts(facts, tmp_path / "facts.json")
    back = read_backbone_facts(tmp_path / "facts.json")
    assert back == facts
    assert type(back.notes) is type(back.mean) is tuple
    # Layers keep their order: the last one is the last.
    assert list(back.cells) == list(facts.cells)
    text = (tmp_path / "facts.json").read_text(encoding="utf-8")
    assert "größe" in text
    assert json.loads(text)["readouts"]["pyramid"] == 896


@pytest.mark.parametrize(
    "content", [None, "", "{", "[]", "{}", '{"name": "resnet18"}', "\x00"], ids=repr
)
def test_facts_that_cannot_be_read_are_one_line(tmp_path, content):
    path = tmp_path / "facts.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SmallsightError) as caught:
        read_backbone_facts(path)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == str(path)


@pytest.mark.parametrize("layer", ["layer4", "", "Last", "conv1"])
def test_a_layer_without_maps_is_one_line_with_those_that_have_some(layer):
    with pytest.raises(ParameterError) as caught:
        FACTS.check_layer(layer)
    assert len(str(caught.value).splitlines()) == 1
    assert (caught.value.where, caught.value.found) == ("params.explain.layer", repr(layer))
    assert caught.value.expected == "one of layer1, layer2, layer3, last"


def test_a_readout_that_the_network_lacks_is_one_line_with_those_that_it_has():
    with pytest.raises(ParameterError) as caught:
        FACTS.check_readout("fpn")
    assert str(caught.value) == (
        "parameter error: params.heads.readout: 'fpn' with resnet18 at 100 pixels; "
        "expected one of scene, box, pyramid"
    )


def test_layers_and_readouts_that_are_there_pass():
    for layer in FACTS.cells:
        FACTS.check_layer(layer)
    for readout in FACTS.readouts:
        FACTS.check_readout(readout)


def test_a_line_says_which_network_weights_and_input_these_are():
    assert FACTS.describe() == (
        "ResNet18, weights “checkpoint” (checkpoint größe/mine.pth), input 100 × 100 pixels"
    )
    dilated = dataclasses.replace(FACTS, is_dilated=True)
    assert dilated.describe().startswith("ResNet18, its last stage dilated, weights")
