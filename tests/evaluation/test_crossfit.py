import numpy as np
import pytest

from builders.evaluations import CATEGORIES, CPU, FOLDS, HEADS, REPEATS, SETTINGS
from smallsight import params
from smallsight.evaluation.crossfit import (
    fit_heads,
    heads_for_regime,
    out_of_fold,
)
from smallsight.evaluation.splits import (
    cross_validation,
)
from smallsight.runtime.errors import SampleError


def test_a_head_saw_nothing_of_its_own_fold(folds, sample, seen, features_of):
    before = fit_heads(folds, seen, settings=HEADS, device=CPU)
    assert len(before) == REPEATS * FOLDS
    for repeat, fold in ((0, 0), (1, 3), (2, 4)):
        held_out = folds.fold_of[repeat] == fold
        images = set(sample["image_id"][held_out])
        assert (sample["image_id"].isin(images) == held_out).all()
        plain = seen.plain.copy()
        plain[held_out] += 50
        after = fit_heads(folds, features_of(sample, plain), settings=HEADS, device=CPU)
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
    fitted = fit_heads(folds, seen, settings=settings, device=CPU)
    inside = fitted.logits(plain)[0].argmax(axis=1) == folds.labels
    outside = out_of_fold(folds, fitted, seen)[0].argmax(axis=1) == folds.labels
    assert inside[folds.fold_of[0] != 0].mean() > 0.95
    assert outside.mean() < 0.4


def test_heads_of_two_conditions_start_alike(folds, sample, seen, features_of):
    one = fit_heads(folds, seen, settings=HEADS, device=CPU)
    other = fit_heads(folds, features_of(sample, seen.plain.copy()), settings=HEADS, device=CPU)
    assert (one.weight == other.weight).all()


def test_a_regime_has_the_heads_that_it_says(folds, seen):
    untouched = fit_heads(folds, seen, settings=HEADS, device=CPU)
    twice = HEADS.model_copy(update={"epochs": 4})
    fixed, own = (
        heads_for_regime(folds, regime, untouched, seen, settings=twice, device=CPU)
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
    fitted = fit_heads(suited, few, settings=HEADS, device=CPU)
    assert len(fitted) == REPEATS * FOLDS
    assert np.isfinite(fitted.weight).all()
    probabilities = out_of_fold(suited, fitted, few)
    assert probabilities.shape == (REPEATS, some.sum(), len(CATEGORIES))
    assert np.isfinite(probabilities).all()


def test_features_of_other_instances_are_refused(folds, sample, seen, features_of):
    some = features_of(sample[1:], seen.plain[1:])
    with pytest.raises(SampleError, match="the same instances"):
        fit_heads(folds, some, settings=HEADS, device=CPU)
