import pytest
import torch
from torch import nn

from smallsight.backbones.networks.network import (
    Capture,
    channels_first,
    channels_last,
    tokens,
    vision_transformer,
)

MAPS = torch.arange(2 * 3 * 4 * 4.0).view(2, 3, 4, 4)
"""(n, channels, rows, columns)."""


def test_layouts_bring_back_what_was_laid_out_otherwise():
    assert channels_first(MAPS) is MAPS
    assert torch.equal(channels_last(MAPS.movedim(1, -1)), MAPS)


@pytest.mark.parametrize("others", [0, 1, 5])
def test_tokens_come_row_by_row_after_those_of_no_place(others):
    listed = torch.stack([MAPS[:, :, row, column] for row in range(4) for column in range(4)], 1)
    output = torch.cat([torch.full((2, others, 3), -1.0), listed], dim=1)
    assert torch.equal(tokens(output, others=others), MAPS)
    assert torch.equal(vision_transformer(others)(output), MAPS)


def test_tokens_that_fill_no_square_are_refused():
    with pytest.raises(RuntimeError):
        tokens(torch.zeros(1, 12, 3), others=1)


@pytest.fixture
def network():
    return nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Sequential(nn.Tanh()))


def test_what_submodules_return_is_kept_inside_the_context_alone(network):
    capture = Capture(network, ["0", "2.0"])
    inputs = torch.tensor([[1.0, -2.0]])
    network(inputs)
    with capture.filled() as found:
        assert found == {}
        output = network(inputs)
        assert found.keys() == {"0", "2.0"}
        assert torch.equal(found["0"], network[0](inputs))
        assert found["2.0"] is output
    network(2 * inputs)
    assert found["2.0"] is output
    with capture.filled() as again:
        assert again == {}


def test_nothing_is_kept_after_a_run_that_failed(network):
    capture = Capture(network, ["0"])
    with pytest.raises(RuntimeError), capture.filled() as found:
        network(torch.zeros(1, 3))
    network(torch.zeros(1, 2))
    assert found == {}


def test_a_submodule_that_is_none_is_named(network):
    with pytest.raises(AttributeError, match="7"):
        Capture(network, ["7"])
