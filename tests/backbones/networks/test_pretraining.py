import pytest
import torch

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.networks import pretraining
from smallsight.backbones.networks.makers import make_trunk
from smallsight.backbones.networks.weights import read_weights, write_weights
from smallsight.backbones.registry import find_backbone
from smallsight.phantom.portrait_set import draw_portraits

SETTINGS = params.Pretraining(
    pictures=14, picture_size=32, epochs=1, batch_size=6, learning_rate=0.002
)
RESNET18 = find_backbone("resnet18")
PREPROCESSING = RESNET18.weights["phantom"].preprocessing


def pretrain(settings, **options):
    return pretraining.pretrain(RESNET18, PREPROCESSING, settings, **options)


@pytest.fixture(scope="module")
def drawn():
    """Fourteen portraits drawn by this process alone, in one piece."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALLSIGHT_WORKERS", "1")
        return draw_portraits(14, size=32, seed=1)


@pytest.fixture(scope="module")
def trained(drawn, cpu):
    """Weights of two equal runs and of one with another seed, and torch's state before and after.

    The pictures are those drawn above.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretraining, "draw_portraits", lambda *_, **__: drawn)
        torch.manual_seed(1234)
        before = torch.random.get_rng_state()
        first = pretrain(SETTINGS, seed=1, device=cpu)
        after = torch.random.get_rng_state()
        torch.manual_seed(99)
        again = pretrain(SETTINGS, seed=1, device=cpu)
        other = pretrain(SETTINGS, seed=2, device=cpu)
    return first, again, other, before, after


def test_equal_seeds_give_equal_weights(trained):
    first, again, other, *_ = trained
    assert all(torch.equal(first.state[name], value) for name, value in again.state.items())
    assert not torch.equal(first.state["conv1.weight"], other.state["conv1.weight"])


def test_torchs_own_random_state_is_left_alone(trained):
    *_, before, after = trained
    assert torch.equal(before, after)


def test_training_moves_weights_and_statistics(trained):
    first = trained[0]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        start = make_trunk(RESNET18).state_dict()
    moved = [name for name, value in start.items() if not torch.equal(first.state[name], value)]
    assert len(moved) > 0.9 * len(start)
    assert all(value.isfinite().all() for value in first.state.values())
    assert not [name for name in first.state if name.startswith("fc.")]
    assert first.state["bn1.num_batches_tracked"] == 2


def test_weights_can_be_read_back_as_a_backbone(trained, tmp_path):
    write_weights(trained[0], tmp_path / "w.pth")
    back = read_weights(tmp_path / "w.pth")
    assert (back.mean, back.std) == (trained[0].mean, trained[0].std)
    assert (back.mean, back.std) == (PREPROCESSING.mean, PREPROCESSING.std)
    state = Backbone(back).trunk.state_dict()
    assert state.keys() == trained[0].state.keys()
    assert all(torch.equal(state[name], value) for name, value in trained[0].state.items())


@pytest.mark.parametrize(("pictures", "epochs"), [(2, 1), (5, 3)])
def test_as_few_pictures_as_the_parameters_allow_will_do(drawn, cpu, monkeypatch, pictures, epochs):
    few = tuple(part[:pictures] for part in drawn)
    monkeypatch.setattr(pretraining, "draw_portraits", lambda *_, **__: few)
    settings = SETTINGS.model_copy(update={"pictures": pictures, "epochs": epochs, "batch_size": 2})
    weights = pretrain(settings, seed=0, device=cpu)
    assert all(value.isfinite().all() for value in weights.state.values())
