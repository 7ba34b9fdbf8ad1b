import numpy as np
import pandas as pd
import pytest

from builders.predictions import outcomes_of, predicted
from smallsight.analysis.background import BACKGROUND, compute_background
from smallsight.analysis.statistics import bootstrap, tests
from smallsight.sampling.donors import draw_donors

CONDITIONS = {"orig_full": 0.8, "bg_swap": 0.7, "bg_swap/donor=other": 0.5, "context_only": 0.3}
LEVELS = {"bg_swap": "donor=same", "bg_swap/donor=other": "donor=other"}
REGIMES, GROUPS = ("fixed", "retrained"), ("all", "small", "medium", "large")
GAP = ["acc_same", "acc_other", "gap", "ci_low", "ci_high", "p_value", "mde"]
CONTEXT = ["acc_context", "context_low", "context_high", "chance", "commonest"]


def evaluated(sample, conditions=CONDITIONS, levels=LEVELS, **properties):
    table = predicted(sample, conditions=conditions, **properties)
    return table.assign(level=table["condition"].map(levels).fillna("default"))


@pytest.fixture(scope="module")
def sample(population):
    return population(images=60)


@pytest.fixture(scope="module")
def predictions(sample):
    return evaluated(sample)


@pytest.fixture(scope="module")
def known(sample):
    """Donors, of which some instances lack one kind, some the other, some both."""
    boxed = sample.assign(bbox_x=10.0, bbox_y=10.0, bbox_w=8.0, bbox_h=8.0)
    apart = boxed.assign(bbox_x=10.0 + 100 * (np.arange(len(sample)) % 9))
    table = draw_donors(apart, apart, window_margin=0.25, seed=0)
    kind, ann_id = table["donor"], table["ann_id"]
    lacking = ((kind == "same") & (ann_id % 5 == 0)) | ((kind == "other") & (ann_id % 7 == 0))
    table.loc[lacking, ["donor_image_id", "donor_ann_id"]] = pd.NA
    assert not table.loc[~lacking, "donor_ann_id"].isna().any()
    return table


@pytest.fixture(scope="module")
def table(predictions, known):
    return compute_background(outcomes_of(predictions), known)


def keyed(table):
    return table.set_index(["regime", "size_group"])


def part_of(predictions, regime, condition, group):
    part = predictions.query("regime == @regime and condition == @condition")
    part = part if group == "all" else part[part["size_group"] == group]
    return part.set_index(["image_id", "ann_id"]).sort_index()


def test_one_row_per_regime_and_group(table):
    assert list(table.columns) == BACKGROUND.names
    assert list(keyed(table).index) == [(name, group) for name in REGIMES for group in GROUPS]


# The background gap.


def test_the_gap_is_paired_and_of_instances_with_both_donors(table, predictions):
    for (regime, group), row in keyed(table).iterrows():
        same, other = (
            part_of(predictions, regime, condition, group)["correct"]
            for condition in ("bg_swap", "bg_swap/donor=other")
        )
        ids = same.index.get_level_values("ann_id")
        both = (ids % 5 != 0) & (ids % 7 != 0)
        same, other = (part[both].groupby(["image_id", "ann_id"]).mean() for part in (same, other))
        images = same.index.get_level_values("image_id")
        assert (row["n"], row["images"]) == (len(same), images.nunique())
        assert 0 < row["n"] < row["n_context"]
        due = same.mean(), other.mean(), (same - other).mean()
        assert tuple(row[["acc_same", "acc_other", "gap"]]) == pytest.approx(due)
        by_image = (3 * (same - other)).groupby("image_id").sum().round().to_numpy(int)
        assert row["p_value"] == pytest.approx(tests.sign_flip_p(by_image))


def test_intervals_are_those_of_paired_draws(table, predictions, known):
    found = outcomes_of(predictions)
    both = (found.instances["ann_id"] % 5 != 0) & (found.instances["ann_id"] % 7 != 0)
    for (regime, group), row in keyed(table).iterrows():
        chosen = found.members[group] & both.to_numpy()
        same, other = (
            found.hit_rates[found.row[regime, condition], chosen]
            for condition in ("bg_swap", "bg_swap/donor=other")
        )
        weights = found.weights[:, chosen].astype(float)
        draws = weights @ (same - other) / weights.sum(axis=1)
        images = row["images"]
        due = bootstrap.student_interval(draws[0], draws[1:], 0.95, images=images)
        assert row[["ci_low", "ci_high"]].tolist() == pytest.approx(due)
        error = bootstrap.standard_error(draws[1:], images=images)
        due = tests.minimum_detectable(error, confidence=0.95, images=images)
        assert row["mde"] == pytest.approx(due)


def test_surroundings_are_measured_and_not_judged(table):
    assert (table["task"] == "object").all()
    assert not {"p_holm", "direction", "verdict"} & set(BACKGROUND.names)


@pytest.mark.parametrize(
    ("names", "levels"),
    [
        (("bg_swap/donor=same", "bg_swap"), ("donor=same", "donor=other")),
        (("bg_swap", "bg_swap/x"), ("donor=same,region=box", "region=box,donor=other")),
    ],
)
def test_levels_are_found_by_their_donor_whichever_is_listed_first(
    table, predictions, known, names, levels
):
    named = dict(zip(LEVELS, names, strict=True))
    level = dict(zip(LEVELS, levels, strict=True))
    listed = predictions["condition"].map({"bg_swap/donor=other": 0, "bg_swap": 1}).fillna(2)
    other = predictions.iloc[np.argsort(listed, kind="stable")]
    other = other.assign(
        condition=other["condition"].replace(named),
        level=other["condition"].map(level).fillna(other["level"]),
    )
    found = outcomes_of(other)
    assert found.changed_conditions("fixed")[0] == names[1]
    pd.testing.assert_frame_equal(compute_background(found, known), table)


