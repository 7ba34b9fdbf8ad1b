import itertools
import math
from collections import Counter
from statistics import fmean

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.predictions import outcomes_of, predicted
from smallsight.analysis import gap
from smallsight.analysis.gap import (
    AGREEMENT,
    INTERVENTIONS,
    LEDGER,
    PARTS,
    PATHS,
    compare_regimes,
    decompose_gap,
    gap_parts,
    shapley,
    smallest_cell,
    standardised_gap,
)
from smallsight.analysis.statistics import bootstrap, tests
from smallsight.conditions.rendered.names import ORIGINAL

CONDITIONS = dict.fromkeys(INTERVENTIONS.values(), 0.5)
MIXES = {"small": [0.6, 0.3, 0.1], "medium": [0.3, 0.4, 0.3], "large": [0.1, 0.2, 0.7]}
SEEDS = st.integers(0, 2**32 - 1)

pytestmark = pytest.mark.usefixtures("frozen")


def sampled(*, images=25, mixes=MIXES, groups=tuple(MIXES), seed=0):
    """Make images of one to four instances, whose categories depend on their size."""
    rng = np.random.default_rng(seed)
    image_id = np.repeat(np.arange(images) * 2, rng.integers(1, 5, images))
    group = rng.choice(groups, len(image_id))
    names = list("abc")
    category = [rng.choice(names, p=mixes[key]) for key in group]
    table = {"image_id": image_id, "ann_id": np.arange(len(image_id)) + 7}
    return pd.DataFrame(table | {"category_name": category, "size_group": group})


def answered(sample, *, seed=0):
    """Answer with odds of their own in each regime, condition, category and size group."""
    rng = np.random.default_rng(seed)
    table = predicted(sample, conditions=CONDITIONS, seeds=3, seed=seed)
    cells = table.groupby(["regime", "condition", "category_name", "size_group"]).ngroup()
    odds = rng.random(cells.max() + 1)
    correct = rng.random(len(table)) < odds[cells]
    return table.assign(correct=correct)


def outcomes_by_chance(*, seed=0, draws=200, **properties):
    return outcomes_of(answered(sampled(seed=seed, **properties), seed=seed), draws=draws)


def with_odds(sample, odds):
    """Outcomes whose accuracy is a function of condition, size group and category."""
    table = predicted(sample, conditions=CONDITIONS)
    keys = zip(table["condition"], table["size_group"], table["category_name"], strict=True)
    chance = np.array([odds(*key) for key in keys])
    rank = np.random.default_rng(0).random(len(table))
    return outcomes_of(table.assign(correct=rank < chance))


@pytest.fixture(scope="module")
def predictions():
    return answered(sampled(images=60))


@pytest.fixture(scope="module")
def found(predictions):
    return outcomes_of(predictions)


@pytest.fixture(scope="module")
def table(found):
    return decompose_gap(found)


def keyed(table):
    return table.set_index(["regime", "part"])


# In every draw.


@given(SEEDS, st.integers(2, 25), st.sampled_from(["", *MIXES]))
@settings(deadline=None, max_examples=60)
def test_the_parts_sum_to_the_gap_in_every_draw(seed, images, lacking):
    """Also where a size group lacks a category, and in draws without a size group."""
    mixes = MIXES | ({lacking: [0.5, 0.5, 0.0]} if lacking else {})
    found = outcomes_by_chance(images=images, mixes=mixes, seed=seed, draws=100)
    sizes = found.instances["size_group"].unique()
    for regime in found.regimes:
        parts = gap_parts(found, regime)
        assert bool(parts) == {"small", "large"}.issubset(sizes)
        if not parts:
            continue
        drawn = [found.weights[:, found.members[key]].any(axis=1) for key in ("small", "large")]
        known = np.logical_and(*drawn)
        for name, draws in parts.items():
            assert draws.shape == (101,)
            assert (np.isfinite(draws) == known).all(), name
        total = sum(parts[name] for name in PARTS)
        np.testing.assert_allclose(total, parts["gap"], rtol=0, atol=1e-9)


