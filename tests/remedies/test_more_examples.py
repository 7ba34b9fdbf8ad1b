import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from builders.evaluations import CATEGORIES, DIMENSIONS, FOLDS, HEADS, REPEATS, SETTINGS
from smallsight.evaluation.crossfit import fit_heads, out_of_fold, training_data
from smallsight.evaluation.splitting import cross_validation, single_split
from smallsight.remedies import more_examples
from smallsight.remedies.more_examples import SHARES, predict_more_examples
from smallsight.remedies.tables import MORE_EXAMPLES_PREDICTIONS
from smallsight.runtime.tables import conform
from smallsight.vocabulary import TASKS

CODE = {name: code for code, name in enumerate(CATEGORIES)}


@pytest.fixture(scope="module")
def sample(population):
    return population(images=60)


@pytest.fixture(scope="module")
def splits(sample):
    return cross_validation(sample, CATEGORIES, settings=SETTINGS, seed=4)


@pytest.fixture(scope="module")
def seen(sample, features_of):
    """Features of each task that tell the category a little."""
    centres = np.eye(len(CATEGORIES), DIMENSIONS)[sample["category_name"].map(CODE)]
    rng = np.random.default_rng(0)
    return {
        task: features_of(sample, (centres + rng.standard_normal(centres.shape)).astype(np.float32))
        for task in TASKS
    }


def predict(splits, seen, seed=4, settings=HEADS):
    return predict_more_examples(splits, seen, settings=settings, seed=seed)


@pytest.fixture
def chosen(monkeypatch):
    """What heads were fitted on, (seeds, folds, n), in the order in which they were asked for."""
    asked = []

    def fit(*arguments, chosen, **settings):
        asked.append(chosen)
        return fit_heads(*arguments, chosen=chosen, **settings)

    monkeypatch.setattr(more_examples, "fit_heads", fit)
    monkeypatch.setattr(
        more_examples,
        "map_here",
        lambda function, batches, **_: [function(batch) for batch in batches],
    )
    return asked


def test_every_instance_is_predicted_for_every_task_share_and_seed(splits, sample, seen):
    table = conform(predict(splits, seen), MORE_EXAMPLES_PREDICTIONS)
    assert len(table) == len(TASKS) * len(SHARES) * REPEATS * len(sample)
    assert list(table["task"].unique()) == list(TASKS)
    for _, part in table.groupby("task"):
        assert list(part["share"].unique()) == list(SHARES)
        for (_, seed), one in part.groupby(["share", "seed"]):
            for name in ("image_id", "ann_id", "category_name", "size_group"):
                assert list(one[name]) == list(sample[name])
            assert list(one["fold"]) == list(splits.fold_of[splits.seeds.index(seed)])
    assert (table["correct"] == (table["predicted"] == table["category_name"])).all()


def test_all_of_them_are_what_plain_heads_learn_from(splits, seen):
    table = predict(splits, seen)
    for task, features in seen.items():
        fitted = fit_heads(splits, features, settings=HEADS)
        due = np.array(CATEGORIES)[out_of_fold(splits, fitted, features).argmax(axis=2)]
        found = table[(table["task"] == task) & (table["share"] == 1)]["predicted"]
        assert (found.to_numpy() == due.ravel()).all()


def test_shares_are_of_the_small_training_objects_of_each_head(splits, sample, seen, chosen):
    table = predict(splits, seen)
    is_small = (sample["size_group"] == "small").to_numpy()
    small = training_data(splits) & is_small
    assert len(chosen) == len(TASKS) * len(SHARES)
    for number, mask in enumerate(chosen):
        share = SHARES[number % len(SHARES)]
        assert mask[:, :, ~is_small].all()
        kept = (mask & small).sum(axis=2)
        due = [[math.ceil(share * count) for count in row] for row in small.sum(axis=2)]
        assert kept.tolist() == due
        assert (table.loc[table["share"] == share, "n_train"] == kept.mean()).all()


def test_draws_are_nested_the_same_in_both_tasks_and_others_for_another_seed(
    splits, sample, seen, chosen
):
    predict(splits, seen)
    small = training_data(splits) & (sample["size_group"] == "small").to_numpy()
    scene, window = chosen[: len(SHARES)], chosen[len(SHARES) :]
    for one, other in zip(scene, window, strict=True):
        assert (one == other).all()
    for smaller, larger in itertools.pairwise(scene):
        assert ((smaller & small) <= (larger & small)).all()
    half = (scene[2] & small)[:, 0]
    assert (half[0] != half[1]).any()
    again, other = len(chosen), len(chosen) + 2 * len(SHARES)
    predict(splits, seen)
    predict(splits, seen, seed=5)
    assert (chosen[again] == chosen[0]).all()
    assert (chosen[other] != chosen[0]).any()


def test_heads_know_small_objects_better_the_more_of_them_they_learn_from(population, features_of):
    """Small objects look like nothing else, so that large ones do not teach them."""
    sample = population(images=150)
    code = sample["category_name"].map(CODE).to_numpy()
    is_small = (sample["size_group"] == "small").to_numpy()
    centres = np.random.default_rng(1).standard_normal((2, len(CATEGORIES), 24))
    plain = 0.5 * centres[is_small.astype(int), code]
    plain += np.random.default_rng(2).standard_normal(plain.shape)
    seen = {"scene": features_of(sample, plain.astype(np.float32))}
    splits = cross_validation(sample, CATEGORIES, settings=SETTINGS, seed=4)
    longer = HEADS.model_copy(update={"epochs": 15})
    table = predict(splits, seen, settings=longer)
    right = table.pivot_table(index="share", columns="size_group", values="correct")
    assert right.loc[1.0, "small"] > right.loc[0.125, "small"] + 0.1
    assert abs(right.loc[1.0, "large"] - right.loc[0.125, "large"]) < 0.1


def test_one_small_object_is_learnt_from_where_there_is_one(splits, seen, chosen):
    one = splits.sample.assign(size_group="large")
    one.loc[3, "size_group"] = "small"
    table = predict(replace(splits, sample=one), seen)
    assert (table["n_train"] == (FOLDS - 1) / FOLDS).all()
    for mask in chosen:
        assert mask[training_data(splits)].all()


def test_without_small_objects_all_shares_are_the_same(splits, seen):
    table = predict(replace(splits, sample=splits.sample.assign(size_group="large")), seen)
    assert (table["n_train"] == 0).all()
    by_share = [part["predicted"].to_list() for _, part in table.groupby("share")]
    assert all(one == by_share[0] for one in by_share)


def test_of_a_single_split_the_test_data_alone_are_predicted(sample, seen):
    single = single_split(sample, CATEGORIES, settings=SETTINGS, seed=1)
    table = predict(single, seen)
    for _, part in table.groupby(["task", "share"]):
        assert list(part["ann_id"]) == list(sample.loc[single.reference_test, "ann_id"])
