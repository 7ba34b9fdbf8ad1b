"""Tables of suspected labels: counts, accuracies and the gap without them."""

import numpy as np
import pandas as pd
import pytest

from builders.labels import (
    KEYS,
    NAMES,
    chances_of,
    drawn,
    mislabelled,
    predictions_of,
)
from builders.predictions import outcomes_of
from smallsight.analysis.label_errors import (
    LABEL_ERRORS,
    LABEL_ERRORS_GAP,
    LABEL_ERRORS_SUMMARY,
    compute_label_errors,
)
from smallsight.runtime.tables import conform
from smallsight.vocabulary import ALL_AND_GROUPS

TABLES = (LABEL_ERRORS, LABEL_ERRORS_SUMMARY, LABEL_ERRORS_GAP)


def compute(sample, predictions, *, objects=None, margin=0.25, categories=NAMES, seed=0):
    made = compute_label_errors(
        predictions,
        sample if objects is None else objects,
        outcomes_of(predictions, draws=200),
        categories,
        window_margin=margin,
        rng=np.random.default_rng(seed),
    )
    for table in TABLES:
        conform(made[table.name], table)
    return made


@pytest.fixture(scope="module")
def sample():
    return mislabelled(drawn())


@pytest.fixture(scope="module")
def predictions(sample):
    return predictions_of(sample, chances_of(sample))


@pytest.fixture(scope="module")
def made(sample, predictions):
    return compute(sample, predictions)


def summary_of(made):
    return made["label_errors_summary"].set_index("size_group")


def test_neither_the_order_of_rows_nor_of_categories_matters(sample, predictions, made):
    shuffled = predictions.sample(frac=1, random_state=3)
    # Seeds keep their order: outcomes take them in turn.
    shuffled = shuffled.sort_values("seed", kind="stable")
    again = compute(sample.sample(frac=1, random_state=4), shuffled)
    for table in TABLES:
        pd.testing.assert_frame_equal(again[table.name], made[table.name])
    turned = compute(sample, predictions, categories=NAMES[::-1])
    columns = [*KEYS, "suggested", "label_quality", "is_flagged", "has_neighbour"]
    pd.testing.assert_frame_equal(turned["label_errors"][columns], made["label_errors"][columns])


def test_equal_seeds_give_equal_tables_and_others_the_same_flags(sample, predictions, made):
    for table in TABLES:
        same = compute(sample, predictions)[table.name]
        pd.testing.assert_frame_equal(same, made[table.name])
    other = compute(sample, predictions, seed=9)
    pd.testing.assert_series_equal(
        other["label_errors"]["is_flagged"], made["label_errors"]["is_flagged"]
    )
    assert not other["label_errors_summary"].equals(made["label_errors_summary"])


def test_answers_that_another_object_explains_are_counted(sample, made):
    table = made["label_errors"]
    one = table[table["is_suspected"]].iloc[0]
    beside = sample[sample["ann_id"] == one["ann_id"]].assign(
        ann_id=1, category_name=one["suggested"]
    )
    objects = pd.concat([sample, beside], ignore_index=True)
    after = compute(sample, predictions_of(sample, chances_of(sample)), objects=objects)
    row = after["label_errors"].set_index("ann_id").loc[one["ann_id"]]
    assert row["has_neighbour"]
    assert not row["is_suspected"]
    grown = summary_of(after)["explained"] - summary_of(made)["explained"]
    assert grown["all"] == grown[one["size_group"]] == 1


def test_of_a_classifier_that_is_mostly_wrong_only_counts_are_told(sample):
    # It names some other category, as surely as a good one names the right one.
    turned = sample.assign(truth=np.random.default_rng(5).permutation(sample["truth"].to_numpy()))
    made = compute(sample, predictions_of(sample, chances_of(turned)))
    summary = summary_of(made)
    assert summary.loc["all", "flagged"] > 0.3 * len(sample)
    assert not made["label_errors"]["is_suspected"].any()
    assert set(summary["evidence"]) == {"none"}
    assert summary[["suspected", "share", "of_failures", "accuracy_without"]].isna().all(axis=None)
    gap = made["label_errors_gap"].iloc[0]
    assert np.isfinite(gap["gap"])
    assert np.isnan(gap["change"])
    assert gap["verdict"] == ""


