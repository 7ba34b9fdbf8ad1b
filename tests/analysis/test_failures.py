import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from builders.rungs import RUNG_NAMES, answered, outcomes_of, predicted_names, sampled
from smallsight.analysis.failures import (
    CAUSE_COUNTS,
    FAILURES,
    RESCUES,
    compute_rescues,
    count_causes,
    find_failures,
)
from smallsight.analysis.ladder import name_steps
from smallsight.analysis.neighbours import NAMED_COLUMNS
from smallsight.analysis.statistics import bootstrap
from smallsight.evaluation.rungs import STEPS
from smallsight.runtime.tables import conform

GROUPS = ["all", "small", "medium", "large"]
STEP_NAMES = [step.name for step in STEPS.values()]
CAUSES = [*STEP_NAMES, "not_explained"]
CHANGED = ["downscale", "bg_swap/donor=other"]
ODDS = dict.fromkeys(RUNG_NAMES, 0.75) | {"scene": 0.5, "largest_object": 0.9}
RESCUED = {"rescue": ("failed", "rescued"), "break": ("correct", "broken")}


def named_as(sample, names):
    """Say of some objects, by number, that they were named as their neighbour 9000 + number."""
    rows = [
        (row.image_id, row.ann_id, "several", names.get(row.ann_id, ""), row.ann_id + 9000, 30.0,
         True)
        for row in sample.itertuples()
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(NAMED_COLUMNS))
    is_named = table["neighbour"] != ""
    return table.assign(
        neighbour_ann_id=table["neighbour_ann_id"].where(is_named).astype("Int64"),
        neighbour_side=table["neighbour_side"].where(is_named),
    )


def tasks(sample):
    """Outcomes of both tasks; half of the objects are right under each changed condition."""
    rng = np.random.default_rng(8)
    shares = rng.integers(0, 5, (len(CHANGED), len(sample))) / 4
    changed = dict(zip(CHANGED, shares, strict=True))
    return {
        task: outcomes_of(sample, task=task, conditions=changed if task == "object" else None)
        for task in ("scene", "object")
    }


@pytest.fixture(scope="module")
def sample():
    return sampled(images=60)


@pytest.fixture(scope="module")
def predictions(sample):
    return answered(sample, ODDS, seeds=4)


@pytest.fixture(scope="module")
def both(sample):
    return tasks(sample)


@pytest.fixture(scope="module")
def stable(sample):
    return np.random.default_rng(9).random(len(sample)) < 0.5


@pytest.fixture(scope="module")
def named(sample):
    names = dict(zip(sample["ann_id"], itertools.cycle("def"), strict=False))
    return named_as(sample, names)


@pytest.fixture(scope="module")
def table(predictions, both, named, stable):
    return find_failures(predictions, both, named, stable)


def votes(predictions):
    """Names that the seeds give, by rung and object."""
    return {
        key: Counter(part["predicted"])
        for key, part in predictions.groupby(["rung", "ann_id"])
    }  # fmt: skip


def cause_of(is_right):
    """Say what a row of right and wrong, by rung, suggests."""
    for rung in list(is_right)[1:]:
        if all(is_right[later] for later in RUNG_NAMES[RUNG_NAMES.index(rung) :]):
            return STEPS[rung].name
    return "not_explained"


def right(counts, name):
    return 2 * counts[name] > counts.total()


# Failures one by one.


def test_one_row_per_object_that_most_seeds_get_wrong_on_the_whole_picture(
    table, predictions, both
):
    conform(table, FAILURES)
    counts = votes(predictions)
    due = [
        row for row in both["scene"].instances.itertuples()
        if not right(counts["scene", row.ann_id], row.category_name)
    ]  # fmt: skip
    assert list(table["ann_id"]) == [row.ann_id for row in due]
    assert 20 < len(due) < len(both["scene"].instances)
    for name in ("image_id", "category_name", "size_group"):
        assert list(table[name]) == [getattr(row, name) for row in due]
    assert list(table["side"]) == [both["scene"].side[row.Index] for row in due]


