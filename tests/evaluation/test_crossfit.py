import numpy as np
import pytest
import torch

from builders.evaluations import CATEGORIES, DIMENSIONS, FOLDS, HEADS, REPEATS, SETTINGS
from smallsight import params
from smallsight.evaluation.crossfit import (
    fit_heads,
    heads_for_regime,
    out_of_fold,
    out_of_fold_logits,
    training_data,
)
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.splitting import cross_validation, single_split
from smallsight.runtime.errors import SampleError


def test_a_head_saw_nothing_of_its_own_fold(folds, sample, seen, features_of):
    before = fit_heads(folds, seen, settings=HEADS)
    assert len(before) == REPEATS * FOLDS
    for repeat, fold in ((0, 0), (1, 3), (2, 4)):
        held_out = folds.fold_of[repeat] == fold
        images = set(sample["image_id"][held_out])
        assert (sample["image_id"].isin(images) == held_out).all()
        plain = seen.plain.copy()
        plain[held_out] += 50
        after = fit_heads(folds, features_of(sample, plain), settings=HEADS)
        same = (after.weight == before.weight).all(axis=(1, 2))
        assert same[repeat * FOLDS + fold]
        # All other heads of that seed learn from these instances.
        others = [repeat * FOLDS + other for other in range(FOLDS) if other != fold]
        assert not same[others].any()


def test_what_only_the_image_tells_cannot_be_predicted(population, features_of):
    sample = population(images=60, seed=3)
    image = np.unique(sample["image_id"], return_inverse=True)[1]
    rng = np.random.default_rng(0)
    # Label and features belong to the image, and have nothing to do with each other.
    sample["category_name"] = np.array(CATEGORIES)[rng.integers(0, 6, 60)][image]
    plain = np.eye(60, dtype=np.float32)[image]
    once = SETTINGS.model_copy(update={"repeats": 1})
    folds = cross_validation(sample, CATEGORIES, settings=once, seed=0)
    settings = params.Heads(readout="scene", epochs=15, batch_size=16, learning_rate=0.1)
    seen = features_of(sample, plain)
    fitted = fit_heads(folds, seen, settings=settings)
    inside = fitted.logits(plain)[0].argmax(axis=1) == folds.labels
    outside = out_of_fold(folds, fitted, seen)[0].argmax(axis=1) == folds.labels
    assert inside[folds.fold_of[0] != 0].mean() > 0.95
    assert outside.mean() < 0.4


def test_heads_of_two_conditions_start_alike(folds, sample, seen, features_of):
    one = fit_heads(folds, seen, settings=HEADS)
    other = fit_heads(folds, features_of(sample, seen.plain.copy()), settings=HEADS)
    assert (one.weight == other.weight).all()


def test_a_regime_has_the_heads_that_it_says(folds, seen):
    untouched = fit_heads(folds, seen, settings=HEADS)
    twice = HEADS.model_copy(update={"epochs": 4})
    fixed, own = (
        heads_for_regime(folds, regime, untouched, seen, settings=twice)
        for regime in ("fixed", "retrained")
    )
    assert fixed is untouched
    assert (own.weight != untouched.weight).any()


def test_heads_of_some_instances_learn_from_those_of_the_other_folds_alone(
    folds, sample, seen, features_of
):
    """Where a fold's heads have nothing to learn from, they stay as they started."""
    some = folds.fold_of[0] == 2
    chosen = sample[some].reset_index(drop=True)
    suited = folds.of_instances(chosen["image_id"].to_numpy(), chosen["ann_id"].to_numpy())
    few = features_of(chosen, seen.plain[some])
    fitted = fit_heads(suited, few, settings=HEADS)
    assert len(fitted) == REPEATS * FOLDS
    assert np.isfinite(fitted.weight).all()
    probabilities = out_of_fold(suited, fitted, few)
    assert probabilities.shape == (REPEATS, some.sum(), len(CATEGORIES))
    assert np.isfinite(probabilities).all()


