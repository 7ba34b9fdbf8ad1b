from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from builders.evaluations import CATEGORIES, DIMENSIONS, FOLDS, HEADS, REPEATS
from smallsight.conditions.rendered.names import UNTOUCHED, Condition
from smallsight.evaluation.crossfit import (
    fit_heads,
)
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.predictions import predict, summarise_results
from smallsight.evaluation.tables import PREDICTIONS, RESULTS
from smallsight.runtime import files
from smallsight.runtime.tables import read_table

UNTOUCHED_PICTURES = Condition(UNTOUCHED, "default", is_reference=True)
STEPS = [
    Condition(UNTOUCHED, "default", is_reference=True, task="scene"),
    Condition("downscale", "scale=0.5", is_reference=True, task="scene"),
    UNTOUCHED_PICTURES,
    Condition("downscale", "scale=0.5", is_reference=True),
    Condition("downscale", "scale=0.25", is_reference=False),
]


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
    """Predictions of these conditions in both regimes, as the stage puts them together."""
    fitted = fit_heads(folds, seen, settings=HEADS)
    return pd.concat(
        predict(folds, fitted, seen, step, regime=regime)
        for task in ("scene", "object")
        for regime in ("fixed", "retrained")
        for step in STEPS
        if step.task == task
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
    keys = ["task", "regime", "seed", "condition", "image_id", "ann_id"]
    assert len(table) == 2 * REPEATS * len(STEPS) * len(sample)
    assert not table.duplicated(keys).any()
    for _, part in table.groupby(keys[:4]):
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
        np.broadcast_to(seen.side, (2 * REPEATS * len(STEPS), len(seen.side)))
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
        "task",
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
        "task",
    ]


def test_results_are_means_over_seeds_and_instances(table, sample):
    found = summarise_results(table)
    assert len(found) == 2 * len(STEPS)
    for row in found.itertuples():
        keys = ["task", "regime", "condition"]
        part = table[(table[keys] == [getattr(row, key) for key in keys]).all(axis=1)]
        assert row.family == part["family"].iloc[0]
        by_seed = part.groupby("seed")["correct"].mean()
        assert row.val_acc_all == pytest.approx(by_seed.mean())
        assert row.n_all == len(sample)
        for group in ("small", "medium", "large"):
            members = part[part["size_group"] == group]
            due = members.groupby("seed")["correct"].mean().mean()
            assert getattr(row, f"val_acc_{group}") == pytest.approx(due)
            assert getattr(row, f"n_{group}") == (sample["size_group"] == group).sum()


@pytest.mark.parametrize("order", [("scene", "object"), ("object", "scene")])
def test_results_begin_with_the_original_studys_task(table, order):
    turned = pd.concat(table[table["task"] == task] for task in order)
    found = summarise_results(turned)
    assert list(found["task"]) == 4 * ["scene"] + 6 * ["object"]
    assert list(found["regime"]) == 2 * ["fixed"] + 2 * ["retrained"] + 3 * ["fixed"] + 3 * [
        "retrained"
    ]
    named = ["orig_full", "downscale", "downscale/scale=0.25"]
    assert list(found["condition"]) == 2 * named[:2] + 2 * named
    levels = ["default", "scale=0.5", "scale=0.25"]
    assert list(found["level"]) == 2 * levels[:2] + 2 * levels


def test_tables_come_back_from_their_files(table, tmp_path):
    results = summarise_results(table)
    files.write_table(results, tmp_path / "results.csv")
    files.write_table(table, tmp_path / "predictions.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "results.csv", RESULTS), results)
    back = pd.read_parquet(tmp_path / "predictions.parquet")
    pd.testing.assert_frame_equal(back, table.reset_index(drop=True))


def test_some_of_the_instances_are_predicted_by_the_heads_that_did_not_see_their_images(
    folds, sample, seen, planted, features_of
):
    """As under `pixels`, which shows the large ones alone."""
    some = (sample["size_group"] == "large").to_numpy()
    chosen = sample[some].reset_index(drop=True)
    suited = folds.of_instances(chosen["image_id"].to_numpy(), chosen["ann_id"].to_numpy())
    few = features_of(chosen, seen.plain[some])
    table = predict(suited, planted, few, UNTOUCHED_PICTURES, regime="fixed")
    whole = predict(folds, planted, seen, UNTOUCHED_PICTURES, regime="fixed")
    due = whole[whole["size_group"] == "large"].drop(columns="side")
    assert len(table) == REPEATS * some.sum()
    pd.testing.assert_frame_equal(
        table.drop(columns="side"), due.reset_index(drop=True), check_exact=True
    )


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
            fit_heads(folds, part, settings=HEADS),
            part,
            UNTOUCHED_PICTURES,
            regime="x",
        )
        for part in (seen, shared)
    ]
    pd.testing.assert_frame_equal(*tables)
