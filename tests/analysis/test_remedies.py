import dataclasses

import numpy as np
import pandas as pd
import pytest

from builders.remedies import at_once, facts_of, with_remedies
from builders.rungs import outcomes_of, sampled
from smallsight.analysis.remedies import (
    PERMUTATIONS,
    REMEDIES,
    VERDICTS,
    arrange_answers,
    compute_remedies,
    find_size_factor,
    permuted_best,
)
from smallsight.analysis.statistics import bootstrap, tests
from smallsight.analysis.statistics.psychometric import Curves
from smallsight.analysis.thresholds import THRESHOLDS
from smallsight.remedies.facts import UNTREATED
from smallsight.runtime.tables import conform

NEEDS = {
    "nothing_at_all": {"scene": "nothing", "object": "box"},
    "zoom": {"scene": "nothing", "object": "box"},
    "head": {"scene": "head"},
    "window": {"scene": "box_head"},
    "worse": {"object": "box_head"},
}
ODDS = {UNTREATED: 0.5, "zoom": 0.8, "head": 0.55, "window": 0.9, "worse": 0.2}
SEEDS = 3
TASKS = ("scene", "object")
CURVE = {"threshold": 16.0, "spread": 0.5, "floor": 0.2, "ceiling": 0.9}


@pytest.fixture(scope="module")
def sample():
    return sampled(images=70)


@pytest.fixture(scope="module")
def outcomes(sample):
    return {task: outcomes_of(sample, task=task) for task in TASKS}


def answered(outcomes, odds=ODDS, *, needs=NEEDS, seeds=SEEDS, seed=0):
    """Answer at random with these odds; with `nothing_at_all`, as without any remedy."""
    rng = np.random.default_rng(seed)
    tables = []
    for task, found in outcomes.items():
        shape = seeds, len(found.instances)
        names = [UNTREATED, *(name for name, tasks in needs.items() if task in tasks)]
        right = {name: rng.random(shape) < odds.get(name, 0) for name in names}
        if "nothing_at_all" in right:
            right["nothing_at_all"] = right[UNTREATED]
        tables.append(with_remedies(found.instances, right, task=task))
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def predictions(outcomes):
    return answered(outcomes)


def thresholds(**changes):
    row = {"regime": "fixed", **CURVE, **changes}
    return pd.DataFrame([row]).reindex(columns=THRESHOLDS.names)


def compute(predictions, outcomes, *, needs=NEEDS, curve=None, seed=0):
    own = next(iter(outcomes.values())).instances
    return compute_remedies(
        predictions,
        outcomes,
        facts_of(needs, passes=2.25),
        thresholds=thresholds() if curve is None else curve,
        native_side=np.linspace(8, 40, len(own)),
        rng=np.random.default_rng(seed),
    )


@pytest.fixture(scope="module")
def table(predictions, outcomes):
    return compute(predictions, outcomes)


def test_there_is_a_row_per_task_remedy_and_size_group(table):
    conform(table, REMEDIES)
    due = [
        (task, name, group)
        for task in TASKS
        for name, tasks in NEEDS.items()
        if task in tasks
        for group in ("small", "medium", "large")
    ]
    columns = table[["task", "remedy", "size_group"]]
    assert list(columns.itertuples(index=False, name=None)) == due
    for row in table.itertuples():
        assert row.needs == NEEDS[row.remedy][row.task]
        assert row.passes == 2.25


def test_before_and_after_are_means_over_seeds_of_the_same_objects(table, predictions):
    means = predictions.groupby(["task", "remedy", "size_group"])["correct"].mean()
    votes = predictions.groupby(["task", "remedy", "size_group", "image_id", "ann_id"])["correct"]
    most = votes.mean() > 0.5
    for row in table.itertuples():
        assert row.before == pytest.approx(means[row.task, UNTREATED, row.size_group])
        assert row.after == pytest.approx(means[row.task, row.remedy, row.size_group])
        assert row.delta == pytest.approx(row.after - row.before)
        before, after = (most[row.task, name, row.size_group] for name in (UNTREATED, row.remedy))
        assert row.n == len(before)
        assert row.images == before.index.get_level_values("image_id").nunique()
        assert row.rescued == (after & ~before).sum()
        assert row.broken == (before & ~after).sum()


