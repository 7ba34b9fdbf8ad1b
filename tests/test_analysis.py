import json

import numpy as np
import pandas as pd
import pytest

from smallsight import analysis, params

SETTINGS = params.Analysis(confidence=0.95, bootstrap_draws=300)
CONDITIONS = {"orig_full": 0.8, "downscale": 0.5, "bg_blur": 0.7, "downscale/scale=0.25": 0.2}
COLUMNS = [
    "regime",
    "condition",
    "family",
    "level",
    "size_group",
    "n",
    "images",
    "acc",
    "ci_low",
    "ci_high",
]


@pytest.fixture(scope="module")
def predictions(population):
    """Three seeds of random answers, right as often as `CONDITIONS` says."""
    sample, rng = population(), np.random.default_rng(0)
    tables = []
    for regime in ("fixed", "retrained"):
        for condition, chance in CONDITIONS.items():
            for seed in range(3):
                table = sample.assign(
                    regime=regime, seed=seed, condition=condition,
                    family=condition.split("/")[0], level=condition.split("/")[-1],
                    correct=rng.random(len(sample)) < chance,
                )  # fmt: skip
                tables.append(table)
    return pd.concat(tables, ignore_index=True)


def accuracy(predictions, seed=0):
    rng = np.random.default_rng(seed)
    return analysis.accuracy(predictions, settings=SETTINGS, rng=rng)


@pytest.fixture(scope="module")
def table(predictions):
    return accuracy(predictions)


def test_one_row_per_regime_condition_and_group(table):
    assert list(table.columns) == COLUMNS
    assert len(table) == 2 * len(CONDITIONS) * 4
    assert not table.duplicated(["regime", "condition", "size_group"]).any()
    assert list(table["size_group"][:4]) == ["all", "small", "medium", "large"]


def test_accuracy_and_counts_are_those_of_the_predictions(table, predictions):
    for row in table.itertuples():
        part = predictions[
            (predictions["regime"] == row.regime) & (predictions["condition"] == row.condition)
        ]
        if row.size_group != "all":
            part = part[part["size_group"] == row.size_group]
        assert row.acc == pytest.approx(part["correct"].mean())
        assert row.n == len(part) / 3 == part["ann_id"].nunique()
        assert row.images == part["image_id"].nunique()
        assert 0 <= row.ci_low <= row.acc <= row.ci_high <= 1


def test_the_same_predictions_under_two_names_are_told_apart_by_nothing_else(predictions):
    one = predictions[(predictions["regime"] == "fixed") & (predictions["seed"] < 2)]
    one = one[one["condition"].isin(["orig_full", "bg_blur"])]
    twice = pd.concat([one, one.assign(regime="retrained")], ignore_index=True)
    found = accuracy(twice)
    fixed, retrained = (
        found[found["regime"] == name].drop(columns="regime").reset_index(drop=True)
        for name in ("fixed", "retrained")
    )
    pd.testing.assert_frame_equal(fixed, retrained, check_exact=True)


def test_draws_are_shared_so_that_a_condition_does_not_depend_on_the_others(predictions, table):
    alone = accuracy(predictions[predictions["condition"] == "bg_blur"])
    together = table[table["condition"] == "bg_blur"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, together, check_exact=True)


def test_order_of_the_rows_does_not_matter(predictions, table):
    keys = ["regime", "condition", "size_group"]
    shuffled = accuracy(predictions.sample(frac=1, random_state=0))
    one, other = (part.sort_values(keys, ignore_index=True) for part in (table, shuffled))
    pd.testing.assert_frame_equal(one, other)


def test_intervals_hold_about_the_share_asked_for(predictions, table):
    narrow = analysis.accuracy(
        predictions,
        settings=SETTINGS.model_copy(update={"confidence": 0.5}),
        rng=np.random.default_rng(0),
    )
    assert (narrow["ci_high"] - narrow["ci_low"] < table["ci_high"] - table["ci_low"]).all()
    whole = table[table["size_group"] == "all"]
    spread = (whole["ci_high"] - whole["ci_low"]) / 3.92
    alone = np.sqrt(whole["acc"] * (1 - whole["acc"]) / whole["n"])
    assert spread.between(0.3 * alone, 2 * alone).all()


def test_an_empty_group_has_a_count_and_nothing_else(predictions):
    found = accuracy(predictions[predictions["size_group"] != "small"])
    empty = found[found["size_group"] == "small"]
    assert len(empty) == 2 * len(CONDITIONS)
    assert (empty[["n", "images"]] == 0).to_numpy().all()
    assert empty[["acc", "ci_low", "ci_high"]].isna().to_numpy().all()


def test_headline_numbers_are_few_flat_rounded_and_ready_for_json(table):
    numbers = analysis.headline(table)
    assert 1 <= len(numbers) <= 10
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    assert all(type(value) is float and value == round(value, 4) for value in numbers.values())


def test_headline_numbers_are_the_headline_regimes(table):
    fixed = table[table["regime"] == "fixed"].set_index(["condition", "size_group"])["acc"]
    numbers = analysis.headline(table)
    for group in ("all", "small", "medium", "large"):
        assert numbers[f"accuracy_{group}"] == round(fixed["orig_full", group], 4)
    gap = fixed["orig_full", "large"] - fixed["orig_full", "small"]
    assert numbers["size_gap"] == pytest.approx(gap, abs=1e-4)
    losses = [fixed[name, "small"] - fixed["orig_full", "small"] for name in CONDITIONS]
    assert numbers["worst_effect_on_small"] == pytest.approx(min(losses), abs=1e-4)
    changed = table.assign(acc=np.where(table["regime"] == "fixed", table["acc"], 0.123))
    assert analysis.headline(changed) == numbers


@pytest.mark.parametrize("group", ["small", "medium", "large"])
def test_headline_of_an_empty_group_is_none(predictions, group):
    numbers = analysis.headline(accuracy(predictions[predictions["size_group"] != group]))
    assert numbers[f"accuracy_{group}"] is None
    assert numbers["accuracy_all"] is not None
    assert (numbers["size_gap"] is None) == (group != "medium")
    assert (numbers["worst_effect_on_small"] is None) == (group == "small")
    json.dumps(numbers, allow_nan=False)


def test_headline_without_any_change_of_the_picture(predictions):
    numbers = analysis.headline(accuracy(predictions[predictions["condition"] == "orig_full"]))
    assert numbers["worst_effect_on_small"] is None
    assert numbers["accuracy_small"] is not None
