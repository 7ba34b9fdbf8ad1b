import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit

from builders.compared_studies import (
    BETTER,
    CONDITIONS,
    THRESHOLD,
    climbed,
    paired,
    pairs_of,
    predicted,
    sampled,
)
from smallsight.analysis.accuracy import compute_accuracy
from smallsight.analysis.ladder import arrange_rungs, compute_gap_parts
from smallsight.analysis.statistics import tests
from smallsight.analysis.thresholds import compute_thresholds
from smallsight.comparison.flips import count_flips, list_flips
from smallsight.comparison.numbers import FACTOR, NUMBERS, compare_conditions, compare_numbers
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.vocabulary import ALL_AND_GROUPS, TASKS

pytestmark = pytest.mark.simulation
STEP = "ladder_largest_step"


def rows_of(table):
    return table.set_index("number")


def test_numbers_are_those_of_the_metrics_that_two_studies_of_the_same_objects_differ_in():
    shared = {f"accuracy_{group}" for group in ALL_AND_GROUPS} | {"size_gap"}
    shared |= {"worst_effect_on_small"}
    assert NUMBERS.keys() == set(TASKS)
    assert set(NUMBERS["object"]) == shared | {"threshold_pixels"}
    assert set(NUMBERS["scene"]) == shared | {STEP}


@pytest.mark.parametrize("task", TASKS)
def test_a_study_differs_from_itself_in_nothing(two, task):
    pair = paired(two[0], two[0], task=task)
    numbers = rows_of(compare_numbers(pair))
    assert set(numbers["task"]) == {task}
    points = numbers.drop(FACTOR, errors="ignore")
    assert (points[["difference", "ci_low", "ci_high"]] == 0).all(axis=None)
    if task == "object":
        assert (numbers.loc[FACTOR, ["difference", "ci_low", "ci_high"]] == 1).all()
    assert (numbers["p_value"] == 1).all()
    assert (numbers["verdict"] == "not decided").all()
    conditions = compare_conditions(pair)
    flat = ["difference", "ci_low", "ci_high", "positive_flips", "negative_flips"]
    assert (conditions[flat] == 0).all(axis=None)
    assert (conditions["p_value"] == 1).all()
    assert list_flips(pair).empty
    counts = count_flips(pair, numbers.reset_index())
    assert (counts[["positive_flips", "negative_flips", "net"]] == 0).all(axis=None)


def test_a_planted_difference_is_found_where_it_is_and_nowhere_else(pairs):
    for task, pair in pairs.items():
        assert pair.task == task
        verdicts = rows_of(compare_numbers(pair))["verdict"]
        assert verdicts["accuracy_small"] == "higher"
        assert verdicts["size_gap"] == "lower"
        assert verdicts["accuracy_large"] == "not decided"
        by_group = compare_conditions(pair).groupby("size_group")["verdict"].agg(set)
        assert by_group["small"] == {"higher"}
        assert by_group["large"] == {"not decided"}


def test_a_difference_in_one_task_is_none_in_the_other(plain_sample):
    def better(table):
        usual = table["size_group"].map({"small": 0.4, "medium": 0.6, "large": 0.8})
        in_window = (table["task"] == "object") & (table["size_group"] == "small")
        return usual + 0.25 * in_window

    a, b = predicted(plain_sample), predicted(plain_sample, odds=better, seed=1)
    verdicts = {
        task: rows_of(compare_numbers(pair)).loc["accuracy_small", "verdict"]
        for task, pair in pairs_of((plain_sample, a), (plain_sample, b)).items()
    }
    assert verdicts == {"object": "higher", "scene": "not decided"}


