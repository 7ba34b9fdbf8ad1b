import itertools

import numpy as np
import pandas as pd
import pytest

from builders import map_measures
from smallsight.analysis.saliency import MapMeasures, arrange_measures
from smallsight.analysis.saliency_tables import (
    CONTROL_COMPARISON,
    MAP_SUMMARY,
    OUTCOME_COMPARISON,
    compare_outcomes,
    compare_with_controls,
    summarise_maps,
)
from smallsight.analysis.statistics import bootstrap, tests
from smallsight.analysis.terms import CONTROLS

GROUPS = ("all", "small", "medium", "large")
CONDITIONS = ("orig_full", "downscale")
MAPS = ("predicted", *map_measures.OTHERS)
MEDIANS = [
    *("energy_in_box", "lift", "box_area_share", "energy_in_mask", "mask_lift", "signed_in_box"),
]


def looked_both(found, lift, correct):
    """Give both kinds of map the same lifts."""
    kinds = [
        map_measures.measures_of(found, lift, correct, name=name)
        for name in ("predicted", "true_class")
    ]
    return MapMeasures(found, kinds[0].tables | kinds[1].tables)


def members(table, group):
    return table if group == "all" else table[table["size_group"] == group]


def test_the_summary_is_of_each_map_condition_group_and_outcome(looking, whole):
    table = summarise_maps(looking)
    assert list(table.columns) == MAP_SUMMARY.names
    assert set(table["task"]) == {looking.outcomes.task}
    keys = table[["map", "condition", "size_group", "outcome"]]
    pairs = [(name, condition) for name in MAPS for condition in CONDITIONS]
    pairs.remove(("random_weights", "downscale"))
    due = {(*pair, group, outcome) for pair in pairs for group in GROUPS
           for outcome in ("all", "correct", "failed")}  # fmt: skip
    assert set(keys.itertuples(index=False, name=None)) == due
    assert not keys.duplicated().any()
    for row in table.to_dict("records"):
        part = members(whole, row["size_group"])
        part = part[(part["map"] == row["map"]) & (part["condition"] == row["condition"])]
        if row["outcome"] != "all":
            part = part[part["correct"] == (row["outcome"] == "correct")]
        assert row["n"] == len(part)
        assert row["n_mask"] == part["energy_in_mask"].count() < len(part)
        due = part[MEDIANS].median().to_dict()
        due |= dict(zip(("lift_q1", "lift_q3"), part["lift"].quantile([0.25, 0.75]), strict=True))
        due |= {name: part[name].mean() for name in ("pointing_hit", "no_evidence")}
        assert {name: row[name] for name in due} == pytest.approx(due, nan_ok=True)


def test_right_and_failed_add_up_to_all(looking):
    wide = summarise_maps(looking).pivot(
        index=["map", "condition", "size_group"], columns="outcome", values=["n", "n_mask"]
    )
    for name in ("n", "n_mask"):
        assert (wide[name]["all"] == wide[name]["correct"] + wide[name]["failed"]).all()
    assert (wide["n"] > 0).all(axis=None)
    by_group = wide["n"]["all"].unstack("size_group")
    assert (by_group["all"] == by_group[["small", "medium", "large"]].sum(axis=1)).all()


def test_an_outcome_or_a_group_that_is_empty_has_no_row(found, measures):
    attention, maps = measures
    right = attention["size_group"] != "small"
    table = summarise_maps(arrange_measures(found, attention.assign(correct=right), maps))
    own = table[(table["map"] == "predicted") & (table["condition"] == "orig_full")]
    outcomes = own.groupby("size_group")["outcome"].agg(list).to_dict()
    due = {"all": ["all", "correct", "failed"], "small": ["all", "failed"]}
    assert outcomes == due | {name: ["all", "correct"] for name in ("medium", "large")}


def test_instances_without_a_map_are_not_counted(found, measures):
    attention, maps = measures
    some = arrange_measures(found, attention[attention["ann_id"] % 3 > 0], maps)
    table = summarise_maps(some).query("condition == 'orig_full' and outcome == 'all'")
    counts = table.set_index(["map", "size_group"])["n"]
    ids = found.instances["ann_id"]
    assert counts["predicted", "all"] == (ids % 3 > 0).sum() < len(ids)
    assert counts["true_class", "all"] == len(ids)


# Against controls.


@pytest.fixture(scope="module")
def compared(looking):
    return compare_with_controls(looking)


def both(looking, row):
    """Energies of a row's two maps in the box, of the instances for which both have evidence."""
    chosen = looking.outcomes.members[row["size_group"]]
    own, other = (
        looking.tables[name, row["condition"]]["energy_in_box"].to_numpy()
        for name in ("predicted", row["control"])
    )
    chosen = chosen & ~np.isnan(own) & ~np.isnan(other)
    return chosen, own[chosen], other[chosen]


