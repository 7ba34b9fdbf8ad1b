import numpy as np
import pytest
import torch
from torch import nn

from builders import own_classifiers as own
from smallsight.classifiers.anatomy import Shape, coarsening, do_agree, look_for, seeing
from smallsight.classifiers.torch_model import frozen
from smallsight.runtime.errors import ParameterError

INPUTS = own.inputs_of(own.pictures())


def convolution(channels=8, classes=5, *between):
    return nn.Sequential(
        nn.Conv2d(3, channels, 4, stride=4), *between, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(channels, classes),
    )  # fmt: skip


def made(module):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return frozen(module())


def logits_of(outputs):
    return outputs


def found(module, asked="last", inputs=INPUTS):
    return look_for(made(module), asked, inputs, logits_of)


class Shared(nn.Module):
    """One submodule runs twice, at two sizes."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 6, 2, stride=2), nn.Conv2d(6, 6, 2, stride=2)
        self.relu, self.last = nn.ReLU(inplace=True), nn.Linear(6, 5)

    def forward(self, inputs):
        maps = self.relu(self.second(self.relu(self.first(inputs))))
        return self.last(maps.mean(dim=(2, 3)))


class Attending(nn.Module):
    """Tokens that attend to tokens, as matrices of as many rows as columns."""

    def __init__(self):
        super().__init__()
        self.body, self.last = nn.Conv2d(3, 6, 4, stride=4), nn.Linear(6, 5)

    def forward(self, inputs):
        tokens = self.body(inputs).flatten(2).transpose(1, 2)[:, None]
        weights = (tokens @ tokens.transpose(2, 3)).softmax(dim=-1)
        return self.last((weights @ tokens).mean(dim=2).flatten(1))


class Overwriting(nn.Module):
    """A function writes over what the last submodule returned, and another looks at cells."""

    def __init__(self):
        super().__init__()
        self.body, self.last = nn.Conv2d(3, 6, 4, stride=4), nn.Linear(6 * 64, 5)

    def forward(self, inputs):
        maps = self.body(inputs)
        return self.last(nn.functional.relu(maps, inplace=True).flatten(1))


@pytest.mark.parametrize(
    ("module", "maps", "layer", "cells"),
    [
        (convolution, "closed_form", "0", 8),
        (lambda: convolution(8, 5, nn.ReLU(), nn.MaxPool2d(2)), "closed_form", "2", 4),
        (lambda: convolution(8, 5, nn.Sequential(nn.BatchNorm2d(8), nn.SiLU())),
         "closed_form", "1", 8),
        (lambda: nn.Sequential(convolution(), nn.LogSoftmax(dim=1)), "closed_form", "0.0", 8),
        (lambda: nn.Sequential(convolution(), nn.Softplus()), "gradient", "0.0", 8),
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 4, stride=4), nn.AdaptiveAvgPool2d(1),
                               nn.Conv2d(8, 5, 1), nn.Flatten()), "closed_form", "0", 8),
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 4, stride=4), nn.AdaptiveMaxPool2d(1),
                               nn.Flatten(), nn.Linear(8, 5)), "gradient", "0", 8),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(3072, 5)), "none", "", 0),
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 32), nn.Flatten(), nn.Linear(8, 5)), "none", "", 0),
        (Shared, "closed_form", "relu_1", 8),
        (Attending, "gradient", "body", 8),
        (Overwriting, "gradient", "relu", 8),
    ],
)  # fmt: skip
def test_the_last_layer_with_maps_is_found(module, maps, layer, cells):
    sighting = found(module)
    assert (sighting.maps, sighting.layer, sighting.cells) == (maps, layer, cells)
    assert (sighting.no_maps == "") == (maps == "closed_form")


@pytest.mark.parametrize("module", [convolution, Shared, lambda: own.ByClass()])
def test_a_closed_form_is_the_answer_itself(module):
    opened = made(module)
    sighting = look_for(opened, "last", INPUTS, logits_of)
    model = seeing(opened, sighting.maps, sighting.layer, INPUTS[:1])
    outputs, maps = model(INPUTS)
    weight, bias = model.linear
    torch.testing.assert_close(maps.mean(dim=(2, 3)) @ weight.T + bias, outputs)


def test_a_hidden_layer_is_no_linear_one_of_the_mean():
    sighting = found(lambda: nn.Sequential(convolution(8, 5), nn.ReLU(), nn.Linear(5, 5)))
    assert (sighting.maps, sighting.layer) == ("gradient", "0.0")
    assert sighting.no_maps == "the outputs are no linear layer of the mean of 0.0's maps"


def dead():
    module = convolution()
    module[-1].weight.data.zero_()
    return module


def test_answers_that_are_all_the_same_verify_nothing():
    sighting = found(dead)
    assert (sighting.maps, sighting.layer) == ("none", "")
    assert sighting.no_maps == "no gradients reach 0"
    same = INPUTS[:1].expand(4, -1, -1, -1)
    sighting = found(convolution, inputs=same)
    assert sighting.maps == "gradient"
    assert sighting.no_maps == (
        "test pictures get the same answers, so that nothing can be said of its maps"
    )


def test_a_layer_that_is_asked_for_is_looked_at():
    def module():
        return convolution(8, 5, nn.ReLU(), nn.MaxPool2d(2))

    assert found(module, "2")[:3] == ("closed_form", "2", 4)
    assert found(module, "0")[:3] == ("gradient", "0", 8)
    assert found(lambda: own.trained(own.Flat), "relu")[:3] == ("gradient", "relu", 16)
    # A submodule that runs twice is two layers, as the graph has them.
    assert found(Shared, "relu")[:3] == ("gradient", "relu", 16)
    assert found(Shared, "relu_1")[:3] == ("closed_form", "relu_1", 8)


@pytest.mark.parametrize(
    ("module", "asked", "expected"),
    [
        (convolution, "layer4", "last or a layer that returns maps, such as 0"),
        (convolution, "3", "last or a layer that returns maps, such as 0"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(3072, 5)), "0",
         "last or a layer that returns maps"),
        (dead, "0", "last, or another layer"),
    ],
)  # fmt: skip
def test_a_layer_that_cannot_be_looked_at_is_one_line(module, asked, expected):
    with pytest.raises(ParameterError) as caught:
        found(module, asked)
    error = own.one_line(caught, "params.explain.layer")
    assert error.found.startswith(repr(asked))
    assert error.expected == expected


def test_hooks_of_the_search_are_gone_after_it():
    opened = made(lambda: nn.Sequential(convolution(), nn.Softplus()))
    look_for(opened, "last", INPUTS, logits_of)
    outputs = opened.module(INPUTS)
    assert not outputs.requires_grad


def test_maps_that_are_finer_again_are_no_places():
    shapes = {"a": Shape(8, 16), "b": Shape(8, 8), "attention": Shape(2, 64), "c": Shape(4, 8)}
    assert list(coarsening(shapes)) == ["a", "b", "c"]


def test_logits_agree_but_for_a_constant_and_rounding():
    rng = np.random.default_rng(0)
    logits = torch.from_numpy(rng.standard_normal((4, 6)).astype(np.float32))
    assert do_agree(logits + torch.arange(4.0)[:, None], logits)
    assert do_agree(logits * (1 + 1e-6), logits)
    assert not do_agree(logits * 1.01, logits)
    assert not do_agree(logits[:, [1, 0, 2, 3, 4, 5]], logits)