def test_rungs_and_rescues_are_those_at_which_most_seeds_are_right(table, predictions, both):
    counts = votes(predictions)
    found = both["object"]
    place = {ann_id: index for index, ann_id in enumerate(found.instances["ann_id"])}
    for row in table.itertuples():
        is_right = {name: right(counts[name, row.ann_id], row.category_name) for name in RUNG_NAMES}
        assert row.rungs == "; ".join(name for name in RUNG_NAMES if is_right[name])
        assert row.cause == cause_of(is_right)
        rates = found.hit_rates[1:, place[row.ann_id]]
        due = [name for name, rate in zip(CHANGED, rates, strict=True) if rate > 0.5]
        assert row.rescued_by == "; ".join(due)
    assert set(table["cause"]) == set(CAUSES)
    assert {"", "; ".join(CHANGED)} <= set(table["rescued_by"])


def test_stable_is_what_the_shifts_say(table, stable, both):
    of = dict(zip(both["object"].instances["ann_id"], stable, strict=True))
    assert list(table["stable"]) == [of[ann_id] for ann_id in table["ann_id"]]
    assert 0 < table["stable"].sum() < len(table)


def test_the_predicted_name_is_that_of_most_wrong_seeds(table, predictions, named):
    """Of several, the neighbour's; else the first."""
    counts = votes(predictions)
    said = named.set_index("ann_id")["neighbour"]
    ties = 0
    for row in table.itertuples():
        wrong = counts["scene", row.ann_id]
        del wrong[row.category_name]
        most = sorted(name for name, n in wrong.items() if n == max(wrong.values()))
        ties += len(most) > 1
        due = said[row.ann_id] if said[row.ann_id] in most else most[0]
        assert row.predicted == due
    assert ties > 5


def test_a_neighbour_is_told_where_it_has_the_predicted_name(table, named):
    said = named.set_index("ann_id")["neighbour"]
    for row in table.itertuples():
        if said[row.ann_id] == row.predicted:
            assert (row.neighbour, row.neighbour_ann_id) == (row.predicted, row.ann_id + 9000)
            assert row.neighbour_side == 30
        else:
            assert row.neighbour == ""
            assert pd.isna(row.neighbour_ann_id)
            assert pd.isna(row.neighbour_side)
    assert 0 < (table["neighbour"] == "").sum() < len(table)


def test_objects_that_failed_on_the_rung_alone_have_no_neighbour(
    predictions, both, named, stable, table
):
    """Heads of the scene task may read another feature than those of the rung."""
    some = named[named["ann_id"] % 2 == 0]
    found = find_failures(predictions, both, some, stable)
    assert list(found["ann_id"]) == list(table["ann_id"])
    odd = found["ann_id"] % 2 == 1
    assert (found.loc[odd, "neighbour"] == "").all()
    ends = ["neighbour", "neighbour_side", "cause"]
    assert found.loc[~odd, ends].equals(table.loc[~odd, ends])


ANSWERS = list(itertools.product([False, True], repeat=len(RUNG_NAMES) - 1))


