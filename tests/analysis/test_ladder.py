import itertools
from dataclasses import replace
from fractions import Fraction
from statistics import fmean

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.rungs import RUNG_NAMES, answered, outcomes_of, sampled
from smallsight.analysis.ladder import (
    GAP_PARTS,
    LADDER,
    LADDER_GAPS,
    Rungs,
    arrange_rungs,
    compute_gap_parts,
    compute_ladder,
    compute_ladder_gaps,
    name_steps,
    smallest_cell,
    split_gap,
)
from smallsight.analysis.statistics import bootstrap, tests
from smallsight.evaluation.rungs import BASELINES, STEPS
from smallsight.runtime.tables import conform

MIXES = {"small": [0.6, 0.3, 0.1], "medium": [0.3, 0.4, 0.3], "large": [0.1, 0.2, 0.7]}
GROUPS = ["all", "small", "medium", "large"]
LADDER_RUNGS = ["largest_object", *RUNG_NAMES]
STEP_NAMES = [step.name for step in STEPS.values()]
PARTS = ["class_mix", *STEP_NAMES, "not_explained"]
ODDS = dict(zip([*BASELINES, *RUNG_NAMES], np.linspace(0.3, 0.9, 9), strict=True))
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def sample():
    return sampled(images=60, mixes=MIXES)


@pytest.fixture(scope="module")
def predictions(sample):
    return answered(sample, ODDS, seeds=4)


@pytest.fixture(scope="module")
def outcomes(sample):
    return outcomes_of(sample)


@pytest.fixture(scope="module")
def rungs(predictions, outcomes):
    return arrange_rungs(predictions, outcomes)


@pytest.fixture(scope="module")
def ladder(rungs, outcomes):
    return compute_ladder(rungs, outcomes)


@pytest.fixture(scope="module")
def parts(rungs, outcomes):
    return compute_gap_parts(rungs, outcomes).set_index("part")


def by_chance(found, *, seed, rungs=RUNG_NAMES):
    """Answer by chance from every rung, with odds of each size group and category."""
    rng = np.random.default_rng(seed)
    cells = found.instances.groupby(["size_group", "category_name"]).ngroup().to_numpy()
    names = ["largest_object", *rungs]
    odds = rng.random((len(names), cells.max() + 1))
    hits = 1.0 * (rng.random((len(names), len(cells))) < odds[:, cells])
    return Rungs(dict(zip(names, hits, strict=True)))


def ranked(found, odds):
    """Give each instance the hit rate that belongs to its rung, size group and category."""
    keys = list(zip(found.instances["size_group"], found.instances["category_name"], strict=True))
    return Rungs({
        name: np.array([odds(name, *key) for key in keys])
        for name in ["largest_object", *RUNG_NAMES]
    })  # fmt: skip


# The predictions as arrays.


def test_hit_rates_are_means_over_seeds_in_the_order_of_the_outcomes(predictions, outcomes):
    mixed = predictions.sample(frac=1, random_state=0)
    found = arrange_rungs(mixed, outcomes)
    assert list(found.hit_rates) == list(ODDS)
    assert found.names == RUNG_NAMES
    shares = predictions.groupby(["rung", "ann_id"])["correct"].agg(["sum", "size"])
    for rung, hits in found.hit_rates.items():
        due = [Fraction(*shares.loc[rung, one]) for one in outcomes.instances["ann_id"]]
        assert hits.tolist() == [float(one) for one in due]
        assert found.majority_correct(rung).tolist() == [one > Fraction(1, 2) for one in due]
        assert Fraction(1, 2) in due


def test_hit_rates_follow_the_instances_in_any_order(predictions, outcomes, rungs):
    turned = replace(outcomes, instances=outcomes.instances[::-1].reset_index(drop=True))
    for rung, hits in arrange_rungs(predictions, turned).hit_rates.items():
        assert (hits == rungs.hit_rates[rung][::-1]).all()


def test_rungs_that_the_study_lacks_are_left_out(predictions, outcomes):
    few = predictions[~predictions["rung"].isin(["pyramid", "object_alone"])]
    found = arrange_rungs(few, outcomes)
    assert found.names == ["scene", "box", "window_few_pixels", "window"]
    assert list(found.hit_rates) == [*BASELINES, *found.names]


def test_of_a_single_split_the_test_data_alone_are_arranged(sample):
    some = sample[sample["image_id"] % 3 == 0]
    found = outcomes_of(some)
    hits = arrange_rungs(answered(some, {"scene": 1.0}), found).hit_rates["scene"]
    assert hits.tolist() == [1.0] * len(some)


