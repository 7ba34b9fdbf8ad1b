from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from builders.evaluations import CATEGORIES, CPU, DIMENSIONS, FOLDS, HEADS, REPEATS
from smallsight.conditions.rendered.names import UNTOUCHED, Condition
from smallsight.evaluation.crossfit import (
    fit_heads,
)
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.predictions import predict, summarise_results
from smallsight.evaluation.tables import PREDICTIONS

UNTOUCHED_PICTURES = Condition(UNTOUCHED, "default", is_reference=True)


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
    levels = [
        UNTOUCHED_PICTURES,
        Condition("downscale", "scale=0.5", is_reference=True),
        Condition("downscale", "scale=0.25", is_reference=False),
    ]
    fitted = fit_heads(folds, seen, settings=HEADS, device=CPU)
    return pd.concat(
        predict(folds, fitted, seen, step, regime=regime)
        for regime in ("fixed", "retrained")
        for step in levels
    )


def test_every_prediction_is_made_by_the_head_of_its_own_fold(folds, seen, planted):
    table = predict(folds, planted, seen, UNTOUCHED_PICTURES, regime="fixed")
    assert (table["predicted"] == np.array(CATEGORIES)[table["fold"]]).all()
    # The confidence tells the seed: softmax of 1, 2 or 3 against five zeros.
    surety = np.exp(1.0 + table["seed"] - 4)
    np.testing.assert_allclose(table["confidence"], surety / (surety + 5), rtol=1e-5)
    for repeat, (_, part) in enumerate(table.groupby("seed")):
        assert (part["fold"].to_numpy() == folds.fold_of[repeat]).all()


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
    assert PREDICTIONS.names == names
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


def test_features_are_the_instances_own_whatever_pictures_they_share(folds, seen):
    shared = replace(seen, row=np.random.default_rng(1).integers(0, 7, len(seen.row)))
    tables = [
        predict(
            folds,
            fit_heads(folds, part, settings=HEADS, device=CPU),
            part,
            UNTOUCHED_PICTURES,
            regime="x",
        )
        for part in (seen, shared)
    ]
    pd.testing.assert_frame_equal(*tables)