def test_interval_and_p_value_are_of_that_difference(table, predictions, outcomes):
    for row in table.itertuples():
        found = outcomes[row.task]
        chosen = found.members[row.size_group]
        one = predictions[predictions["task"] == row.task]
        rates = one.groupby(["remedy", "image_id", "ann_id"])["correct"].mean()
        change = (rates[row.remedy] - rates[UNTREATED]).to_numpy()
        draws = bootstrap.weighted_means(change[None, chosen], found.weights[:, chosen])[:, 0]
        low, high = bootstrap.student_interval(draws[0], draws[1:], 0.95, images=row.images)
        assert (row.ci_low, row.ci_high) == pytest.approx((max(low, -1), min(high, 1)))
        gained = np.bincount(found.image[chosen], np.rint(SEEDS * change[chosen])).astype(int)
        assert row.p_value == tests.sign_flip_p(gained)


def test_small_objects_of_all_tasks_are_one_family(table):
    primary = table[table["primary"]]
    assert (table["primary"] == (table["size_group"] == "small")).all()
    assert len(primary) == 7
    np.testing.assert_allclose(primary["p_holm"], tests.holm(primary["p_value"].to_numpy()))
    assert table.loc[~table["primary"], ["p_holm", "direction"]].isna().to_numpy().all()
    assert (table.loc[~table["primary"], "verdict"] == "").all()
    words = primary.set_index(["task", "remedy"])["verdict"]
    assert words["scene", "zoom"] == words["scene", "window"] == VERDICTS[1]
    assert words["object", "worse"] == VERDICTS[-1]


def test_a_remedy_that_changes_nothing_is_not_decided(table):
    rows = table[table["remedy"] == "nothing_at_all"]
    assert len(rows) == 6
    assert (rows[["delta", "ci_low", "ci_high", "rescued", "broken"]] == 0).to_numpy().all()
    assert (rows["p_value"] == 1).all()
    assert (rows.loc[rows["primary"], "verdict"] == "not decided").all()
    assert (rows.loc[rows["primary"], "p_holm"] == 1).all()
    factor = rows.query("task == 'object' and size_group == 'small'")["size_factor"]
    assert factor.to_list() == pytest.approx([1.0])


# What a gain is worth.


def test_a_size_factor_is_what_larger_objects_would_gain(table, outcomes):
    shown = table[table["size_factor"].notna()]
    assert set(shown["size_group"]) == {"small"}
    assert set(shown["task"]) == {"object"}
    sides = np.linspace(8, 40, len(outcomes["object"].instances))
    log_sides = np.log(sides[outcomes["object"].members["small"]])
    parameters = [[np.log(16), np.log(0.5), 0.2, 0.9]]
    curve = Curves(np.array(parameters))
    for row in shown.itertuples():
        grown = curve.at(log_sides + np.log(row.size_factor)).mean()
        assert grown - curve.at(log_sides).mean() == pytest.approx(row.delta, abs=1e-6)


@pytest.mark.parametrize(
    "curve",
    [thresholds(threshold=np.nan), thresholds(regime="retrained"), thresholds()[:0]],
    ids=["no threshold", "another regime", "no sweep"],
)
def test_without_a_threshold_no_gain_has_a_size(curve, predictions, outcomes, table):
    found = compute(predictions, outcomes, curve=curve)
    assert found["size_factor"].isna().all()
    rest = table.columns.drop("size_factor")
    pd.testing.assert_frame_equal(found[rest], table[rest])


@pytest.mark.parametrize(("gain", "known"), [(0.65, False), (-0.25, False), (0.1, True), (0, True)])
def test_no_factor_is_beyond_the_curve(gain, known):
    curve = Curves(np.array([[np.log(16), np.log(0.5), 0.3, 0.9]]))
    factor = find_size_factor(curve, np.log([10.0, 14.0]), gain)
    assert np.isfinite(factor) == known
    assert not known or (factor > 1) == (gain > 0)


# What the best of several owes to luck.


def test_permuted_labels_are_the_same_for_all_remedies_of_a_table(table):
    with_box = table["needs"].isin(["box", "box_head"])
    for _, part in table.groupby(["task", with_box, "size_group"]):
        assert part["permuted"].nunique() == 1
    assert table.groupby(["task", with_box])["permuted"].nunique().eq(3).all()


