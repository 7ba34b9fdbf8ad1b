import json

import numpy as np
import pandas as pd
import pytest

from builders.compared_studies import facts_of
from builders.predictions import CONDITIONS, outcomes_of, predicted
from smallsight.analysis.accuracy import compute_accuracy
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
    tables = {"accuracy": compute_accuracy(found), "effects": compute_effects(found)}
    tables |= {"thresholds": compute_thresholds(found), "ledger": ledger}
    return compute_headline(tables, facts_of(predictions))


@pytest.fixture(scope="module")
def numbers(predictions):
    return headline(predictions)


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
    tables = {"accuracy": compute_accuracy(found), "effects": compute_effects(found)}
    tables |= {"thresholds": rows, "ledger": LEDGER}
    numbers = compute_headline(tables, facts_of(predictions))
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