# Steps.


@pytest.mark.parametrize("lacking", list(itertools.combinations(RUNG_NAMES[1:], 2)))
def test_a_step_over_missing_rungs_has_the_names_of_all(lacking):
    there = [name for name in RUNG_NAMES if name not in lacking]
    named = name_steps(there)
    assert list(named) == there[1:]
    steps = "+".join(named.values()).split("+")
    # Nothing leads up to the last rungs, where they are missing.
    last = RUNG_NAMES.index(there[-1])
    assert steps == STEP_NAMES[:last]
    for rung, name in named.items():
        assert name.split("+")[-1] == STEPS[rung].name


# Accuracy from rung to rung.


def test_a_row_per_rung_and_size_group(ladder, sample):
    conform(ladder, LADDER)
    keys = list(itertools.product(LADDER_RUNGS, GROUPS))
    assert list(zip(ladder["rung"], ladder["size_group"], strict=True)) == keys
    for row in ladder.itertuples():
        part = sample if row.size_group == "all" else sample.query(f"size_group == {row[2]!r}")
        assert (row.n, row.images) == (len(part), part["image_id"].nunique())


def test_accuracies_are_of_the_predictions(ladder, predictions):
    for row in ladder.itertuples():
        part = predictions[predictions["rung"] == row.rung]
        if row.size_group != "all":
            part = part[part["size_group"] == row.size_group]
        assert row.accuracy == pytest.approx(part["correct"].mean())
        by_category = part.groupby("category_name")["correct"].mean()
        assert row.balanced == pytest.approx(by_category.mean())
        groups = predictions.query("rung == 'scene' and seed == 0")
        shares = [
            groups.loc[groups["size_group"] == key, "category_name"].value_counts(normalize=True)
            for key in ("small", "large")
        ]
        mix = sum(shares) / 2
        assert mix.sum() == pytest.approx(1)
        assert row.standardised == pytest.approx((by_category * mix).sum())


def test_a_group_is_standardised_to_the_categories_that_it_has():
    """Here large and small objects are of three kinds, medium ones of two."""
    mixes = {key: [0.2, 0.3, 0.5] for key in MIXES} | {"medium": [0.5, 0.5, 0.0]}
    found = outcomes_of(sampled(images=300, mixes=mixes))
    accuracy = {"a": 0.2, "b": 0.7, "c": 1.0}
    table = compute_ladder(ranked(found, lambda rung, group, name: accuracy[name]), found)
    rows = table[table["rung"] == "scene"].set_index("size_group")["standardised"]
    assert rows["small"] == pytest.approx(0.2 * 0.2 + 0.3 * 0.7 + 0.5, abs=0.03)
    assert rows["large"] == pytest.approx(rows["small"])
    assert rows["medium"] == pytest.approx((0.2 * 0.2 + 0.3 * 0.7) / 0.5, abs=0.03)


def test_changes_are_paired_and_of_the_rung_before(ladder, rungs, outcomes):
    keyed = ladder.set_index(["rung", "size_group"])
    first = keyed.loc["largest_object"]
    assert first[["delta", "delta_low", "delta_high"]].isna().to_numpy().all()
    for before, rung in itertools.pairwise(LADDER_RUNGS):
        for group in GROUPS:
            row = keyed.loc[rung, group]
            assert row["delta"] == pytest.approx(
                row["accuracy"] - keyed.loc[(before, group), "accuracy"]
            )
            chosen = outcomes.members[group]
            change = (rungs.hit_rates[rung] - rungs.hit_rates[before])[chosen]
            weights = outcomes.weights[1:, chosen].astype(float)
            draws = weights @ change / weights.sum(axis=1)
            images = outcomes.instances.loc[chosen, "image_id"].nunique()
            due = bootstrap.student_interval(row["delta"], draws, 0.95, images=images)
            assert (row["delta_low"], row["delta_high"]) == pytest.approx(due, abs=1e-9)