def test_the_other_way_round_everything_turns_round(pair, two):
    there, back = compare_numbers(pair), compare_numbers(paired(two[1], two[0]))
    there, back = rows_of(there), rows_of(back)
    points = there.index != FACTOR
    np.testing.assert_array_equal(there["difference"][points], -back["difference"][points])
    np.testing.assert_allclose(there["ci_low"][points], -back["ci_high"][points])
    ratios = there.loc[FACTOR, "difference"] * back.loc[FACTOR, "difference"]
    assert ratios == pytest.approx(1)
    np.testing.assert_allclose(there["p_value"], back["p_value"])
    flips = [list_flips(one)["flip"].value_counts() for one in (pair, paired(*two[::-1]))]
    assert flips[0]["positive"] == flips[1]["negative"]
    assert flips[0]["negative"] == flips[1]["positive"]


def simulated(n_images, odds, *, seed):
    """Answers of two studies on images of two objects with luck in common, by odds of each."""
    rng = np.random.default_rng(seed)
    image = np.repeat(np.arange(n_images), 2)
    sample = pd.DataFrame({
        "image_id": image, "ann_id": np.arange(len(image)), "category_name": "car",
        "bbox_x": 0.0, "bbox_y": 0.0, "bbox_w": 9.0, "bbox_h": 9.0, "size_group": "small",
    })  # fmt: skip
    luck = np.repeat(rng.random(n_images), 2)
    both = []
    for chance in odds:
        right = 0.5 * luck + 0.5 * rng.random(len(sample)) < chance
        table = sample[["image_id", "ann_id", "category_name", "size_group"]].assign(
            task="object", regime="fixed", condition=UNTOUCHED, family=UNTOUCHED, level="default",
            seed=0, side=rng.uniform(4, 60, len(sample)), correct=right, predicted="car",
            confidence=1.0, p_car=0.5, p_bus=0.5,
        )  # fmt: skip
        both.append((sample, pd.concat([table.assign(task="scene"), table])))
    return both


def test_intervals_cover_what_is_true():
    # Of the mean of two uniform numbers, below 0.45 and 0.55: 2 x 0.45^2, and 1 minus that.
    truth = 1 - 2 * 0.45**2 - 2 * 0.45**2
    covered = []
    for seed in range(60):
        table = compare_conditions(
            paired(*simulated(40, (0.45, 0.55), seed=seed), draws=200, seed=seed)
        )
        row = table[table["size_group"] == "small"].iloc[0]
        covered.append(row["ci_low"] <= truth <= row["ci_high"])
    assert 0.86 <= np.mean(covered) <= 0.99


def test_noise_is_rarely_taken_for_a_difference():
    found = []
    for seed in range(60):
        pair = paired(*simulated(40, (0.5, 0.5), seed=1000 + seed), draws=200, seed=seed)
        table = compare_conditions(pair)
        found.append(table["direction"].isin([1, -1]).any())
    assert np.mean(found) <= 0.05


def test_on_a_whole_sample_the_numbers_are_those_of_the_studies_themselves(pairs):
    for task, pair in pairs.items():
        numbers = rows_of(compare_numbers(pair))
        for side, one, tables in zip("ab", (pair.a, pair.b), pair.tables, strict=True):
            accuracy = compute_accuracy(one)
            untouched = accuracy[accuracy["condition"] == UNTOUCHED].set_index("size_group")["acc"]
            for group in ALL_AND_GROUPS:
                assert numbers.loc[f"accuracy_{group}", side] == pytest.approx(untouched[group])
            gap = untouched["large"] - untouched["small"]
            assert numbers.loc["size_gap", side] == pytest.approx(gap)
            if task == "object":
                sweep = tables.predictions[tables.predictions["family"] == "pixels"]
                native = 6 * one.side
                found = compute_thresholds(sweep, one, native, {"8": 1})["thresholds"]
                assert numbers.loc[FACTOR, side] == pytest.approx(found["threshold"].iloc[0])
                assert numbers.loc[FACTOR, "n"] == found["n"].iloc[0] < len(native)
            else:
                parts = compute_gap_parts(arrange_rungs(tables.rungs, one), one)
                parts = parts.set_index("part")["value"]
                assert numbers.loc[STEP, f"about_{side}"] == "own_window"
                assert numbers.loc[STEP, side] == pytest.approx(parts["own_window"])