def test_a_head_learns_from_what_is_chosen_of_the_other_folds(folds, sample, seen, features_of):
    rng = np.random.default_rng(0)
    chosen = rng.random((REPEATS, FOLDS, len(sample))) < 0.5
    counts = rng.uniform(1, 2, len(sample))
    before = fit_heads(folds, seen, settings=HEADS, chosen=chosen, importance=counts)
    learns = (chosen & training_data(folds)).reshape(len(before), -1)
    for index in range(0, len(sample), 7):
        plain = seen.plain.copy()
        plain[index] += 1
        moved = features_of(sample, plain)
        after = fit_heads(folds, moved, settings=HEADS, chosen=chosen, importance=counts)
        assert ((after.weight != before.weight).any(axis=(1, 2)) == learns[:, index]).all()
    evenly = fit_heads(folds, seen, settings=HEADS, chosen=chosen)
    assert (evenly.weight != before.weight).any(axis=(1, 2)).all()


def test_all_chosen_is_none_chosen(folds, sample, seen):
    every = np.ones((REPEATS, FOLDS, len(sample)), bool)
    one, other = (fit_heads(folds, seen, settings=HEADS, chosen=chosen) for chosen in (None, every))
    assert (one.weight == other.weight).all()
    assert (one.bias == other.bias).all()


def test_training_data_are_those_of_the_other_folds(folds, sample):
    in_cross_validation = training_data(folds)
    assert in_cross_validation.shape == (REPEATS, FOLDS, len(sample))
    assert (in_cross_validation.sum(axis=1) == FOLDS - 1).all()
    single = single_split(sample, CATEGORIES, settings=SETTINGS, seed=4)
    assert (training_data(single)[0, 0] == ~single.reference_test).all()


def test_heads_learn_from_other_pictures_of_the_other_folds_too(folds, sample, seen, features_of):
    rng = np.random.default_rng(1)
    other = rng.standard_normal(seen.plain.shape).astype(np.float32)
    counts = rng.uniform(1, 2, len(sample))

    def fit(plain):
        also = [features_of(sample, plain)]
        return fit_heads(folds, seen, settings=HEADS, also=also, importance=counts)

    before = fit(other)
    held_out = folds.fold_of[0] == 2
    moved = other.copy()
    moved[held_out] += 1
    same = (fit(moved).weight == before.weight).all(axis=(1, 2))[:FOLDS]
    assert same.tolist() == [fold == 2 for fold in range(FOLDS)]


def test_logits_are_those_of_the_head_of_the_own_fold(folds, sample, seen):
    """Heads that name the number of their seed and fold."""
    numbers = np.arange(REPEATS * FOLDS, dtype=np.float32)
    weight = np.zeros((len(numbers), len(CATEGORIES), DIMENSIONS), np.float32)
    bias = np.tile(numbers[:, None], len(CATEGORIES))
    logits = out_of_fold_logits(folds, LinearHeads(weight, bias), seen.plain)
    assert logits.shape == (REPEATS, len(sample), len(CATEGORIES))
    due = FOLDS * np.arange(REPEATS)[:, None] + folds.fold_of
    assert (logits == due[:, :, None]).all()


@pytest.mark.parametrize("divide", [cross_validation, single_split])
def test_probabilities_are_the_softmax_of_the_logits_of_test_data(sample, seen, divide):
    splits = divide(sample, CATEGORIES, settings=SETTINGS, seed=4)
    fitted = fit_heads(splits, seen, settings=HEADS)
    logits = out_of_fold_logits(splits, fitted, seen.plain)
    is_test = splits.fold_of >= 0
    assert (np.isnan(logits).all(axis=2) == ~is_test).all()
    assert (np.isnan(logits).any(axis=2) == ~is_test).all()
    due = torch.from_numpy(logits).softmax(dim=2).numpy()
    np.testing.assert_allclose(out_of_fold(splits, fitted, seen), due, atol=1e-6)


def test_features_of_other_instances_are_refused(folds, sample, seen, features_of):
    some = features_of(sample[1:], seen.plain[1:])
    with pytest.raises(SampleError, match="the same instances"):
        fit_heads(folds, some, settings=HEADS)
    with pytest.raises(SampleError, match="the same instances"):
        fit_heads(folds, seen, settings=HEADS, also=[some])