def test_the_first_of_several_levels_with_a_donor_counts(table, predictions, known):
    more = predictions[predictions["condition"] == "bg_swap"]
    more = more.assign(condition="bg_swap/region=box", level="donor=same,region=box", correct=True)
    found = outcomes_of(pd.concat([predictions, more]))
    pd.testing.assert_frame_equal(compute_background(found, known), table)


def test_planted_dependence_is_seen_either_way_round(sample, known):
    levels = {"bg_swap": 0.9, "bg_swap/donor=other": 0.4}
    for names, way in ((levels, 1), (dict(zip(levels, (0.4, 0.9), strict=True)), -1)):
        found = outcomes_of(evaluated(sample, {"orig_full": 0.8} | names))
        rows = compute_background(found, known)
        assert (way * rows[["ci_low", "ci_high"]] > 0).to_numpy().all()
        assert (rows["p_value"] < 0.01).all()
        assert rows["gap"].to_numpy() == pytest.approx(0.5 * way, abs=0.15)


def test_independent_answers_leave_no_gap(sample, known):
    found = outcomes_of(evaluated(sample, dict.fromkeys(CONDITIONS, 0.5)))
    rows = compute_background(found, known)
    assert ((rows["ci_low"] < 0) & (rows["ci_high"] > 0)).mean() >= 0.75


def test_the_same_answers_before_both_are_no_gap(predictions, known):
    key = ["regime", "seed", "image_id", "ann_id"]
    same = predictions[predictions["condition"] == "bg_swap"].set_index(key)["correct"]
    again = predictions["condition"] == "bg_swap/donor=other"
    table = predictions.copy()
    table.loc[again, "correct"] = same[pd.MultiIndex.from_frame(table.loc[again, key])].to_numpy()
    rows = compute_background(outcomes_of(table), known)
    assert abs(rows[["gap", "ci_low", "ci_high"]].to_numpy()).max() < 1e-12
    assert (rows["p_value"] == 1).all()


# Context alone.


def test_context_is_measured_on_all_instances(table, predictions, sample):
    for (regime, group), row in keyed(table).iterrows():
        part = part_of(predictions, regime, "context_only", group)
        assert row["n_context"] == len(part) / 3
        assert row["acc_context"] == pytest.approx(part["correct"].mean())
        assert 0 < row["context_low"] < row["acc_context"] < row["context_high"] < 1
        assert row["chance"] == pytest.approx(1 / 6)
        shares = part["category_name"].value_counts(normalize=True)
        assert row["commonest"] == pytest.approx(shares.max())


def test_the_interval_of_context_is_that_of_an_accuracy(table, predictions):
    found = outcomes_of(predictions)
    for (regime, group), row in keyed(table).iterrows():
        draws = found.accuracy(regime, "context_only", group)
        images = found.size(group)["images"]
        due = bootstrap.share_interval(draws[0], draws[1:], 0.95, images=images)
        assert (row["context_low"], row["context_high"]) == due


# Little to go on.


def is_empty(rows, columns):
    return rows[columns].isna().to_numpy().all()


@pytest.mark.parametrize(
    "lacking", [["bg_swap"], ["bg_swap/donor=other"], ["bg_swap", "bg_swap/donor=other"]]
)
def test_without_both_swaps_there_is_no_gap(table, predictions, known, lacking):
    found = outcomes_of(predictions[~predictions["condition"].isin(lacking)])
    rows = compute_background(found, known)
    assert (rows[["n", "images"]] == 0).to_numpy().all()
    assert is_empty(rows, GAP)
    pd.testing.assert_frame_equal(rows[["n_context", *CONTEXT]], table[["n_context", *CONTEXT]])


def test_without_context_alone_there_is_only_the_gap(table, predictions, known):
    rows = compute_background(
        outcomes_of(predictions[predictions["condition"] != "context_only"]), known
    )
    assert (rows["n_context"] == 0).all()
    assert is_empty(rows, CONTEXT)
    pd.testing.assert_frame_equal(rows[["n", *GAP]], table[["n", *GAP]])


def test_what_one_regime_lacks_the_other_has(table, predictions, known):
    lacking = (predictions["regime"] == "fixed") & (predictions["condition"] != "orig_full")
    rows = keyed(compute_background(outcomes_of(predictions[~lacking]), known))
    assert is_empty(rows.loc["fixed"], GAP + CONTEXT)
    due = keyed(table).loc["retrained", ["n", *GAP, *CONTEXT]]
    pd.testing.assert_frame_equal(rows.loc["retrained", ["n", *GAP, *CONTEXT]], due)


def test_an_empty_group_has_counts_of_zero_and_nothing_else(predictions, known):
    found = outcomes_of(predictions[predictions["size_group"] != "medium"])
    rows = keyed(compute_background(found, known)).xs("medium", level="size_group")
    assert (rows[["n", "images", "n_context"]] == 0).to_numpy().all()
    assert is_empty(rows, GAP + CONTEXT)


def test_without_any_donor_there_is_no_gap(predictions, known):
    none = known.assign(donor_image_id=pd.NA, donor_ann_id=pd.NA)
    rows = compute_background(outcomes_of(predictions), none)
    assert (rows[["n", "images"]] == 0).to_numpy().all()
    assert is_empty(rows, GAP)
    assert not is_empty(rows, CONTEXT)


def test_order_of_the_rows_does_not_matter(table, predictions, known):
    found = outcomes_of(predictions.sample(frac=1, random_state=0))
    shuffled = compute_background(found, known.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(shuffled, table)