def test_differences_are_of_the_two_columns_and_verdicts_need_interval_and_test(pairs):
    tables = [one(pair) for pair in pairs.values() for one in (compare_numbers, compare_conditions)]
    for table in tables:
        plain = table[table["difference"].notna()]
        if FACTOR in set(table.get("number", ())):
            factor = rows_of(table).loc[FACTOR]
            assert factor["difference"] == pytest.approx(factor["b"] / factor["a"])
            plain = plain[plain["number"] != FACTOR]
        assert plain["difference"].to_numpy() == pytest.approx((plain["b"] - plain["a"]).to_numpy())
        np.testing.assert_array_equal(table["p_holm"], tests.holm(table["p_value"]))
        shown = plain["direction"]
        words = {1: "higher", -1: "lower", 0: "not decided"}
        assert (plain["verdict"] == shown.map(words)).all()
        beyond = (plain["ci_low"] > 0).astype(int) - (plain["ci_high"] < 0)
        assert (shown == beyond * (plain["p_holm"] <= 0.05)).all()
        # What is larger than what was detectable is never left undecided.
        undecided = plain[shown == 0]
        assert not (undecided["difference"].abs() > undecided["mde"]).any()


def test_what_is_detectable_is_so_at_the_level_of_the_strictest_test(pairs):
    """Of a family of so many rows; by hand, from the scatter of the draws."""
    for pair in pairs.values():
        numbers, conditions = compare_numbers(pair), compare_conditions(pair)
        draws = [
            one.accuracy("fixed", UNTOUCHED, "large") - one.accuracy("fixed", UNTOUCHED, "small")
            for one in (pair.a, pair.b)
        ]
        images = min(pair.a.size(group)["images"] for group in ("small", "large"))
        freedom = images - 1
        error = np.std(draws[1][1:] - draws[0][1:], ddof=1) * np.sqrt(1 + 1 / freedom)
        reach = stdtrit(freedom, 0.8) - stdtrit(freedom, 0.05 / len(numbers) / 2)
        assert rows_of(numbers).loc["size_gap", "mde"] == pytest.approx(reach * error)
        # No fewer images than can show anything at that level.
        least = np.ceil(1 - np.log2(0.05 / len(conditions)))
        assert (conditions["mde"] >= least / pair.answers / conditions["n"]).all()


def swaps(by_image):
    """The share of all swaps of images whose net change is as large, one swap after another."""
    signs = np.array(np.meshgrid(*[[1, -1]] * len(by_image))).reshape(len(by_image), -1)
    return np.mean(abs(by_image @ signs) >= abs(by_image.sum()))


@pytest.mark.parametrize("seeds", [(1, 1), (2, 3)])
def test_accuracies_are_tested_on_what_the_interval_is_of(seeds):
    """On the mean over seeds, of which two studies may have different numbers."""
    sample = sampled(each=16, groups=("small", "large"))
    a, b = (
        predicted(sample, odds=odds, seeds=n, seed=n, conditions=())
        for n, odds in zip(seeds, (BETTER, {"small": 0.4, "large": 0.8}), strict=True)
    )
    table = compare_conditions(paired((sample, a), (sample, b)))
    row = table[(table["family"] == UNTOUCHED) & (table["size_group"] == "small")].iloc[0]
    means = [
        one[(one["family"] == UNTOUCHED) & (one["task"] == "object")]
        .query("size_group == 'small'")
        .groupby(["image_id", "ann_id"])["correct"]
        .mean()
        for one in (a, b)
    ]
    change = means[1] - means[0]
    assert row["difference"] == pytest.approx(change.mean())
    by_image = (math.lcm(*seeds) * change).groupby("image_id").sum().round().astype(int)
    assert row["p_value"] == pytest.approx(swaps(by_image[by_image != 0].to_numpy()))


