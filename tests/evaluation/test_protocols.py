import typing

import numpy as np
import pandas as pd
import pytest
import torch

from smallsight import params
from smallsight.conditions.ladders import ladders
from smallsight.conditions.names import ORIGINAL, UNTOUCHED
from smallsight.evaluation import protocols
from smallsight.evaluation.folds import instance_split
from smallsight.evaluation.predictions import summarise_results
from smallsight.evaluation.protocols import PROTOCOLS
from smallsight.runtime.errors import SampleError
from smallsight.vocabulary import REGIMES

CATEGORIES = ("a", "b", "c", "d", "e", "f")
SETTINGS = params.Evaluation(test_share=0.2, folds=5, repeats=3)
HEADS = params.Heads(epochs=2, batch_size=16, learning_rate=0.01)
CPU = torch.device("cpu")
SINGLE = PROTOCOLS["original"]


@pytest.fixture(scope="module")
def sample(population):
    return population(images=60)


@pytest.fixture(scope="module")
def single(sample):
    return SINGLE.splits(sample, CATEGORIES, settings=SETTINGS, seed=4)


@pytest.fixture(scope="module")
def seen(sample, features_of):
    rng = np.random.default_rng(0)
    return features_of(sample, rng.standard_normal((len(sample), 8)).astype(np.float32))


def test_parameters_name_every_protocol():
    allowed = typing.get_args(params.Params.model_fields["protocol"].annotation)
    assert set(allowed) == set(PROTOCOLS)
    assert set(protocols.PROTOCOLS["cross_validation"].regimes) == set(REGIMES)


def test_the_original_protocol_tests_a_fifth_of_the_instances_once(single, sample):
    assert single.seeds == (4,)
    assert single.folds == 1
    assert (single.fold_of == 0).sum() == round(0.2 * len(sample))
    assert ((single.fold_of[0] == 0) == single.reference_test).all()


def test_it_splits_instances_whatever_their_image(single, sample):
    test = single.reference_test
    assert sample["image_id"][test].isin(sample["image_id"][~test]).any()


def test_the_split_depends_on_the_seed_alone(single, sample):
    again = SINGLE.splits(sample, CATEGORIES, settings=SETTINGS, seed=4)
    assert (again.fold_of == single.fold_of).all()
    other = SINGLE.splits(sample, CATEGORIES, settings=SETTINGS, seed=5)
    assert (other.fold_of != single.fold_of).any()


@pytest.mark.parametrize("share", [0.001, 0.5, 0.999])
def test_both_sides_of_a_split_have_an_instance(sample, share):
    test = instance_split(sample, test_share=share, rng=np.random.default_rng(0))
    assert 0 < test.sum() < len(sample)
    assert test.sum() == min(max(round(share * len(sample)), 1), len(sample) - 1)


def test_one_instance_cannot_be_split(sample):
    with pytest.raises(SampleError, match="1 instances; expected at least 2"):
        instance_split(sample[:1], test_share=0.2, rng=np.random.default_rng(0))


def test_only_test_data_is_predicted_by_one_head_that_did_not_see_it(
    single, sample, seen, features_of, condition
):
    fitted = single.fit(seen, settings=HEADS, device=CPU)
    assert len(fitted) == 1
    table = single.predictions(fitted, seen, condition("orig_full"), regime="retrained")
    assert list(table["ann_id"]) == list(sample["ann_id"][single.reference_test])
    assert (table["fold"] == 0).all()
    assert table.notna().all(axis=None)
    plain = seen.plain.copy()
    plain[single.reference_test] += 50
    moved = single.fit(features_of(sample, plain), settings=HEADS, device=CPU)
    assert (moved.weight == fitted.weight).all()
    plain = seen.plain.copy()
    plain[~single.reference_test] += 50
    moved = single.fit(features_of(sample, plain), settings=HEADS, device=CPU)
    assert (moved.weight != fitted.weight).any()


def test_the_original_protocol_keeps_the_original_six_conditions(study):
    steps = SINGLE.conditions(ladders(study.conditions))
    assert [step.name for step in steps] == list(ORIGINAL)
    assert steps[0].name == UNTOUCHED
    every = PROTOCOLS["cross_validation"].conditions(ladders(study.conditions))
    assert {step.name for step in steps} < {step.name for step in every}
    some = {name: study.conditions[name] for name in (UNTOUCHED, "bg_blur", "zoom")}
    assert [step.name for step in SINGLE.conditions(ladders(some))] == [UNTOUCHED, "bg_blur"]


def test_its_results_have_the_original_shape(single, study, seen):
    fitted = single.fit(seen, settings=HEADS, device=CPU)
    tables = [
        single.predictions(fitted, seen, step, regime=SINGLE.regimes[0])
        for step in SINGLE.conditions(ladders(study.conditions))
    ]
    table = summarise_results(pd.concat(tables))
    assert list(table["condition"]) == list(ORIGINAL)
    assert list(table.columns[:5]) == [
        "condition", "val_acc_all", "val_acc_small", "val_acc_medium", "val_acc_large",
    ]  # fmt: skip
    assert (table["n_all"] == single.reference_test.sum()).all()


def test_a_regime_has_the_heads_that_it_says(single, seen):
    untouched = single.fit(seen, settings=HEADS, device=CPU)
    twice = HEADS.model_copy(update={"epochs": 4})
    fixed, own = (
        single.heads_of(regime, untouched, seen, settings=twice, device=CPU)
        for regime in ("fixed", "retrained")
    )
    assert fixed is untouched
    assert (own.weight != untouched.weight).any()
