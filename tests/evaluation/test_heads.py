import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from smallsight import params
from smallsight.backbones.tensor_pooling import mean_over_cells
from smallsight.evaluation import heads
from smallsight.evaluation.heads import LinearHeads

SETTINGS = params.Heads(readout="scene", epochs=3, batch_size=8, learning_rate=0.01)
CLASSES, DIMENSIONS, N = 4, 12, 50


@pytest.fixture(scope="module")
def toy():
    """Features of noisy classes, those of mirror images a little off, and the labels."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, N)
    centres = rng.standard_normal((CLASSES, DIMENSIONS))
    plain = (centres[labels] + 0.5 * rng.standard_normal((N, DIMENSIONS))).astype(np.float32)
    mirrored = (plain + 0.1 * rng.standard_normal((N, DIMENSIONS))).astype(np.float32)
    return plain, mirrored, labels


def rngs(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


def fit(toy, train, seeds, settings=SETTINGS, importance=None):
    return heads.fit(
        *toy, np.atleast_2d(train), rngs(*seeds),
        classes=CLASSES, settings=settings, importance=importance,
    )  # fmt: skip


def masks(*counts, seed=1):
    rng = np.random.default_rng(seed)
    train = np.zeros((len(counts), N), bool)
    for row, count in zip(train, counts, strict=True):
        row[rng.choice(N, count, replace=False)] = True
    return train


def test_many_heads_at_once_equal_each_alone(toy):
    train = masks(33, 40, 35, 38)  # five steps each
    together = fit(toy, train, range(4))
    assert together.weight.shape == (4, CLASSES, DIMENSIONS)
    assert together.bias.shape == (4, CLASSES)
    for number in range(4):
        alone = fit(toy, train[number], [number])
        np.testing.assert_allclose(together.weight[number], alone.weight[0], atol=1e-5)
        np.testing.assert_allclose(together.bias[number], alone.bias[0], atol=1e-5)


def test_equal_generators_and_sets_give_equal_heads_and_others_do_not(toy):
    train = masks(40)[0]
    other = masks(40, seed=2)[0]
    fitted = fit(toy, np.stack([train, train, train, other]), [3, 3, 4, 3])
    assert (fitted.weight[0] == fitted.weight[1]).all()
    assert (fitted.bias[0] == fitted.bias[1]).all()
    assert not np.allclose(fitted.weight[0], fitted.weight[2])
    assert not np.allclose(fitted.weight[0], fitted.weight[3])
    again = fit(toy, train, [3])
    assert (again.weight == fit(toy, train, [3]).weight).all()


def test_a_head_never_depends_on_instances_outside_its_set(toy):
    train = masks(20, 37, 40)
    train[:, 0] = False  # where a padded batch would point to
    before = fit(toy, train, range(3))
    rng = np.random.default_rng(9)
    for head, chosen in enumerate(train):
        plain, mirrored, labels = (part.copy() for part in toy)
        plain[~chosen] = 100 * rng.standard_normal((int((~chosen).sum()), DIMENSIONS))
        mirrored[~chosen] = 1e6
        labels[~chosen] = (labels[~chosen] + 1) % CLASSES
        after = fit((plain, mirrored, labels), train, range(3))
        assert (after.weight[head] == before.weight[head]).all()
        assert (after.bias[head] == before.bias[head]).all()


def test_a_head_depends_on_every_instance_of_its_set(toy):
    train = masks(20, 40)
    before = fit(toy, train, range(2))
    for index in np.flatnonzero(train[0]):
        plain, mirrored, labels = (part.copy() for part in toy)
        plain[index] += 1
        mirrored[index] += 1
        assert not np.array_equal(fit((plain, mirrored, labels), train, range(2)).weight[0],
                                  before.weight[0])  # fmt: skip


def test_each_epoch_shows_each_instance_once_and_half_of_them_mirrored(toy):
    # With one-hot features, one step of plain descent would write each instance's column once.
    chosen = masks(37)[0]
    rng = np.random.default_rng(0)
    mirrored = []
    for _ in range(40):
        batches = heads._plan(rng, chosen, 5)
        shown = np.concatenate([instances for instances, _ in batches])
        assert sorted(shown) == np.flatnonzero(chosen).tolist()
        assert max(len(instances) for instances, _ in batches) <= 8
        mirrored += [np.concatenate([mirrorings for _, mirrorings in batches])]
    assert set(np.concatenate(mirrored)) == {0, 1}
    assert abs(np.concatenate(mirrored).mean() - 0.5) < 0.06


def test_a_problem_that_can_be_learnt_is_learnt(toy):
    settings = params.Heads(readout="scene", epochs=40, batch_size=8, learning_rate=0.02)
    train = masks(40)[0]
    fitted = fit(toy, train, [0], settings)
    right = fitted.logits(toy[0])[0].argmax(axis=1) == toy[2]
    assert right[train].mean() >= 0.95
    assert right[~train].mean() > 0.7


def test_epochs_yield_the_head_after_each_and_fit_the_last(toy):
    train = masks(40)
    rounds = list(
        heads.epochs(*toy, train, rngs(5), classes=CLASSES, settings=SETTINGS)
    )  # fmt: skip
    assert len(rounds) == SETTINGS.epochs
    assert (rounds[-1].weight == fit(toy, train, [5]).weight).all()
    for number in range(1, SETTINGS.epochs):
        fewer = SETTINGS.model_copy(update={"epochs": number})
        assert (rounds[number - 1].weight == fit(toy, train, [5], fewer).weight).all()


def test_a_smaller_set_gets_as_many_steps_as_the_largest(toy):
    train = masks(10, 40)
    padded = fit(toy, train, [0, 1])
    # Five steps of two instead of two of five: by hand, with torch's own layer.
    settings = SETTINGS.model_copy(update={"batch_size": 2})
    alone = fit(toy, train[0], [0], settings)
    np.testing.assert_allclose(padded.weight[0], alone.weight[0], atol=1e-5)


def test_equal_importance_is_none(toy):
    train = masks(33, 40)
    plain = fit(toy, train, range(2))
    for equal in (np.ones(N), np.ones((2, N))):
        same = fit(toy, train, range(2), importance=equal)
        assert (same.weight == plain.weight).all()
        assert (same.bias == plain.bias).all()
    threefold = fit(toy, train, range(2), importance=np.full(N, 3.0))
    np.testing.assert_allclose(threefold.weight, plain.weight, atol=1e-5)


def test_an_instance_that_counts_twice_is_as_good_as_two(toy):
    """In one batch, so that the order does not matter, and without mirror images."""
    settings = SETTINGS.model_copy(update={"batch_size": 4 * N})
    plain, _, labels = toy
    times = np.random.default_rng(0).integers(1, 4, N)
    counted = fit((plain, plain, labels), np.ones(N, bool), [0], settings, importance=times)
    more, named = np.repeat(plain, times, axis=0), np.repeat(labels, times)
    repeated = fit((more, more, named), np.ones(len(more), bool), [0], settings)
    np.testing.assert_allclose(counted.weight, repeated.weight, atol=1e-5)
    np.testing.assert_allclose(counted.bias, repeated.bias, atol=1e-5)
    alike = fit((plain, plain, labels), np.ones(N, bool), [0], settings)
    assert not np.allclose(counted.weight, alike.weight, atol=1e-3)


def test_importance_is_relative_to_the_rest_of_the_batch(toy):
    """What is alone in its batch counts the same whatever its importance."""
    settings = SETTINGS.model_copy(update={"batch_size": 1})
    importance = np.random.default_rng(0).uniform(0.1, 9, N)
    train = masks(20)
    alone = fit(toy, train, [0], settings, importance=importance)
    assert (alone.weight == fit(toy, train, [0], settings).weight).all()


def test_what_counts_nothing_teaches_nothing(toy):
    train = masks(35, 40)  # five steps each
    importance = np.random.default_rng(0).integers(0, 3, (2, N)).astype(float)
    before = fit(toy, train, range(2), importance=importance)
    for head, counts in enumerate(importance):
        plain, mirrored, labels = (part.copy() for part in toy)
        plain[counts == 0] += 50
        mirrored[counts == 0] -= 50
        labels[counts == 0] = 0
        after = fit((plain, mirrored, labels), train, range(2), importance=importance)
        assert (after.weight[head] == before.weight[head]).all()
        assert (after.weight[1 - head] != before.weight[1 - head]).any()
        alone = fit(toy, train[head], [head], importance=counts)
        np.testing.assert_allclose(alone.weight[0], before.weight[head], atol=1e-5)


def test_a_head_for_which_nothing_counts_stays_as_it_started(toy):
    nothing = fit(toy, masks(40), [0], importance=np.zeros(N))
    weight, bias = heads._start(np.random.default_rng(0), CLASSES, DIMENSIONS)
    assert (nothing.weight[0] == weight).all()
    assert (nothing.bias[0] == bias).all()


def test_what_counts_nothing_keeps_its_place(toy):
    """Only the last batch's step differs where one of its instances counts nothing."""
    settings = SETTINGS.model_copy(update={"epochs": 1})
    train = masks(40)[0]
    rng = np.random.default_rng(0)
    heads._start(rng, CLASSES, DIMENSIONS)
    last = heads._plan(rng, train, 5)[-1][0][0]
    every = fit(toy, train, [0], settings)
    one_less = np.ones(N)
    one_less[last] = 0
    counted = fit(toy, train, [0], settings, importance=one_less)
    removed = fit(toy, train & (one_less > 0), [0], settings)
    assert 0 < abs(counted.weight - every.weight).max() < settings.learning_rate
    assert abs(removed.weight - every.weight).max() > settings.learning_rate