def test_the_best_of_many_looks_better_than_one_by_luck_alone(outcomes):
    found = outcomes["scene"]
    rng = np.random.default_rng(1)
    names = [f"r{number}" for number in range(20)]
    shape = SEEDS, len(found.instances)
    right = {name: rng.random(shape) < 0.5 for name in (UNTREATED, *names)}
    answers = arrange_answers(with_remedies(found.instances, right, task="scene"), names, found)
    chosen = found.members["small"]

    def best(count):
        of_table = np.arange(len(names)) < count
        return permuted_best(answers, of_table, chosen, rng=np.random.default_rng(0))

    assert best(20) > best(5) > best(1)
    deltas = [np.mean(right[name][:, chosen]) - np.mean(right[UNTREATED][:, chosen])
              for name in names]  # fmt: skip
    # All of them are noise: so is the best one, of about this size.
    assert 0 < best(20) < 2 * max(deltas)
    assert np.isnan(best(0))


def test_where_all_objects_have_one_category_permuted_labels_are_their_own(outcomes):
    found = outcomes["scene"]
    alike = found.instances.assign(category_name="a")
    found = dataclasses.replace(found, instances=alike)
    table = compute(answered({"scene": found}), {"scene": found})
    with_box = table["needs"] == "box_head"
    for (_, group), part in table.groupby([with_box, "size_group"]):
        assert part["permuted"].to_numpy() == pytest.approx(part["delta"].max()), group


def test_permutations_are_by_the_generator(predictions, outcomes, table):
    pd.testing.assert_frame_equal(compute(predictions, outcomes), table)
    other = compute(predictions, outcomes, seed=1)
    assert not other["permuted"].equals(table["permuted"])
    assert np.abs(other["permuted"] - table["permuted"]).max() < 3 / np.sqrt(PERMUTATIONS) * 0.2
    rest = table.columns.drop("permuted")
    pd.testing.assert_frame_equal(other[rest], table[rest])


# Studies of other shapes.


@pytest.mark.parametrize("rows", ["none at all", "untouched alone"])
def test_where_no_remedy_was_tried_the_table_is_empty(rows, predictions, outcomes):
    untouched = predictions[predictions["remedy"] == UNTREATED]
    found = compute(untouched if rows == "untouched alone" else predictions[:0], outcomes)
    assert found.empty
    assert list(conform(found, REMEDIES).columns) == REMEDIES.names


@pytest.mark.parametrize("missing", ["small", "medium", "large"])
def test_an_empty_group_has_a_row_without_numbers(missing):
    outcomes = {
        task: outcomes_of(
            sampled(images=40, groups=[g for g in ("small", "medium", "large") if g != missing]),
            task=task,
        )
        for task in TASKS
    }
    table = compute(answered(outcomes), outcomes)
    conform(table, REMEDIES)
    empty = table[table["size_group"] == missing]
    assert len(empty) == 7
    assert (empty[["n", "images"]] == 0).to_numpy().all()
    measured = ["before", "after", "delta", "ci_low", "ci_high", "p_value", "p_holm", "rescued",
                "broken", "size_factor", "permuted", "direction"]  # fmt: skip
    assert empty[measured].isna().to_numpy().all()
    assert not empty["primary"].any()
    assert table["primary"].any() == (missing != "small")


def test_one_seed_and_a_handful_of_objects_are_enough():
    outcomes = {task: outcomes_of(sampled(images=2), task=task) for task in TASKS}
    table = compute(answered(outcomes, seeds=1), outcomes)
    conform(table, REMEDIES)
    assert set(table.loc[table["n"] > 0, "delta"].abs().round(6) <= 1) == {True}


def test_rows_may_come_in_any_order(predictions, outcomes, table):
    shuffled = predictions.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(compute(shuffled, outcomes), table)


def test_seeds_count_by_how_many_of_them_are_right(outcomes):
    """Two of three seeds right before, three after: a third of an answer is gained."""
    found = {"scene": outcomes["scene"]}
    n = len(outcomes["scene"].instances)
    right = {UNTREATED: at_once(np.full(n, 2 / 3), 3), "zoom": at_once(np.ones(n), 3)}
    table = compute(with_remedies(found["scene"].instances, right, task="scene"), found)
    np.testing.assert_allclose(table["delta"], 1 / 3)
    assert (table[["rescued", "broken"]] == 0).to_numpy().all()