def test_intervals_of_accuracies_are_wilsons_for_the_same_draws(ladder, rungs, outcomes):
    for row in ladder.query("rung == 'window'").itertuples():
        chosen = outcomes.members[row.size_group]
        hits = rungs.hit_rates["window"][chosen]
        weights = outcomes.weights[1:, chosen].astype(float)
        draws = weights @ hits / weights.sum(axis=1)
        due = bootstrap.share_interval(row.accuracy, draws, 0.95, images=row.images)
        assert (row.ci_low, row.ci_high) == pytest.approx(due, abs=1e-9)
        category = outcomes.instances["category_name"].to_numpy()[chosen]
        means = []
        for weight in weights:
            drawn = {name: (category == name) * weight for name in set(category)}
            means.append(fmean(w @ hits / w.sum() for w in drawn.values() if w.sum()))
        due = bootstrap.share_interval(row.balanced, np.array(means), 0.95, images=row.images)
        assert (row.balanced_low, row.balanced_high) == pytest.approx(due, abs=1e-9)


def test_equal_rungs_change_nothing_at_all(outcomes):
    hits = np.random.default_rng(0).random(len(outcomes.instances))
    same = Rungs(dict.fromkeys(["largest_object", *RUNG_NAMES], hits))
    table = compute_ladder(same, outcomes)
    changes = table.loc[table["rung"] != "largest_object", ["delta", "delta_low", "delta_high"]]
    assert (changes == 0).to_numpy().all()
    parts = compute_gap_parts(same, outcomes).set_index("part")
    numbers = parts.loc[STEP_NAMES, ["value", "ci_low", "ci_high"]]
    assert (numbers == 0).to_numpy().all()
    assert (parts.loc[STEP_NAMES, "p_value"] == 1).all()
    assert (parts.loc[STEP_NAMES, "verdict"] == "not decided").all()


@pytest.mark.parametrize("lacking", ["small", "medium", "large"])
def test_an_empty_group_has_a_number_and_nothing_else(lacking):
    groups = [name for name in MIXES if name != lacking]
    found = outcomes_of(sampled(groups=groups))
    table = compute_ladder(by_chance(found, seed=0), found)
    conform(table, LADDER)
    rows = table[table["size_group"] == lacking].drop(columns=["rung", "size_group"])
    assert (rows[["n", "images"]] == 0).to_numpy().all()
    assert not rows["near_chance"].any()
    assert rows.drop(columns=["n", "images", "near_chance"]).isna().to_numpy().all()
    others = table[table["size_group"] != lacking]
    assert others[["accuracy", "ci_low", "balanced_high"]].notna().to_numpy().all()


@pytest.mark.parametrize(
    ("odds", "near"), [(1 / 3, True), (0.25, True), (0.8, False), (0.02, False)]
)
def test_near_chance_is_where_guessing_would_do_as_well(odds, near):
    """With three categories; what is worse than guessing is no guess."""
    sample = sampled(images=100)
    found = outcomes_of(sample, chance=1 / 3)
    rng = np.random.default_rng(1)
    hits = {name: 1.0 * (rng.random(len(sample)) < 0.9) for name in LADDER_RUNGS}
    small = found.members["small"]
    hits["pyramid"] = np.where(small, rng.random(len(sample)) < odds, hits["pyramid"])
    table = compute_ladder(Rungs(hits), found)
    marked = table[table["near_chance"]]
    assert set(zip(marked["rung"], marked["size_group"], strict=True)) == (
        {("pyramid", "small")} if near else set()
    )


# The gap from rung to rung.


def test_gaps_are_differences_of_the_ladders_accuracies(ladder, rungs, outcomes, sample):
    table = compute_ladder_gaps(rungs, outcomes)
    conform(table, LADDER_GAPS)
    assert table["rung"].tolist() == LADDER_RUNGS
    both = sample[sample["size_group"] != "medium"]
    assert (table["n"] == len(both)).all()
    assert (table["images"] == both["image_id"].nunique()).all()
    keyed = ladder.set_index(["rung", "size_group"])
    for row in table.itertuples():
        large, small = keyed.loc[row.rung, "large"], keyed.loc[row.rung, "small"]
        for gap, column in (("gap", "accuracy"), ("standardised", "standardised")):
            assert getattr(row, gap) == pytest.approx(large[column] - small[column])
        if row.Index:
            assert row.delta == pytest.approx(large["delta"] - small["delta"])
    assert table.loc[0, ["delta", "delta_low", "delta_high"]].isna().all()


def test_gaps_and_parts_have_one_set_of_draws(rungs, outcomes):
    """So each step's interval of the parts is that of the change of the gap at one mix."""
    table = compute_ladder_gaps(rungs, outcomes).set_index("rung")
    parts = compute_gap_parts(rungs, outcomes).set_index("part")
    gap = table.loc["scene", ["gap", "ci_low", "ci_high"]].tolist()
    assert gap == parts.loc["gap", ["value", "ci_low", "ci_high"]].tolist()
    last = table.loc[RUNG_NAMES[-1], ["standardised", "standardised_low", "standardised_high"]]
    rest = parts.loc["not_explained", ["value", "ci_low", "ci_high"]]
    assert last.tolist() == rest.tolist()


