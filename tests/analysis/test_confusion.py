import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from builders.predictions import named, outcomes_of, predicted
from smallsight.analysis.confusion import (
    CATEGORIES,
    CONFUSION,
    accuracy_by_category,
    compute_confusion,
)
from smallsight.analysis.statistics import bootstrap

NAMES = list("fabecdg")
"""In an order of their own; nothing is a g."""
GROUPS = ("all", "small", "medium", "large")


@pytest.fixture(scope="module")
def predictions(population):
    """There is no large f, and one object is taken for a g."""
    sample = population(images=60)
    sample = sample[(sample["size_group"] != "large") | (sample["category_name"] != "f")]
    table = named(predicted(sample, conditions={"orig_full": 0.6, "downscale": 0.2}))
    wrong = table.index[~table["correct"] & (table["condition"] == "orig_full")][0]
    table.loc[wrong, "predicted"] = "g"
    return table


@pytest.fixture(scope="module")
def found(predictions):
    return outcomes_of(predictions)


@pytest.fixture(scope="module")
def table(predictions, found):
    return compute_confusion(predictions, found, NAMES)


@pytest.fixture(scope="module")
def categories(found):
    return accuracy_by_category(found, NAMES)


def untouched(predictions, group):
    part = predictions.query("regime == 'fixed' and condition == 'orig_full'")
    return part if group == "all" else part[part["size_group"] == group]


def matrix(table, group):
    rows = table[table["size_group"] == group]
    shares = rows.pivot(index="category_name", columns="predicted", values="share")
    return shares.loc[NAMES, NAMES]


def test_one_row_per_group_true_and_predicted_category(table):
    assert list(table.columns) == CONFUSION.names
    assert (table["task"] == "object").all()
    due = [(group, one, other) for group in GROUPS for one in NAMES for other in NAMES]
    keys = table[["size_group", "category_name", "predicted"]]
    assert list(keys.itertuples(index=False, name=None)) == due


@pytest.mark.parametrize("group", GROUPS)
def test_shares_are_scikit_learns(table, predictions, group):
    part = untouched(predictions, group)
    due = confusion_matrix(part["category_name"], part["predicted"], labels=NAMES).astype(float)
    due /= np.where(due.any(axis=1, keepdims=True), due.sum(axis=1, keepdims=True), np.nan)
    np.testing.assert_allclose(matrix(table, group), due)


@pytest.mark.parametrize("group", GROUPS)
def test_rows_sum_to_one_where_there_are_instances(table, predictions, group):
    rows = table[table["size_group"] == group]
    by_category = rows.groupby("category_name")
    counts = untouched(predictions, group).groupby("category_name")["ann_id"].nunique()
    for name, part in by_category:
        assert (part["n"] == counts.get(name, 0)).all()
        if part["n"].iloc[0]:
            assert part["share"].sum() == pytest.approx(1)
        else:
            assert part["share"].isna().all()
    empty = set(rows.loc[rows["n"] == 0, "category_name"])
    assert empty == ({"g", "f"} if group == "large" else {"g"})


def test_the_diagonal_is_the_accuracy_of_each_category(table, categories):
    diagonal = table[table["category_name"] == table["predicted"]]
    keys = ["size_group", "category_name"]
    both = diagonal.merge(categories, on=keys, suffixes=("", "_of_category"))
    assert len(both) == len(GROUPS) * len(NAMES)
    assert (both["n"] == both["n_of_category"]).all()
    assert both["share"].to_numpy() == pytest.approx(both["acc"].to_numpy(), nan_ok=True)


def test_one_row_per_group_and_category(categories):
    assert list(categories.columns) == CATEGORIES.names
    assert (categories["task"] == "object").all()
    keys = categories[["size_group", "category_name"]]
    due = [(group, name) for group in GROUPS for name in NAMES]
    assert list(keys.itertuples(index=False, name=None)) == due


def test_accuracies_of_categories_are_those_of_the_predictions(categories, predictions, found):
    for row in categories.itertuples():
        part = untouched(predictions, row.size_group)
        part = part[part["category_name"] == row.category_name]
        assert (row.n, row.images) == (part["ann_id"].nunique(), part["image_id"].nunique())
        if not row.n:
            assert np.isnan([row.acc, row.ci_low, row.ci_high]).all()
            continue
        assert row.acc == pytest.approx(part["correct"].mean())
        assert 0 <= row.ci_low <= row.acc <= row.ci_high <= 1
        chosen = found.instances["category_name"] == row.category_name
        chosen = chosen.to_numpy() & found.members[row.size_group]
        weights = found.weights[1:, chosen].astype(float)
        drawn = weights.sum(axis=1) > 0
        shares = found.hit_rates[found.row["fixed", "orig_full"], chosen]
        draws = (weights @ shares)[drawn] / weights.sum(axis=1)[drawn]
        due = bootstrap.share_interval(row.acc, draws, 0.95, images=row.images)
        assert (row.ci_low, row.ci_high) == pytest.approx(due, abs=1e-9)


def test_other_regimes_and_changed_pictures_have_no_say(table, categories, predictions):
    said = (predictions["regime"] == "fixed") & (predictions["condition"] == "orig_full")
    other = predictions.assign(
        predicted=predictions["predicted"].where(said, "a"),
        correct=predictions["correct"] & said,
    )
    found = outcomes_of(other)
    pd.testing.assert_frame_equal(compute_confusion(other, found, NAMES), table)
    pd.testing.assert_frame_equal(accuracy_by_category(found, NAMES), categories)


def test_order_of_the_predictions_does_not_matter(table, categories, predictions):
    shuffled = predictions.sample(frac=1, random_state=0)
    found = outcomes_of(shuffled)
    pd.testing.assert_frame_equal(compute_confusion(shuffled, found, NAMES), table)
    pd.testing.assert_frame_equal(accuracy_by_category(found, NAMES), categories)
