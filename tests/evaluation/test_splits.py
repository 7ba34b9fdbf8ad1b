import numpy as np
import pandas as pd
import pytest
import torch

from smallsight import params
from smallsight.backbones.feature_store import Features
from smallsight.conditions.ladders import ladders
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.predictions import PREDICTION_COLUMNS, summarise_results
from smallsight.evaluation.splits import cross_validation
from smallsight.runtime.errors import SampleError

CATEGORIES = ("a", "b", "c", "d", "e", "f")
FOLDS, REPEATS, DIMENSIONS = 5, 3, 8
SETTINGS = params.Evaluation(test_share=0.2, folds=FOLDS, repeats=REPEATS)
HEADS = params.Heads(epochs=2, batch_size=16, learning_rate=0.01)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def sample(population):
    return population()


@pytest.fixture(scope="module")
def folds(sample):
    return cross_validation(sample, CATEGORIES, settings=SETTINGS, seed=4)


@pytest.fixture(scope="module")
def seen(sample, features_of):
    rng = np.random.default_rng(0)
    return features_of(sample, rng.standard_normal((len(sample), DIMENSIONS)).astype(np.float32))


@pytest.fixture(scope="module")
def planted():
    """Heads that always name the class of their own fold, more surely the later the seed."""
    bias = np.zeros((REPEATS * FOLDS, len(CATEGORIES)), np.float32)
    for repeat in range(REPEATS):
        for fold in range(FOLDS):
            bias[repeat * FOLDS + fold, fold] = 1 + repeat
    return LinearHeads(np.zeros((len(bias), len(CATEGORIES), DIMENSIONS), np.float32), bias)


@pytest.fixture(scope="module")
def table(folds, seen):
    """Predictions of two conditions in both regimes, as the stage puts them together."""
    settings = {"orig_full": {}, "downscale": {"scale": [0.5, 0.25]}}
    levels = [step for steps in ladders(settings).values() for step in steps]
    fitted = folds.fit(seen, settings=HEADS, device=CPU)
    return pd.concat(
        folds.predictions(fitted, seen, step, regime=regime)
        for regime in ("fixed", "retrained")
        for step in levels
    )


@pytest.mark.parametrize("seed", range(6))
def test_no_image_is_on_both_sides_of_a_fold(population, seed):
    sample = population(images=23, seed=seed)
    folds = cross_validation(sample, CATEGORIES, settings=SETTINGS, seed=seed)
    assert folds.fold_of.shape == (REPEATS, len(sample))
    for fold_of in folds.fold_of:
        assert set(fold_of) == set(range(FOLDS))
        for fold in range(FOLDS):
            inside = set(sample["image_id"][fold_of == fold])
            assert inside.isdisjoint(sample["image_id"][fold_of != fold])


def test_folds_depend_on_the_seed_and_on_nothing_else(sample, folds):
    again = cross_validation(sample, CATEGORIES, settings=SETTINGS, seed=4)
    assert (again.fold_of == folds.fold_of).all()
    assert folds.seeds == (4, 5, 6)
    later = cross_validation(sample, CATEGORIES, settings=SETTINGS, seed=5)
    assert (later.fold_of[:2] == folds.fold_of[1:]).all()
    assert (folds.fold_of[0] != folds.fold_of[1]).any()


def test_too_few_images_are_an_error(population):
    with pytest.raises(SampleError, match=r"4 pictures; expected at least 5"):
        cross_validation(population(images=4), CATEGORIES, settings=SETTINGS, seed=0)


def test_labels_are_places_among_the_categories(folds, sample):
    assert [CATEGORIES[label] for label in folds.labels] == list(sample["category_name"])


def test_every_prediction_is_made_by_the_head_of_its_own_fold(folds, seen, planted, condition):
    table = folds.predictions(planted, seen, condition("orig_full"), regime="fixed")
    assert (table["predicted"] == np.array(CATEGORIES)[table["fold"]]).all()
    # The confidence tells the seed: softmax of 1, 2 or 3 against five zeros.
    surety = np.exp(1.0 + table["seed"] - 4)
    np.testing.assert_allclose(table["confidence"], surety / (surety + 5), rtol=1e-5)
    for repeat, (_, part) in enumerate(table.groupby("seed")):
        assert (part["fold"].to_numpy() == folds.fold_of[repeat]).all()