def test_intervals_ignore_draws_without_a_size_group():
    sample = sampled(images=30)
    small = sample["size_group"] == "small"
    few = sample[~small | sample["image_id"].isin(sample.loc[small, "image_id"].unique()[:2])]
    found = outcomes_of(answered(few))
    draws = gap_parts(found, "fixed")
    known = np.isfinite(draws["gap"])
    assert 0 < (~known).sum() < 100
    table = keyed(decompose_gap(found)).loc["fixed"]
    assert np.isfinite(table[["value", "ci_low", "ci_high", "p_value"]].to_numpy(float)).all()
    for part, row in table.iterrows():
        due = bootstrap.percentile_interval(draws[part][known][1:], 0.95, images=2)
        assert (row["ci_low"], row["ci_high"]) == due


def test_resolution_is_the_mean_of_its_two_paths(found):
    for regime in found.regimes:
        parts = gap_parts(found, regime)
        paths = [parts[name] for name in PATHS]
        assert abs(paths[0] - paths[1]).max() > 0.05
        np.testing.assert_allclose(parts["resolution"], np.mean(paths, axis=0), atol=1e-12)


def test_paths_are_what_zooming_takes_off_the_gap(found):
    gap = {name: standardised_gap(found, "fixed", name) for name in CONDITIONS}
    parts = gap_parts(found, "fixed")
    kept = gap["orig_full"] - gap["zoom_matched"]
    removed = gap["object_only"] - gap["zoom_object"]
    np.testing.assert_allclose(parts["resolution_with_context"], kept, atol=1e-12)
    np.testing.assert_allclose(parts["resolution_without_context"], removed, atol=1e-12)
    np.testing.assert_allclose(parts["residual"], gap["zoom_object"], atol=1e-12)


# Class mix.


def standardised(found, regime, condition, weights):
    """Do the same one instance at a time."""
    right = found.hit_rates[found.row[regime, condition]]
    drawn = {"small": {}, "large": {}}
    everything = zip(found.instances.itertuples(), weights, right, strict=True)
    for instance, times, share in everything:
        if instance.size_group in drawn:
            answers = drawn[instance.size_group].setdefault(instance.category_name, [])
            answers += [share] * int(times)
    counts = {group: sum(map(len, cells.values())) for group, cells in drawn.items()}
    if not all(counts.values()):
        return math.nan
    total = 0.0
    for name in "abc":
        small, large = (drawn[group].get(name) for group in ("small", "large"))
        if small and large:
            weight = (len(small) / counts["small"] + len(large) / counts["large"]) / 2
            total += weight * (fmean(large) - fmean(small))
    return total


@pytest.mark.parametrize(("images", "lacking"), [(4, None), (12, None), (12, "small")])
def test_the_standardised_gap_weighs_each_category_by_its_mean_share(images, lacking):
    mixes = MIXES | ({lacking: [0.9, 0.1, 0.0]} if lacking else {})
    found = outcomes_by_chance(images=images, mixes=mixes, draws=100, seed=3)
    for condition in CONDITIONS:
        values = standardised_gap(found, "retrained", condition)
        due = [standardised(found, "retrained", condition, row) for row in found.weights]
        np.testing.assert_allclose(values, due, rtol=0, atol=1e-9)


def test_class_mix_is_kitagawas_component_of_composition(found):
    """The difference of shares times the mean of rates, where both groups have each category."""
    right = found.hit_rates[found.row["fixed", "orig_full"]]
    instances = found.instances.assign(right=right)
    cells = instances.groupby(["category_name", "size_group"])["right"].agg(["mean", "size"])
    rate, count = cells["mean"].unstack(), cells["size"].unstack()
    assert count.notna().to_numpy().all()
    share = count / count.sum()
    due = (share["large"] - share["small"]) @ (rate["large"] + rate["small"]) / 2
    assert abs(due) > 0.02
    assert gap_parts(found, "fixed")["class_mix"][0] == pytest.approx(due)


def in_every_image(counts):
    """Make images that hold so many instances of each size group and category, all alike."""
    rows = [
        (image, group, name)
        for image in range(12)
        for (group, name), count in counts.items()
        for _ in range(count)
    ]
    table = pd.DataFrame(rows, columns=["image_id", "size_group", "category_name"])
    return table.assign(ann_id=np.arange(len(table)))