def test_fitting_leaves_global_random_states_alone(toy):
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    fit(toy, masks(30), [0])
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002


def through_the_network(backbone, pictures, labels, train, rng, classes):
    """Train a layer of torch's behind the network, picture by picture; no feature is cached."""
    layer = nn.Linear(512, classes)
    bound = 1 / np.sqrt(512)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(rng.uniform(-bound, bound, (classes, 512))))
        layer.bias.copy_(torch.from_numpy(rng.uniform(-bound, bound, classes)))
    whole = nn.Sequential(backbone, nn.AdaptiveAvgPool2d(1), nn.Flatten(), layer).train()
    optimiser = torch.optim.Adam(layer.parameters(), lr=SETTINGS.learning_rate)
    steps = int(np.ceil(train.sum() / SETTINGS.batch_size))
    for _ in range(SETTINGS.epochs):
        order = rng.permutation(np.flatnonzero(train))
        mirrored = rng.integers(0, 2, len(order))
        for batch, mirrorings in zip(
            np.array_split(order, steps), np.array_split(mirrored, steps), strict=True
        ):
            shown = pictures[batch]
            shown[mirrorings == 1] = shown[mirrorings == 1][:, :, ::-1]
            logits = whole(torch.from_numpy(shown))
            optimiser.zero_grad()
            functional.cross_entropy(logits, torch.from_numpy(labels[batch])).backward()
            optimiser.step()
    with torch.no_grad():
        return layer, whole(torch.from_numpy(pictures)).numpy()