def test_untouched_pictures_stand_in_one_regime(plain_sample):
    both = ("fixed", "retrained")
    a = predicted(plain_sample, regimes=both)
    table = compare_conditions(paired((plain_sample, a), (plain_sample, a)))
    counts = table.groupby(["family", "regime"]).size()
    assert (UNTOUCHED, "retrained") not in counts.index
    assert counts[UNTOUCHED, "fixed"] == len(ALL_AND_GROUPS)


def test_sweeps_are_no_conditions_and_interventions_stand_in_the_object_task(pairs):
    families = {task: set(compare_conditions(pair)["family"]) for task, pair in pairs.items()}
    assert families["scene"] == {UNTOUCHED, "downscale", "occlusion"}
    assert families["object"] == families["scene"] | {"object_only", "crop_low"}
    assert "pixels" in set(pairs["object"].tables[0].predictions["family"])


# The threshold.


def test_a_larger_input_is_measured_on_the_same_objects(two):
    (sample, a), _ = two
    larger = a.assign(side=2 * a["side"])
    pair = paired((sample, a), (sample, larger))
    assert pair.scale == pytest.approx(2)
    row = rows_of(compare_numbers(pair)).loc[FACTOR]
    assert row["difference"] == 1
    assert row["a"] == row["b"]


def test_a_threshold_is_in_native_pixels_and_its_difference_a_factor(two, plain_sample):
    half = predicted(plain_sample, threshold=THRESHOLD / 2, seed=1)
    row = rows_of(compare_numbers(paired(two[0], (plain_sample, half)))).loc[FACTOR]
    assert row["a"] == pytest.approx(THRESHOLD, rel=0.3)
    assert row["b"] == pytest.approx(THRESHOLD / 2, rel=0.3)
    assert row["difference"] == pytest.approx(0.5, rel=0.3)
    assert row["ci_low"] <= row["difference"] <= row["ci_high"] < 1
    assert row["verdict"] == "lower"


@pytest.mark.parametrize("threshold", [0.5, 900.0], ids=["always right", "never right"])
def test_a_threshold_that_a_study_has_not_is_compared_with_nothing(two, plain_sample, threshold):
    extreme = predicted(plain_sample, threshold=threshold)
    row = rows_of(compare_numbers(paired(two[0], (plain_sample, extreme)))).loc[FACTOR]
    assert np.isnan(row["b"])
    assert np.isfinite(row["a"])
    assert row[["difference", "ci_low", "p_value", "p_holm"]].isna().all()
    assert row["verdict"] == ""
    assert np.isnan(row["direction"])


def test_thresholds_are_of_objects_that_both_sweep(two, plain_sample):
    """A sweep that goes farther leaves more of the smaller objects out."""
    farther = predicted(plain_sample, sweep=(8, 16, 32, 64, 96, 128), seed=1)
    pair = paired(two[0], (plain_sample, farther))
    row = rows_of(compare_numbers(pair)).loc[FACTOR]
    native = np.sqrt(plain_sample["bbox_w"] * plain_sample["bbox_h"])
    assert row["n"] == (native >= 128).sum() < (native >= 64).sum()
    assert np.isfinite(row["difference"])


def test_what_one_study_does_not_sweep_is_of_no_objects(two, plain_sample):
    without = predicted(plain_sample)
    without = without[without["family"] != "pixels"]
    row = rows_of(compare_numbers(paired(two[0], (plain_sample, without)))).loc[FACTOR]
    assert row["n"] == 0
    assert row[["a", "b", "difference", "p_holm"]].isna().all()


# The ladder.


def test_the_largest_step_is_compared_where_it_is_the_same(two, plain_sample):
    def step(rungs):
        return rows_of(compare_numbers(paired(*two, task="scene", rungs=(None, rungs)))).loc[STEP]

    row = step(climbed(plain_sample, steps={"window_few_pixels": 0.55}, seed=1))
    assert row["about_a"] == row["about_b"] == "own_window"
    assert row["difference"] == pytest.approx(row["b"] - row["a"])
    assert row["b"] > row["a"] > 0.15
    row = step(climbed(plain_sample, steps={"window": 0.5}, seed=1))
    assert (row["about_a"], row["about_b"]) == ("own_window", "own_pixels")
    assert np.isfinite([row["a"], row["b"]]).all()
    assert np.isnan([row["difference"], row["p_value"], row["p_holm"]]).all()


