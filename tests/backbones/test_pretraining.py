import numpy as np
import pytest
import torch

from smallsight import params, phantom
from smallsight.backbones import pretraining
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.resnet import trunk
from smallsight.backbones.weights import read_weights, write_weights
from smallsight.phantom import portrait_set
from smallsight.phantom.portrait_set import draw_portraits
from smallsight.runtime.randomness import derive

SETTINGS = params.Pretraining(
    pictures=14, picture_size=32, epochs=1, batch_size=6, learning_rate=0.002
)


@pytest.fixture(scope="module")
def drawn():
    """Fourteen portraits drawn by this process alone, in one piece."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALLSIGHT_WORKERS", "1")
        return draw_portraits(14, size=32, seed=1)


def test_portraits_show_the_categories_in_turn(drawn, monkeypatch):
    pictures, labels = drawn
    assert (pictures.shape, pictures.dtype) == ((14, 32, 32, 3), np.uint8)
    names, streets = phantom.CATEGORIES, phantom.STREET_NAMES
    assert [names[label] for label in labels[:, 0]] == [names[n % len(names)] for n in range(14)]
    assert [streets[label] for label in labels[:, 1]] == [streets[n // 6] for n in range(14)]
    for number in (0, 7, 13):
        shown = names[number % len(names)], streets[number // len(names)]
        due = phantom.portrait(*shown, derive(1, "portrait", number), size=32)
        assert (pictures[number] == due).all()
    assert len({picture.tobytes() for picture in pictures}) == 14


def test_portraits_do_not_depend_on_the_workers(drawn, monkeypatch):
    monkeypatch.setattr(portrait_set, "CHUNK", 4)
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "2")
    pictures, labels = draw_portraits(14, size=32, seed=1)
    assert (pictures == drawn[0]).all()
    assert (labels == drawn[1]).all()


def test_more_portraits_begin_with_the_same_ones(drawn, monkeypatch):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "1")
    fewer, _ = draw_portraits(3, size=32, seed=1)
    other, _ = draw_portraits(3, size=32, seed=2)
    assert (fewer == drawn[0][:3]).all()
    assert (other != fewer).any()


@pytest.fixture(scope="module")
def trained(drawn, cpu):
    """Weights of two equal runs and of one with another seed, and torch's state before and after.

    The pictures are those drawn above: drawing is tested there.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretraining, "portraits", lambda *_, **__: drawn)
        torch.manual_seed(1234)
        before = torch.random.get_rng_state()
        first = pretraining.pretrain(SETTINGS, seed=1, device=cpu)
        after = torch.random.get_rng_state()
        torch.manual_seed(99)
        again = pretraining.pretrain(SETTINGS, seed=1, device=cpu)
        other = pretraining.pretrain(SETTINGS, seed=2, device=cpu)
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
        start = trunk().state_dict()
    moved = [name for name, value in start.items() if not torch.equal(first.state[name], value)]
    assert len(moved) > 0.9 * len(start)
    assert all(value.isfinite().all() for value in first.state.values())
    assert first.state["bn1.num_batches_tracked"] == 2


def test_weights_can_be_read_back_as_a_backbone(trained, tmp_path):
    write_weights(trained[0], tmp_path / "w.pth")
    back = read_weights(tmp_path / "w.pth")
    assert (back.mean, back.std) == (trained[0].mean, trained[0].std)
    state = Backbone(back).trunk.state_dict()
    assert state.keys() == trained[0].state.keys()
    assert all(torch.equal(state[name], value) for name, value in trained[0].state.items())


@pytest.mark.parametrize(("pictures", "epochs"), [(2, 1), (5, 3)])
def test_as_few_pictures_as_the_parameters_allow_will_do(drawn, cpu, monkeypatch, pictures, epochs):
    few = tuple(part[:pictures] for part in drawn)
    monkeypatch.setattr(pretraining, "portraits", lambda *_, **__: few)
    settings = SETTINGS.model_copy(update={"pictures": pictures, "epochs": epochs, "batch_size": 2})
    weights = pretraining.pretrain(settings, seed=0, device=cpu)
    assert all(value.isfinite().all() for value in weights.state.values())