def test_training_on_cached_features_equals_training_through_the_network(backbone, cpu):
    rng = np.random.default_rng(0)
    n = 22
    labels = rng.integers(0, 3, n)
    # Noise of one colour per class, lighter on one side, so that mirroring matters.
    pictures = np.zeros((n, 64, 64, 3), np.uint8)
    pictures[np.arange(n), :, :, labels] = rng.integers(100, 220, (n, 64, 64), np.uint8)
    pictures[:, :, :20] += 30
    train = np.ones(n, bool)
    train[[3, 8, 15, 20]] = False
    with torch.inference_mode():
        plain, mirrored = (
            mean_over_cells(backbone(torch.from_numpy(part.copy()))).numpy()
            for part in (pictures, pictures[:, :, ::-1])
        )
    cached = heads.fit(plain, mirrored, labels, train[None], rngs(7), classes=3, settings=SETTINGS)
    layer, logits = through_the_network(
        backbone, pictures, labels, train, np.random.default_rng(7), 3
    )
    assert (cached.logits(plain)[0].argmax(axis=1) == logits.argmax(axis=1)).all()
    assert len(set(logits.argmax(axis=1))) > 1
    scale = layer.weight.abs().max().item()
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    np.testing.assert_allclose(cached.weight[0], weight, atol=1e-3 * scale)
    np.testing.assert_allclose(cached.bias[0], bias, atol=1e-3 * scale)
    np.testing.assert_allclose(cached.logits(plain)[0], logits, atol=1e-2 * np.abs(logits).max())


def test_probabilities_are_the_softmax_of_the_logits():
    rng = np.random.default_rng(0)
    fitted = LinearHeads(
        rng.standard_normal((3, CLASSES, DIMENSIONS)).astype(np.float32),
        rng.standard_normal((3, CLASSES)).astype(np.float32),
    )
    seen = 30 * rng.standard_normal((7, DIMENSIONS)).astype(np.float32)
    logits, shares = fitted.logits(seen), fitted.probabilities(seen)
    assert logits.shape == shares.shape == (3, 7, CLASSES)
    for head in range(3):
        due = seen @ fitted.weight[head].T + fitted.bias[head]
        np.testing.assert_allclose(logits[head], due, rtol=1e-4, atol=1e-4)
    powers = np.exp(logits.astype(float) - logits.max(axis=-1, keepdims=True))
    np.testing.assert_allclose(shares, powers / powers.sum(-1, keepdims=True), atol=1e-5)
    assert np.isfinite(shares).all()
    np.testing.assert_allclose(shares.sum(axis=-1), 1, atol=1e-5)


def test_written_heads_come_back(toy, tmp_path):
    fitted = fit(toy, masks(30, 40), [0, 1])
    heads.write(fitted, tmp_path / "h.npz")
    heads.write(fitted, tmp_path / "again.npz")
    back = heads.read(tmp_path / "h.npz")
    assert len(back) == 2
    assert (back.weight == fitted.weight).all()
    assert (back.bias == fitted.bias).all()
    assert (tmp_path / "h.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()
