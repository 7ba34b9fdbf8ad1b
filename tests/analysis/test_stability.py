import numpy as np
import pandas as pd
import pytest

from builders.simulated_studies import study
from smallsight.analysis.stability import STABILITY, compute_stability, find_stable
from smallsight.runtime.tables import conform

SEEDS = 3
SHIFTS = ("shift", "shift/reach=4,draw=2")
GROUPS = ["small", "medium", "large"]


def answered(names, *, regimes=("fixed", "retrained")):
    """Predictions of six objects of three pictures; `names` says which by regime and condition.

    Parameters
    ----------
    names
        Called with regime, condition, seed and object, returns a category; the right one is "a".
    """
    rows = [
        {"regime": regime, "seed": seed, "condition": condition, "image_id": number // 2,
         "ann_id": number, "predicted": names(regime, condition, seed, number)}
        for regime in regimes for condition in ("orig_full", *SHIFTS) for seed in range(SEEDS)
        for number in range(6)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    return table.assign(correct=table["predicted"] == "a")


def outcomes_of(predictions, *, group=(*GROUPS, *GROUPS), draws=200):
    untouched = predictions[predictions["condition"] == "orig_full"]
    shares = {
        (regime, "orig_full"): part.groupby("ann_id")["correct"].mean().to_numpy()
        for regime, part in untouched.groupby("regime", sort=False)
    }
    image = np.arange(6) // 2
    return study(
        image, np.array(group), shares, rng=np.random.default_rng(0), draws=draws, seeds=SEEDS
    )


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(0)
    return answered(lambda *_: rng.choice(["a", "b", "c"], p=[0.6, 0.2, 0.2]))


def test_a_flip_is_another_answer_than_the_same_seeds_untouched_one(predictions):
    outcomes = outcomes_of(predictions)
    table = compute_stability(predictions.sample(frac=1, random_state=1), outcomes)
    conform(table, STABILITY)
    keys = ["regime", "seed", "ann_id"]
    before = predictions[predictions["condition"] == "orig_full"]
    after = predictions[predictions["condition"] != "orig_full"]
    pairs = after.merge(before, on=keys, suffixes=("", "_before"))
    pairs["size_group"] = pairs["ann_id"].map(dict(enumerate(GROUPS * 2)))
    assert len(table) == 2 * 4
    for row in table.itertuples():
        part = pairs[pairs["regime"] == row.regime]
        if row.size_group != "all":
            part = part[part["size_group"] == row.size_group]
        assert row.task == "object"
        assert row.draws == 2
        assert (row.n, row.images) == (part["ann_id"].nunique(), part["image_id"].nunique())
        assert row.flip_rate == pytest.approx(
            (part["predicted"] != part["predicted_before"]).mean()
        )
        assert row.ci_low <= row.flip_rate <= row.ci_high
        assert row.correct == pytest.approx(part["correct_before"].mean())
        assert row.correct_shifted == pytest.approx(part["correct"].mean())
        most = part.groupby(["ann_id", "condition"])["correct"].mean() > 0.5
        assert row.always_correct == pytest.approx(most.groupby("ann_id").all().mean())


def test_answers_that_stay_the_same_never_flip_be_they_right_or_wrong():
    predictions = answered(lambda regime, condition, seed, number: "ab"[number % 2])
    table = compute_stability(predictions, outcomes_of(predictions))
    assert (table["flip_rate"] == 0).all()
    assert (table["ci_high"] > 0).all()
    rows = table[table["size_group"] == "all"]
    columns = ["correct", "correct_shifted", "always_correct"]
    assert (rows[columns] == 0.5).to_numpy().all()


def test_a_wrong_answer_that_becomes_another_wrong_one_flips():
    predictions = answered(lambda regime, condition, *_: "b" if condition == "orig_full" else "c")
    table = compute_stability(predictions, outcomes_of(predictions))
    assert (table["flip_rate"] == 1).all()
    assert (table[["correct", "correct_shifted"]] == 0).to_numpy().all()


def test_seeds_that_disagree_with_each_other_do_not_flip():
    predictions = answered(lambda regime, condition, seed, number: "abc"[seed])
    assert (compute_stability(predictions, outcomes_of(predictions))["flip_rate"] == 0).all()


def test_stable_is_what_most_seeds_get_right_under_every_shift():
    def name(regime, condition, seed, number):
        if number == 0:
            return "b" if condition == SHIFTS[1] and seed < 2 else "a"
        if number == 1:
            return "b" if seed == 0 else "a"
        if number == 2:
            return "b" if condition == "orig_full" else "a"
        return "a" if regime == "retrained" else "b"

    predictions = answered(name)
    outcomes = outcomes_of(predictions)
    due = [False, True, True, False, False, False]
    assert find_stable(predictions, outcomes).tolist() == due
    table = compute_stability(predictions, outcomes)
    rows = table[table["size_group"] == "all"].set_index("regime")
    assert rows["always_correct"].to_dict() == pytest.approx({"fixed": 2 / 6, "retrained": 5 / 6})


def test_a_size_group_without_objects_has_an_empty_row(predictions):
    outcomes = outcomes_of(predictions, group=["small", "large"] * 3)
    row = compute_stability(predictions, outcomes).set_index(["regime", "size_group"])
    assert row.loc[("fixed", "medium"), "n"] == 0
    assert row.loc[("fixed", "medium"), ["flip_rate", "ci_low", "correct"]].isna().all()


def test_where_nothing_was_shifted_nothing_is_known_to_be_stable(predictions):
    outcomes = outcomes_of(predictions)
    for nothing in (predictions[predictions["condition"] == "orig_full"], predictions[:0]):
        table = compute_stability(nothing, outcomes)
        assert table.empty
        assert list(table.columns) == STABILITY.names
        assert not find_stable(nothing, outcomes).any()
