import pytest
import torch

from smallsight.backbones.networks.libraries import library_of
from smallsight.backbones.registry import find_backbone
from smallsight.classifiers.known_networks import find_network, make_whole
from smallsight.runtime.errors import ParameterError


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_lite0", "timm:test_convnext"])
def test_a_classifier_has_as_many_outputs_as_asked_for(name):
    for classes in (None, 7):
        network = make_whole(find_network(name), classes)
        last = network.module.get_submodule(network.last_layer)
        assert last.out_features == (classes or 1000)
    with torch.inference_mode():
        assert network.module.eval()(torch.zeros(2, 3, 64, 64)).shape == (2, 7)


def test_a_detector_has_as_many_classes_as_asked_for():
    record = find_backbone("fasterrcnn_mobilenet_v3_large_fpn")
    module = library_of(record).make(record.architecture, 7).module
    assert module.roi_heads.box_predictor.cls_score.out_features == 7


def test_weights_follow_from_torchs_random_state_and_leave_it():
    record = find_network("timm:test_resnet")
    states = []
    for _ in range(2):
        torch.manual_seed(5)
        before = torch.get_rng_state()
        states.append(make_whole(record).module.state_dict())
        assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_errors_name_the_classifiers_parameter():
    for name in ("resnet81", "timm:resnet81", "fasterrcnn_resnet50_fpn", "timm:hf-hub:mine"):
        with pytest.raises(ParameterError, match=r"^parameter error: params\.classifier\.archit"):
            make_whole(find_network(name))
