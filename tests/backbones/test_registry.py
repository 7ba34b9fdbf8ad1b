import subprocess
import sys

import numpy as np
import pytest
import torch
from torchvision.models import ResNet18_Weights

from smallsight.backbones.networks.makers import make_classifier, make_trunk
from smallsight.backbones.registry import (
    BACKBONES,
    IMAGENET,
    check_layer,
    find_backbone,
    input_pixels,
)
from smallsight.runtime.errors import ParameterError

every_backbone = pytest.mark.parametrize("record", BACKBONES.values(), ids=list(BACKBONES))


def test_facts_can_be_read_without_torch():
    code = (
        "import sys, smallsight.backbones.registry; print(*{'torch', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", ["resnet81", "", "ResNet18"])
def test_an_unknown_network_is_one_line_with_the_known_ones(name):
    with pytest.raises(ParameterError) as caught:
        find_backbone(name)
    assert len(str(caught.value).splitlines()) == 1
    assert (caught.value.where, caught.value.found) == ("params.backbone.name", repr(name))
    assert caught.value.expected == f"one of {', '.join(BACKBONES)}"


@every_backbone
def test_a_layer_without_maps_is_one_line_with_those_that_have_some(record):
    for layer in record.strides:
        check_layer(record, layer)
    with pytest.raises(ParameterError) as caught:
        check_layer(record, "layer9")
    assert len(str(caught.value).splitlines()) == 1
    assert (caught.value.where, caught.value.found) == ("params.explain.layer", "'layer9'")
    assert caught.value.expected == f"one of {', '.join(record.strides)}"


@pytest.mark.parametrize(
    ("weights", "size", "pixels"),
    [("phantom", "auto", 96), ("imagenet", "auto", 224), ("mine.pth", "auto", 224),
     ("phantom", 96, 96), ("phantom", 100, 100), ("mine.pth", 32, 32)],
)  # fmt: skip
def test_input_size_follows_the_weights_unless_it_is_given(study, weights, size, pixels):
    section = study.backbone.model_copy(update={"weights": weights, "input_size": size})
    assert input_pixels(section) == pixels


def test_the_input_size_of_an_unknown_network_is_not_guessed(study):
    for size in ("auto", 96):
        section = study.backbone.model_copy(update={"name": "resnet81", "input_size": size})
        with pytest.raises(ParameterError):
            input_pixels(section)


@every_backbone
def test_a_record_says_what_the_network_does(record):
    """Strides and lengths, by running the steps; the last layer, by the whole network."""
    trunk, whole = make_trunk(record).eval(), make_classifier(record, classes=5).eval()
    trunk.load_state_dict(
        {k: v for k, v in whole.state_dict().items() if not k.startswith(f"{record.last_layer}.")}
    )
    size = 2 * max(record.strides.values())
    maps = inputs = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for step in record.steps:
            maps = trunk.get_submodule(step)(maps)
            if step in record.strides:
                assert maps.shape[2:] == (size // record.strides[step],) * 2
        features = maps.mean(dim=(2, 3))
        logits = whole.get_submodule(record.last_layer)(features)
        torch.testing.assert_close(logits, whole(inputs), rtol=1e-4, atol=1e-4)
    assert features.shape == (2, record.dimensions)
    assert record.pooled_layer == record.steps[-1]
    assert set(record.strides) <= set(record.steps)
    assert list(record.strides.values()) == sorted(record.strides.values())


def test_resnet18_is_torchvisions():
    record, published = find_backbone("resnet18"), ResNet18_Weights.IMAGENET1K_V1
    named, transform = record.weights["imagenet"], published.transforms()
    assert named.download.url == published.url
    assert f"-{named.download.sha256}.pth" in published.url
    assert named.preprocessing is record.preprocessing is IMAGENET
    assert [IMAGENET.input_pixels] == transform.crop_size
    assert (list(IMAGENET.mean), list(IMAGENET.std)) == (transform.mean, transform.std)
    assert IMAGENET.interpolation == transform.interpolation.value
    phantom = record.weights["phantom"]
    assert phantom.download is None
    np.testing.assert_array_equal(phantom.preprocessing.mean, IMAGENET.mean)
    np.testing.assert_array_equal(phantom.preprocessing.std, IMAGENET.std)
