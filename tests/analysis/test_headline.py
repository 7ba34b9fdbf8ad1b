import json

import numpy as np
import pandas as pd
import pytest

from builders.predictions import NOTHING_UNCHANGED, facts_of, outcomes_of, predicted
from smallsight.analysis.accuracy import compute_accuracy
from smallsight.analysis.effects import compute_effects
from smallsight.analysis.headline import compute_headline

CONDITIONS = {"orig_full": 0.8, "downscale": 0.5, "motion_blur": 0.35, "occlusion": 0.78,
              "downscale/scale=0.25": 0.1}  # fmt: skip
PARTS = pd.DataFrame(
    [
        ("gap", 0.4, "favours large"), ("class_mix", -0.01, "not decided"),
        ("told_which_object", 0.3, "not identified"), ("finer_cells", -0.23456, "favours small"),
        ("own_window", 0.2, "favours large"), ("own_pixels", np.nan, ""),
        ("not_explained", 0.35, "favours large"),
    ],
    columns=["part", "value", "verdict"],
)  # fmt: skip
THRESHOLDS = pd.DataFrame({"regime": ["fixed", "retrained"], "threshold": [17.12348, 9.0]})


@pytest.fixture(scope="module")
def predictions(population):
    scene, window = (
        predicted(population(images=80), conditions=CONDITIONS, seed=seed) for seed in (0, 1)
    )
    return pd.concat([scene.assign(task="scene"), window], ignore_index=True)


def tables_of(predictions, *, parts=PARTS, thresholds=THRESHOLDS):
    found = [outcomes_of(predictions, task=task, draws=200) for task in ("scene", "object")]
    facts = facts_of(predictions["family"].unique())
    effects = [compute_effects(one, NOTHING_UNCHANGED, facts) for one in found]
    return {
        "accuracy": pd.concat([compute_accuracy(one) for one in found]),
        "effects": pd.concat(effects),
        "gap_parts": parts,
        "thresholds": thresholds,
    }


def headline(predictions, **tables):
    return compute_headline(tables_of(predictions, **tables))


@pytest.fixture(scope="module")
def tables(predictions):
    return tables_of(predictions)


@pytest.fixture(scope="module")
def numbers(tables):
    return compute_headline(tables)


def test_headline_numbers_are_few_flat_rounded_and_ready_for_json(numbers):
    assert 1 <= len(numbers) <= 10
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    assert None not in numbers.values()
    for value in numbers.values():
        assert type(value) is str or value == round(value, 4)


def test_accuracies_are_the_headline_tasks_at_one_mix_of_categories(tables, numbers):
    accuracy = tables["accuracy"].query("regime == 'fixed' and condition == 'orig_full'")
    known = accuracy.set_index(["task", "size_group"])["standardised"]
    for group in ("small", "medium", "large"):
        assert numbers[f"accuracy_{group}"] == round(known["object", group], 4)
        assert known["object", group] != pytest.approx(known["scene", group], abs=1e-4)
    gap = known["object", "large"] - known["object", "small"]
    assert numbers["size_gap"] == pytest.approx(gap, abs=1e-4)


def test_the_largest_step_is_the_one_that_changes_the_gap_most_and_is_identified(numbers):
    assert numbers["ladder_largest_step_name"] == "finer_cells"
    assert numbers["ladder_largest_step"] == -0.2346


def test_the_threshold_is_the_headline_regimes(predictions, numbers):
    assert numbers["threshold_pixels"] == 17.1235
    none = THRESHOLDS.assign(threshold=[np.nan, 9.0])
    assert headline(predictions, thresholds=none)["threshold_pixels"] is None
    assert headline(predictions, thresholds=THRESHOLDS.iloc[:0])["threshold_pixels"] is None


def test_the_worst_effect_is_the_greatest_loss_that_is_shown(tables, numbers):
    """Of reference levels: the other levels hurt more, and are not of the family."""
    rows = tables["effects"].query("task == 'object' and regime == 'fixed'")
    small = rows[rows["size_group"] == "small"].set_index("condition")["delta"]
    assert small.idxmin() == "downscale/scale=0.25"
    assert numbers["worst_condition_for_small"] == "motion_blur"
    assert numbers["worst_effect_on_small"] == round(small["motion_blur"], 4)


def test_what_is_not_shown_is_no_worst_effect(predictions):
    slight = predictions[predictions["condition"].isin(["orig_full", "occlusion"])]
    found = headline(slight)
    assert found["worst_effect_on_small"] is None
    assert found["worst_condition_for_small"] is None
    better = slight.assign(correct=slight["correct"] | (slight["condition"] == "occlusion"))
    assert headline(better)["worst_condition_for_small"] is None


def test_an_intervention_is_never_the_worst_effect(predictions):
    worst = predictions[predictions["condition"] == "occlusion"]
    worst = worst.assign(condition="object_alone", family="object_alone", correct=False)
    both = pd.concat([predictions, worst], ignore_index=True)
    assert headline(both)["worst_condition_for_small"] == "motion_blur"


def test_other_regimes_and_the_scene_task_have_no_say(predictions, numbers):
    other = (predictions["regime"] == "retrained") | (predictions["task"] == "scene")
    flipped = predictions.assign(
        correct=predictions["correct"] ^ (other & (predictions.index % 2 == 1))
    )
    assert headline(flipped) == numbers


@pytest.mark.parametrize("group", ["small", "medium", "large"])
def test_headline_of_an_empty_group_is_none(predictions, group):
    numbers = headline(predictions[predictions["size_group"] != group])
    accuracies = {name: numbers[f"accuracy_{name}"] for name in ("small", "medium", "large")}
    # Without small or large objects there is no mix of categories to compare at.
    empty = {group} if group == "medium" else set(accuracies)
    assert {name for name, value in accuracies.items() if value is None} == empty
    assert (numbers["size_gap"] is None) == (group != "medium")
    assert (numbers["worst_effect_on_small"] is None) == (group == "small")
    json.dumps(numbers, allow_nan=False)


def test_headline_without_a_ladder_has_no_step(predictions):
    numbers = headline(predictions, parts=PARTS.iloc[:2])
    assert numbers["ladder_largest_step"] is None
    assert numbers["ladder_largest_step_name"] is None
