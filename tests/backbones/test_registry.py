import subprocess
import sys

import pytest

from smallsight.backbones.networks.libraries import LIBRARIES
from smallsight.backbones.registry import BACKBONES, Packaged, find_backbone
from smallsight.runtime.errors import ParameterError


@pytest.mark.parametrize("module", ["registry", "facts"])
def test_what_later_stages_read_loads_no_network_library(module):
    code = (
        f"import sys, smallsight.backbones.{module};"
        "print(*{'torch', 'torchvision', 'timm'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", ["resnet81", "", "ResNet18", "phantom", "TIMM:resnet18"])
def test_an_unknown_network_is_one_line_with_the_known_ones(name):
    with pytest.raises(ParameterError) as caught:
        find_backbone(name)
    assert len(str(caught.value).splitlines()) == 1
    assert (caught.value.where, caught.value.found) == ("params.backbone.name", repr(name))
    known = ", ".join(BACKBONES)
    assert caught.value.expected == f"one of {known}, or timm:<a network of timm's>"


def test_the_networks_of_the_study_and_its_neighbours_are_there():
    assert list(BACKBONES) == [
        "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "resnet18", "resnet34",
        "resnet50", "convnext_tiny", "efficientnet_b0", "swin_t", "vit_b_16",
        "fasterrcnn_resnet50_fpn", "fasterrcnn_resnet50_fpn_v2",
        "fasterrcnn_mobilenet_v3_large_fpn",
    ]  # fmt: skip
    assert len({record.label for record in BACKBONES.values()}) == len(BACKBONES)


@pytest.mark.parametrize("name", BACKBONES)
def test_records_are_found_by_their_name_and_name_a_library(name):
    record = find_backbone(name)
    assert record.name == name
    assert record.library in LIBRARIES
    is_detector = "rcnn" in name
    assert set(record.weights) == ({"coco"} if is_detector else {"imagenet", "random"})
    assert isinstance(next(iter(record.weights.values())), Packaged) == ("lite" in name)


@pytest.mark.parametrize(
    ("name", "architecture", "weights"),
    [
        ("timm:resnet18", "resnet18", ["imagenet", "random"]),
        ("timm:vit_tiny_patch16_224.augreg_in21k", "vit_tiny_patch16_224.augreg_in21k",
         ["imagenet", "random"]),
        ("timm:local-dir:/data/mine", "local-dir:/data/mine", ["random"]),
    ],
)  # fmt: skip
def test_any_network_of_timms_is_there(name, architecture, weights):
    record = find_backbone(name)
    assert (record.name, record.label) == (name, architecture)
    assert (record.library, record.architecture) == ("timm", architecture)
    assert list(record.weights) == weights