def answers_of_categories(sample, rates):
    """Answer the first so many instances of each image and cell correctly, whatever their size."""
    table = predicted(sample, conditions=CONDITIONS, seeds=1)
    cell = ["regime", "condition", "image_id", "size_group", "category_name"]
    each = table.groupby(cell)
    rank = (each.cumcount() + 0.5) / each["ann_id"].transform("size")
    return outcomes_of(table.assign(correct=rank < table["category_name"].map(rates)))


def test_categories_that_are_equally_hard_at_any_size_make_a_gap_by_their_mix_alone():
    counts = {("small", "a"): 6, ("small", "b"): 2, ("large", "a"): 2, ("large", "b"): 6}
    found = answers_of_categories(in_every_image(counts), {"a": 0.5, "b": 1.0})
    for regime in found.regimes:
        parts = gap_parts(found, regime)
        np.testing.assert_allclose(parts["gap"], 0.25)
        np.testing.assert_allclose(parts["class_mix"], 0.25)
        for name in ("resolution", "context", "residual"):
            assert (parts[name] == 0).all()
    rows = keyed(decompose_gap(found)).loc["fixed"]
    assert rows.loc["class_mix", ["share", "verdict"]].tolist() == [1.0, "favours large"]


def test_groups_of_one_mix_have_a_gap_without_any_part_for_it():
    counts = {(group, name): n for group in ("small", "large") for name, n in (("a", 3), ("b", 1))}
    found = with_odds(
        in_every_image(counts),
        lambda condition, group, name: 0.3 + 0.3 * (group == "large") + 0.2 * (name == "b"),
    )
    for regime in found.regimes:
        parts = gap_parts(found, regime)
        assert parts["gap"][0] > 0.15
        assert (parts["class_mix"] == 0).all()


def test_one_category_leaves_nothing_to_the_mix(population):
    found = outcomes_of(predicted(population(categories=["a"]), conditions=CONDITIONS))
    parts = gap_parts(found, "fixed")
    assert np.nanstd(parts["gap"]) > 0
    assert (parts["class_mix"] == 0).all()


def test_categories_of_one_group_alone_are_a_matter_of_mix():
    counts = {("small", "a"): 4, ("large", "b"): 4}
    found = answers_of_categories(in_every_image(counts), {"a": 0.25, "b": 1.0})
    parts = gap_parts(found, "fixed")
    assert (parts["class_mix"] == parts["gap"]).all()
    np.testing.assert_allclose(parts["gap"], 0.75)


# Planted parts.


@pytest.mark.parametrize(
    ("helped", "due"),
    [
        ({"zoom_matched", "zoom_object"}, {"resolution": 0.5}),
        ({"object_only", "zoom_object"}, {"context": 0.5}),
        ({"zoom_object"}, {"resolution": 0.25, "context": 0.25}),
        ({"zoom_matched", "object_only", "zoom_object"}, {"resolution": 0.25, "context": 0.25}),
        (set(), {"residual": 0.5}),
    ],
)
def test_a_gap_goes_to_what_closes_it(helped, due):
    """Half of the small objects are wrong unless a condition helps, all large ones right."""
    counts = {("small", "a"): 4, ("large", "a"): 4, ("small", "b"): 2, ("large", "b"): 2}
    table = predicted(in_every_image(counts), conditions=CONDITIONS, seeds=1)
    able = table["condition"].isin(helped) | (table["size_group"] == "large")
    odd = table.groupby(["regime", "condition", "image_id", "size_group", "category_name"])
    parts = gap_parts(outcomes_of(table.assign(correct=able | (odd.cumcount() % 2 == 0))), "fixed")
    for name in PARTS:
        np.testing.assert_allclose(parts[name], due.get(name, 0.0), atol=1e-12)


