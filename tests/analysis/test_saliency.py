import itertools

import numpy as np
import pandas as pd
import pytest

from builders import map_measures
from smallsight.analysis.saliency import arrange_measures
from smallsight.analysis.statistics import bootstrap

GROUPS = ("all", "small", "medium", "large")
CONDITIONS = ("orig_full", "downscale")


def within_groups(group, lift, correct, weight):
    """Van Elteren's mean over size groups of the chance that one of the right is greater."""
    total = pairs = 0.0
    for name in np.unique(group):
        sides = [
            np.flatnonzero((group == name) & (correct == right) & ~np.isnan(lift))
            for right in (True, False)
        ]
        counts = [weight[side].sum() for side in sides]
        if min(counts) > 0:
            both = itertools.product(*sides)
            wins = sum(
                weight[i] * weight[j] * ((lift[i] > lift[j]) + (lift[i] == lift[j]) / 2)
                for i, j in both
            )
            total += wins / (sum(counts) + 1)
            pairs += counts[0] * counts[1] / (sum(counts) + 1)
    return total / pairs if pairs else np.nan


# The chance that a correct prediction's map has the greater lift.


@pytest.mark.parametrize("group", GROUPS[1:])
@pytest.mark.parametrize("name", ["predicted", "true_class"])
def test_within_a_size_group_it_is_the_superiority_of_the_right_over_the_failed(
    looking, found, name, group
):
    table = looking.tables[name, "orig_full"]
    known = found.members[group] & ~table["no_evidence"].to_numpy()
    correct, lift = table["correct"].to_numpy(bool), table["lift"].to_numpy()
    right, failed = known & correct, known & ~correct
    due = bootstrap.superiority(
        lift[right], lift[failed], found.weights[:, right], found.weights[:, failed]
    )
    np.testing.assert_allclose(looking.superiority(name, "orig_full", group), due)


def test_of_all_objects_it_is_van_elterens_mean_within_size_groups(looking, found):
    group = found.instances["size_group"].to_numpy()
    table = looking.tables["predicted", "downscale"]
    lift, correct = table["lift"].to_numpy(), table["correct"].to_numpy(bool)
    draws = looking.superiority("predicted", "downscale", "all")
    assert draws.shape == (301,)
    for draw in (0, 1, 2, 300):
        due = within_groups(group, lift, correct, found.weights[draw].astype(float))
        assert draws[draw] == pytest.approx(due)


def test_groups_that_lack_a_side_in_some_draws_do_not_enter_these(population, evaluated):
    found = evaluated(population(images=6))
    group = found.instances["size_group"].to_numpy()
    rng = np.random.default_rng(0)
    lift, correct = rng.random(len(group)), rng.random(len(group)) < 0.7
    arranged = map_measures.measures_of(found, lift, correct)
    draws = arranged.superiority("predicted", "orig_full", "all")
    due = [within_groups(group, lift, correct, weight) for weight in found.weights.astype(float)]
    assert np.isnan(due).any()
    np.testing.assert_allclose(draws, due, rtol=1e-9)


def test_a_difference_between_size_groups_alone_is_none(evaluated):
    """Small objects fail more and their maps have less lift; inside a group nothing differs."""
    lifts = {("small", True): 1, ("small", False): 3, ("large", True): 3, ("large", False): 1}
    rows = [
        {"image_id": image, "size_group": group, "correct": right, "lift": lift}
        for image in range(20)
        for (group, right), times in lifts.items()
        for lift in [1.0, 2.0] * times
    ]
    sample = pd.DataFrame(rows).assign(ann_id=range(len(rows)), category_name="a")
    sample["lift"] += 10 * (sample["size_group"] == "large")
    found = evaluated(sample)
    lift, correct = sample["lift"].to_numpy(), sample["correct"].to_numpy()
    weights = found.weights
    pooled = bootstrap.superiority(
        lift[correct], lift[~correct], weights[:, correct], weights[:, ~correct]
    )
    assert pooled.min() > 0.7
    looking = map_measures.measures_of(found, lift, correct)
    np.testing.assert_allclose(looking.superiority("predicted", "orig_full", "all"), 0.5)


@pytest.mark.parametrize("group", GROUPS)
def test_maps_without_evidence_are_left_out(found, looking, group, evaluated):
    table = looking.tables["predicted", "orig_full"]
    lift, correct = (table[name].to_numpy() for name in ("lift", "correct"))
    assert 0.05 < np.isnan(lift).mean() < 0.2
    without = ~np.isnan(lift)
    alone = map_measures.measures_of(
        evaluated(found.instances[without]), lift[without], correct[without].astype(bool)
    )
    due = alone.superiority("predicted", "orig_full", group)[0]
    assert looking.superiority("predicted", "orig_full", group)[0] == pytest.approx(due)


@pytest.mark.parametrize("correct", [True, False])
def test_without_a_failure_or_a_success_there_is_nothing_to_compare(found, correct):
    looking = map_measures.measures_of(found, np.arange(len(found.image)) / 9, correct)
    for group in GROUPS:
        assert np.isnan(looking.superiority("predicted", "orig_full", group)).all()


def test_neither_the_order_of_the_rows_nor_that_of_the_tables_matters(found, measures, looking):
    shuffled = [part.sample(frac=1, random_state=0) for part in measures]
    other = arrange_measures(found, *shuffled)
    assert set(other.tables) == set(looking.tables)
    for name, condition in looking.tables:
        for group in GROUPS:
            one, same = (each.superiority(name, condition, group) for each in (looking, other))
            np.testing.assert_array_equal(one, same)


# What is measured where.


def test_conditions_are_those_of_the_predicted_classes_maps(looking):
    assert looking.conditions == list(CONDITIONS)


def test_every_table_has_the_rows_of_the_instances(found, looking, whole):
    for (name, condition), table in looking.tables.items():
        assert (table["ann_id"] == found.instances["ann_id"]).all()
        part = whole[(whole["map"] == name) & (whole["condition"] == condition)]
        due = part.set_index("ann_id")["energy_in_box"].reindex(table["ann_id"])
        np.testing.assert_array_equal(table["energy_in_box"], due)
