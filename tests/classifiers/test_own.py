from dataclasses import replace

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from torch import nn

from builders import own_classifiers as own
from builders.own_classifiers import PLAIN, facts
from builders.readings import tensor_regions
from smallsight.backbones.facts import LAST
from smallsight.classifiers.own import OwnClassifier
from smallsight.classifiers.torch_model import Opened, Sight, TorchModel, frozen
from smallsight.runtime.errors import ClassifierError
from smallsight.runtime.parallel import map_here


class Means(nn.Module):
    """Returns the means of the three channels as they come in."""

    def forward(self, inputs):
        return inputs.mean(dim=(2, 3))


class Constant(nn.Module):
    """Returns the same numbers for all pictures."""

    def __init__(self, *numbers):
        super().__init__()
        self.numbers = torch.tensor(numbers)

    def forward(self, inputs):
        return self.numbers.expand(len(inputs), -1)


def classifier(module, **known):
    return OwnClassifier(facts(**known), TorchModel(Opened(module)))


RED = torch.tensor([255, 51, 0], dtype=torch.uint8).expand(2, own.SIZE, own.SIZE, 3)


@pytest.mark.parametrize(
    ("changed", "due"),
    [
        ({}, [1.0, 0.2, 0.0]),
        ({"range": "0..255"}, [255.0, 51.0, 0.0]),
        ({"channels": "bgr"}, [0.0, 0.2, 1.0]),
        ({"mean": (0.5, 0.1, 0.0), "std": (0.5, 0.1, 1.0)}, [1.0, 1.0, 0.0]),
        ({"mean": (0.5, 0.1, 0.0), "std": (0.5, 0.2, 1.0), "channels": "bgr"}, [0.0, 0.5, 1.0]),
        ({"mean": (55.0, 1.0, 2.0), "std": (100.0, 50.0, 1.0), "range": "0..255"},
         [2.0, 1.0, -2.0]),
    ],
)  # fmt: skip
def test_an_input_is_made_as_declared(changed, due):
    found = classifier(Means(), preprocessing=replace(PLAIN, **changed)).scene(RED)
    torch.testing.assert_close(found, torch.tensor([due, due]))


def test_the_same_model_runs_under_another_preprocessing():
    first = classifier(Means())
    other = first.with_preprocessing(replace(PLAIN, range="0..255"))
    torch.testing.assert_close(other.scene(RED), 255 * first.scene(RED))
    assert other.facts.preprocessing.range == "0..255"
    assert first.facts.preprocessing.range == "0..1"


def test_probabilities_become_logarithms_and_none_is_minus_infinity():
    found = classifier(Constant(0.25, 0.75, 0.0), output="probabilities").scene(RED)
    torch.testing.assert_close(found.exp(), torch.tensor([[0.25, 0.75, 0.0]] * 2))
    assert found.isfinite().all()


NAN, INF = torch.nan, torch.inf


@pytest.mark.parametrize(
    ("output", "numbers", "found"),
    [
        ("logits", (1.0, NAN, 0.0), "NaN among the outputs"),
        ("logits", (1.0, INF, 0.0), "infinity among the outputs"),
        ("probabilities", (0.5, NAN, 0.5), "NaN among the outputs"),
        ("probabilities", (1.5, -0.5, 0.0), "numbers from -0.5 to 1.5"),
        ("probabilities", (0.5, 0.9, 0.0), "numbers that sum to 1.4"),
    ],
)
def test_what_is_no_answer_is_said_with_the_pictures_name(output, numbers, found):
    with pytest.raises(ClassifierError) as caught:
        names = [("12_7.png", "object/zoom/scale=2"), ("3_1.png", "remedy tiles")]
        classifier(Constant(*numbers), output=output).scene(RED, names)
    error = own.one_line(caught, "net.pth")
    assert error.found.startswith(f"{found} for object/zoom/scale=2 of 12_7.png")
    with pytest.raises(ClassifierError) as caught:
        classifier(Constant(*numbers), output=output).read_out(RED, torch.zeros(0, 5))
    assert own.one_line(caught, "net.pth").found.startswith(found)


class SecondIsNan(nn.Module):
    def forward(self, inputs):
        outputs = inputs.mean(dim=(2, 3))
        outputs[1, 2] = NAN
        return outputs


