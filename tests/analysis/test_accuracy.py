import numpy as np
import pandas as pd
import pytest

from builders.predictions import CONDITIONS, outcomes_of, predicted
from smallsight.analysis.accuracy import ACCURACY, compute_accuracy


@pytest.fixture(scope="module")
def predictions(population):
    return predicted(population())


@pytest.fixture(scope="module")
def table(predictions):
    return compute_accuracy(outcomes_of(predictions))


def test_one_row_per_regime_condition_and_group(table):
    assert list(table.columns) == ACCURACY.names
    assert len(table) == 2 * len(CONDITIONS) * 4
    assert not table.duplicated(["regime", "condition", "size_group"]).any()
    assert (table["task"] == "object").all()
    assert list(table["size_group"][:4]) == ["all", "small", "medium", "large"]


def test_accuracy_and_counts_are_those_of_the_predictions(table, predictions):
    for row in table.itertuples():
        part = predictions[
            (predictions["regime"] == row.regime) & (predictions["condition"] == row.condition)
        ]
        if row.size_group != "all":
            part = part[part["size_group"] == row.size_group]
        assert row.acc == pytest.approx(part["correct"].mean())
        assert row.balanced == pytest.approx(part.groupby("category_name")["correct"].mean().mean())
        assert row.n == len(part) / 3 == part["ann_id"].nunique()
        assert row.images == part["image_id"].nunique()
        assert 0 <= row.ci_low < row.acc < row.ci_high <= 1


def test_standardised_accuracy_gives_every_group_the_same_mix_of_categories(table, predictions):
    for (_, condition), rows in table.groupby(["regime", "condition"]):
        part = predictions[predictions["condition"] == condition]
        part = part[part["regime"] == rows["regime"].iloc[0]]
        shares = {
            group: part.loc[part["size_group"] == group, "category_name"].value_counts(True)
            for group in ("small", "large")
        }
        mix = (shares["small"] + shares["large"]).dropna()
        for row in rows.itertuples():
            in_group = (part["size_group"] == row.size_group) | (row.size_group == "all")
            means = part[in_group].groupby("category_name")["correct"].mean()
            known = mix[mix.index.isin(means.index)]
            due = np.average(means[known.index], weights=known)
            assert row.standardised == pytest.approx(due)


def test_a_category_that_is_never_large_has_no_weight(predictions):
    is_lost = (predictions["category_name"] == "a") & (predictions["size_group"] == "large")
    some = predictions[~is_lost]
    one = compute_accuracy(outcomes_of(some))
    wrong = some.assign(correct=some["correct"] & (some["category_name"] != "a"))
    other = compute_accuracy(outcomes_of(wrong))
    assert one["standardised"].tolist() == pytest.approx(other["standardised"].tolist())
    assert (one["acc"] > other["acc"]).any()


@pytest.mark.parametrize("group", ["small", "large"])
def test_without_small_or_large_objects_there_is_no_common_mix(predictions, group):
    found = compute_accuracy(outcomes_of(predictions[predictions["size_group"] != group]))
    assert found["standardised"].isna().all()


def test_the_same_predictions_under_two_names_are_told_apart_by_nothing_else(predictions):
    one = predictions[(predictions["regime"] == "fixed") & (predictions["seed"] < 2)]
    one = one[one["condition"].isin(["orig_full", "bg_blur"])]
    twice = pd.concat([one, one.assign(regime="retrained")], ignore_index=True)
    found = compute_accuracy(outcomes_of(twice))
    fixed, retrained = (
        found[found["regime"] == name].drop(columns="regime").reset_index(drop=True)
        for name in ("fixed", "retrained")
    )
    pd.testing.assert_frame_equal(fixed, retrained, rtol=1e-9)


def test_draws_are_shared_so_that_a_condition_does_not_depend_on_the_others(predictions, table):
    few = predictions[predictions["condition"].isin(["orig_full", "bg_blur"])]
    alone = compute_accuracy(outcomes_of(few))
    together = table[table["condition"].isin(["orig_full", "bg_blur"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, together, rtol=1e-9)


def test_order_of_the_rows_does_not_matter(predictions, table):
    keys = ["regime", "condition", "size_group"]
    shuffled = compute_accuracy(outcomes_of(predictions.sample(frac=1, random_state=0)))
    one, other = (part.sort_values(keys, ignore_index=True) for part in (table, shuffled))
    pd.testing.assert_frame_equal(one, other)


def test_intervals_hold_about_the_share_asked_for(predictions, table):
    narrow = compute_accuracy(outcomes_of(predictions, confidence=0.5))
    assert (narrow["ci_high"] - narrow["ci_low"] < table["ci_high"] - table["ci_low"]).all()
    whole = table[table["size_group"] == "all"]
    spread = (whole["ci_high"] - whole["ci_low"]) / 3.92
    alone = np.sqrt(whole["acc"] * (1 - whole["acc"]) / whole["n"])
    # Three seeds of luck only, which the mean over them evens out.
    assert (spread / alone).median() == pytest.approx(1 / np.sqrt(3), rel=0.2)


def test_an_empty_group_has_a_count_and_nothing_else(predictions):
    found = compute_accuracy(outcomes_of(predictions[predictions["size_group"] != "small"]))
    empty = found[found["size_group"] == "small"]
    assert len(empty) == 2 * len(CONDITIONS)
    assert (empty[["n", "images"]] == 0).to_numpy().all()
    assert empty[["acc", "ci_low", "ci_high", "balanced"]].isna().to_numpy().all()


@pytest.mark.parametrize("answer", [True, False])
def test_all_right_or_all_wrong_still_leaves_room_for_doubt(predictions, answer):
    found = compute_accuracy(outcomes_of(predictions.assign(correct=answer)))
    assert (found["acc"] == answer).all()
    assert ((found["ci_low"] == 0) | answer).all()
    width = found["ci_high"] - found["ci_low"]
    assert (width * found["images"]).between(2, 6).all()


def test_one_image_tells_next_to_nothing(predictions):
    image = predictions.groupby("image_id").size().idxmax()
    found = compute_accuracy(outcomes_of(predictions[predictions["image_id"] == image]))
    found = found[found["n"] > 0]
    assert (found["images"] == 1).all()
    assert (found["ci_high"] - found["ci_low"] > 0.8).all()