def test_one_row_per_control_condition_and_group_that_has_both_maps(compared, looking):
    assert list(compared.columns) == CONTROL_COMPARISON.names
    assert set(compared["task"]) == {looking.outcomes.task}
    due = list(itertools.product(("random_box", "centre"), CONDITIONS, GROUPS))
    due += list(itertools.product(["random_weights"], ["orig_full"], GROUPS))
    assert (
        list(compared[["control", "condition", "size_group"]].itertuples(index=False, name=None))
        == due
    )


def test_excess_is_the_mean_paired_difference_of_maps_that_both_have_evidence(compared, looking):
    for row in compared.to_dict("records"):
        chosen, own, other = both(looking, row)
        images = looking.outcomes.image[chosen]
        assert (row["n"], row["images"]) == (len(own), len(set(images)))
        assert row["n"] < looking.outcomes.members[row["size_group"]].sum()
        found = row["energy"], row["control_energy"], row["excess"]
        assert found == pytest.approx((own.mean(), other.mean(), (own - other).mean()))


def test_intervals_and_tests_are_those_of_paired_draws(compared, looking):
    for row in compared.to_dict("records"):
        chosen, own, other = both(looking, row)
        weights = looking.outcomes.weights[:, chosen].astype(float)
        draws = weights @ (own - other) / weights.sum(axis=1)
        due = bootstrap.estimate(draws, confidence=0.95, images=row["images"])
        named = ("ci_low", "ci_high", "p_value")
        assert [row[name] for name in named] == pytest.approx([due[name] for name in named])
        assert row["ci_low"] < row["excess"] < row["ci_high"]


def test_the_rows_of_each_control_are_a_family_of_tests(compared):
    assert set(compared["control"]) == set(CONTROLS)
    for _, rows in compared.groupby("control"):
        assert rows["p_holm"].to_numpy() == pytest.approx(tests.holm(rows["p_value"]))
    assert not np.allclose(compared["p_holm"], tests.holm(compared["p_value"]))


def test_what_is_detectable_is_so_whatever_the_other_tests_of_its_family_say(compared, looking):
    for _, rows in compared.groupby("control"):
        for row in rows.to_dict("records"):
            chosen, own, other = both(looking, row)
            weights = looking.outcomes.weights[1:, chosen].astype(float)
            draws = weights @ (own - other) / weights.sum(axis=1)
            error = bootstrap.standard_error(draws, images=row["images"])
            p_value = tests.wald_p(row["mde"], error, images=row["images"])
            assert tests.holm([p_value, *[1.0] * (len(rows) - 1)])[0] <= 0.05
            # By one test of its own, less would do.
            alone = tests.minimum_detectable(error, confidence=0.95, images=row["images"])
            assert alone < row["mde"] < 2 * alone


@pytest.mark.parametrize(("excess", "due"), [(0.05, "more"), (-0.05, "less"), (0, "not decided")])
@pytest.mark.parametrize("control", CONTROLS)
def test_planted_excess_is_found_and_absent_is_not(found, control, excess, due):
    rng = np.random.default_rng(3)
    sample = found.instances
    # What the maps of an object share is no evidence for either.
    shared = rng.uniform(0.2, 0.6, len(sample))
    own, other = (shared + rng.normal(0, 0.05, len(sample)) for _ in range(2))
    attention = map_measures.measured(sample, energy_in_box=own + excess)
    maps = map_measures.measured(sample, seed=1, energy_in_box=other).assign(map=control)
    table = compare_with_controls(arrange_measures(found, attention, maps))
    assert list(table["size_group"]) == list(GROUPS)
    assert set(table["control"]) == {control}
    assert set(table["verdict"]) == {due}
    assert table["excess"].to_numpy() == pytest.approx(np.full(4, excess), abs=0.03)


def test_a_control_that_is_missing_leaves_the_others_alone(found, measures, compared):
    attention, maps = measures
    for name in CONTROLS:
        table = compare_with_controls(arrange_measures(found, attention, maps[maps["map"] != name]))
        due = compared[compared["control"] != name].reset_index(drop=True)
        pd.testing.assert_frame_equal(table, due, check_dtype=False)
    without = compare_with_controls(
        arrange_measures(found, attention, maps[maps["map"] == "true_class"])
    )
    assert len(without) == 0
    assert list(without.columns) == CONTROL_COMPARISON.names


# By outcome.


@pytest.fixture(scope="module")
def parted(looking):
    return compare_outcomes(looking)


