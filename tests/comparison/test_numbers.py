import dataclasses

import numpy as np
import pandas as pd
import pytest

from builders.compared_studies import (
    CONDITIONS,
    PROBES,
    failed,
    paired,
    predicted,
    sampled,
    tables_of,
)
from smallsight.analysis.accuracy import compute_accuracy
from smallsight.analysis.effects import compute_effects
from smallsight.analysis.gap import decompose_gap
from smallsight.analysis.headline import compute_headline
from smallsight.analysis.statistics import tests
from smallsight.analysis.thresholds import compute_thresholds
from smallsight.comparison.flips import choose_shown, count_flips, list_flips
from smallsight.comparison.numbers import FACTOR, compare_conditions, compare_numbers
from smallsight.comparison.pairs import pair_studies
from smallsight.conditions.names import UNTOUCHED
from smallsight.runtime.errors import SmallsightError
from smallsight.vocabulary import ALL_AND_GROUPS

pytestmark = pytest.mark.usefixtures("frozen")

BETTER = {"small": 0.57, "medium": 0.6, "large": 0.8}


@pytest.fixture(scope="module")
def sample():
    return sampled(each=60)


@pytest.fixture(scope="module")
def two(sample):
    """A study, and one that is better on small objects."""
    return (sample, predicted(sample)), (sample, predicted(sample, odds=BETTER, seed=1))


@pytest.fixture(scope="module")
def pair(two):
    return paired(*two)


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
    assert (conditions[["difference", "ci_low", "ci_high", "gained", "lost"]] == 0).all(axis=None)
    assert (conditions["p_value"] == 1).all()
    assert list_flips(pair).empty
    counts = count_flips(pair, numbers.reset_index())
    assert (counts[["fixed", "broken", "net"]] == 0).all(axis=None)


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
    ways = [list_flips(one)["way"].value_counts() for one in (pair, paired(*two[::-1]))]
    assert ways[0]["fixed"] == ways[1]["broken"]
    assert ways[0]["broken"] == ways[1]["fixed"]


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
        found.append(table["verdict"].isin(["higher", "lower"]).any())
    assert np.mean(found) <= 0.05


def test_draws_are_paired(pair):
    assert (pair.a.weights == pair.b.weights).all()
    table = compare_conditions(pair)
    row = table[(table["family"] == UNTOUCHED) & (table["size_group"] == "large")].iloc[0]
    draws = [one.accuracy("fixed", UNTOUCHED, "large")[1:] for one in (pair.a, pair.b)]
    alone = np.sqrt(sum(np.var(one) for one in draws))
    assert (row["ci_high"] - row["ci_low"]) / 2 < 0.6 * 1.96 * alone


def test_on_a_whole_sample_the_numbers_are_those_of_the_studies_themselves(pair):
    numbers = rows_of(compare_numbers(pair))
    for side, one in (("a", pair.a), ("b", pair.b)):
        made = (
            compute_accuracy(one), compute_effects(one), compute_thresholds(one), decompose_gap(one)
        )  # fmt: skip
        due = compute_headline(*made)
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
        shown = plain["verdict"].map({"higher": 1, "lower": -1}).fillna(0)
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
        turned = both[1].astype(int) - both[0]
        assert (row.gained, row.lost) == ((turned == 1).sum(), (turned == -1).sum())
        by_image = turned.groupby("image_id").sum().to_numpy()
        assert row.p_value == pytest.approx(tests.clustered_mcnemar_p(by_image))


def test_a_condition_is_its_level_whatever_it_is_called(sample):
    a = predicted(sample, conditions=("occlusion/ratio=0.35", "occlusion/ratio=0.6"))
    b = predicted(sample, conditions=("occlusion/ratio=0.6", "occlusion/ratio=0.85"))
    pair = paired((sample, a), (sample, b))
    table = compare_conditions(pair)
    assert set(table["level"]) == {"default", "ratio=0.6"}
    names = table.loc[table["level"] == "ratio=0.6", ["name_a", "name_b"]].drop_duplicates()
    assert names.to_numpy().tolist() == [["occlusion/ratio=0.6", "occlusion"]]


