import numpy as np
import pandas as pd
import pytest

from builders.remedies import SHARES, at_once, by_share
from builders.rungs import outcomes_of, sampled
from smallsight.analysis.more_examples import (
    MORE_EXAMPLES,
    MORE_EXAMPLES_GAIN,
    VERDICTS,
    compute_more_examples,
)
from smallsight.runtime.tables import conform

TASKS = ("scene", "object")
SEEDS = 4
STEEP = dict(zip(SHARES, (0.4, 0.5, 0.6, 0.7), strict=True))
LEVEL = dict.fromkeys(SHARES, 0.5)


@pytest.fixture(scope="module")
def outcomes():
    sample = sampled(images=80)
    return {task: outcomes_of(sample, task=task) for task in TASKS}


def answered(outcomes, odds, *, seeds=SEEDS, seed=0):
    """Answer at random: by size group, odds by share."""
    rng = np.random.default_rng(seed)
    tables = []
    for task, found in outcomes.items():
        group = found.instances["size_group"]
        shares = next(iter(odds.values()))
        right = {
            share: rng.random((seeds, len(group)))
            < group.map({name: one[share] for name, one in odds.items()}).to_numpy()
            for share in shares
        }
        tables.append(by_share(found.instances, right, task=task))
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def predictions(outcomes):
    return answered(outcomes, {"small": STEEP, "medium": LEVEL, "large": LEVEL})


@pytest.fixture(scope="module")
def made(predictions, outcomes):
    return compute_more_examples(predictions, outcomes)


def test_tables_are_as_declared(made):
    assert list(made) == ["more_examples", "more_examples_gain"]
    for table in (MORE_EXAMPLES, MORE_EXAMPLES_GAIN):
        conform(made[table.name], table)


def test_there_is_a_row_per_share_and_one_beyond(made):
    table = made["more_examples"]
    for _, part in table.groupby(["task", "size_group"]):
        assert list(part["share"]) == [*SHARES, 2]
        assert list(part["n_train"]) == [5, 10, 20, 40, 80]
        assert list(part["is_extrapolated"]) == [False] * 4 + [True]
    keys = table[["task", "size_group"]].drop_duplicates()
    due = [(task, group) for task in TASKS for group in ("small", "medium", "large")]
    assert list(keys.itertuples(index=False, name=None)) == due


def test_accuracies_are_means_over_seeds(made, predictions):
    means = predictions.groupby(["task", "size_group", "share"])["correct"].mean()
    table = made["more_examples"]
    for row in table[~table["is_extrapolated"]].itertuples():
        assert row.accuracy == pytest.approx(means[row.task, row.size_group, row.share])
        assert row.ci_low < row.accuracy < row.ci_high


def test_twice_as_many_continue_the_line_from_today(made):
    gains = made["more_examples_gain"].set_index(["task", "size_group"])
    for key, part in made["more_examples"].groupby(["task", "size_group"]):
        accuracy = part["accuracy"].to_numpy()
        slope = np.polyfit(np.log2(SHARES), accuracy[:4], 1)[0]
        assert accuracy[4] == pytest.approx(accuracy[3] + slope)
        assert gains.loc[key, "gain"] == pytest.approx(slope)
        assert gains.loc[key, "ci_low"] < slope < gains.loc[key, "ci_high"]


def test_a_planted_slope_is_expected_and_none_is_not(outcomes):
    falling = dict(zip(SHARES, (0.8, 0.7, 0.6, 0.5), strict=True))
    odds = {"small": STEEP, "medium": LEVEL, "large": falling}
    gains = compute_more_examples(answered(outcomes, odds), outcomes)["more_examples_gain"]
    words = dict(zip(("small", "medium", "large"), (1, 0, -1), strict=True))
    for row in gains.itertuples():
        assert row.direction == words[row.size_group]
        assert row.verdict == VERDICTS[words[row.size_group]]


def test_where_all_heads_answer_alike_no_gain_is_expected(outcomes):
    found = outcomes["scene"]
    once = np.random.default_rng(0).random((SEEDS, len(found.instances))) < 1 / 3
    predictions = by_share(found.instances, dict.fromkeys(SHARES, once), task="scene")
    gains = compute_more_examples(predictions, {"scene": found})["more_examples_gain"]
    assert (gains[["gain", "ci_low", "ci_high"]] == 0).to_numpy().all()
    assert (gains["p_value"] == 1).all()
    assert (gains["verdict"] == "no gain expected").all()


@pytest.mark.parametrize(("first", "last", "due"), [(0.7, 1.0, 1.0), (0.3, 0.0, 0.0)])
def test_no_accuracy_is_expected_beyond_none_and_all(outcomes, first, last, due):
    odds = dict(zip(SHARES, np.linspace(first, last, 4), strict=True))
    predictions = answered(outcomes, dict.fromkeys(("small", "medium", "large"), odds))
    made = compute_more_examples(predictions, outcomes)
    table = made["more_examples"]
    assert (table.loc[table["is_extrapolated"], "accuracy"] == due).all()
    assert (made["more_examples_gain"]["gain"] == 0).all()
    assert (made["more_examples_gain"]["verdict"] == "no gain expected").all()


def test_from_a_single_share_nothing_is_expected(predictions, outcomes):
    made = compute_more_examples(predictions[predictions["share"] == 1], outcomes)
    assert len(made["more_examples"]) == 6
    assert not made["more_examples"]["is_extrapolated"].any()
    assert made["more_examples_gain"].empty
    for table in (MORE_EXAMPLES, MORE_EXAMPLES_GAIN):
        conform(made[table.name], table)


def test_without_predictions_the_tables_are_empty(predictions, outcomes):
    made = compute_more_examples(predictions[:0], outcomes)
    for table in (MORE_EXAMPLES, MORE_EXAMPLES_GAIN):
        assert made[table.name].empty
        assert list(conform(made[table.name], table).columns) == table.names


def test_an_empty_group_has_no_rows():
    found = {"scene": outcomes_of(sampled(images=30, groups=("small", "large")))}
    predictions = answered(found, {"small": STEEP, "large": LEVEL})
    made = compute_more_examples(predictions, found)
    for table in made.values():
        assert set(table["size_group"]) == {"small", "large"}


def test_a_single_object_is_enough():
    found = {"scene": outcomes_of(sampled(images=1, groups=("small",)).iloc[:1])}
    right = {share: at_once([share], 8) for share in SHARES}
    made = compute_more_examples(by_share(found["scene"].instances, right, task="scene"), found)
    assert list(made["more_examples"]["accuracy"]) == pytest.approx([0.125, 0.25, 0.5, 1, 1])
    for table in (MORE_EXAMPLES, MORE_EXAMPLES_GAIN):
        conform(made[table.name], table)


def test_rows_may_come_in_any_order(predictions, outcomes, made):
    found = compute_more_examples(predictions.sample(frac=1, random_state=0), outcomes)
    for name, table in made.items():
        pd.testing.assert_frame_equal(found[name], table)