def test_equal_rungs_do_not_change_the_gap_at_all(outcomes):
    hits = np.random.default_rng(0).random(len(outcomes.instances))
    table = compute_ladder_gaps(Rungs(dict.fromkeys(LADDER_RUNGS, hits)), outcomes)
    assert (table.loc[1:, ["delta", "delta_low", "delta_high"]] == 0).to_numpy().all()
    assert table["gap"].nunique() == 1


@pytest.mark.parametrize("lacking", ["small", "large"])
def test_no_gap_without_one_of_the_two_groups(lacking):
    found = outcomes_of(sampled(groups=[name for name in MIXES if name != lacking]))
    table = compute_ladder_gaps(by_chance(found, seed=0), found)
    conform(table, LADDER_GAPS)
    assert table.empty


def test_the_gap_at_one_mix_is_empty_without_a_category_in_common():
    found = outcomes_of(
        sampled(mixes={"small": [1, 0, 0], "large": [0, 0, 1]}, groups=["small", "large"])
    )
    table = compute_ladder_gaps(by_chance(found, seed=0), found)
    conform(table, LADDER_GAPS)
    named = ["standardised", "standardised_low", "standardised_high"]
    assert table[named].isna().to_numpy().all()
    assert table[["gap", "ci_low", "ci_high"]].notna().to_numpy().all()


# The gap and its parts.


@given(SEEDS, st.integers(2, 25), st.sampled_from(["", *MIXES]))
@settings(deadline=None, max_examples=60)
def test_the_parts_sum_to_the_gap_in_every_draw(seed, images, lacking):
    """Also where a size group lacks a category, and in draws without a size group."""
    mixes = MIXES | ({lacking: [0.5, 0.5, 0.0]} if lacking else {})
    found = outcomes_of(sampled(images=images, mixes=mixes, seed=seed), draws=100)
    split = split_gap(by_chance(found, seed=seed), found)
    sizes = set(found.instances["size_group"])
    assert bool(split) == {"small", "large"}.issubset(sizes)
    if not split:
        return
    assert list(split) == ["gap", *PARTS]
    small, large = (found.members[key] for key in ("small", "large"))
    category = found.category
    shared = np.array([
        bool(set(category[small & (weight > 0)]) & set(category[large & (weight > 0)]))
        for weight in found.weights
    ])  # fmt: skip
    drawn = found.weights[:, small].any(axis=1) & found.weights[:, large].any(axis=1)
    for name, draws in split.items():
        assert draws.shape == (101,)
        assert (np.isfinite(draws) == (drawn if name == "gap" else shared)).all(), name
    total = sum(split[name] for name in PARTS)
    np.testing.assert_allclose(total[shared], split["gap"][shared], rtol=0, atol=1e-9)


def standardised_gap(found, hits, weight):
    """Say what is left of the gap at the mix that both groups share, in one draw."""
    rates, shares = {}, {}
    for group in ("small", "large"):
        rows = [
            (name, w, hit)
            for name, size, w, hit in zip(
                found.instances["category_name"], found.instances["size_group"], weight, hits,
                strict=True,
            )
            if size == group and w
        ]  # fmt: skip
        total = sum(w for _, w, _ in rows)
        for name in {name for name, *_ in rows}:
            own = [(w, hit) for other, w, hit in rows if other == name]
            count = sum(w for w, _ in own)
            rates[group, name] = sum(w * hit for w, hit in own) / count
            shares[group, name] = count / total
    both = [name for name in "abc" if {("small", name), ("large", name)} <= set(rates)]
    mix = {name: shares["small", name] + shares["large", name] for name in both}
    return sum(mix[name] * (rates["large", name] - rates["small", name]) for name in both) / sum(
        mix.values()
    )


@pytest.mark.parametrize("draw", [0, 1, 2, 3])
def test_every_part_is_what_its_definition_says(rungs, outcomes, draw):
    split = split_gap(rungs, outcomes)
    weight = outcomes.weights[draw].astype(float)
    left = [standardised_gap(outcomes, rungs.hit_rates[name], weight) for name in RUNG_NAMES]
    hits = rungs.hit_rates["scene"]
    large, small = (
        np.average(hits[outcomes.members[key]], weights=weight[outcomes.members[key]])
        for key in ("large", "small")
    )
    due = {"gap": large - small, "class_mix": large - small - left[0]}
    pairs = zip(STEP_NAMES, itertools.pairwise(left), strict=True)
    due |= {name: before - after for name, (before, after) in pairs}
    due["not_explained"] = left[-1]
    assert list(split) == list(due)
    for name, value in due.items():
        assert split[name][draw] == pytest.approx(value, abs=1e-9), name