def test_the_same_answers_under_all_conditions_are_no_part_of_the_gap(predictions):
    """An A/A run: whatever is between the groups is class mix and residual."""
    key = ["regime", "seed", "image_id", "ann_id"]
    untouched = predictions[predictions["condition"] == "orig_full"].set_index(key)["correct"]
    same = untouched[pd.MultiIndex.from_frame(predictions[key])].to_numpy()
    found = outcomes_of(predictions.assign(correct=same))
    rows = keyed(decompose_gap(found))
    for regime in found.regimes:
        parts = gap_parts(found, regime)
        for name in ("resolution", "context", *PATHS):
            assert (parts[name] == 0).all()
            row = rows.loc[regime, name]
            assert row[["value", "ci_low", "ci_high", "p_value"]].tolist() == [0, 0, 0, 1]
            assert row["verdict"] == "inconclusive"
        assert (parts["class_mix"] + parts["residual"]).tolist() == pytest.approx(parts["gap"])
        assert np.std(parts["residual"]) > 0


# The table.


def test_one_row_per_regime_and_part(table, found):
    assert list(table.columns) == LEDGER.names
    order = ["gap", *PARTS, *PATHS]
    due = [(regime, part) for regime in ("fixed", "retrained") for part in order]
    assert list(zip(table["regime"], table["part"], strict=True)) == due
    size = found.size("small", "large")
    assert (table[["n", "images"]] == [size["n"], size["images"]]).to_numpy().all()
    assert size["n"] < found.size("all")["n"]


def test_the_gap_is_that_of_the_accuracies(table, predictions):
    untouched = predictions[predictions["condition"] == "orig_full"]
    means = untouched.groupby(["regime", "size_group"])["correct"].mean()
    for regime in ("fixed", "retrained"):
        due = means[regime, "large"] - means[regime, "small"]
        assert keyed(table).loc[(regime, "gap"), "value"] == pytest.approx(due)


def test_numbers_beside_a_value_are_those_of_its_draws(table, found):
    images = min(found.size(group)["images"] for group in ("small", "large"))
    for row in table.itertuples():
        draws = gap_parts(found, row.regime)[row.part]
        assert row.value == draws[0]
        due = bootstrap.estimate(draws, confidence=0.95, images=images)
        assert {name: getattr(row, name) for name in due} == due
        assert row.ci_low < row.value < row.ci_high


def test_all_rows_are_one_family_and_verdicts_need_interval_and_test(table):
    assert table["p_holm"].to_numpy() == pytest.approx(tests.holm(table["p_value"]))
    sure = table["p_holm"] <= 0.05
    assert ((table["verdict"] == "favours large") == (sure & (table["ci_low"] > 0))).all()
    assert ((table["verdict"] == "favours small") == (sure & (table["ci_high"] < 0))).all()
    assert set(table["verdict"]) == {"favours large", "favours small", "inconclusive"}


def test_shares_are_of_a_gap_that_has_a_verdict(predictions):
    """Of the fixed regime's, which is large; the retrained regime has none."""
    fixed = predictions["regime"] == "fixed"
    large = predictions["size_group"] == "large"
    rng = np.random.default_rng(0)
    odds = np.where(fixed, np.where(large, 0.9, 0.4), 0.6)
    found = outcomes_of(predictions.assign(correct=rng.random(len(predictions)) < odds))
    rows = keyed(decompose_gap(found))
    assert rows.loc[("fixed", "gap"), "verdict"] == "favours large"
    shares = rows.loc["fixed", "share"]
    assert shares["gap"] == 1
    assert shares[list(PARTS)].sum() == pytest.approx(1)
    assert (shares * rows.loc[("fixed", "gap"), "value"]).tolist() == pytest.approx(
        rows.loc["fixed", "value"].tolist()
    )
    assert rows.loc[("retrained", "gap"), "verdict"] == "inconclusive"
    assert rows.loc["retrained", "share"].isna().all()


def test_shares_are_of_a_gap_that_favours_small_objects_too(predictions):
    small = predictions["size_group"] == "small"
    found = outcomes_of(predictions.assign(correct=small))
    rows = keyed(decompose_gap(found)).loc["fixed"]
    assert rows.loc["gap", ["value", "verdict"]].tolist() == [-1, "favours small"]
    assert rows.loc["gap", "share"] == 1
    assert rows.loc["residual", "value"] < 0 < rows.loc["residual", "share"]


# Order.


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[1:])
def test_order_of_the_interventions_does_not_matter(found, table, monkeypatch, order):
    listed = list(INTERVENTIONS.items())
    monkeypatch.setattr(gap, "INTERVENTIONS", dict(listed[place] for place in order))
    pd.testing.assert_frame_equal(decompose_gap(found), table, check_exact=True)


