import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from builders.predictions import CONDITIONS, outcomes_of, predicted


@pytest.fixture(scope="module")
def predictions(population):
    return predicted(population())


@pytest.fixture(scope="module")
def found(predictions):
    return outcomes_of(predictions)


def part_of(predictions, regime, condition, group):
    part = predictions.query("regime == @regime and condition == @condition")
    return part if group == "all" else part[part["size_group"] == group]


def test_instances_and_conditions_are_those_of_the_predictions(found, predictions):
    ids = found.instances[["image_id", "ann_id"]]
    due = predictions[["image_id", "ann_id"]].drop_duplicates().sort_values(["image_id", "ann_id"])
    assert ids.to_numpy().tolist() == due.to_numpy().tolist()
    pairs = [(regime, name) for regime in ("fixed", "retrained") for name in CONDITIONS]
    assert list(found.row) == pairs
    assert found.regimes == ["fixed", "retrained"]
    assert found.changed_conditions("fixed") == [name for name in CONDITIONS if name != "orig_full"]
    assert found.chance == pytest.approx(1 / 6)
    sides = predictions.drop_duplicates("ann_id").set_index("ann_id")["side"]
    assert found.side.tolist() == sides[ids["ann_id"]].tolist()


def test_shares_are_means_over_seeds_of_each_instance(found, predictions):
    table = predictions.groupby(["regime", "condition", "image_id", "ann_id"])["correct"].mean()
    for (regime, condition), row in found.row.items():
        due = table[regime, condition]
        assert found.hit_rates[row] == pytest.approx(due.to_numpy())
        assert found.majority_correct(regime, condition).tolist() == (due > 0.5).tolist()


@pytest.mark.parametrize("regime", ["fixed", "retrained"])
def test_what_turns_is_right_under_one_condition_alone(found, regime):
    before, after = (found.majority_correct(regime, name) for name in ("orig_full", "downscale"))
    turned = found.flips(regime, "orig_full", "downscale")
    assert turned.tolist() == [int(b) - int(a) for a, b in zip(before, after, strict=True)]
    assert set(turned) == {-1, 0, 1}
    assert (found.flips(regime, "downscale", "orig_full") == -turned).all()
    assert not found.flips(regime, "downscale", "downscale").any()


@pytest.mark.parametrize("group", ["all", "small", "medium", "large"])
def test_changes_of_an_image_are_the_right_answers_that_it_gains(found, predictions, group):
    changes = found.changes("fixed", "orig_full", "downscale", found.members[group])
    part = predictions[(predictions["size_group"] == group) | (group == "all")]
    by_image = part.query("regime == 'fixed'").pivot_table(
        index="image_id", columns="condition", values="correct", aggfunc="sum"
    )
    gained = by_image["downscale"] - by_image["orig_full"]
    images = np.unique(predictions["image_id"])
    assert changes.tolist() == gained.reindex(images, fill_value=0).tolist()
    delta = found.delta("fixed", "downscale", group)[0]
    assert changes.sum() == pytest.approx(3 * found.members[group].sum() * delta)


def test_sides_are_those_of_the_whole_picture(predictions):
    whole = predictions.assign(task="scene", side=predictions["side"] / 3)
    both = pd.concat([predictions, whole], ignore_index=True)
    scene, headline = (outcomes_of(both, task=task) for task in ("scene", "object"))
    assert (scene.task, headline.task) == ("scene", "object")
    assert (scene.side == headline.side).all()
    assert scene.side == pytest.approx(outcomes_of(predictions).side / 3)
    assert (scene.weights == headline.weights).all()


def standardised_by_hand(found, hit_rates, group, weights):
    """Weigh categories by hand, as one draw has them."""
    table = found.instances.assign(right=hit_rates, weight=weights)
    table = table[table["weight"] > 0]
    shares = [
        part.groupby("category_name")["weight"].sum() / part["weight"].sum()
        for part in (table[table["size_group"] == name] for name in ("small", "large"))
    ]
    mix = sum(shares).dropna()
    part = table[(table["size_group"] == group) | (group == "all")]
    sums = part.assign(right=part["right"] * part["weight"]).groupby("category_name")
    means = sums["right"].sum() / sums["weight"].sum()
    known = mix.index.intersection(means.index)
    return np.average(means[known], weights=mix[known])


@pytest.mark.parametrize("group", ["all", "small", "medium", "large"])
def test_standardised_means_have_one_mix_of_categories_in_every_draw(found, group):
    hit_rates = found.hit_rates[3]
    draws = found.standardised(hit_rates, group)
    assert draws.shape == (301,)
    for number in (0, 1, 17, 300):
        due = standardised_by_hand(found, hit_rates, group, found.weights[number])
        assert draws[number] == pytest.approx(due)
    assert found.shared_mix.sum(axis=1) == pytest.approx(1)


def test_equal_accuracies_of_every_category_are_equal_once_standardised(found):
    """Whatever the groups' mixes: class mix alone makes no difference."""
    chances = np.linspace(0.2, 0.9, 6)[found.category]
    small, large = (found.standardised(chances, group) for group in ("small", "large"))
    assert small == pytest.approx(large)
    assert found.mean_with_interval(chances, found.members["small"])[0] != pytest.approx(small[0])


