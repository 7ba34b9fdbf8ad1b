import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from builders.rungs import RUNG_NAMES, answered, outcomes_of, predicted_names, sampled
from smallsight.analysis.baselines import (
    BASELINE_ACCURACY,
    LARGEST,
    compute_baselines,
    compute_largest,
)
from smallsight.analysis.ladder import arrange_rungs
from smallsight.analysis.terms import LARGEST as LABELS
from smallsight.evaluation.rungs import BASELINES
from smallsight.runtime.tables import conform

GROUPS = ["all", "small", "medium", "large"]


@pytest.fixture(scope="module")
def sample():
    return sampled(images=60)


@pytest.fixture(scope="module")
def predictions(sample):
    odds = {"commonest": 0.2, "geometry": 0.5, "scene": 0.4}
    rng = np.random.default_rng(5)
    largest = rng.choice(list("abc"), sample["image_id"].nunique())
    image = np.unique(sample["image_id"], return_inverse=True)[1]
    named = predicted_names(sample, {"largest_object": largest[image]})
    return pd.concat([answered(sample, odds), named], ignore_index=True)


@pytest.fixture(scope="module")
def outcomes(sample):
    """Of both tasks: what is right where the largest object has the target's category, or not."""
    rng = np.random.default_rng(6)
    shares = rng.integers(0, 4, (2, len(sample))) / 3
    return {
        task: outcomes_of(sample, task=task, conditions={"orig_full": one, "x": 0 * one})
        for task, one in zip(("scene", "object"), shares, strict=True)
    }


@pytest.fixture(scope="module")
def rungs(predictions, outcomes):
    return arrange_rungs(predictions, outcomes["scene"])


def test_a_row_per_baseline_and_size_group(rungs, outcomes, predictions):
    table = compute_baselines(rungs, outcomes["scene"])
    conform(table, BASELINE_ACCURACY)
    keys = list(zip(table["baseline"], table["size_group"], strict=True))
    assert keys == list(itertools.product(BASELINES, GROUPS))
    for row in table.itertuples():
        part = predictions[predictions["rung"] == row.baseline]
        if row.size_group != "all":
            part = part[part["size_group"] == row.size_group]
        assert row.accuracy == pytest.approx(part["correct"].mean())
        assert row.ci_low < row.accuracy < row.ci_high
        assert row.n == part["ann_id"].nunique()
        assert row.images == part["image_id"].nunique()


def test_the_untouched_accuracy_is_split_by_the_largest_object(
    rungs, outcomes, sample, predictions
):
    table = compute_largest(rungs, outcomes)
    conform(table, LARGEST)
    keys = list(zip(table["size_group"], table["largest"], strict=True))
    assert keys == list(itertools.product(GROUPS, LABELS))
    named = predictions.query("rung == 'largest_object' and seed == 0").set_index("ann_id")
    for row in table.itertuples():
        part = sample if row.size_group == "all" else sample[sample["size_group"] == row.size_group]
        same = part["category_name"] == named["predicted"].reindex(part["ann_id"]).to_numpy()
        part = part[same == (row.largest == "same")]
        assert row.n == len(part)
        assert row.images == part["image_id"].nunique()
        for task in ("scene", "object"):
            found = outcomes[task]
            is_here = found.instances["ann_id"].isin(part["ann_id"]).to_numpy()
            hits = found.hit_rates[found.row["fixed", "orig_full"]][is_here]
            low, mean, high = (getattr(row, name) for name in
                               (f"{task}_low", task, f"{task}_high"))  # fmt: skip
            assert mean == pytest.approx(hits.mean())
            due = found.mean_with_interval(found.hit_rates[0], is_here)
            assert (mean, low, high) == pytest.approx(due)
    counted = table.groupby("size_group")["n"].sum()
    assert counted.to_dict() == {group: outcomes["scene"].size(group)["n"] for group in GROUPS}


def test_the_headline_regime_is_the_first(rungs, outcomes):
    """Here with another one behind it, in which nothing is right."""
    behind = {}
    for task, found in outcomes.items():
        again = found.conditions.assign(regime="retrained")
        behind[task] = replace(
            found,
            conditions=pd.concat([found.conditions, again], ignore_index=True),
            hit_rates=np.concatenate([found.hit_rates, 0 * found.hit_rates]),
        )
    assert compute_largest(rungs, behind).equals(compute_largest(rungs, outcomes))


def test_a_split_without_objects_is_empty(sample, outcomes):
    """Where no picture's largest object has another category."""
    truth = sample["category_name"].to_numpy()
    table = predicted_names(sample, dict.fromkeys([*BASELINES, *RUNG_NAMES], truth))
    found = compute_largest(arrange_rungs(table, outcomes["scene"]), outcomes)
    other = found[found["largest"] == "other"]
    assert (other[["n", "images"]] == 0).to_numpy().all()
    assert other.iloc[:, 4:].isna().to_numpy().all()
    assert found.loc[found["largest"] == "same", "scene"].notna().all()


def test_an_empty_group_has_a_number_and_nothing_else():
    sample = sampled(groups=["small", "large"])
    found = outcomes_of(sample)
    rungs = arrange_rungs(answered(sample, dict.fromkeys(BASELINES, 0.5)), found)
    table = compute_baselines(rungs, found)
    rows = table[table["size_group"] == "medium"]
    assert (rows[["n", "images"]] == 0).to_numpy().all()
    assert rows[["accuracy", "ci_low", "ci_high"]].isna().to_numpy().all()
