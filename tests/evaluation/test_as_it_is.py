"""A classifier of the user's own, evaluated: every object is test data, and nothing is fitted."""

import numpy as np
import pandas as pd
import pytest

from builders.evaluations import CATEGORIES, HEADS, SETTINGS
from smallsight import params
from smallsight.backbones.feature_store import Features
from smallsight.classifiers.mapping import OTHER, ClassMapping, write_mapping
from smallsight.conditions.rendered.names import Condition
from smallsight.evaluation import heads, ladder
from smallsight.evaluation.crossfit import heads_for_regime, out_of_fold, training_data
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.predictions import predict, summarise_results
from smallsight.evaluation.protocols import AS_IT_IS, find_protocol
from smallsight.evaluation.splits import read_splits, write_splits
from smallsight.evaluation.splitting import make_splits
from smallsight.runtime.errors import ParameterError

UNTOUCHED = Condition("orig_full", "default", is_reference=True, task="scene")
OWN = 8
"""Classes of the classifier: the last two are of no category."""


@pytest.fixture(scope="module")
def sample(population):
    return population(images=40)


@pytest.fixture(scope="module")
def splits(sample):
    return make_splits(AS_IT_IS, sample, CATEGORIES, settings=SETTINGS, seed=4)


@pytest.fixture(scope="module")
def seen(sample, features_of):
    rng = np.random.default_rng(0)
    return features_of(sample, rng.normal(0, 3, (len(sample), OWN)).astype(np.float32))


def mapping(keeps_rest=False):
    rows = [*range(len(CATEGORIES))]
    membership = np.zeros((len(CATEGORIES) + keeps_rest, OWN), bool)
    membership[rows, rows] = True
    if keeps_rest:
        membership[-1, len(CATEGORIES) :] = True
    return ClassMapping(membership, keeps_rest)


def test_every_object_is_test_data_once(splits, sample, tmp_path):
    assert splits.seeds == (4,)
    assert (splits.fold_of == 0).all()
    assert splits.reference_test.all()
    assert not training_data(splits).any()
    write_splits(splits, tmp_path / "splits.csv")
    back = read_splits(tmp_path / "splits.csv", sample, CATEGORIES)
    np.testing.assert_array_equal(back.fold_of, splits.fold_of)
    assert back.folds == 1


def test_protocols_that_train_heads_are_for_heads():
    assert find_protocol("original", is_own=False).name == "original"
    assert find_protocol("cross_validation", is_own=True) is AS_IT_IS
    with pytest.raises(ParameterError) as caught:
        find_protocol("original", is_own=True)
    assert str(caught.value) == (
        "parameter error: params.protocol: 'original' with a classifier of your own; "
        "expected cross_validation: nothing is refitted"
    )
    assert AS_IT_IS.regimes == ("fixed",)
    assert AS_IT_IS.n_seeds(SETTINGS) == 1
    assert not AS_IT_IS.is_trained
    assert not AS_IT_IS.is_instance_split
    assert AS_IT_IS.split_description(SETTINGS) == "every object is test data"


def test_predictions_are_the_classifiers_own(splits, seen):
    found = predict(splits, mapping(), seen, UNTOUCHED, regime="fixed")
    shares = np.exp(seen.plain[:, : len(CATEGORIES)].astype(float))
    shares /= shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found[[f"p_{name}" for name in CATEGORIES]], shares, rtol=1e-5)
    assert found["predicted"].tolist() == [CATEGORIES[index] for index in shares.argmax(axis=1)]
    assert len(found) == len(splits.sample)
    assert found[["seed", "fold"]].drop_duplicates().to_numpy().tolist() == [[4, 0]]


def test_classes_of_no_category_may_be_what_is_named(splits, seen):
    found = predict(splits, mapping(keeps_rest=True), seen, UNTOUCHED, regime="fixed")
    shares = np.exp(seen.plain.astype(float))
    shares /= shares.sum(axis=1, keepdims=True)
    rest = shares[:, len(CATEGORIES) :].sum(axis=1)
    is_other = rest > shares[:, : len(CATEGORIES)].max(axis=1)
    assert 0 < is_other.sum() < len(is_other)
    assert ((found["predicted"] == OTHER) == is_other).all()
    assert not found.loc[is_other, "correct"].any()
    np.testing.assert_allclose(found.loc[is_other, "confidence"], rest[is_other], rtol=1e-5)
    sums = found[[f"p_{name}" for name in CATEGORIES]].sum(axis=1)
    np.testing.assert_allclose(sums, 1 - rest, rtol=1e-5)
    assert summarise_results(found)["n_all"].tolist() == [len(splits.sample)]


def test_the_mapping_stands_in_the_place_of_heads(splits, seen, tmp_path):
    write_mapping(mapping(), tmp_path / "scene.npz")
    back = heads.read(tmp_path / "scene.npz")
    assert isinstance(back, ClassMapping)
    used = heads_for_regime(splits, "fixed", back, seen, settings=HEADS)
    assert used is back
    np.testing.assert_array_equal(
        out_of_fold(splits, back, seen), mapping().probabilities(seen.plain)
    )
    head = LinearHeads(np.ones((1, 2, 3), np.float32), np.zeros((1, 2), np.float32))
    heads.write(head, tmp_path / "heads.npz")
    np.testing.assert_array_equal(heads.read(tmp_path / "heads.npz").weight, head.weight)


def test_rungs_and_baselines_that_learn_are_left_out(splits, seen, monkeypatch):
    both = Condition("orig_full", "default", is_reference=True, task="object")
    monkeypatch.setattr(ladder, "_condition", lambda rung, facts, features: both)
    shown = []

    def read(features, condition, readout) -> Features:
        shown.append(readout)
        return seen

    monkeypatch.setattr(ladder, "read_features", read)
    objects = splits.sample.assign(iscrowd=0, bbox_w=2.0, bbox_h=3.0)
    found = ladder.predict_rungs(
        splits, {}, objects, features=None, settings=params.Heads(
            readout="scene", epochs=1, batch_size=8, learning_rate=0.1
        ), as_it_is=mapping(),
    )  # fmt: skip
    assert found["rung"].unique().tolist() == ["largest_object", "scene", "box"]
    assert sorted(shown) == ["box", "scene"]
    due = predict(splits, mapping(), seen, UNTOUCHED, regime="fixed")["predicted"]
    for rung in ("scene", "box"):
        own = found.loc[found["rung"] == rung, "predicted"]
        pd.testing.assert_series_equal(own, due, check_index=False)
