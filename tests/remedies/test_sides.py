import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from builders.evaluations import CATEGORIES, REPEATS, SETTINGS
from smallsight.evaluation.splitting import cross_validation, single_split
from smallsight.remedies.sides import estimate_sides
from smallsight.remedies.tables import ESTIMATED_SIDES
from smallsight.runtime.errors import SampleError
from smallsight.runtime.tables import conform

DIMENSIONS = 300
both_splits = pytest.mark.parametrize("divide", [cross_validation, single_split])


@pytest.fixture(scope="module")
def sample(population):
    return population(images=70)


@pytest.fixture(scope="module")
def sides(sample):
    return np.exp(np.random.default_rng(0).uniform(0.5, 4, len(sample)))


@pytest.fixture(scope="module")
def seen(sample, sides, features_of):
    """More features than instances, which tell the side; and some that do not."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((2, len(sample), DIMENSIONS))
    told = noise[0] + 0.5 * np.log(sides)[:, None] * rng.standard_normal(DIMENSIONS)
    return {
        "scene": features_of(sample, noise[1].astype(np.float32)),
        "object": features_of(sample, told.astype(np.float32)),
    }


def divided(sample, divide=cross_validation):
    return divide(sample, CATEGORIES, settings=SETTINGS, seed=4)


@both_splits
def test_every_instance_of_test_data_has_a_side_in_every_task_and_seed(sample, sides, seen, divide):
    splits = divided(sample, divide)
    table = conform(estimate_sides(splits, seen, sides), ESTIMATED_SIDES)
    assert list(table["task"].unique()) == ["scene", "object"]
    for (_, seed), part in table.groupby(["task", "seed"]):
        is_test = splits.fold_of[splits.seeds.index(seed)] >= 0
        assert list(part["ann_id"]) == list(sample["ann_id"][is_test])
        assert list(part["image_id"]) == list(sample["image_id"][is_test])
    assert table["side"].between(sides.min() - 1e-3, sides.max() + 1e-3).all()


def test_sides_are_estimated_where_features_tell_them_and_not_elsewhere(sample, sides, seen):
    table = estimate_sides(divided(sample), seen, sides)
    for task, lowest, highest in (("object", 0.9, 1), ("scene", -0.4, 0.4)):
        found = np.log(table.loc[table["task"] == task, "side"].to_numpy())
        for one in found.reshape(REPEATS, -1):
            assert lowest < np.corrcoef(one, np.log(sides))[0, 1] < highest
    # What tells nothing gives about the same for all.
    spread = table.assign(log=np.log(table["side"])).groupby("task")["log"].std()
    assert spread["scene"] < 0.3 * spread["object"]


@both_splits
def test_the_true_side_of_test_data_is_never_used(sample, sides, seen, divide):
    splits = divided(sample, divide)
    before = estimate_sides(splits, seen, sides)
    fold = splits.fold_of[0] == 0
    other = np.where(fold, 7 * sides[::-1], sides)
    after = estimate_sides(splits, seen, other)
    for task in seen:
        first = (before["task"] == task) & (before["seed"] == splits.seeds[0])
        held_out = first & before["ann_id"].isin(sample["ann_id"][fold])
        assert held_out.sum() == fold.sum()
        assert (after["side"][held_out] == before["side"][held_out]).all()
    if divide is cross_validation:
        assert (after["side"] != before["side"]).any()


def test_an_estimate_uses_no_features_of_other_test_data(sample, sides, seen, features_of):
    splits = divided(sample)
    before = estimate_sides(splits, seen, sides)
    chosen = np.flatnonzero(splits.fold_of[0] == 0)
    plain = seen["object"].plain.copy()
    plain[chosen[1:]] += 3
    moved = features_of(sample, plain)
    after = estimate_sides(splits, {"object": moved}, sides)
    first = before[before["task"] == "object"].reset_index(drop=True)
    assert after["side"][chosen[0]] == first["side"][chosen[0]]


def test_estimates_keep_within_the_sides_that_they_learned_from(sample, sides, features_of):
    logs = np.log(sides)[:, None].astype(np.float32)
    far = np.tile(logs, 5)
    splits = divided(sample)
    fold = splits.fold_of[0] == 0
    far[fold] *= 20
    table = estimate_sides(splits, {"object": features_of(sample, far)}, sides)
    found = table["side"].to_numpy().reshape(REPEATS, -1)[0, fold]
    assert found.max() <= sides[~fold].max() + 1e-3


def test_the_number_of_threads_does_not_matter(sample, sides, seen):
    splits = divided(sample)
    texts = []
    for threads in (1, 2, 5):
        with threadpool_limits(limits=threads, user_api="blas"):
            texts.append(estimate_sides(splits, seen, sides).to_csv(index=False))
    assert texts[0] == texts[1] == texts[2]


def test_features_of_other_instances_are_refused(sample, sides, seen, features_of):
    turned = features_of(sample[::-1], seen["object"].plain)
    with pytest.raises(SampleError, match="the same instances"):
        estimate_sides(divided(sample), {"object": turned}, sides)
