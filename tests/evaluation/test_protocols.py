import typing

import numpy as np
import pandas as pd
import pytest
import torch

from smallsight import params
from smallsight.conditions.rendered.names import ORIGINAL, UNTOUCHED, Condition, FamilyFacts
from smallsight.evaluation import protocols
from smallsight.evaluation.crossfit import fit_heads
from smallsight.evaluation.predictions import predict, summarise_results
from smallsight.evaluation.protocols import PROTOCOLS
from smallsight.evaluation.splitting import make_splits
from smallsight.vocabulary import REGIMES

CATEGORIES = ("a", "b", "c", "d", "e", "f")
SETTINGS = params.Evaluation(test_share=0.2, folds=5, repeats=3)
HEADS = params.Heads(readout="scene", epochs=2, batch_size=16, learning_rate=0.01)
CPU = torch.device("cpu")
SINGLE = PROTOCOLS["original"]
FACTS = {
    name: FamilyFacts(
        name,
        label=name,
        description="",
        role="corruption",
        neutral={},
        conditions=(
            Condition(name, "strength=1", is_reference=True, task="scene"),
            *(
                Condition(name, f"strength={strength}", is_reference=strength == 1)
                for strength in (1, 2)
                if name != "orig_crop"
            ),
        ),
    )
    for name in ("zoom", *reversed(ORIGINAL), "object_only")
}
"""Families in another order than the original study's, and more of them."""
BOTH = [
    (name, task) for name in ORIGINAL for task in ("scene", "object")
    if (name, task) != ("orig_crop", "object")
]  # fmt: skip
"""The original families in both tasks; a crop is no change of a window."""


@pytest.fixture(scope="module")
def sample(population):
    return population(images=60)


@pytest.fixture(scope="module")
def single(sample):
    return make_splits(SINGLE, sample, CATEGORIES, settings=SETTINGS, seed=4)


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
    again = make_splits(SINGLE, sample, CATEGORIES, settings=SETTINGS, seed=4)
    assert (again.fold_of == single.fold_of).all()
    other = make_splits(SINGLE, sample, CATEGORIES, settings=SETTINGS, seed=5)
    assert (other.fold_of != single.fold_of).any()


def test_only_test_data_is_predicted_by_one_head_that_did_not_see_it(
    single, sample, seen, features_of
):
    fitted = fit_heads(single, seen, settings=HEADS)
    assert len(fitted) == 1
    table = predict(single, fitted, seen, FACTS[UNTOUCHED].conditions[0], regime="retrained")
    assert list(table["ann_id"]) == list(sample["ann_id"][single.reference_test])
    assert (table["fold"] == 0).all()
    assert table.notna().all(axis=None)
    plain = seen.plain.copy()
    plain[single.reference_test] += 50
    moved = fit_heads(single, features_of(sample, plain), settings=HEADS)
    assert (moved.weight == fitted.weight).all()
    plain = seen.plain.copy()
    plain[~single.reference_test] += 50
    moved = fit_heads(single, features_of(sample, plain), settings=HEADS)
    assert (moved.weight != fitted.weight).any()


def test_the_original_protocol_keeps_the_original_six_conditions_and_asks_both_questions():
    chosen = SINGLE.conditions(FACTS)
    assert [(one.name, one.task) for one in chosen] == BOTH
    assert [one.name for one in chosen if one.task == "scene"] == list(ORIGINAL)
    every = PROTOCOLS["cross_validation"].conditions(FACTS)
    assert set(chosen) < set(every)
    some = {name: FACTS[name] for name in (UNTOUCHED, "bg_blur", "zoom")}
    assert [one.name for one in SINGLE.conditions(some)] == 2 * [UNTOUCHED] + 2 * ["bg_blur"]


def test_cross_validation_evaluates_every_level_in_the_order_of_the_families():
    chosen = PROTOCOLS["cross_validation"].conditions(FACTS)
    assert [(one.family, one.task, one.level) for one in chosen] == [
        (name, task, f"strength={level}")
        for name in FACTS
        for task, level in (("scene", 1), ("object", 1), ("object", 2))
        if (name, task) != ("orig_crop", "object")
    ]


def test_a_protocol_knows_its_seeds_and_describes_its_split():
    assert SINGLE.n_seeds(SETTINGS) == 1
    assert PROTOCOLS["cross_validation"].n_seeds(SETTINGS) == 3
    assert SINGLE.split_description(SETTINGS) == "one 80/20 split by instance"
    other = SETTINGS.model_copy(update={"test_share": 0.3})
    assert SINGLE.split_description(other) == "one 70/30 split by instance"
    described = PROTOCOLS["cross_validation"].split_description(SETTINGS)
    assert described == "3 × 5-fold cross-validation by image"


def test_its_results_have_the_original_shape(single, seen):
    fitted = fit_heads(single, seen, settings=HEADS)
    tables = [
        predict(single, fitted, seen, step, regime=SINGLE.regimes[0])
        for step in SINGLE.conditions(FACTS)
    ]
    table = summarise_results(pd.concat(tables))
    scene = table[table["task"] == "scene"]
    assert list(scene["condition"]) == list(ORIGINAL)
    assert list(table["task"]) == 6 * ["scene"] + 5 * ["object"]
    assert list(table.columns[:5]) == [
        "condition", "val_acc_all", "val_acc_small", "val_acc_medium", "val_acc_large",
    ]  # fmt: skip
    assert (table["n_all"] == single.reference_test.sum()).all()