def test_only_what_both_test_is_compared(two, sample):
    (_, a), (_, b) = two
    part = sample.sample(frac=0.6, random_state=1)
    kept = b[b["ann_id"].isin(part["ann_id"])]
    pair = paired((sample, a), (sample, kept))
    assert pair.a.instances.equals(pair.b.instances)
    assert len(pair.a.instances) == len(part)
    assert pair.alone == (len(sample) - len(part), 0)
    ids = set(part["ann_id"])
    numbers = rows_of(compare_numbers(pair))
    untouched = a[(a["condition"] == UNTOUCHED) & a["ann_id"].isin(ids)]
    due = untouched.groupby("size_group")["correct"].mean()
    assert numbers.loc["accuracy_small", "a"] == pytest.approx(due["small"])


def test_regimes_are_those_of_both_the_headline_first(sample):
    a = predicted(sample, regimes=("retrained", "fixed"))
    b = predicted(sample, regimes=("fixed", "retrained"), seed=1)
    assert paired((sample, a), (sample, b)).regimes == ["fixed", "retrained"]
    alone = predicted(sample, regimes=("retrained",), seed=1)
    pair = paired((sample, a), (sample, alone))
    assert pair.regimes == ["retrained"]
    assert set(compare_conditions(pair)["regime"]) == {"retrained"}


def test_untouched_pictures_stand_in_one_regime(sample):
    both = ("fixed", "retrained")
    a = predicted(sample, regimes=both)
    table = compare_conditions(paired((sample, a), (sample, a)))
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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bbox_x": 7777.0}, "at 7777"),
        ({"category_name": "boat"}, "boat"),
        ({"size_group": "large"}, "a large"),
    ],
    ids=str,
)
def test_ids_that_stand_for_other_objects_are_refused(two, sample, change, words):
    (_, a), (_, b) = two
    other = sample.copy()
    first = sample.index[sample["size_group"] == "small"][0]
    other.loc[first, list(change)] = list(change.values())
    with pytest.raises(SmallsightError) as caught:
        paired((sample, a), (other, b))
    line = str(caught.value)
    assert "\n" not in line
    assert f"1 of {len(sample)} ids" in line
    assert f"object {sample.loc[first, 'ann_id']}" in line
    assert words in line


def test_studies_without_a_common_regime_are_refused(sample):
    a, b = (predicted(sample, regimes=(regime,)) for regime in ("fixed", "retrained"))
    with pytest.raises(SmallsightError, match=r"no regime in common: fixed .* retrained"):
        paired((sample, a), (sample, b))


@pytest.mark.parametrize("kept", [0, 29])
def test_too_few_shared_objects_are_refused(two, sample, kept):
    (_, a), (_, b) = two
    first = a[a["ann_id"].isin(sample["ann_id"][:90])]
    last = b[b["ann_id"].isin(sample["ann_id"][90 - kept :])]
    a, b, due = first, last, f"of 90 in the first and {90 + kept} in the second"
    line = rf"{kept} objects in \d+ images .* {due}; expected at least 30 objects"
    with pytest.raises(SmallsightError, match=line):
        paired((sample, a), (sample, b))


def test_too_few_images_are_refused():
    sample = sampled(each=20, per_image=10)
    table = predicted(sample)
    with pytest.raises(SmallsightError, match=r"60 objects in 6 images .* in 10 images"):
        paired((sample, table), (sample, table))


@pytest.mark.parametrize("odds", [0.0, 1.1], ids=["never right", "always right"])
def test_a_threshold_beyond_all_sides_is_compared_with_nothing(two, sample, odds):
    extreme = predicted(sample, odds=dict.fromkeys(BETTER, odds))
    row = rows_of(compare_numbers(paired(two[0], (sample, extreme)))).loc[FACTOR]
    assert row["b"] in (0, np.inf)
    assert np.isfinite(row["a"])
    assert row[["difference", "ci_low", "p_value", "p_holm"]].isna().all()
    assert row["verdict"] == ""


def test_what_one_study_lacks_has_no_difference(two, sample):
    without = predicted(sample, conditions=CONDITIONS)
    numbers = rows_of(compare_numbers(paired(two[0], (sample, without))))
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
    assert (counts.loc["large", ["n", "failed", "fixed", "right", "broken"]] == 0).all()


def odds_under(losses):
    """Odds that a condition lowers, by its family."""
    return lambda table: 0.6 - table["family"].map(losses).fillna(0.0)