@pytest.mark.parametrize("seed", range(3))
def test_order_of_the_predictions_does_not_matter(predictions, table, seed):
    shuffled = outcomes_of(predictions.sample(frac=1, random_state=seed))
    pd.testing.assert_frame_equal(decompose_gap(shuffled), table, check_exact=True)


# Little to go on.


def is_empty(table, columns):
    return list(table.columns) == columns.names and len(table) == 0


@pytest.mark.parametrize("family", list(CONDITIONS)[1:])
def test_a_regime_without_one_of_the_conditions_has_no_ledger(predictions, family):
    lacking = (predictions["regime"] == "fixed") & (predictions["condition"] == family)
    found = outcomes_of(predictions[~lacking])
    table = decompose_gap(found)
    assert list(table.columns) == LEDGER.names
    assert set(table["regime"]) == {"retrained"}
    assert is_empty(compare_regimes(found), AGREEMENT)
    nowhere = outcomes_of(predictions[predictions["condition"] != family])
    assert is_empty(decompose_gap(nowhere), LEDGER)


@pytest.mark.parametrize("group", ["small", "large"])
def test_an_empty_size_group_leaves_no_ledger(predictions, group):
    found = outcomes_of(predictions[predictions["size_group"] != group])
    assert is_empty(decompose_gap(found), LEDGER)
    assert is_empty(compare_regimes(found), AGREEMENT)


def test_medium_objects_take_no_part(predictions, table):
    kept = predictions[predictions["size_group"] != "medium"]
    changed = predictions.assign(
        correct=predictions["correct"] ^ (predictions["size_group"] == "medium")
    )
    pd.testing.assert_frame_equal(decompose_gap(outcomes_of(changed)), table)
    values = decompose_gap(outcomes_of(kept))["value"]
    assert values.tolist() == pytest.approx(table["value"].tolist())


def test_the_original_six_families_have_no_ledger(population):
    conditions = dict.fromkeys(ORIGINAL, 0.5)
    found = outcomes_of(predicted(population(), conditions=conditions, regimes=("retrained",)))
    assert is_empty(decompose_gap(found), LEDGER)
    assert is_empty(compare_regimes(found), AGREEMENT)


def test_one_object_per_group_gives_no_verdict():
    sample = pd.DataFrame(
        {"image_id": [1, 2], "ann_id": [1, 2], "category_name": "a",
         "size_group": ["small", "large"]}
    )  # fmt: skip
    found = with_odds(sample, lambda condition, group, name: group == "large")
    table = decompose_gap(found)
    assert keyed(table).loc[("fixed", "gap"), "value"] == 1
    assert (table["verdict"] == "inconclusive").all()


# Regimes compared.


def test_agreement_compares_the_regimes_draw_by_draw(found):
    table = compare_regimes(found)
    assert list(table.columns) == AGREEMENT.names
    assert list(table["part"]) == [*PARTS, *PATHS]
    fixed, retrained = (gap_parts(found, regime) for regime in ("fixed", "retrained"))
    images = min(found.size(group)["images"] for group in ("small", "large"))
    for row in table.itertuples():
        assert (row.fixed, row.retrained) == (fixed[row.part][0], retrained[row.part][0])
        assert row.difference == pytest.approx(row.fixed - row.retrained)
        draws = fixed[row.part] - retrained[row.part]
        due = bootstrap.estimate(draws, confidence=0.95, images=images)
        assert {name: getattr(row, name) for name in due} == due
    assert table["p_holm"].to_numpy() == pytest.approx(tests.holm(table["p_value"]))


def test_a_part_of_one_regime_alone_is_no_agreement():
    sample = in_every_image({("small", "a"): 4, ("large", "a"): 4})
    table = predicted(sample, conditions=CONDITIONS, seeds=1)
    alone = table["condition"].isin(["object_only", "zoom_object"])
    hurt = (table["regime"] == "fixed") & alone & (table["size_group"] == "small")
    rank = np.random.default_rng(0).random(len(table))
    found = outcomes_of(table.assign(correct=rank < np.where(hurt, 0.2, 0.8)))
    verdicts = compare_regimes(found).set_index("part")["verdict"].to_dict()
    assert verdicts.pop("context") == "smaller"
    assert verdicts.pop("residual") == "larger"
    assert set(verdicts.values()) == {"inconclusive"}