def test_a_size_group_that_tells_nothing_is_left_out_of_the_sum(sample):
    noise = {"small": 0.0, "medium": 3.0, "large": 4.0}
    turned = sample.assign(
        truth=sample["truth"].where(
            sample["size_group"] != "small",
            np.random.default_rng(5).permutation(sample["truth"].to_numpy()),
        )
    )
    made = compute(
        sample, predictions_of(sample, chances_of(turned, margin=noise | {"small": 4.0}))
    )
    summary = summary_of(made)
    assert summary.loc["small", "evidence"] == "none"
    assert summary.loc["large", "evidence"] != "none"
    assert summary.loc[["all", "small"], "suspected"].isna().all()
    assert summary.loc["large", "suspected"] > 0
    assert not made["label_errors"].query("size_group == 'small'")["is_suspected"].any()
    assert np.isnan(made["label_errors_gap"]["change"].item())


def test_the_summary_is_of_these_objects(predictions, made):
    table = made["label_errors"]
    hits = predictions.groupby(KEYS)["correct"].mean().to_numpy()
    summary = summary_of(made)
    accuracy = {}
    for group in ALL_AND_GROUPS:
        chosen = ((table["size_group"] == group) | (group == "all")).to_numpy()
        is_suspected = table["is_suspected"].to_numpy()
        row = summary.loc[group]
        failed = chosen & (hits <= 0.5)
        assert row["n"] == chosen.sum()
        assert row["failed"] == failed.sum()
        assert row["flagged"] == table.loc[chosen, "is_flagged"].sum()
        assert row["suspected"] == (is_suspected & chosen).sum()
        assert row["share"] == pytest.approx(is_suspected[chosen].mean())
        assert row["of_failures"] == pytest.approx(is_suspected[failed].mean())
        assert row["accuracy"] == pytest.approx(hits[chosen].mean())
        kept = hits[chosen & ~is_suspected].mean()
        assert row["accuracy_without"] == pytest.approx(kept)
        accuracy[group] = hits[chosen].mean(), kept
        for value, low, high in (
            ("share", "share_low", "share_high"),
            ("of_failures", "of_failures_low", "of_failures_high"),
            ("accuracy", "accuracy_low", "accuracy_high"),
            ("accuracy_without", "without_low", "without_high"),
        ):
            assert row[low] <= row[value] <= row[high]
            assert row[low] < row[high]
    gap = made["label_errors_gap"].iloc[0]
    before, after = (accuracy["large"][i] - accuracy["small"][i] for i in (0, 1))
    assert gap["gap"] == pytest.approx(before)
    assert gap["gap_without"] == pytest.approx(after)
    assert gap["change"] == pytest.approx(after - before)
    assert gap["ci_high"] - gap["ci_low"] < gap["gap_high"] - gap["gap_low"]
    assert table["is_suspected"].sum() <= table["is_flagged"].sum()
    assert (table["suggested"] != table["category_name"])[table["is_suspected"]].all()


def test_label_quality_is_the_mean_probability_of_the_label(predictions, made):
    for row in made["label_errors"].sample(20, random_state=0).itertuples():
        rows = predictions[predictions["ann_id"] == row.ann_id]
        assert row.label_quality == pytest.approx(rows[f"p_{row.category_name}"].mean())
        assert row.suggested_probability == pytest.approx(rows[f"p_{row.suggested}"].mean())


def test_where_labels_cannot_be_examined_tables_have_no_rows():
    several = drawn(per_group=40)
    of_one = several.assign(category_name="bus", truth="bus")
    unsaid = predictions_of(several, chances_of(several)).drop(columns="p_bus")
    for found in (
        compute(of_one, predictions_of(of_one, chances_of(of_one))),
        compute(several, unsaid),
    ):
        for table in TABLES:
            assert list(found[table.name].columns) == table.names
            assert found[table.name].empty


def test_a_group_without_objects_and_a_category_without_any_have_no_numbers(sample):
    few = mislabelled(drawn(groups=("medium", "large")))
    few = few[~few["category_name"].isin(["van"])].reset_index(drop=True)
    made = compute(few, predictions_of(few, chances_of(few)))
    summary = summary_of(made)
    assert list(summary.index) == list(ALL_AND_GROUPS)
    assert summary.loc["small", "n"] == 0
    assert np.isnan(summary.loc["small", "accuracy"])
    assert made["label_errors_gap"].empty
    assert made["label_errors"]["is_suspected"].any()