@pytest.fixture(scope="module")
def every_answer():
    """One failed object per row of right and wrong answers from the rungs above the first."""
    n = len(ANSWERS)
    sample = pd.DataFrame({
        "image_id": range(n), "ann_id": range(n), "category_name": "a",
        "size_group": ["small", "large"] * (n // 2),
    })  # fmt: skip
    names = {"scene": np.full(n, "b")}
    for rung, column in zip(RUNG_NAMES[1:], np.transpose(ANSWERS), strict=True):
        names[rung] = np.where(column, "a", "b")
    return sample, predicted_names(sample, names)


def test_the_cause_is_the_step_to_the_first_rung_from_which_on_all_is_right(every_answer):
    sample, predictions = every_answer
    both = tasks(sample)
    table = find_failures(predictions, both, named_as(sample, {}), np.ones(len(sample), bool))
    for answers, cause in zip(ANSWERS, table["cause"], strict=True):
        assert cause == cause_of(dict(zip(RUNG_NAMES, (False, *answers), strict=True)))
    assert Counter(table["cause"]) == {
        "told_which_object": 1, "finer_cells": 1, "own_window": 2, "own_pixels": 4,
        "no_surroundings": 8, "not_explained": 16,
    }  # fmt: skip


@pytest.mark.parametrize(
    "lacking", [["pyramid"], ["window_few_pixels", "window"], ["object_alone"]]
)
def test_where_rungs_are_missing_a_step_has_the_names_of_all(predictions, both, named, lacking):
    few = predictions[~predictions["rung"].isin(lacking)]
    table = find_failures(few, both, named, np.ones(len(named), bool))
    there = [name for name in RUNG_NAMES if name not in lacking]
    causes = [*name_steps(there).values(), "not_explained"]
    assert set(table["cause"]) == set(causes)
    counts = count_causes(table, few, rng=np.random.default_rng(0))
    assert list(counts["cause"]) == causes * len(GROUPS)


def test_without_changed_conditions_nothing_rescues(predictions, both, named, stable):
    alone = {task: outcomes_of(both[task].instances, task=task) for task in both}
    table = find_failures(predictions, alone, named, stable)
    assert len(table) > 20
    assert (table["rescued_by"] == "").all()


# Causes counted.


@pytest.fixture(scope="module")
def counts(table, predictions):
    return count_causes(table, predictions, rng=np.random.default_rng(3))


def test_causes_are_counted_by_size_group(counts, table):
    conform(counts, CAUSE_COUNTS)
    keys = list(zip(counts["size_group"], counts["cause"], strict=True))
    assert keys == list(itertools.product(GROUPS, CAUSES))
    for row in counts.itertuples():
        part = table if row.size_group == "all" else table[table["size_group"] == row.size_group]
        assert row.n == (part["cause"] == row.cause).sum()
        assert row.failed == len(part)
        assert row.share == row.n / len(part)
    shares = counts.groupby("size_group")[["share", "chance"]].sum()
    assert shares.to_numpy() == pytest.approx(1)


def test_chance_is_the_share_under_labels_dealt_out_again(sample, both, named, stable):
    """By the same rule, among the failed objects of a size group; some are then right at once."""
    rng = np.random.default_rng(11)
    truth, other = sample["category_name"].to_numpy(), rng.choice(list("abc"), len(sample))
    names = {
        rung: np.where(rng.random((4, len(sample))) < chance, truth, other)
        for rung, chance in ODDS.items()
    }
    predictions = predicted_names(sample, names, seeds=4)
    table = find_failures(predictions, both, named, stable)
    counts = count_causes(table, predictions, rng=np.random.default_rng(3))
    given = votes(predictions)
    for group in GROUPS[1:]:
        part = table[table["size_group"] == group]
        labels = part["category_name"].to_numpy()
        shares, failed = [], []
        for _ in range(200):
            found = Counter()
            for ann_id, label in zip(part["ann_id"], rng.permutation(labels), strict=True):
                is_right = {name: right(given[name, ann_id], label) for name in RUNG_NAMES}
                if not is_right["scene"]:
                    found[cause_of(is_right)] += 1
            shares.append([found[cause] / found.total() for cause in CAUSES])
            failed.append(found.total() / len(part))
        assert np.mean(failed) < 0.95
        found = counts.loc[counts["size_group"] == group, "chance"].to_numpy()
        assert found == pytest.approx(np.mean(shares, axis=0), abs=0.02)


def test_answers_that_have_nothing_to_do_with_the_object_do_as_chance_does():
    sample = sampled(images=300, mixes=None)
    rng = np.random.default_rng(0)
    names = {rung: rng.choice(list("abc"), len(sample)) for rung in RUNG_NAMES}
    predictions = predicted_names(sample, names)
    found = find_failures(
        predictions, tasks(sample), named_as(sample, {}), np.ones(len(sample), bool)
    )
    counts = count_causes(found, predictions, rng=rng)
    rows = counts[counts["size_group"] == "all"]
    assert (rows["share"] - rows["chance"]).abs().max() < 0.06
    assert rows["share"].iloc[-2] > 0.1


def test_what_the_last_rung_does_see_is_not_chance():
    """All objects are right on the last rung: under other labels they would not be."""
    sample = sampled(images=100)
    truth = sample["category_name"].to_numpy()
    names = dict.fromkeys(RUNG_NAMES, np.full(len(sample), "x")) | {"object_alone": truth}
    predictions = predicted_names(sample, names)
    found = find_failures(
        predictions, tasks(sample), named_as(sample, {}), np.ones(len(sample), bool)
    )
    counts = count_causes(found, predictions, rng=np.random.default_rng(0))
    rows = counts.set_index(["size_group", "cause"]).loc["all"]
    assert rows.loc["no_surroundings", "share"] == 1
    shares = pd.Series(truth).value_counts(normalize=True)
    assert rows.loc["no_surroundings", "chance"] == pytest.approx((shares**2).sum(), abs=0.05)


def test_chance_is_the_same_for_equal_generators(table, predictions, counts):
    again = count_causes(table, predictions, rng=np.random.default_rng(3))
    assert again.equals(counts)


def test_where_nothing_failed_shares_are_empty(sample, both, stable):
    truth = sample["category_name"].to_numpy()
    predictions = predicted_names(sample, dict.fromkeys(RUNG_NAMES, truth))
    table = find_failures(predictions, both, named_as(sample, {}), stable)
    conform(table, FAILURES)
    assert table.empty
    counts = count_causes(table, predictions, rng=np.random.default_rng(0))
    conform(counts, CAUSE_COUNTS)
    assert len(counts) == len(GROUPS) * len(CAUSES)
    assert (counts[["n", "failed"]] == 0).to_numpy().all()
    assert counts[["share", "chance"]].isna().to_numpy().all()


# Rescues.


@pytest.fixture(scope="module")
def found(sample):
    """Untouched and under two conditions, in two regimes that differ."""
    rng = np.random.default_rng(4)
    shares = rng.integers(0, 4, (6, len(sample))) / 3
    names = ["orig_full", *CHANGED]
    made = outcomes_of(sample, conditions=dict(zip(names, shares[:3], strict=True)), task="object")
    again = made.conditions.assign(regime="retrained")
    return replace(
        made,
        conditions=pd.concat([made.conditions, again], ignore_index=True),
        hit_rates=shares,
    )


@pytest.fixture(scope="module")
def rescues(found):
    return compute_rescues(found)


def test_flips_are_counted_by_condition_and_group(rescues, found):
    conform(rescues, RESCUES)
    keys = ["regime", "condition", "size_group"]
    due = list(itertools.product(["fixed", "retrained"], CHANGED, GROUPS))
    assert list(rescues[keys].itertuples(index=False, name=None)) == due
    assert (rescues["task"] == "object").all()
    for row in rescues.itertuples():
        chosen = found.members[row.size_group]
        before, after = (
            found.majority_correct(row.regime, name)[chosen]
            for name in ("orig_full", row.condition)
        )
        assert (row.failed, row.correct) == ((~before).sum(), before.sum())
        assert (row.rescued, row.broken) == ((~before & after).sum(), (before & ~after).sum())
        assert row.rescue_rate == pytest.approx(row.rescued / row.failed)
        assert row.break_rate == pytest.approx(row.broken / row.correct)
    assert rescues["rescued"].min() > 0 < rescues["broken"].min()


def test_intervals_of_rates_are_by_bootstrap_over_images(rescues, found):
    for row in rescues[rescues["condition"] == "downscale"].itertuples():
        before, after = (
            found.majority_correct(row.regime, name) for name in ("orig_full", "downscale")
        )
        chosen = found.members[row.size_group] & ~before
        weights = found.weights[1:, chosen].astype(float)
        total = weights.sum(axis=1)
        draws = (weights @ after[chosen])[total > 0] / total[total > 0]
        images = found.instances.loc[chosen, "image_id"].nunique()
        due = bootstrap.share_interval(row.rescue_rate, draws, 0.95, images=images)
        assert (row.rescue_low, row.rescue_high) == pytest.approx(due, abs=1e-9)


@pytest.mark.parametrize("answer", [True, False])
def test_where_there_is_nothing_to_rescue_or_to_break_the_rate_is_empty(found, answer):
    hits = found.hit_rates.copy()
    hits[found.conditions["condition"] == "orig_full"] = answer
    rows = compute_rescues(replace(found, hit_rates=hits))
    for rate, (whole, part) in RESCUED.items():
        numbers = [f"{rate}_rate", f"{rate}_low", f"{rate}_high"]
        empty = (whole == "failed") == answer
        assert (rows[whole] == 0).all() == empty
        assert rows[numbers].isna().to_numpy().all() == empty
        assert (rows[part] == 0).all() == empty
