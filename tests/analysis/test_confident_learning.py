"""Flagged labels: hard objects are not accused, and objects in view explain an answer."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from builders.labels import NAMES, chances_of, drawn, labels_of, mislabelled, predictions_of
from smallsight.analysis.confident_learning import Labels


@pytest.fixture(scope="module")
def sample():
    return mislabelled(drawn())


@pytest.fixture(scope="module")
def predictions(sample):
    return predictions_of(sample, chances_of(sample))


@pytest.fixture(scope="module")
def labels(sample, predictions):
    return labels_of(sample, predictions)


def test_labels_are_those_of_the_sample_and_answers_the_mean_over_the_seeds(
    sample, predictions, labels
):
    assert [NAMES[place] for place in labels.given] == sample["category_name"].tolist()
    means = predictions.groupby("ann_id")[[f"p_{name}" for name in NAMES]].mean()
    np.testing.assert_allclose(labels.probabilities[:, :-1], means.loc[sample["ann_id"]])
    np.testing.assert_allclose(labels.probabilities[:, -1], 0, atol=1e-12)
    best = means.idxmax(axis=1).str.removeprefix("p_")
    assert labels.suggested.tolist() == best.loc[sample["ann_id"]].tolist()


def test_an_object_that_is_only_hard_accuses_no_one(sample, predictions):
    columns = [f"p_{name}" for name in NAMES]
    is_small = predictions["size_group"] == "small"
    flat = predictions.copy()
    flat.loc[is_small, columns] = 0.25 + 0.01 * (flat.loc[is_small, columns] - 0.25)
    found = labels_of(sample, flat)
    small = (sample["size_group"] == "small").to_numpy()
    assert found.probabilities[small].max() < 0.27
    flagged = found.flagged(found.given)
    assert not flagged[small].any()
    assert flagged[~small].any()


def test_labels_that_are_all_alike_are_not_flagged(labels):
    assert labels.flagged(labels.given).any()
    assert not labels.flagged(np.zeros_like(labels.given)).any()


@pytest.mark.parametrize(
    ("task", "left", "is_named"),
    # The window is 60 by 30 pixels, from 10 to the left of the box.
    [
        ("object", 20.0, True),
        ("object", 43.9, True),
        ("object", 44.1, False),
        ("object", -34.0, True),
        ("object", -34.1, False),
        ("object", 900.0, False),
        ("scene", 900.0, True),
    ],
)
def test_an_answer_may_name_another_object_in_view(sample, task, left, is_named):
    given = predictions_of(sample, chances_of(sample), task=task)
    before = labels_of(sample, given)
    place = np.flatnonzero(~before.named & (sample["ann_id"] % 2 == 0))[0]
    extra = pd.DataFrame(
        [{"image_id": sample["image_id"][place], "ann_id": 1,
          "category_name": before.suggested[place],
          "bbox_x": left, "bbox_y": -5.0, "bbox_w": 30.0, "bbox_h": 30.0}]
    )  # fmt: skip
    after = labels_of(sample, given, objects=pd.concat([sample, extra], ignore_index=True))
    assert after.named[place] == is_named
    # Flags do not ask who stands beside.
    np.testing.assert_array_equal(after.flagged(after.given), before.flagged(before.given))


def test_an_object_is_no_neighbour_of_itself_and_without_places_the_picture_is_in_view(sample):
    right = sample.assign(category_name=sample["truth"])
    given = predictions_of(right, chances_of(right))
    known = labels_of(right, given)
    assert not known.named.any()
    nowhere = right.drop(columns=["bbox_x", "bbox_y", "bbox_w", "bbox_h"])
    found = labels_of(right, given, objects=nowhere, margin=np.inf)
    other = right["ann_id"] + np.where(right["ann_id"] % 2, -1, 1)
    names = right.set_index("ann_id")["truth"]
    due = names.reindex(other).to_numpy() == found.suggested
    assert found.named.tolist() == due.tolist()
    assert due.any()
    none = labels_of(right, given, objects=right[:0])
    np.testing.assert_array_equal(none.named, known.named)


def test_an_answer_that_is_no_category_accuses_no_one(sample, labels):
    flagged = labels.flagged(labels.given)
    rest = np.where(flagged, 0.9, 0.0)
    found = labels_of(sample, predictions_of(sample, chances_of(sample), rest=rest))
    assert set(found.suggested[flagged]) == {"other"}
    assert not found.flagged(found.given)[flagged].any()


def test_a_doubtful_category_below_the_rest_flags_no_label():
    # The first label is of category 0. Category 1 is as probable as it is on average for its own.
    of_categories = np.array([[0.1, 0.42], *[[0.4, 0.1]] * 4, *[[0.1, 0.4]] * 4])
    rest = 1 - of_categories.sum(axis=1, keepdims=True)
    given = np.array([0] * 5 + [1] * 4)
    names, alone = np.full(9, "any"), np.zeros(9, bool)
    below = Labels(given, np.hstack([of_categories, rest]), names, alone)
    above = Labels(given, np.hstack([of_categories, 0 * rest]), names, alone)
    assert not below.flagged(given).any()
    assert above.flagged(given).tolist() == [True] + [False] * 8


def test_a_category_may_be_called_as_the_rest_is(sample, predictions, labels):
    named = sample.assign(category_name=sample["category_name"].replace("van", "other"))
    given = predictions.rename(columns={"p_van": "p_other"}).assign(
        category_name=predictions["category_name"].replace("van", "other")
    )
    found = labels_of(named, given, categories=["NA", "bus", "car", "other"])
    flagged = found.flagged(found.given)
    np.testing.assert_array_equal(flagged, labels.flagged(labels.given))
    assert (found.suggested[flagged] == "other").any()


@pytest.mark.parametrize("images", [1, 40])
def test_where_all_are_of_one_category_nothing_is_known(images):
    sample = drawn(per_group=images, groups=("small",)).assign(category_name="bus", truth="bus")
    assert labels_of(sample, predictions_of(sample, chances_of(sample))) is None


def test_without_a_category_s_probabilities_nothing_is_known():
    sample = drawn(per_group=40)
    unsaid = predictions_of(sample, chances_of(sample)).drop(columns="p_bus")
    assert labels_of(sample, unsaid) is None


def test_what_only_reads_tables_does_not_load_the_package():
    code = "import sys, smallsight.analysis.tables; print('cleanlab' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
