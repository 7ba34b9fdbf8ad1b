import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, mannwhitneyu, norm, poisson, t
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.analysis.statistics.bootstrap import (
    image_weights,
    percentile_interval,
    share_interval,
    weighted_means,
)

COUNTS = st.integers(0, 40)
VALUES = st.lists(st.integers(-3, 3) | st.floats(-3, 3), min_size=1, max_size=12)
"""Some of them equal."""
P_VALUES = st.lists(st.floats(0, 1) | st.just(np.nan), min_size=1, max_size=30)

pytestmark = pytest.mark.usefixtures("frozen")


def clustered(rng, images=40, spread=0.5):
    """Right or wrong answers that images share to some degree; their expectation is 0.6."""
    image_ids = np.repeat(rng.permutation(images) * 7, rng.integers(1, 9, images))
    chance = 0.6 + spread * (rng.beta(2, 2, 7 * images) - 0.5)
    return image_ids, (rng.random(len(image_ids)) < chance[image_ids]).astype(float)


# Draws and their means.


def test_whole_images_are_drawn():
    image_ids = np.array([5, 2, 5, 9, 2, 5, 1])
    weights = image_weights(image_ids, draws=300, rng=np.random.default_rng(0))
    assert weights.shape == (300, 7)
    for image in set(image_ids):
        own = weights[:, image_ids == image]
        assert (own == own[:, :1]).all()
    first = [np.flatnonzero(image_ids == image)[0] for image in set(image_ids)]
    # As many images as there are, each as likely as the others.
    assert (weights[:, first].sum(axis=1) == 4).all()
    assert (weights == weights.round()).all()
    assert weights[:, first].mean(axis=0) == pytest.approx(np.ones(4), abs=5 / np.sqrt(300))
    assert weights.max() > 1


