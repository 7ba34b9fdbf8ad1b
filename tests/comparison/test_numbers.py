import numpy as np
import pandas as pd
import pytest

from builders.compared_studies import (
    BETTER,
    CONDITIONS,
    INTERVENED,
    facts_of,
    paired,
    predicted,
    sampled,
)
from smallsight.analysis.accuracy import compute_accuracy
from smallsight.analysis.effects import compute_effects
from smallsight.analysis.gap import decompose_gap
from smallsight.analysis.headline import compute_headline
from smallsight.analysis.statistics import tests
from smallsight.analysis.thresholds import compute_thresholds
from smallsight.comparison.flips import count_flips, list_flips
from smallsight.comparison.numbers import FACTOR, compare_conditions, compare_numbers
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.vocabulary import ALL_AND_GROUPS

pytestmark = [pytest.mark.simulation, pytest.mark.usefixtures("frozen")]


def rows_of(table):
    return table.set_index("number")


def test_a_study_differs_from_itself_in_nothing(two):
    pair = paired(two[0], two[0])
    numbers = rows_of(compare_numbers(pair))
    points = numbers.drop(FACTOR)
    assert (points[["difference", "ci_low", "ci_high"]] == 0).all(axis=None)
    assert (numbers.loc[FACTOR, ["difference", "ci_low", "ci_high"]] == 1).all()
    assert (numbers["p_value"] == 1).all()
    assert (numbers["verdict"] == "inconclusive").all()
    conditions = compare_conditions(pair)
    flat = ["difference", "ci_low", "ci_high", "positive_flips", "negative_flips"]
    assert (conditions[flat] == 0).all(axis=None)
    assert (conditions["p_value"] == 1).all()
    assert list_flips(pair).empty
    counts = count_flips(pair, numbers.reset_index())
    assert (counts[["positive_flips", "negative_flips", "net"]] == 0).all(axis=None)


def test_a_planted_difference_is_found_where_it_is_and_nowhere_else(pair):
    verdicts = rows_of(compare_numbers(pair))["verdict"]
    assert verdicts["accuracy_small"] == "higher"
    assert verdicts["size_gap"] == "lower"
    assert verdicts["accuracy_large"] == "inconclusive"
    by_group = compare_conditions(pair).groupby("size_group")["verdict"].agg(set)
    assert by_group["small"] == {"higher"}
    assert by_group["large"] == {"inconclusive"}


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
            regime="fixed", condition=UNTOUCHED, family=UNTOUCHED, level="default", seed=0,
            side=rng.uniform(4, 60, len(sample)), correct=right, predicted="car", confidence=1.0,
            p_car=0.5, p_bus=0.5,
        )  # fmt: skip
        both.append((sample, table))
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


def test_on_a_whole_sample_the_numbers_are_those_of_the_studies_themselves(pair):
    numbers = rows_of(compare_numbers(pair))
    for side, one in (("a", pair.a), ("b", pair.b)):
        tables = {
            "accuracy": compute_accuracy(one),
            "effects": compute_effects(one),
            "thresholds": compute_thresholds(one),
            "ledger": decompose_gap(one),
        }
        due = compute_headline(tables, pair.families)
        worst = due.pop("worst_condition_for_small")
        assert numbers.loc["worst_effect_on_small", f"condition_{side}"] == worst
        assert numbers[side].round(4).to_dict() == due


def test_differences_are_of_the_two_columns_and_verdicts_need_interval_and_test(pair):
    for table in (compare_numbers(pair), compare_conditions(pair)):
        plain = table[table["difference"].notna()]
        if "number" in table:
            factor = rows_of(table).loc[FACTOR]
            assert factor["difference"] == pytest.approx(factor["b"] / factor["a"])
            plain = plain[plain["number"] != FACTOR]
        assert plain["difference"].tolist() == (plain["b"] - plain["a"]).tolist()
        np.testing.assert_array_equal(table["p_holm"], tests.holm(table["p_value"]))
        shown = plain["direction"]
        words = {1: "higher", -1: "lower", 0: "inconclusive"}
        assert (plain["verdict"] == shown.map(words)).all()
        beyond = (plain["ci_low"] > 0).astype(int) - (plain["ci_high"] < 0)
        assert (shown == beyond * (plain["p_holm"] <= 0.05)).all()


def test_accuracies_are_tested_on_what_most_seeds_say(pair):
    table = compare_conditions(pair)
    for row in table[table["size_group"] == "small"].itertuples():
        both = []
        for side, name in zip(pair.tables, (row.name_a, row.name_b), strict=True):
            chosen = side.predictions[side.predictions["condition"] == name]
            chosen = chosen[chosen["size_group"] == "small"]
            both.append(chosen.groupby(["image_id", "ann_id"])["correct"].mean() > 0.5)
        flips = both[1].astype(int) - both[0]
        assert row.positive_flips == (flips == 1).sum()
        assert row.negative_flips == (flips == -1).sum()
        by_image = flips.groupby("image_id").sum().to_numpy()
        assert row.p_value == pytest.approx(tests.clustered_mcnemar_p(by_image))


