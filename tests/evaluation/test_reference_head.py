import numpy as np
import pytest
import torch
from torch.nn import functional
from torchvision.models import resnet18

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.networks.weight_sources import load_weights
from smallsight.backbones.tensor_pooling import mean_over_cells
from smallsight.evaluation import heads
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.reference_head import reference_head, write_checkpoint
from smallsight.evaluation.tables import TRAINING_CURVE

CLASSES = ["person", "car", "truck", "bus", "bicycle", "motorcycle"]
SETTINGS = params.Heads(readout="scene", epochs=4, batch_size=8, learning_rate=0.01)
ABOUT = {
    "condition": "orig_full", "seed": 3, "device": "cpu", "readout": "scene", "task": "scene",
}  # fmt: skip


@pytest.fixture(scope="module")
def seen(population, features_of):
    rng = np.random.default_rng(0)
    sample = population(images=15)
    plain, mirrored = rng.standard_normal((2, len(sample), 10)).astype(np.float32)
    return features_of(sample, plain, mirrored)


@pytest.fixture(scope="module")
def labels(seen):
    return np.random.default_rng(1).integers(0, 3, len(seen.row))


@pytest.fixture(scope="module")
def test(seen):
    return np.random.default_rng(2).random(len(seen.row)) < 0.3


def train(seen, labels, test):
    return reference_head(
        seen, labels, test, np.random.default_rng(5),
        classes=3, settings=SETTINGS,
    )  # fmt: skip


def test_reference_head_is_the_head_that_fits_the_other_side(seen, labels, test, cpu):
    head, _ = train(seen, labels, test)
    due = heads.fit(
        seen.plain, seen.mirrored, labels, ~test[None], [np.random.default_rng(5)],
        classes=3, settings=SETTINGS,
    )  # fmt: skip
    assert len(head) == 1
    assert (head.weight == due.weight).all()
    assert (head.bias == due.bias).all()


def test_test_data_moves_the_curve_and_not_the_head(seen, labels, test):
    head, curve = train(seen, labels, test)
    other, bent = train(seen, np.where(test, (labels + 1) % 3, labels), test)
    assert (head.weight == other.weight).all()
    assert (curve["train_loss"] == bent["train_loss"]).all()
    assert (curve["test_loss"] != bent["test_loss"]).all()


def test_curve_is_loss_and_accuracy_after_each_epoch(seen, labels, test):
    head, curve = train(seen, labels, test)
    columns = ["epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy"]
    assert list(curve.columns) == columns == TRAINING_CURVE.names
    assert list(curve["epoch"]) == [1, 2, 3, 4]
    logits = torch.from_numpy(seen.plain @ head.weight[0].T + head.bias[0])
    last = curve.iloc[-1]
    for side, name in ((~test, "train"), (test, "test")):
        part, wanted = logits[side], torch.from_numpy(labels[side])
        loss = functional.cross_entropy(part, wanted).item()
        assert last[f"{name}_loss"] == pytest.approx(loss, rel=1e-4)
        right = (part.argmax(dim=1) == wanted).double().mean().item()
        assert last[f"{name}_accuracy"] == pytest.approx(right)
    assert curve["train_loss"].is_monotonic_decreasing


@pytest.fixture(scope="module")
def head():
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((1, 6, 512)).astype(np.float32)
    return LinearHeads(weight, rng.standard_normal((1, 6)).astype(np.float32))


@pytest.fixture(scope="module")
def checkpoint(weights, head, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "new/checkpoint.pth"
    write_checkpoint(path, weights, head, last_layer="fc", classes=CLASSES, about=ABOUT)
    return path


def test_checkpoint_holds_what_the_contract_says(checkpoint, weights):
    content = torch.load(checkpoint, weights_only=True)
    assert content["classes"] == CLASSES
    assert content["class_to_idx"] == {name: index for index, name in enumerate(CLASSES)}
    assert ABOUT.items() <= content.items()
    assert "model_state_dict" in content
    assert (tuple(content["mean"]), tuple(content["std"])) == (weights.mean, weights.std)


def test_checkpoint_is_torchvisions_resnet18(checkpoint, weights, head, noise):
    content = torch.load(checkpoint, weights_only=True)
    network = resnet18(num_classes=6)
    network.load_state_dict(content["model_state_dict"], strict=True)
    pictures = torch.from_numpy(np.stack([noise(64, 64, seed) for seed in range(3)]))
    inputs = pictures.permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(content[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    with torch.inference_mode():
        logits = network.eval()((inputs - mean) / std).numpy()
        plain = mean_over_cells(Backbone(weights)(pictures)).numpy()
    due = head.logits(plain)[0]
    np.testing.assert_allclose(logits, due, atol=1e-4 * np.abs(due).max())


def test_checkpoint_can_be_the_backbone_of_another_study(checkpoint, weights):
    chosen = params.Backbone(
        name="resnet18", weights="checkpoint", checkpoint=str(checkpoint), input_size=64,
        dilated=False,
    )  # fmt: skip
    back = load_weights(chosen, seed=0).weights
    assert back.state.keys() == weights.state.keys()
    assert all(torch.equal(back.state[name], value) for name, value in weights.state.items())
    assert (back.mean, back.std) == (weights.mean, weights.std)


def test_checkpoint_is_written_the_same_every_time(checkpoint, weights, head):
    first = checkpoint.read_bytes()
    write_checkpoint(checkpoint, weights, head, last_layer="fc", classes=CLASSES, about=ABOUT)
    assert checkpoint.read_bytes() == first