def test_the_worst_effect_is_compared_where_it_is_the_same_change(sample):
    a = predicted(sample, odds=odds_under({"occlusion": 0.2}))
    worse = predicted(sample, odds=odds_under({"occlusion": 0.5}), seed=1)
    other = predicted(sample, odds=odds_under({"downscale": 0.4}), seed=1)
    same = rows_of(compare_numbers(paired((sample, a), (sample, worse))))
    row = same.loc["worst_effect_on_small"]
    assert row["condition_a"] == row["condition_b"] == "occlusion"
    assert row["difference"] == pytest.approx(row["b"] - row["a"])
    assert row["verdict"] == "lower"
    mixed = rows_of(compare_numbers(paired((sample, a), (sample, other))))
    row = mixed.loc["worst_effect_on_small"]
    assert (row["condition_a"], row["condition_b"]) == ("occlusion", "downscale")
    assert np.isfinite([row["a"], row["b"]]).all()
    assert np.isnan([row["difference"], row["p_value"], row["p_holm"]]).all()


def test_a_probe_is_no_worst_effect_and_an_unknown_family_may_be(sample):
    names = ("once_upon/a=1", *PROBES)
    table = predicted(
        sample, conditions=names, odds=odds_under({"once_upon": 0.1, "object_only": 0.5})
    )
    row = rows_of(compare_numbers(paired((sample, table), (sample, table))))
    assert row.loc["worst_effect_on_small", "condition_a"] == "once_upon"


def test_what_turned_is_what_most_seeds_say_in_one_study_alone(pair):
    table = list_flips(pair)
    right = [
        side.predictions[side.predictions["condition"] == UNTOUCHED]
        .groupby(["image_id", "ann_id"])["correct"]
        .mean()
        for side in pair.tables
    ]
    due = {
        key: "fixed" if right[1][key] > 0.5 else "broken"
        for key in right[0].index
        if (right[0][key] > 0.5) != (right[1][key] > 0.5)
    }
    keys = list(zip(table["image_id"], table["ann_id"], strict=True))
    assert dict(zip(keys, table["way"], strict=True)) == due
    assert table["right_a"].tolist() == pytest.approx([right[0][key] for key in keys])
    is_fixed = table["way"] == "fixed"
    assert (table.loc[is_fixed, "named_b"] == table.loc[is_fixed, "category_name"]).all()
    assert (table.loc[is_fixed, "named_a"] != table.loc[is_fixed, "category_name"]).all()
    assert (table.loc[~is_fixed, "named_a"] == table.loc[~is_fixed, "category_name"]).all()
    swing = (table["right_b"] - table["right_a"]).abs().round(9)
    assert swing.is_monotonic_decreasing


def test_a_cause_is_that_of_the_study_in_which_the_object_fails(two):
    (sample, a), (_, b) = two
    sides = [
        dataclasses.replace(
            tables_of(sample, table, name=name), failures=failed(table).assign(cause=name)
        )
        for name, table in (("in A", a), ("in B", b))
    ]
    made = pair_studies(*sides, settings=paired(*two).a.settings, rng=np.random.default_rng(0))
    table = list_flips(made)
    assert set(table.loc[table["way"] == "fixed", "cause"]) == {"in A"}
    assert set(table.loc[table["way"] == "broken", "cause"]) == {"in B"}


def test_counts_are_those_of_what_turned(pair):
    numbers = compare_numbers(pair)
    counts = count_flips(pair, numbers).set_index("size_group")
    turned = list_flips(pair)
    for group in ALL_AND_GROUPS:
        part = turned if group == "all" else turned[turned["size_group"] == group]
        row = counts.loc[group]
        assert row["fixed"] == (part["way"] == "fixed").sum() <= row["failed"]
        assert row["broken"] == (part["way"] == "broken").sum() <= row["right"]
        assert row["failed"] + row["right"] == row["n"]
        assert row["net"] == row["fixed"] - row["broken"]
        assert row["p_value"] == rows_of(numbers).loc[f"accuracy_{group}", "p_value"]


@pytest.mark.parametrize(("most", "due"), [(6, (2, 2, 2)), (8, (3, 3, 2)), (99, (9, 5, 2))])
def test_size_groups_take_turns_and_keep_their_order(most, due):
    groups = ["large"] * 2 + ["small"] * 9 + ["medium"] * 5
    table = pd.DataFrame({"size_group": groups, "ann_id": range(16)})
    shown = choose_shown(table, most=most)
    counts = shown["size_group"].value_counts().reindex(["small", "medium", "large"]).tolist()
    assert tuple(counts) == due
    for group, part in shown.groupby("size_group"):
        first = table[table["size_group"] == group]["ann_id"][: len(part)]
        assert part["ann_id"].tolist() == first.tolist()