def test_a_step_that_a_study_lacks_is_compared_with_nothing(two, plain_sample):
    rungs = climbed(plain_sample)
    alone = rungs[~rungs["rung"].isin(("box", "pyramid", "window_few_pixels", "window",
                                       "object_alone"))]  # fmt: skip
    row = rows_of(compare_numbers(paired(*two, task="scene", rungs=(None, alone)))).loc[STEP]
    assert row["about_a"] == "own_window"
    assert row[["about_b", "b", "difference"]].isna().all()


# What is lacking.


def test_an_empty_size_group_and_a_single_category_leave_the_rest():
    sample = sampled(each=40, groups=("small", "medium"), categories=("car",))
    a, b = predicted(sample), predicted(sample, odds=BETTER, seed=1)
    for pair in pairs_of((sample, a), (sample, b)).values():
        numbers = rows_of(compare_numbers(pair))
        assert numbers.loc["accuracy_large", "n"] == 0
        unknown = [name for name in ("accuracy_large", "size_gap", STEP) if name in numbers.index]
        assert numbers.loc[unknown, ["a", "b", "difference", "p_holm"]].isna().all(axis=None)
        assert np.isfinite(numbers.loc["accuracy_small", "difference"])
        large = compare_conditions(pair).query("size_group == 'large'")
        assert (large["n"] == 0).all()
        assert (large["verdict"] == "").all()
        counts = count_flips(pair, numbers.reset_index()).set_index("size_group")
        counted = ["n", "failed", "positive_flips", "right", "negative_flips"]
        assert (counts.loc["large", counted] == 0).all()


# The worst effect.


def odds_under(losses):
    """Odds that a condition lowers, by its family."""
    return lambda table: 0.6 - table["family"].map(losses).fillna(0.0)


@pytest.mark.parametrize("task", TASKS)
def test_the_worst_effect_is_compared_where_it_is_the_same_change(plain_sample, task):
    def worst(losses):
        b = predicted(plain_sample, odds=odds_under(losses), seed=1)
        pair = paired((plain_sample, a), (plain_sample, b), task=task)
        return rows_of(compare_numbers(pair)).loc["worst_effect_on_small"]

    a = predicted(plain_sample, odds=odds_under({"occlusion": 0.2}))
    row = worst({"occlusion": 0.5})
    assert row["about_a"] == row["about_b"] == "occlusion/ratio=0.35"
    assert row["difference"] == pytest.approx(row["b"] - row["a"])
    assert row["verdict"] == "lower"
    row = worst({"downscale": 0.4})
    assert (row["about_a"], row["about_b"]) == ("occlusion/ratio=0.35", "downscale/scale=0.5")
    assert np.isfinite([row["a"], row["b"]]).all()
    assert np.isnan([row["difference"], row["p_value"], row["p_holm"]]).all()


def test_an_intervention_is_no_worst_effect(plain_sample):
    losses = {"occlusion": 0.1, "object_only": 0.5, "crop_low": 0.4}
    table = predicted(plain_sample, odds=odds_under(losses))
    numbers = rows_of(compare_numbers(paired((plain_sample, table), (plain_sample, table))))
    assert numbers.loc["worst_effect_on_small", "about_a"] == "occlusion/ratio=0.35"


def test_without_a_condition_in_common_there_is_no_worst_effect(plain_sample):
    a = predicted(plain_sample, conditions=CONDITIONS[:1])
    b = predicted(plain_sample, conditions=CONDITIONS[1:])
    row = rows_of(compare_numbers(paired((plain_sample, a), (plain_sample, b))))
    row = row.loc["worst_effect_on_small"]
    assert row[["about_a", "about_b", "a", "b", "difference"]].isna().all()