def test_draws_depend_on_the_generator_alone():
    image_ids = np.array([1, 1, 2, 3])
    one, same, other = (
        image_weights(image_ids, draws=50, rng=np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert (one == same).all()
    assert (one != other).any()
    order = [2, 0, 3, 1]
    moved = image_weights(image_ids[order], draws=50, rng=np.random.default_rng(0))
    assert (moved == one[:, order]).all()


def test_weighted_means_are_means_of_what_was_drawn():
    rng = np.random.default_rng(0)
    values, weights = rng.random((3, 6)), rng.integers(0, 4, (20, 6)).astype(np.float32)
    weights[3] = 0
    means = weighted_means(values, weights)
    assert means.shape == (20, 3)
    assert np.isnan(means[3]).all()
    for draw, weight in enumerate(weights.astype(int)):
        for kind in range(3) if weight.any() else ():
            due = np.repeat(values[kind], weight).mean()
            assert means[draw, kind] == pytest.approx(due, rel=1e-12)


def test_equal_values_have_exactly_equal_means():
    rng = np.random.default_rng(0)
    values = np.tile(rng.integers(0, 6, 600) / 5, (34, 1))
    means = weighted_means(values, image_weights(np.arange(600) // 3, draws=100, rng=rng))
    assert means == pytest.approx(means[:, :1] * np.ones(34), abs=1e-14)


def test_draws_scatter_around_the_estimate():
    rng = np.random.default_rng(0)
    image_ids, values = clustered(rng, images=100)
    means = weighted_means(values[None], image_weights(image_ids, draws=2000, rng=rng))
    assert means.mean() == pytest.approx(values.mean(), abs=4 * means.std() / np.sqrt(2000) + 2e-3)


def test_draws_scatter_more_where_images_share_their_fate():
    rng = np.random.default_rng(1)
    image_ids, _ = clustered(rng)
    values = (image_ids % 2).astype(float)  # wholly shared
    means = weighted_means(values[None], image_weights(image_ids, draws=2000, rng=rng))
    naive = np.sqrt(values.var() / len(values))
    assert means.std() > 1.5 * naive


# Intervals.


@given(
    st.lists(st.floats(-5, 5) | st.just(np.nan), max_size=60),
    st.floats(0.05, 0.99),
    st.integers(2, 400),
)
@settings(deadline=None, max_examples=80)
def test_percentiles_lie_as_much_further_out_as_students_interval(draws, confidence, images):
    draws = np.array(draws, float)
    found = percentile_interval(draws, confidence, images=images)
    if np.isnan(draws).all():
        assert np.isnan(found).all()
        return
    reach = t.ppf((1 + confidence) / 2, images - 1) * np.sqrt(images / (images - 1))
    due = np.nanpercentile(draws, 100 * norm.cdf([-reach, reach]))
    np.testing.assert_allclose(found, due, atol=1e-9)
    plain = np.nanpercentile(draws, [50 * (1 - confidence), 50 * (1 + confidence)])
    assert found[0] <= plain[0] + 1e-9
    assert found[1] >= plain[1] - 1e-9


def test_percentiles_of_normal_means_are_students_interval():
    rng = np.random.default_rng(0)
    low, high = percentile_interval(rng.normal(3, 2, 400_000), 0.9, images=12)
    # The bootstrap's standard deviation lacks the factor that `reach` holds.
    reach = t.ppf(0.95, 11) * 2 * np.sqrt(12 / 11)
    assert (low, high) == pytest.approx((3 - reach, 3 + reach), abs=0.03)


def test_percentiles_may_be_infinite():
    draws = np.concatenate([np.full(40, -np.inf), np.arange(900), np.full(60, np.inf)])
    assert percentile_interval(draws, 0.95, images=1000) == (-np.inf, np.inf)
    low, high = percentile_interval(draws[40:940], 0.95, images=1000)
    assert -1 < low < high < 900
    low, high = percentile_interval(draws[40:], 0.95, images=1000)
    assert np.isfinite(low)
    assert high == np.inf


def test_nothing_drawn_has_no_interval():
    weights = np.zeros((5, 0), np.float32)
    means = weighted_means(np.zeros((1, 0)), weights)
    assert np.isnan(means).all()
    assert np.isnan(percentile_interval(means[:, 0], 0.95, images=3)).all()
    assert np.isnan(percentile_interval(np.zeros(0), 0.95, images=3)).all()


@pytest.mark.parametrize(("n", "right"), [(400, 80), (200, 190), (300, 150)])
def test_interval_of_a_share_is_wilsons_where_instances_are_independent(n, right):
    values = np.zeros((1, n))
    values[0, :right] = 1
    weights = image_weights(np.arange(n), draws=20_000, rng=np.random.default_rng(0))
    draws = weighted_means(values, weights)[:, 0]
    found = share_interval(right / n, draws, 0.95, images=n)
    due = proportion_confint(right, n, alpha=0.05, method="wilson")
    assert found == pytest.approx(due, abs=0.04 * (due[1] - due[0]))


@given(st.floats(0, 1), st.floats(0, 0.3), st.floats(0.5, 0.99), st.integers(1, 300))
@settings(deadline=None, max_examples=100)
def test_interval_of_a_share_holds_it_and_stays_between_nothing_and_all(
    share, scatter, confidence, images
):
    draws = share + scatter * np.random.default_rng(0).standard_normal(200)
    low, high = share_interval(share, draws, confidence, images=images)
    assert 0 <= low <= share <= high <= 1
    wider = share_interval(share, draws, (1 + confidence) / 2, images=images)
    assert wider[0] <= low + 1e-12
    assert high <= wider[1] + 1e-12


@pytest.mark.parametrize("images", [5, 50, 500])
def test_all_right_leaves_room_by_the_number_of_images(images):
    low, high = share_interval(1.0, np.ones(300), 0.95, images=images)
    assert high == 1
    assert low == pytest.approx(images / (images + t.ppf(0.975, images - 1) ** 2))
    lowest, highest = share_interval(0.0, np.zeros(300), 0.95, images=images)
    assert (lowest, highest) == pytest.approx((0, 1 - low))


# Tests.


@given(COUNTS, COUNTS)
@settings(deadline=None, max_examples=100)
def test_mcnemar_is_the_sign_test_of_discordant_pairs(gained, lost):
    found = tests.mcnemar_p(gained, lost)
    due = binomtest(gained, gained + lost).pvalue if gained + lost else 1
    assert found == pytest.approx(due)
    assert found == pytest.approx(mcnemar([[7, gained], [lost, 9]], exact=True).pvalue)


@given(COUNTS, COUNTS, st.integers(0, 20))
@settings(deadline=None, max_examples=100)
def test_mcnemar_over_images_of_one_instance_is_mcnemar(gained, lost, same):
    changes = np.repeat([1, -1, 0], [gained, lost, same])
    found = tests.clustered_mcnemar_p(changes)
    assert found == pytest.approx(tests.mcnemar_p(gained, lost), rel=1e-9)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
@settings(deadline=None, max_examples=100)
def test_mcnemar_over_images_counts_every_way_that_they_could_have_turned(changes):
    changes = np.array(changes)
    signs = np.array(list(itertools.product([-1, 1], repeat=len(changes))))
    due = (abs(signs @ changes) >= abs(changes.sum())).mean()
    assert tests.clustered_mcnemar_p(changes) == pytest.approx(due)
    assert tests.clustered_mcnemar_p(-changes[::-1]) == pytest.approx(due)


def test_mcnemar_over_images_does_not_take_a_scene_for_many_witnesses():
    """Ten images in which six objects each turn wrong: ten witnesses, not sixty."""
    found = tests.clustered_mcnemar_p(np.full(10, -6))
    assert found == pytest.approx(2 / 2**10)
    assert tests.mcnemar_p(0, 60) < 1e-15


def test_mcnemar_over_thousands_of_images_is_finite_and_normal():
    rng = np.random.default_rng(0)
    changes = rng.integers(-3, 4, 5000)
    found = tests.clustered_mcnemar_p(changes)
    due = 2 * norm.sf((abs(changes.sum()) - 1) / np.sqrt((changes**2).sum()))
    assert found == pytest.approx(due, rel=0.02)
    assert 0 < tests.clustered_mcnemar_p(np.ones(900, int)) < 1e-200


@pytest.mark.parametrize("permutations", [19, 99, 400])
def test_permutation_p_is_uniform_where_what_was_observed_is_one_of_the_permutations(permutations):
    """Each of as many ranks is as likely; p never falls below the likeliest two of them."""
    values = np.arange(permutations + 1.0)
    found = [tests.permutation_p(value, np.delete(values, int(value))) for value in values]
    for level in found:
        share = np.mean(np.array(found) <= level + 1e-9)
        assert share == pytest.approx(level, abs=1e-9) or level == 1
    assert min(found) == pytest.approx(2 / (permutations + 1))
    assert max(found) == 1
    assert found == found[::-1]


def test_permutation_p_is_uniform_under_the_null_within_chance():
    rng = np.random.default_rng(0)
    found = [tests.permutation_p(row[0], row[1:]) for row in rng.normal(size=(4000, 200))]
    for level in (0.02, 0.05, 0.2, 0.5):
        error = np.sqrt(level * (1 - level) / 4000)
        assert np.mean(np.array(found) <= level) == pytest.approx(level, abs=3.5 * error + 0.005)
    # Ties make it larger, never smaller.
    tied = [tests.permutation_p(row[0], row[1:]) for row in rng.binomial(6, 0.3, (2000, 200))]
    assert np.mean(np.array(tied) <= 0.05) <= 0.05


@given(st.integers(-9, 9), st.lists(st.integers(-9, 9), min_size=1, max_size=60))
@settings(deadline=None, max_examples=80)
def test_permutation_p_is_twice_the_smaller_tail_and_never_zero(observed, permuted):
    found = tests.permutation_p(observed, np.array(permuted, float))
    above = sum(value >= observed for value in [*permuted, observed])
    below = sum(value <= observed for value in [*permuted, observed])
    assert found == pytest.approx(min(2 * min(above, below) / (len(permuted) + 1), 1))
    assert found > 0
    assert tests.permutation_p(-observed, -np.array(permuted, float)) == found


@given(P_VALUES)
@settings(deadline=None, max_examples=50)
def test_holm_is_the_step_down_rule_and_leaves_out_what_was_not_tested(p_values):
    found = tests.holm(p_values)
    p_values = np.array(p_values)
    tested = p_values[~np.isnan(p_values)]
    assert (np.isnan(found) == np.isnan(p_values)).all()
    due, largest = np.empty(len(tested)), 0.0
    for rank, index in enumerate(np.argsort(tested)):
        largest = max(largest, min((len(tested) - rank) * tested[index], 1.0))
        due[index] = largest
    assert found[~np.isnan(found)] == pytest.approx(due)


@given(st.floats(-5, 5), st.floats(1e-3, 5), st.integers(2, 400))
@settings(deadline=None, max_examples=80)
def test_walds_test_is_students_but_finds_no_more_than_the_images_can_say(effect, error, images):
    found = tests.wald_p(effect, error, images=images)
    student = 2 * t.sf(abs(effect) / error, images - 1)
    assert found == pytest.approx(max(student, 0.5 ** (images - 1)))


def test_walds_test_without_scatter_or_without_draws():
    assert tests.wald_p(0.0, 0.0, images=50) == 1
    assert tests.wald_p(2e-16, 0.0, images=50) == 1
    # Every one of ten images went the same way.
    assert tests.wald_p(-1.0, 0.0, images=10) == pytest.approx(2 / 2**10)
    assert tests.wald_p(0.6, 0.0, images=1) == 1
    assert tests.wald_p(0.6, 0.2, images=1) == 1
    assert np.isnan(tests.wald_p(0.6, np.nan, images=9))


def test_standard_error_is_that_of_a_mean():
    rng = np.random.default_rng(0)
    values = rng.random((1, 30))
    draws = weighted_means(values, image_weights(np.arange(30), draws=40_000, rng=rng))[:, 0]
    due = values.std(ddof=1) / np.sqrt(30)
    assert bootstrap.standard_error(draws, images=30) == pytest.approx(due, rel=0.02)
    assert np.isnan(bootstrap.standard_error(np.array([0.3, np.nan]), images=30))


# Superiority.


def drawn(values, *, draws=5):
    """Draw each value none to three times."""
    return np.random.default_rng(len(values)).integers(0, 4, (draws, len(values)))


@given(VALUES, VALUES)
@settings(deadline=None, max_examples=80)
def test_superiority_is_mann_and_whitneys_share_of_pairs(first, second):
    first, second = np.array(first, float), np.array(second, float)
    once = [np.ones((1, len(part)), np.float32) for part in (first, second)]
    found = bootstrap.superiority(first, second, *once)
    due = mannwhitneyu(first, second).statistic / (len(first) * len(second))
    assert found == pytest.approx([due])


@given(VALUES, VALUES)
@settings(deadline=None, max_examples=80)
def test_superiority_in_a_draw_is_that_of_what_was_drawn(first, second):
    first, second = np.array(first, float), np.array(second, float)
    weights = drawn(first), drawn(second)
    found = bootstrap.superiority(first, second, *weights)
    for value, *weight in zip(found, *weights, strict=True):
        one, other = (
            np.repeat(part, times) for part, times in zip((first, second), weight, strict=True)
        )
        if len(one) and len(other):
            wins = (one[:, None] > other) + (one[:, None] == other) / 2
            assert value == pytest.approx(wins.mean())
        else:
            assert np.isnan(value)


@given(VALUES, VALUES)
@settings(deadline=None, max_examples=80)
def test_superiority_of_the_one_leaves_the_rest_to_the_other(first, second):
    first, second = np.array(first, float), np.array(second, float)
    weights = drawn(first), drawn(second)
    one = bootstrap.superiority(first, second, *weights)
    other = bootstrap.superiority(second, first, *weights[::-1])
    np.testing.assert_allclose(one, 1 - other, atol=1e-12)
    # It knows nothing but the order of the values.
    np.testing.assert_array_equal(bootstrap.superiority(8 * first, 8 * second, *weights), one)


def test_superiority_lacks_a_number_where_a_draw_lacks_a_side():
    weights = np.array([[1, 2], [0, 0], [1, 0], [0, 0]], np.float32)
    first, second = np.array([1.0, 2.0]), np.array([1.5, 0.5])
    found = bootstrap.superiority(first, second, weights, weights[[0, 0, 1, 1]])
    np.testing.assert_allclose(found, [8 / 9, np.nan, np.nan, np.nan])
    empty = np.zeros((4, 0), np.float32)
    for one, other in ((weights, empty), (empty, weights)):
        values = [first[: part.shape[1]] for part in (one, other)]
        assert np.isnan(bootstrap.superiority(*values, one, other)).all()


# What could have been found.


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_detectable_effect_is_found_in_four_of_five_studies(confidence):
    mde = tests.minimum_detectable(0.3, confidence=confidence)
    limit = norm.isf((1 - confidence) / 2)
    assert norm.sf(limit - mde / 0.3) == pytest.approx(0.8)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_as_many_pairs_as_mcnemar_needs_turn_in_four_of_five_studies(confidence):
    needed = next(k for k in range(99) if tests.mcnemar_p(k, 0) <= 1 - confidence)
    mean = tests.fewest_discordant(confidence)
    assert poisson.sf(needed - 1, mean) == pytest.approx(0.8)


@given(
    st.lists(st.floats(-1, 1) | st.just(np.nan), min_size=1, max_size=60),
    st.floats(-1, 1),
    st.floats(0.5, 0.99),
    st.integers(1, 200),
)
@settings(deadline=None, max_examples=80)
def test_what_stands_beside_an_estimate_is_of_its_draws(draws, value, confidence, images):
    draws = np.array(draws)
    found = bootstrap.estimate(np.array([value, *draws]), confidence=confidence, images=images)
    error = bootstrap.standard_error(draws, images=images)
    due = {
        "p_value": tests.wald_p(value, error, images=images),
        "mde": tests.minimum_detectable(error, confidence=confidence),
    }
    due |= dict(zip(("ci_low", "ci_high"), percentile_interval(draws, confidence, images=images),
                    strict=True))  # fmt: skip
    assert found == pytest.approx(due, nan_ok=True)


def test_an_estimate_takes_no_heed_of_itself_among_its_draws():
    draws = np.random.default_rng(0).normal(0, 0.1, 400)
    one, other = (
        bootstrap.estimate(np.array([value, *draws]), confidence=0.95, images=50)
        for value in (0.0, 90.0)
    )
    assert all(one[name] == other[name] for name in ("ci_low", "ci_high", "mde"))
    assert one["p_value"] == 1
    assert other["p_value"] < 1e-9


@pytest.mark.parametrize(
    ("low", "high", "p_value", "due"),
    [
        (0.1, 0.2, 0.01, 1), (-0.2, -0.1, 0.01, -1), (-0.1, 0.2, 0.01, 0), (0.1, 0.2, 0.051, 0),
        (0.1, 0.2, 0.05, 1), (-0.2, -0.1, 0.3, 0), (0.0, 0.2, 0.01, 0), (-0.2, 0.0, 0.01, 0),
        (np.nan, np.nan, 0.01, None), (0.1, 0.2, np.nan, 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("null", [0.0, 1.0])
def test_a_verdict_needs_interval_and_test(low, high, p_value, due, null):
    row = {"p_value": p_value, "low": low + null, "high": high + null, "other": "x"}
    names = {1: "above", -1: "below", 0: "neither", None: "no interval"}
    # 1 - 0.95 is a little above 0.05.
    judged = verdicts.judge(
        pd.DataFrame([row]), names, confidence=0.95, ends=("low", "high"), null=null
    )
    assert judged["verdict"].tolist() == [names[due]]
    assert judged["p_holm"].tolist() == pytest.approx([p_value], nan_ok=True)
    assert judged["other"].tolist() == ["x"]


def test_the_rows_of_a_judged_table_are_one_family_of_tests():
    p_values = [0.01, 0.04, np.nan, 0.03]
    table = pd.DataFrame({"p_value": p_values, "ci_low": 0.1, "ci_high": 0.2})
    judged = verdicts.judge(table, {1: "yes", 0: "no"}, confidence=0.95)
    assert judged["p_holm"].to_numpy() == pytest.approx(tests.holm(p_values), nan_ok=True)
    assert judged["verdict"].tolist() == ["yes", "no", "no", "no"]