def test_correct_and_failed_are_counted_and_described_where_there_is_evidence(
    parted, whole, looking
):
    assert list(parted.columns) == OUTCOME_COMPARISON.names
    assert set(parted["task"]) == {looking.outcomes.task}
    keys = parted[["map", "condition", "size_group"]].itertuples(index=False, name=None)
    due = itertools.product(("predicted", "true_class"), CONDITIONS, GROUPS)
    assert list(keys) == list(due)
    for row in parted.to_dict("records"):
        part = members(whole, row["size_group"])
        part = part[(part["map"] == row["map"]) & (part["condition"] == row["condition"])]
        lift = part[~part["no_evidence"]].groupby("correct")["lift"].agg(["size", "median"])
        for name, right in (("correct", True), ("failed", False)):
            assert row[f"n_{name}"] == lift.loc[right, "size"]
            assert row[f"median_{name}"] == lift.loc[right, "median"]


def test_counts_of_the_groups_add_up(parted):
    for name in ("n_correct", "n_failed"):
        wide = parted.pivot(index=["map", "condition"], columns="size_group", values=name)
        assert (wide["all"] == wide[["small", "medium", "large"]].sum(axis=1)).all()


def test_superiority_stands_with_its_interval_between_0_and_1(parted, looking):
    for row in parted.to_dict("records"):
        key = row["map"], row["condition"], row["size_group"]
        assert row["superiority"] == looking.superiority(*key)[0]
        assert 0 <= row["ci_low"] < row["superiority"] < row["ci_high"] <= 1


def side_of_half(rows):
    """1 where the interval lies above one half, -1 where it lies below, 0 where it holds it."""
    return set((rows["ci_low"] > 0.5).astype(int) - (rows["ci_high"] < 0.5))


@pytest.mark.parametrize("name", ["predicted", "true_class"])
@pytest.mark.parametrize("shift", [1.0, -1.0, 0.0])
def test_a_planted_difference_is_found_with_its_sign(found, name, shift):
    rng = np.random.default_rng(1)
    n = len(found.image)
    correct = rng.random(n) < 0.6
    plain = map_measures.measured(found.instances, correct=correct, blank=0)
    planted = plain.assign(lift=rng.lognormal(shift * correct, 0.7))
    # The other kind of map has none.
    other = plain.assign(lift=rng.lognormal(0, 0.7, n))
    attention, maps = (planted, other) if name == "predicted" else (other, planted)
    table = compare_outcomes(arrange_measures(found, attention, maps.assign(map="true_class")))
    rows = table[table["map"] == name]
    assert list(rows["size_group"]) == list(GROUPS)
    sign = np.sign(shift)
    assert side_of_half(rows) == {sign}
    assert side_of_half(table[table["map"] != name]) == {0}
    assert (np.sign(rows["superiority"] - 0.5) == sign).all() or not sign
    assert (np.sign(rows["median_correct"] - rows["median_failed"]) == sign).all() or not sign


def test_groups_in_which_nothing_failed_have_no_row(found):
    group = found.instances["size_group"].to_numpy()
    rng = np.random.default_rng(0)
    lift, correct = rng.random(len(group)), (group != "large") & (rng.random(len(group)) < 0.5)
    table = compare_outcomes(looked_both(found, lift, correct | (group == "large")))
    assert list(table["size_group"]) == ["all", "small", "medium"] * 2
    # Nor does it enter the comparison of all objects.
    moved = np.where(group == "large", lift + 9, lift)
    other = compare_outcomes(looked_both(found, moved, correct | (group == "large")))
    pd.testing.assert_series_equal(other["superiority"], table["superiority"])


def test_where_nothing_failed_there_is_no_row(found):
    lift = np.arange(len(found.image)) / 9
    table = compare_outcomes(looked_both(found, lift, np.ones(len(lift), bool)))
    assert len(table) == 0
    assert list(table.columns) == OUTCOME_COMPARISON.names


@pytest.mark.parametrize("failed", [1, 2, 3])
def test_few_failures_are_few_witnesses_however_many_are_right(failed, evaluated):
    """All of them have less lift than any other; by luck that may be so where nothing differs."""
    n = 80
    ids = np.arange(n)
    sample = pd.DataFrame(
        {"image_id": ids, "ann_id": ids, "category_name": "a", "size_group": "small"}
    )
    table = compare_outcomes(looked_both(evaluated(sample), ids / 9, ids >= failed))
    assert (table["superiority"] == 1).all()
    assert (table["images"] == failed).all()
    assert side_of_half(table) == {0}


def test_a_failure_is_one_witness_however_many_of_its_image_there_are(evaluated):
    """Six objects of one image fail, each with less lift than all others."""
    ids = np.arange(86)
    sample = pd.DataFrame(
        {"image_id": np.maximum(ids - 6, 0) + (ids >= 6), "ann_id": ids, "category_name": "a",
         "size_group": "small"}
    )  # fmt: skip
    table = compare_outcomes(looked_both(evaluated(sample), ids / 9, ids >= 6))
    assert (table["n_failed"] == 6).all()
    assert (table["images"] == 1).all()
    assert side_of_half(table) == {0}