def test_the_first_picture_without_an_answer_is_named():
    names = [("a.png", "scene/orig_full/default"), ("b.png", "scene/orig_full/default")]
    with pytest.raises(ClassifierError, match=r"for scene/orig_full/default of b\.png; expected"):
        classifier(SecondIsNan()).scene(RED, names)


@pytest.fixture
def module():
    return own.trained(own.Small)


def sighted(module, output="logits", constant=0.0):
    """Look at the maps of the second convolution, whose mean the last layer reads."""
    opened = frozen(module)
    linear = (module.last.weight.detach(), module.last.bias.detach() + constant)
    model = TorchModel(opened, Sight("second", linear=linear))
    return OwnClassifier(facts(output, classes=5), model)


class Unbounded(own.Small):
    """Its maps are those of a submodule."""

    def maps(self, inputs):
        return self.second(nn.functional.relu(self.norm(self.first(inputs))))


class UnboundedProbable(Unbounded):
    def forward(self, inputs):
        return super().forward(inputs).softmax(dim=1)


def test_cells_of_maps_add_up_to_the_logits_whatever_their_constant():
    shown = own.pictures()
    regions = tensor_regions(np.array([[3.0, 5, 9, 14]] * 4), np.arange(4))
    plain = sighted(own.trained(Unbounded)).read_out(shown, regions)
    probable = sighted(own.trained(UnboundedProbable), "probabilities").read_out(shown, regions)
    shifted = sighted(own.trained(Unbounded), constant=3.0).read_out(shown, regions)
    for name in ("scene", "box", LAST):
        torch.testing.assert_close(probable[name], plain[name], rtol=1e-4, atol=1e-5)
    for name in ("scene", "box"):
        torch.testing.assert_close(shifted[name], plain[name] + 3)


def test_numbers_of_the_linear_layer_are_numpys(module):
    opened = sighted(own.trained(Unbounded))
    weight, bias = opened.linear
    assert (weight.shape, bias.shape) == ((5, 16), (5,))
    assert weight.dtype == bias.dtype == np.float32
    assert classifier(module).linear is None


def test_nothing_moves_and_nothing_can_be_trained(module):
    module.train()
    state = {key: value.clone() for key, value in module.state_dict().items()}
    opened = OwnClassifier(facts(classes=5), TorchModel(frozen(module)))
    for _ in range(3):
        opened.scene(own.pictures())
    assert not module.training
    assert not any(part.requires_grad for part in module.parameters())
    assert all(torch.equal(value, state[key]) for key, value in module.state_dict().items())


def test_threads_that_run_batches_get_the_same_numbers(module, cpu, monkeypatch):
    opened = sighted(own.trained(Unbounded))
    shown = own.pictures(48)
    places = [slice(start, start + opened.batch_size) for start in range(0, 48, 8)]

    def run(place):
        torch.set_num_threads(1)
        with torch.inference_mode():
            return opened.read_out(shown[place], torch.zeros(0, 5))

    found = []
    for count in ("1", "8"):
        monkeypatch.setenv("SMALLSIGHT_WORKERS", count)
        found.append(map_here(run, places, description="own"))
    for one, other in zip(*found, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_an_empty_batch_has_no_answers(module):
    opened = sighted(own.trained(Unbounded))
    assert opened.scene(own.pictures(0)).shape == (0, 5)


def test_pytorch_grad_cam_takes_what_is_explained(tmp_path):
    torch.save(own.trained(own.Flat).state_dict(), tmp_path / "w.pth")
    named = own.names_file(tmp_path)
    chosen = own.settings("state_dict", file=tmp_path / "w.pth", architecture="code:Flat", **named)
    _, opened = own.collected(chosen, tmp_path)
    network, layer, layout = opened.explained
    shown = own.pictures(3)
    with GradCAM(network, [layer], reshape_transform=layout) as cam:
        # Something has to start the graph: all weights are frozen.
        layer.register_forward_hook(lambda *given: given[2].detach().requires_grad_(), prepend=True)
        found = cam(shown, [lambda logits: logits[2]] * 3)
    assert len(found) == 3
    assert found.max() > 0
    torch.testing.assert_close(network(shown), opened.scene(shown))
    assert not network.train().network.training
