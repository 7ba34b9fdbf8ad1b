import json

import numpy as np
import pandas as pd
import pytest

from builders.predictions import CONDITIONS, outcomes_of, predicted
from smallsight.analysis.accuracy import ACCURACY_COLUMNS, compute_accuracy
from smallsight.analysis.effects import compute_effects
from smallsight.analysis.headline import compute_headline
from smallsight.analysis.thresholds import compute_thresholds


@pytest.fixture(scope="module")
def predictions(population):
    return predicted(population())


@pytest.fixture(scope="module")
def table(predictions):
    return compute_accuracy(outcomes_of(predictions))


LEDGER = pd.DataFrame(
    [
        (regime, part, value + (regime == "retrained"))
        for regime in ("fixed", "retrained")
        for part, value in (("class_mix", 0.01), ("resolution", 0.23456), ("context", -0.1))
    ],
    columns=["regime", "part", "value"],
)


def headline(predictions, *, ledger=LEDGER):
    found = outcomes_of(predictions, draws=100)
    return compute_headline(
        compute_accuracy(found), compute_effects(found), compute_thresholds(found), ledger
    )


@pytest.fixture(scope="module")
def numbers(predictions):
    return headline(predictions)


# Accuracies.


def test_one_row_per_regime_condition_and_group(table):
    assert list(table.columns) == list(ACCURACY_COLUMNS)
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
        assert row.balanced == pytest.approx(part.groupby("category_name")["correct"].mean().mean())
        assert row.n == len(part) / 3 == part["ann_id"].nunique()
        assert row.images == part["image_id"].nunique()
        assert 0 <= row.ci_low < row.acc < row.ci_high <= 1


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


# Headline numbers.


def test_headline_numbers_are_few_flat_rounded_and_ready_for_json(numbers):
    assert 1 <= len(numbers) <= 10
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    # Answers by chance alone have no threshold among the sides.
    assert [name for name, value in numbers.items() if value is None] == ["threshold_pixels"]
    for value in filter(None, numbers.values()):
        assert type(value) is str or value == round(value, 4)


def test_headline_numbers_are_the_headline_regimes(predictions, table, numbers):
    fixed = table[table["regime"] == "fixed"].set_index(["condition", "size_group"])["acc"]
    for group in ("all", "small", "medium", "large"):
        assert numbers[f"accuracy_{group}"] == round(fixed["orig_full", group], 4)
    gap = fixed["orig_full", "large"] - fixed["orig_full", "small"]
    assert numbers["size_gap"] == pytest.approx(gap, abs=1e-4)
    deltas = {
        name: fixed[name, "small"] - fixed["orig_full", "small"]
        for name in CONDITIONS
        if name != "orig_full"
    }
    name = min(deltas, key=deltas.get)
    assert numbers["worst_condition_for_small"] == name == "downscale/scale=0.25"
    assert numbers["worst_effect_on_small"] == pytest.approx(deltas[name], abs=1e-4)
    assert numbers["gap_by_resolution"] == 0.2346
    assert numbers["gap_by_context"] == -0.1
    other = (predictions["regime"] == "retrained") & (predictions["seed"] > 0)
    assert headline(predictions.assign(correct=predictions["correct"] ^ other)) == numbers


def test_headline_threshold_is_the_untouched_one(predictions):
    share = 1 / (1 + (12 / predictions["side"]) ** 3)
    rank = np.random.default_rng(0).random(len(predictions))
    found = outcomes_of(predictions.assign(correct=rank < 1 / 6 + 5 / 6 * share), draws=100)
    rows = compute_thresholds(found)
    tables = compute_accuracy(found), compute_effects(found), rows, LEDGER
    numbers = compute_headline(*tables)
    chosen = (rows["regime"] == "fixed") & (rows["condition"] == "orig_full")
    assert numbers["threshold_pixels"] == round(rows.loc[chosen, "threshold"].item(), 4)
    assert 6 < numbers["threshold_pixels"] < 24


@pytest.mark.parametrize("group", ["small", "medium", "large"])
def test_headline_of_an_empty_group_is_none(predictions, group):
    numbers = headline(predictions[predictions["size_group"] != group])
    assert numbers[f"accuracy_{group}"] is None
    assert numbers["accuracy_all"] is not None
    assert (numbers["size_gap"] is None) == (group != "medium")
    for name in ("worst_effect_on_small", "worst_condition_for_small"):
        assert (numbers[name] is None) == (group == "small")
    json.dumps(numbers, allow_nan=False)


def test_headline_without_any_change_of_the_picture(predictions):
    numbers = headline(predictions[predictions["condition"] == "orig_full"])
    assert numbers["worst_effect_on_small"] is None
    assert numbers["worst_condition_for_small"] is None
    assert numbers["accuracy_small"] is not None


def test_headline_without_a_ledger_has_no_parts_of_the_gap(predictions):
    numbers = headline(predictions, ledger=LEDGER.iloc[:0])
    assert numbers["gap_by_resolution"] is None
    assert numbers["gap_by_context"] is None


def test_a_probe_is_never_the_worst_change(predictions):
    probe = {"condition": "object_only", "family": "object_only", "correct": False}
    worst = predictions[predictions["condition"] == "bg_blur"].assign(**probe)
    both = pd.concat([predictions, worst], ignore_index=True)
    assert headline(both)["worst_condition_for_small"] == "downscale/scale=0.25"


def test_headline_threshold_beyond_all_sides_is_none(predictions):
    for answer in (False, True):
        assert headline(predictions.assign(correct=answer))["threshold_pixels"] is None