@pytest.mark.parametrize("regime", ["fixed", "retrained"])
def test_one_regime_has_nothing_to_agree_with(predictions, regime):
    found = outcomes_of(predictions[predictions["regime"] == regime])
    assert len(decompose_gap(found)) == 1 + len(PARTS) + len(PATHS)
    assert is_empty(compare_regimes(found), AGREEMENT)


# Shapley's axioms.


def game(players, seed, draws=3):
    rng = np.random.default_rng(seed)
    sets = [
        frozenset(joined)
        for size in range(len(players) + 1)
        for joined in itertools.combinations(players, size)
    ]
    return {joined: rng.normal(size=draws) for joined in sets}


GAMES = given(st.sampled_from(["ab", "abc", "abcd"]), SEEDS)
FEW = settings(deadline=None, max_examples=40)


def values_of(worth, players):
    values = shapley(worth, players)
    assert set(values) == set(players)
    return values


@GAMES
@FEW
def test_shapley_values_are_means_over_all_orders_of_joining(players, seed):
    worth = game(players, seed)
    due, orders = Counter(), list(itertools.permutations(players))
    for order in orders:
        joined = frozenset()
        for player in order:
            due[player] = due[player] + worth[joined | {player}] - worth[joined]
            joined |= {player}
    for player, value in values_of(worth, players).items():
        np.testing.assert_allclose(value, due[player] / len(orders), atol=1e-12)


@GAMES
@FEW
def test_shapley_values_share_out_all_that_is_achieved(players, seed):
    worth = game(players, seed)
    total = sum(values_of(worth, players).values())
    due = worth[frozenset(players)] - worth[frozenset()]
    np.testing.assert_allclose(total, due, atol=1e-12)


@GAMES
@FEW
def test_players_that_add_the_same_are_worth_the_same(players, seed):
    worth = game(players, seed)
    swap = {"a": "b", "b": "a"}
    alike = {
        joined: worth[joined] + worth[frozenset(swap.get(name, name) for name in joined)]
        for joined in worth
    }
    values = values_of(alike, players)
    np.testing.assert_allclose(values["a"], values["b"], atol=1e-12)
    others = values_of(worth, players)
    assert (abs(others["a"] - others["b"]) > 1e-6).any()


@GAMES
@FEW
def test_a_player_that_adds_nothing_is_worth_nothing(players, seed):
    worth = game(players, seed)
    without = {joined: worth[joined - {"b"}] for joined in worth}
    values = values_of(without, players)
    np.testing.assert_allclose(values["b"], 0, atol=1e-12)
    # Nor does it change what the others are worth.
    rest = players.replace("b", "")
    due = values_of({joined: worth[joined] for joined in worth if "b" not in joined}, rest)
    for name in rest:
        np.testing.assert_allclose(values[name], due[name], atol=1e-12)


@GAMES
@FEW
def test_values_of_two_games_add_up(players, seed):
    one, other = game(players, seed), game(players, seed + 1)
    both = {joined: one[joined] + 2 * other[joined] for joined in one}
    values = [values_of(worth, players) for worth in (one, other, both)]
    for name in players:
        due = values[0][name] + 2 * values[1][name]
        np.testing.assert_allclose(values[2][name], due, atol=1e-12)


def test_the_thinnest_cell_is_the_rarest_category_of_either_group():
    rows = [
        {"image_id": i, "ann_id": i, "category_name": name, "size_group": group}
        for i, (name, group) in enumerate(
            [("a", "small")] * 5 + [("b", "small")] * 9 + [("a", "large")] * 7
            + [("b", "large")] * 3 + [("c", "medium")]
        )
    ]  # fmt: skip
    found = outcomes_of(answered(pd.DataFrame(rows)))
    assert smallest_cell(found) == 3
    assert set(decompose_gap(found)["thinnest"]) == {3}
    alone = outcomes_of(answered(pd.DataFrame(rows[:5] + rows[14:])))
    assert smallest_cell(alone) == 0
