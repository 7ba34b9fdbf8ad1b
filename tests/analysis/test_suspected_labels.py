"""Suspected labels: wrong ones are found, and a classifier that does not know accuses no one."""

import numpy as np
import pandas as pd
import pytest

from builders.labels import NAMES, chances_of, drawn, labels_of, mislabelled, predictions_of
from builders.predictions import outcomes_of
from smallsight.analysis.suspected_labels import EVIDENCE, find_suspected
from smallsight.vocabulary import GROUPS


def examine(sample, predictions, *, objects=None, seed=0):
    """Find the suspected labels of a sample, in its order."""
    labels = labels_of(sample, predictions, objects=objects)
    members = outcomes_of(predictions, draws=100).members
    return labels, find_suspected(labels, members, rng=np.random.default_rng(seed))


def answered(sample, truth=None, **about):
    """Examine a sample whose objects a classifier takes for what another one says."""
    chances = chances_of(sample if truth is None else sample.assign(truth=truth), **about)
    return examine(sample, predictions_of(sample, chances))


def shuffled(truth):
    return np.random.default_rng(5).permutation(truth.to_numpy())


@pytest.fixture(scope="module")
def sample():
    return mislabelled(drawn())


@pytest.fixture(scope="module")
def known(sample):
    return answered(sample)


@pytest.fixture(scope="module")
def is_wrong(sample):
    return (sample["truth"] != sample["category_name"]).to_numpy()


def test_most_wrong_labels_are_found_and_few_right_ones_are_suspected(sample, known, is_wrong):
    labels, found = known
    assert found.is_suspected[is_wrong].mean() > 0.5
    assert found.is_suspected[~is_wrong].mean() < 0.03
    hit = is_wrong & found.is_suspected
    assert (labels.suggested == sample["truth"])[hit].mean() > 0.9
    large = (sample["size_group"] == "large").to_numpy()
    assert found.is_suspected[large & is_wrong].mean() > 0.7


def test_of_right_labels_hardly_any_is_suspected():
    clean = drawn()
    _, found = answered(clean)
    assert found.is_suspected.mean() < 0.03
    # What is told of the others' share is what truly happens.
    assert found.checks["all"].false_positive_rate == pytest.approx(
        found.is_suspected.mean(), abs=0.01
    )


def test_what_labels_made_wrong_on_purpose_tell_is_what_wrong_labels_show(known, is_wrong):
    _, found = known
    checks = found.checks
    assert checks["all"].recall == pytest.approx(found.is_suspected[is_wrong].mean(), abs=0.15)
    assert checks["small"].recall < checks["large"].recall
    assert {check.evidence for check in checks.values()} <= {"moderate", "strong"}
    assert checks["large"].evidence == "strong"


def test_evidence_is_the_word_of_the_likelihood_ratio(known):
    _, found = known
    assert set(found.checks) == {"all", *GROUPS}
    for check in found.checks.values():
        # One more mistake makes it a little less than the plain ratio.
        assert 0 < check.likelihood_ratio < check.recall / check.false_positive_rate
        assert check.evidence == next(
            word for least, word in EVIDENCE.items() if check.likelihood_ratio >= least
        )


def test_equal_seeds_give_equal_answers_and_others_the_same_flags(sample, known):
    predictions = predictions_of(sample, chances_of(sample))
    first, again, other = known[1], *(examine(sample, predictions, seed=s)[1] for s in (0, 9))
    assert again.checks == first.checks
    np.testing.assert_array_equal(again.is_suspected, first.is_suspected)
    assert other.checks != first.checks
    np.testing.assert_array_equal(other.is_flagged, first.is_flagged)


def test_an_answer_that_names_another_object_in_view_suspects_no_label(sample, known):
    labels, found = known
    place = np.flatnonzero(found.is_suspected)[0]
    beside = sample.iloc[[place]].assign(ann_id=1, category_name=labels.suggested[place])
    objects = pd.concat([sample, beside], ignore_index=True)
    after = examine(sample, predictions_of(sample, chances_of(sample)), objects=objects)[1]
    assert after.is_flagged[place]
    assert not after.is_suspected[place]
    rest = np.arange(len(sample)) != place
    np.testing.assert_array_equal(after.is_suspected[rest], found.is_suspected[rest])


def test_a_classifier_that_is_mostly_wrong_accuses_no_one(sample):
    # It names some other category, as surely as a good one names the right one.
    _, found = answered(sample, shuffled(sample["truth"]))
    assert found.is_flagged.mean() > 0.3
    assert not found.is_suspected.any()
    assert not found.is_told.any()
    assert {check.evidence for check in found.checks.values()} == {"none"}


def test_of_a_category_that_it_does_not_know_no_label_is_suspected(sample, known):
    _, found = answered(sample, sample["truth"].replace("bus", "car"))
    bus = (sample["category_name"] == "bus").to_numpy()
    assert found.is_flagged[bus].mean() > 0.5
    assert not found.is_suspected[bus].any()
    assert found.is_suspected[~bus].sum() > 5
    assert known[1].is_suspected[bus].any()
    # Labels made wrong are not found either: of its own, and of others that become one of these.
    assert found.checks["all"].recall < 0.8 * known[1].checks["all"].recall
    assert found.checks["all"].false_positive_rate == pytest.approx(
        found.is_suspected.mean(), abs=0.02
    )


def test_what_another_object_explains_is_not_found_either(sample, known):
    crowd = [sample.assign(ann_id=sample["ann_id"] + 10_000, category_name=n) for n in NAMES]
    objects = pd.concat([sample, *crowd[:2]], ignore_index=True)
    predictions = predictions_of(sample, chances_of(sample))
    labels, found = examine(sample, predictions, objects=objects)
    assert labels.named.tolist() == np.isin(labels.suggested, NAMES[:2]).tolist()
    assert found.checks["all"].recall < 0.7 * known[1].checks["all"].recall


def test_in_a_size_group_that_tells_nothing_no_label_is_suspected(sample):
    is_small = (sample["size_group"] == "small").to_numpy()
    truth = np.where(is_small, shuffled(sample["truth"]), sample["truth"])
    _, found = answered(sample, truth, margin={"small": 4.0, "medium": 3.0, "large": 4.0})
    assert found.checks["small"].evidence == "none"
    assert found.checks["large"].evidence != "none"
    assert found.is_told.tolist() == (~is_small).tolist()
    assert found.is_flagged[is_small].any()
    assert not found.is_suspected[is_small].any()
    assert found.is_suspected[~is_small].any()


def test_two_objects_prove_nothing():
    two = drawn(per_group=2, groups=("small",)).assign(
        category_name=["bus", "car"], truth=["car", "bus"]
    )
    _, found = answered(two)
    assert not found.is_suspected.any()
    assert set(found.checks) == {"all", "small"}
    assert found.checks["small"].evidence == "none"
