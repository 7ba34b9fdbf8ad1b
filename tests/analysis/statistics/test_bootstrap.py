import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm, t
from statsmodels.stats.proportion import proportion_confint

from smallsight.analysis.statistics import bootstrap, tests
from smallsight.analysis.statistics.bootstrap import (
    image_weights,
    percentile_interval,
    share_interval,
    weighted_means,
)

VALUES = st.lists(st.integers(-3, 3) | st.floats(-3, 3), min_size=1, max_size=12)
"""Some of them equal."""


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


@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=60),
    st.floats(-1, 1),
    st.floats(0.5, 0.99),
    st.integers(8, 200),
)
@settings(deadline=None, max_examples=80)
def test_students_interval_leaves_out_what_walds_test_rejects(draws, value, confidence, images):
    draws = np.array(draws)
    low, high = bootstrap.student_interval(value, draws, confidence, images=images)
    error = bootstrap.standard_error(draws, images=images)
    assert (low + high) / 2 == pytest.approx(value)
    assert high - value == pytest.approx(t.ppf((1 + confidence) / 2, images - 1) * error)
    if error > 1e-9 and abs(abs(value) - (high - value)) > 1e-9:
        rejected = tests.wald_p(value, error, images=images) < 1 - confidence
        assert rejected == (low > 0 or high < 0)


def test_students_interval_without_draws_is_none():
    assert np.isnan(bootstrap.student_interval(0.2, np.full(5, np.nan), 0.95, images=9)).all()
    assert bootstrap.student_interval(0.2, np.full(5, 0.2), 0.95, images=9) == (0.2, 0.2)


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
        "mde": tests.minimum_detectable(error, confidence=confidence, images=images),
    }
    ends = bootstrap.student_interval(value, draws, confidence, images=images)
    due |= dict(zip(("ci_low", "ci_high"), ends, strict=True))
    assert found == pytest.approx(due, nan_ok=True)


def test_an_estimate_takes_no_heed_of_itself_among_its_draws():
    draws = np.random.default_rng(0).normal(0, 0.1, 400)
    one, other = (
        bootstrap.estimate(np.array([value, *draws]), confidence=0.95, images=50)
        for value in (0.0, 90.0)
    )
    widths = [each["ci_high"] - each["ci_low"] for each in (one, other)]
    assert widths[0] == pytest.approx(widths[1])
    assert one["mde"] == other["mde"]
    assert one["p_value"] == 1
    assert other["p_value"] < 1e-9