def test_groups_without_a_common_category_have_no_standardised_mean(predictions):
    apart = predictions["category_name"].isin(["a", "b"]) == (predictions["size_group"] == "large")
    found = outcomes_of(predictions[apart])
    assert np.isnan(found.standardised(found.hit_rates[0], "small")).all()


def test_categories_are_numbered_by_the_alphabet(found):
    names = sorted(set(found.instances["category_name"]))
    assert len(names) == 6
    numbered = [names[number] for number in found.category]
    assert numbered == found.instances["category_name"].tolist()


@pytest.mark.parametrize("group", ["all", "small", "medium", "large"])
def test_first_of_the_draws_is_the_sample_itself(found, predictions, group):
    for regime, condition in found.row:
        part = part_of(predictions, regime, condition, group)
        draws = found.accuracy(regime, condition, group)
        assert draws.shape == (301,)
        assert draws[0] == pytest.approx(part["correct"].mean())
        assert np.nanstd(draws[1:]) > 0
        size = found.size(group)
        assert size == {"n": part["ann_id"].nunique(), "images": part["image_id"].nunique()}


def test_draws_are_of_whole_images_and_the_same_for_all(found):
    weight = found.weights[17]
    images = found.instances["image_id"].to_numpy()
    assert all(len(set(weight[images == image])) == 1 for image in set(images))
    for group, members in found.members.items():
        for pair, row in found.row.items():
            due = np.average(found.hit_rates[row, members], weights=weight[members])
            assert found.accuracy(*pair, group)[17] == pytest.approx(due)


def test_two_groups_are_counted_together(found):
    both = found.instances[found.instances["size_group"] != "medium"]
    size = {"n": len(both), "images": both["image_id"].nunique()}
    assert found.size("small", "large") == size
    assert size["images"] < found.size("small")["images"] + found.size("large")["images"]


@pytest.mark.parametrize("group", ["all", "small", "large"])
def test_balanced_accuracy_is_scikit_learns(population, group):
    predictions = predicted(population(images=60), seeds=1)
    found = outcomes_of(predictions)
    part = part_of(predictions, "retrained", "downscale", group)
    named = part["category_name"].where(part["correct"], "something else")
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        due = balanced_accuracy_score(part["category_name"], named)
    assert found.balanced_accuracy("retrained", "downscale", group) == pytest.approx(due)
    assert due != pytest.approx(part["correct"].mean(), abs=1e-6)


def test_order_of_the_rows_does_not_matter(predictions, found):
    shuffled = outcomes_of(predictions.sample(frac=1, random_state=0))
    assert shuffled.regimes == found.regimes
    assert shuffled.instances.equals(found.instances)
    for pair, row in found.row.items():
        assert (shuffled.hit_rates[shuffled.row[pair]] == found.hit_rates[row]).all()
    assert (shuffled.weights == found.weights).all()
    assert (shuffled.side == found.side).all()


def test_the_headline_regime_comes_first_however_the_rows_are_ordered(predictions):
    turned = outcomes_of(predictions.iloc[::-1])
    assert turned.regimes == ["fixed", "retrained"]
    assert turned.changed_conditions("fixed") == list(CONDITIONS)[:0:-1]


def test_an_empty_group_has_no_accuracy(predictions):
    found = outcomes_of(predictions[predictions["size_group"] != "small"])
    assert found.size("small") == {"n": 0, "images": 0}
    assert np.isnan(found.accuracy("fixed", "downscale", "small")).all()
    assert np.isfinite(found.accuracy("fixed", "downscale", "all")).all()


def test_draws_without_a_group_have_no_accuracy_in_it(predictions):
    small = predictions["size_group"] == "small"
    one = predictions.loc[small, "image_id"].min()
    found = outcomes_of(predictions[~small | (predictions["image_id"] == one)])
    draws = found.accuracy("fixed", "downscale", "small")
    empty = found.weights[:, found.members["small"]].sum(axis=1) == 0
    assert empty.any()
    assert (np.isnan(draws) == empty).all()


def test_equal_shares_have_equal_accuracies_in_every_draw(found):
    shares = np.tile(found.hit_rates[:1], (len(found.hit_rates), 1))
    same = dataclasses.replace(found, hit_rates=shares)
    for group in ("all", "small", "medium", "large"):
        means = same.means[group]
        assert (means[0] == means[0, 0]).all()
        assert means == pytest.approx(means[:, :1] * np.ones(means.shape[1]), abs=1e-14)


def test_pictures_of_one_photograph_are_drawn_together(found, predictions):
    images = found.instances["image_id"].to_numpy()
    pair = np.unique(images)[[1, 4]]
    twins = pd.DataFrame({"image_id": pair, "group": pair[0], "kind": "identical"})
    made = outcomes_of(predictions, duplicates=twins)
    drawn = made.weights[:, np.isin(images, pair)]
    assert (drawn == drawn[:, :1]).all()
    apart = found.weights[:, np.isin(images, pair)]
    assert not (apart == apart[:, :1]).all()
    everything = np.ones(len(images), bool)
    assert made.images(everything) == found.images(everything) - 1
    assert len(np.unique(made.image[np.isin(images, pair)])) == 1


def test_without_duplicates_draws_stay_what_they_were(found, predictions):
    none = pd.DataFrame({"image_id": [], "group": [], "kind": []})
    made = outcomes_of(predictions, duplicates=none)
    assert (made.weights == found.weights).all()
    assert (made.image == found.image).all()