def test_a_step_over_missing_rungs_is_worth_what_they_are_together(rungs, outcomes):
    whole = split_gap(rungs, outcomes)
    few = {
        name: hits
        for name, hits in rungs.hit_rates.items()
        if name not in ("pyramid", "window_few_pixels", "object_alone")
    }
    found = split_gap(Rungs(few), outcomes)
    merged = "finer_cells+own_window+own_pixels"
    assert list(found) == ["gap", "class_mix", "told_which_object", merged, "not_explained"]
    np.testing.assert_allclose(
        found[merged], sum(whole[name] for name in merged.split("+")), atol=1e-9
    )
    np.testing.assert_allclose(
        found["not_explained"], whole["no_surroundings"] + whole["not_explained"], atol=1e-9
    )
    table = compute_gap_parts(Rungs(few), outcomes)
    assert list(table["part"]) == list(found)


def test_with_the_scene_alone_the_gap_is_class_mix_and_what_is_not_explained(rungs, outcomes):
    found = split_gap(Rungs({"scene": rungs.hit_rates["scene"]}), outcomes)
    assert list(found) == ["gap", "class_mix", "not_explained"]


def test_a_class_mix_alone_makes_no_step():
    sample = sampled(images=300, mixes=MIXES)
    found = outcomes_of(sample)
    accuracy = {"a": 0.1, "b": 0.3, "c": 0.7}
    table = compute_gap_parts(ranked(found, lambda rung, group, name: accuracy[name]), found)
    rows = table.set_index("part")
    assert rows.loc["gap", "value"] > 0.2
    assert rows.loc["class_mix", "value"] == pytest.approx(rows.loc["gap", "value"])
    assert rows.loc["class_mix", "verdict"] == "favours large"
    rest = rows.loc[[*STEP_NAMES, "not_explained"]]
    # Not even by rounding errors.
    assert (rest[["value", "ci_low", "ci_high"]] == 0).to_numpy().all()
    assert (rest["verdict"] == "not decided").all()


def test_a_category_that_one_group_lacks_counts_as_class_mix():
    """Nothing tells whether its large objects would be easy, were they small."""
    mixes = MIXES | {"small": [0.5, 0.5, 0.0]}
    found = outcomes_of(sampled(images=200, mixes=mixes))
    easy = ranked(found, lambda rung, group, name: 1.0 if name == "c" else 0.5)
    rows = compute_gap_parts(easy, found).set_index("part")
    assert rows.loc["gap", "value"] > 0.2
    assert rows.loc["class_mix", "value"] == pytest.approx(rows.loc["gap", "value"])


def test_groups_without_a_category_in_common_have_a_gap_and_no_parts():
    mixes = {"small": [1, 0, 0], "medium": [0, 1, 0], "large": [0, 0, 1]}
    found = outcomes_of(sampled(images=50, mixes=mixes))
    table = compute_gap_parts(by_chance(found, seed=3), found)
    conform(table, GAP_PARTS)
    rows = table.set_index("part")
    assert np.isfinite(rows.loc["gap", "value"])
    assert rows.loc["gap", "verdict"]
    rest = rows.loc[PARTS]
    assert rest[["value", "ci_low", "ci_high", "p_value", "direction"]].isna().to_numpy().all()
    assert (rest["verdict"] == "").all()
    assert (rows["smallest_cell"] == 0).all()


@pytest.mark.parametrize("lacking", ["small", "large"])
def test_without_small_or_large_objects_there_is_no_gap(lacking):
    found = outcomes_of(sampled(groups=[name for name in MIXES if name != lacking]))
    table = compute_gap_parts(by_chance(found, seed=0), found)
    assert list(table.columns) == GAP_PARTS.names
    assert table.empty


# Intervals, tests and verdicts.


