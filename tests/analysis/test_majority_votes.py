from collections import defaultdict

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.predictions import named, outcomes_of, predicted
from smallsight.analysis.majority_votes import (
    VOTE_COLUMNS,
    VOTES,
    compute_votes,
    untouched_votes,
)


@pytest.fixture(scope="module")
def predictions(population):
    return named(predicted(population(), conditions={"orig_full": 0.5, "zoom": 0.9}, seeds=4))


def answered(predictions, **settings):
    """Answer on untouched pictures."""
    return untouched_votes(compute_votes(predictions, outcomes_of(predictions, **settings)))


@pytest.fixture(scope="module")
def table(predictions):
    return answered(predictions)


def answer(category, said):
    """Answer for one instance, from what each seed says and how sure it is."""
    wrong = [(name, confidence) for name, confidence in said if name != category]
    if 2 * len(wrong) < len(said):
        return False, category
    votes = defaultdict(list)
    for name, confidence in wrong:
        votes[name].append(confidence)
    return True, max(votes, key=lambda name: (len(votes[name]), sum(votes[name])))


def test_one_answer_per_instance_in_the_order_of_the_outcomes(table, predictions):
    found = outcomes_of(predictions)
    assert list(table.columns) == VOTE_COLUMNS
    about = ["image_id", "ann_id", "category_name", "size_group"]
    pd.testing.assert_frame_equal(table[about], found.instances)
    assert table["side"].tolist() == found.side.tolist()
    assert table["failed"].dtype == bool


def test_answers_are_those_of_most_seeds_untouched_in_the_headline_regime(table, predictions):
    chosen = predictions.query("regime == 'fixed' and condition == 'orig_full'")
    said = dict(list(chosen.groupby(["image_id", "ann_id"])))
    assert 0.2 < table["failed"].mean() < 0.9
    for row in table.itertuples():
        part = said[row.image_id, row.ann_id]
        votes = zip(part["predicted"], part["confidence"], strict=True)
        assert (row.failed, row.predicted) == answer(row.category_name, list(votes))


def test_answers_under_a_change_are_those_that_are_given_under_it(predictions):
    found = outcomes_of(predictions)
    every = compute_votes(predictions, found)
    assert list(every.columns) == VOTES.names
    assert (every["task"] == "object").all()
    assert every["condition"].unique().tolist() == ["orig_full", "zoom"]
    # The same predictions, told as if they had been made on untouched pictures.
    zoomed = predictions[predictions["condition"] == "zoom"]
    alone = answered(zoomed.assign(condition="orig_full", family="orig_full"))
    there = every[every["condition"] == "zoom"].reset_index(drop=True)
    pd.testing.assert_frame_equal(there[VOTE_COLUMNS], alone)
    assert (there["failed"] == (there["right"] <= 0.5)).all()
    assert there["right"].tolist() == found.hit_rates[found.row["fixed", "zoom"]].tolist()


BALLOTS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(1, 99).map(lambda n: n / 128)),
    min_size=1,
    max_size=7,
)


def asked(votes):
    """Predictions of two instances of category a: one with these answers, one always right."""
    rows = [
        {"task": "object", "regime": "fixed", "family": "orig_full", "level": "default",
         "condition": "orig_full", "seed": seed, "image_id": 1, "ann_id": ann_id,
         "category_name": "a", "size_group": "small", "side": 9.0, "predicted": name,
         "correct": name == "a", "confidence": confidence, "p_a": 0.0}
        for seed, vote in enumerate(votes)
        for ann_id, (name, confidence) in ((1, vote), (2, ("a", 0.5)))
    ]  # fmt: skip
    return pd.DataFrame(rows)


@given(BALLOTS, st.randoms())
@settings(deadline=None, max_examples=40)
def test_the_commonest_wrong_name_and_of_several_the_surest(votes, random):
    """Whatever the order of the rows; sums of these confidences are exact."""
    sums = defaultdict(float)
    for name, confidence in votes:
        sums[name] += confidence
    predictions = asked(votes)
    order = random.sample(range(len(predictions)), len(predictions))
    predictions = predictions.iloc[order]
    table = answered(predictions, draws=100)
    assert table["ann_id"].tolist() == [1, 2]
    assert table.loc[1, ["failed", "predicted"]].tolist() == [False, "a"]
    failed, name = answer("a", sorted(votes))
    assert table.loc[0, "failed"] == failed
    if len(set(sums.values())) == len(sums):
        assert table.loc[0, "predicted"] == name


@pytest.mark.parametrize(
    ("votes", "due"),
    [
        ([("a", 0.1), ("a", 0.1), ("b", 0.9)], (False, "a")),
        ([("a", 0.9), ("b", 0.1)], (True, "b")),
        ([("a", 0.9), ("a", 0.9), ("b", 0.1), ("c", 0.2)], (True, "c")),
        ([("b", 0.2), ("b", 0.2), ("c", 0.9)], (True, "b")),
        ([("b", 0.2), ("b", 0.4), ("c", 0.3), ("c", 0.35)], (True, "c")),
        ([("c", 0.5), ("b", 0.5)], (True, "b")),
        ([("a", 0.9), ("a", 0.9), ("b", 0.3), ("c", 0.1), ("c", 0.1)], (True, "c")),
    ],
)
def test_failed_is_who_no_more_than_half_of_the_seeds_get_right(votes, due):
    predictions = asked(votes)
    table = answered(predictions, draws=100)
    assert tuple(table.loc[0, ["failed", "predicted"]]) == due


def test_order_of_the_predictions_does_not_matter(table, predictions):
    shuffled = predictions.sample(frac=1, random_state=0)
    again = answered(shuffled)
    pd.testing.assert_frame_equal(again, table, check_exact=True)


def test_other_regimes_and_changed_pictures_have_no_say(table, predictions):
    said = (predictions["regime"] == "fixed") & (predictions["condition"] == "orig_full")
    other = predictions.assign(
        predicted=predictions["predicted"].where(said, "zebra"),
        correct=predictions["correct"] & said,
        confidence=predictions["confidence"].where(said, 9.0),
    )
    pd.testing.assert_frame_equal(answered(other), table)


def test_where_there_is_one_regime_it_is_the_headline(predictions):
    retrained = predictions[predictions["regime"] == "retrained"]
    table = answered(retrained)
    as_fixed = retrained.assign(regime="fixed")
    pd.testing.assert_frame_equal(answered(as_fixed), table)


@pytest.mark.parametrize("right", [True, False])
def test_all_right_or_all_wrong(predictions, right):
    one = named(predictions.drop(columns="predicted").assign(correct=right))
    table = answered(one)
    assert (table["failed"] != right).all()
    assert ((table["predicted"] == table["category_name"]) == right).all()