def test_a_head_saw_nothing_of_its_own_fold(folds, sample, seen, features_of):
    before = folds.fit(seen, settings=HEADS, device=CPU)
    assert len(before) == REPEATS * FOLDS
    for repeat, fold in ((0, 0), (1, 3), (2, 4)):
        held_out = folds.fold_of[repeat] == fold
        images = set(sample["image_id"][held_out])
        assert (sample["image_id"].isin(images) == held_out).all()
        plain = seen.plain.copy()
        plain[held_out] += 50
        after = folds.fit(features_of(sample, plain), settings=HEADS, device=CPU)
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
    settings = params.Heads(epochs=15, batch_size=16, learning_rate=0.1)
    seen = features_of(sample, plain)
    fitted = folds.fit(seen, settings=settings, device=CPU)
    inside = fitted.logits(plain)[0].argmax(axis=1) == folds.labels
    outside = folds.out_of_fold(fitted, seen)[0].argmax(axis=1) == folds.labels
    assert inside[folds.fold_of[0] != 0].mean() > 0.95
    assert outside.mean() < 0.4


def test_heads_of_two_conditions_start_alike(folds, sample, seen, features_of):
    one = folds.fit(seen, settings=HEADS, device=CPU)
    other = folds.fit(features_of(sample, seen.plain.copy()), settings=HEADS, device=CPU)
    assert (one.weight == other.weight).all()


def test_predictions_are_complete_and_unique(table, sample):
    keys = ["regime", "seed", "condition", "image_id", "ann_id"]
    assert len(table) == 2 * REPEATS * 3 * len(sample)
    assert not table.duplicated(keys).any()
    for _, part in table.groupby(keys[:3]):
        for name in ("image_id", "ann_id", "category_name", "size_group"):
            assert list(part[name]) == list(sample[name])


def test_predictions_agree_with_themselves(table, seen):
    shares = table[[f"p_{name}" for name in CATEGORIES]].to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (shares >= 0).all()
    assert (table["predicted"] == np.array(CATEGORIES)[shares.argmax(axis=1)]).all()
    assert (table["confidence"] == shares.max(axis=1)).all()
    assert (table["correct"] == (table["predicted"] == table["category_name"])).all()
    assert table["side"].to_numpy().reshape(-1, len(seen.side)) == pytest.approx(
        np.broadcast_to(seen.side, (2 * REPEATS * 3, len(seen.side)))
    )


def test_columns_are_the_contracts(table):
    names = [
        "regime",
        "seed",
        "fold",
        "family",
        "level",
        "condition",
        "image_id",
        "ann_id",
        "category_name",
        "size_group",
        "side",
        "predicted",
        "correct",
        "confidence",
    ]
    assert list(PREDICTION_COLUMNS) == names
    assert list(table.columns) == names + [f"p_{name}" for name in CATEGORIES]
    assert list(summarise_results(table).columns) == [
        "condition",
        "val_acc_all",
        "val_acc_small",
        "val_acc_medium",
        "val_acc_large",
        "regime",
        "family",
        "level",
        "n_all",
        "n_small",
        "n_medium",
        "n_large",
    ]


def test_results_are_means_over_seeds_and_instances(table, sample):
    found = summarise_results(table)
    assert len(found) == 6
    assert list(found["condition"]) == 2 * ["orig_full", "downscale", "downscale/scale=0.25"]
    assert list(found["level"]) == 2 * ["default", "scale=0.5", "scale=0.25"]
    for row in found.itertuples():
        part = table[(table["regime"] == row.regime) & (table["condition"] == row.condition)]
        assert row.family == part["family"].iloc[0]
        by_seed = part.groupby("seed")["correct"].mean()
        assert row.val_acc_all == pytest.approx(by_seed.mean())
        assert row.n_all == len(sample)
        for group in ("small", "medium", "large"):
            members = part[part["size_group"] == group]
            due = members.groupby("seed")["correct"].mean().mean()
            assert getattr(row, f"val_acc_{group}") == pytest.approx(due)
            assert getattr(row, f"n_{group}") == (sample["size_group"] == group).sum()


def test_an_empty_group_has_no_accuracy(table):
    found = summarise_results(table[table["size_group"] != "small"])
    assert found["val_acc_small"].isna().all()
    assert (found["n_small"] == 0).all()
    assert found[["val_acc_all", "val_acc_medium", "val_acc_large"]].notna().all(axis=None)


def test_features_are_taken_by_the_row_that_instances_share(folds, sample, condition):
    rng = np.random.default_rng(1)
    few = rng.standard_normal((7, DIMENSIONS)).astype(np.float32)
    row = rng.integers(0, 7, len(sample))

    def wrap(row, plain):
        empty = np.empty((0, DIMENSIONS, 0, 0), np.float32)
        ids = sample["image_id"].to_numpy(), sample["ann_id"].to_numpy()
        return Features(*ids, np.ones(len(sample)), row, plain, plain, empty)

    shared, spread = wrap(row, few), wrap(np.arange(len(sample)), few[row])
    tables = [
        folds.predictions(
            folds.fit(part, settings=HEADS, device=CPU), part, condition("orig_full"), regime="x"
        )
        for part in (shared, spread)
    ]
    pd.testing.assert_frame_equal(*tables)