def test_intervals_and_tests_are_of_the_draws(parts, rungs, outcomes):
    split = split_gap(rungs, outcomes)
    chosen = ~outcomes.members["medium"]
    assert list(parts.index) == list(split)
    images = min(outcomes.size(group)["images"] for group in ("small", "large"))
    for name, row in parts.iterrows():
        draws = split[name]
        low, high = bootstrap.student_interval(draws[0], draws[1:], 0.95, images=images)
        assert (row["value"], row["ci_low"], row["ci_high"]) == (draws[0], low, high)
        error = bootstrap.standard_error(draws[1:], images=images)
        assert row["p_value"] == tests.wald_p(draws[0], error, images=images)
        assert row["n"] == chosen.sum()
        assert row["images"] == outcomes.instances.loc[chosen, "image_id"].nunique()
    assert parts["p_holm"].to_numpy() == pytest.approx(tests.holm(parts["p_value"]))


def test_a_verdict_needs_the_interval_and_all_rows_as_one_family(outcomes):
    seen = set()
    for seed in range(30):
        table = compute_gap_parts(by_chance(outcomes, seed=seed), outcomes)
        for row in table.itertuples():
            if row.verdict == "not identified":
                continue
            direction = 0
            if row.p_holm <= 0.05:
                direction = int(row.ci_low > 0) - int(row.ci_high < 0)
            words = {1: "favours large", -1: "favours small", 0: "not decided"}
            assert (row.direction, row.verdict) == (direction, words[direction])
            seen.add((row.verdict, row.p_value <= 0.05))
    assert ("not decided", True) in seen
    assert {"favours large", "favours small"} <= {verdict for verdict, _ in seen}


@pytest.mark.parametrize("group", ["small", "large"])
@pytest.mark.parametrize("rung", RUNG_NAMES)
def test_a_step_from_a_rung_near_chance_is_not_identified(rung, group):
    """Of either group; a step that leads there is."""
    sample = sampled(images=150)
    found = outcomes_of(sample, chance=1 / 3)
    rng = np.random.default_rng(2)
    hits = {name: 1.0 * (rng.random(len(sample)) < 0.9) for name in RUNG_NAMES}
    guesses = rng.random(len(sample)) < 1 / 3
    hits[rung] = np.where(found.members[group], guesses, hits[rung])
    rows = compute_gap_parts(Rungs(hits), found).set_index("part")
    place = RUNG_NAMES.index(rung)
    vague = rows.index[rows["verdict"] == "not identified"]
    assert list(vague) == STEP_NAMES[place : place + 1]
    assert (rows.loc[vague, "direction"] == 0).all()
    # Its interval and its part of the gap are kept: the parts sum to the gap.
    assert rows.loc[PARTS, "value"].sum() == pytest.approx(rows.loc["gap", "value"])
    way = "favours small" if group == "large" else "favours large"
    other = "favours large" if group == "large" else "favours small"
    if place:
        assert rows.loc[STEP_NAMES[place - 1], "verdict"] == other
    else:
        assert rows.loc["gap", "verdict"] == way


def test_medium_objects_near_chance_are_of_no_account():
    sample = sampled(images=100)
    found = outcomes_of(sample, chance=1 / 3)
    rng = np.random.default_rng(2)
    hits = {name: 1.0 * (rng.random(len(sample)) < 0.9) for name in RUNG_NAMES}
    hits["box"] = np.where(found.members["medium"], 1 / 3, hits["box"])
    assert "not identified" not in set(compute_gap_parts(Rungs(hits), found)["verdict"])


@pytest.mark.parametrize(
    ("small", "large", "due"),
    [("aab", "abb", 1), ("aaabb", "aabbb", 2), ("aac", "aabbb", 2), ("aac", "b", 0)],
)
def test_the_smallest_cell_is_of_categories_that_both_groups_have(small, large, due):
    names = [*small, *large, *"cc"]
    groups = ["small"] * len(small) + ["large"] * len(large) + ["medium"] * 2
    sample = pd.DataFrame({"image_id": range(len(names)), "ann_id": range(len(names))})
    found = outcomes_of(sample.assign(category_name=names, size_group=groups), draws=100)
    assert smallest_cell(found) == due


def test_confidence_is_that_of_the_settings(rungs, outcomes):
    sure = replace(outcomes, settings=outcomes.settings.model_copy(update={"confidence": 0.99}))
    for compute, ends in (
        (compute_ladder, ("delta_low", "delta_high")),
        (compute_gap_parts, ("ci_low", "ci_high")),
    ):
        widths = [
            (table[ends[1]] - table[ends[0]]).dropna().to_numpy()
            for table in (compute(rungs, outcomes), compute(rungs, sure))
        ]
        assert (widths[1] > widths[0]).all()