def test_untouched_pictures_stand_in_one_regime(plain_sample):
    both = ("fixed", "retrained")
    a = predicted(plain_sample, regimes=both)
    table = compare_conditions(paired((plain_sample, a), (plain_sample, a)))
    counts = table.groupby(["family", "regime"]).size()
    assert (UNTOUCHED, "retrained") not in counts.index
    assert counts[UNTOUCHED, "fixed"] == len(ALL_AND_GROUPS)


def test_a_larger_input_is_measured_on_the_same_objects(two):
    (sample, a), _ = two
    larger = a.assign(side=2 * a["side"])
    pair = paired((sample, a), (sample, larger))
    assert pair.scale == pytest.approx(2)
    row = rows_of(compare_numbers(pair)).loc[FACTOR]
    assert row["difference"] == 1
    assert row["a"] == row["b"]


@pytest.mark.parametrize("odds", [0.0, 1.1], ids=["never right", "always right"])
def test_a_threshold_beyond_all_sides_is_compared_with_nothing(two, plain_sample, odds):
    extreme = predicted(plain_sample, odds=dict.fromkeys(BETTER, odds))
    row = rows_of(compare_numbers(paired(two[0], (plain_sample, extreme)))).loc[FACTOR]
    assert row["b"] in (0, np.inf)
    assert np.isfinite(row["a"])
    assert row[["difference", "ci_low", "p_value", "p_holm"]].isna().all()
    assert row["verdict"] == ""
    assert np.isnan(row["direction"])


def test_what_one_study_lacks_has_no_difference(two, plain_sample):
    without = predicted(plain_sample, conditions=CONDITIONS)
    numbers = rows_of(compare_numbers(paired(two[0], (plain_sample, without))))
    parts = numbers.loc[["gap_by_resolution", "gap_by_context"]]
    assert parts["a"].notna().all()
    assert parts[["b", "difference", "p_holm"]].isna().all(axis=None)
    assert numbers.loc["size_gap", "difference"] == numbers.loc["size_gap", ["a", "b"]].diff()["b"]


def test_an_empty_size_group_and_a_single_category_leave_the_rest():
    sample = sampled(each=40, groups=("small", "medium"), categories=("car",))
    a, b = predicted(sample), predicted(sample, odds=BETTER, seed=1)
    pair = paired((sample, a), (sample, b))
    numbers = rows_of(compare_numbers(pair))
    assert numbers.loc["accuracy_large", "n"] == 0
    unknown = ["accuracy_large", "size_gap", "gap_by_resolution", "gap_by_context"]
    assert numbers.loc[unknown, ["a", "b", "difference", "p_holm"]].isna().all(axis=None)
    assert np.isfinite(numbers.loc["accuracy_small", "difference"])
    large = compare_conditions(pair).query("size_group == 'large'")
    assert (large["n"] == 0).all()
    assert (large["verdict"] == "").all()
    counts = count_flips(pair, numbers.reset_index()).set_index("size_group")
    counted = ["n", "failed", "positive_flips", "right", "negative_flips"]
    assert (counts.loc["large", counted] == 0).all()


def odds_under(losses):
    """Odds that a condition lowers, by its family."""
    return lambda table: 0.6 - table["family"].map(losses).fillna(0.0)


def test_the_worst_effect_is_compared_where_it_is_the_same_change(plain_sample):
    a = predicted(plain_sample, odds=odds_under({"occlusion": 0.2}))
    worse = predicted(plain_sample, odds=odds_under({"occlusion": 0.5}), seed=1)
    other = predicted(plain_sample, odds=odds_under({"downscale": 0.4}), seed=1)
    same = rows_of(compare_numbers(paired((plain_sample, a), (plain_sample, worse))))
    row = same.loc["worst_effect_on_small"]
    assert row["condition_a"] == row["condition_b"] == "occlusion"
    assert row["difference"] == pytest.approx(row["b"] - row["a"])
    assert row["verdict"] == "lower"
    mixed = rows_of(compare_numbers(paired((plain_sample, a), (plain_sample, other))))
    row = mixed.loc["worst_effect_on_small"]
    assert (row["condition_a"], row["condition_b"]) == ("occlusion", "downscale")
    assert np.isfinite([row["a"], row["b"]]).all()
    assert np.isnan([row["difference"], row["p_value"], row["p_holm"]]).all()


@pytest.mark.parametrize(
    ("told_by", "worst"),
    [("ab", "once_upon"), ("a", "once_upon"), ("b", "once_upon"), ("", "object_only")],
)
def test_an_intervention_is_no_worst_effect_where_a_study_has_facts(plain_sample, told_by, worst):
    names = ("once_upon/a=1", *INTERVENED)
    table = predicted(
        plain_sample, conditions=names, odds=odds_under({"once_upon": 0.1, "object_only": 0.5})
    )
    # A family without facts counts as a corruption.
    known = facts_of(table[table["family"] != "once_upon"])
    families = [known if side in told_by else {} for side in "ab"]
    pair = paired((plain_sample, table), (plain_sample, table), families=families)
    row = rows_of(compare_numbers(pair)).loc["worst_effect_on_small"]
    assert row["condition_a"] == row["condition_b"] == worst
