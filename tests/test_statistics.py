import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallsight.statistics import image_weights, percentile_interval, weighted_means


def clustered(rng, images=40, spread=0.5):
    """Right or wrong answers that images share to some degree; their expectation is 0.6."""
    image_ids = np.repeat(rng.permutation(images) * 7, rng.integers(1, 9, images))
    chance = 0.6 + spread * (rng.beta(2, 2, 7 * images) - 0.5)
    return image_ids, (rng.random(len(image_ids)) < chance[image_ids]).astype(float)


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
    values, weights = rng.random(6), rng.integers(0, 4, (20, 6)).astype(np.float32)
    weights[3] = 0
    means = weighted_means(values, weights)
    for mean, weight in zip(means, weights.astype(int), strict=True):
        drawn = np.repeat(values, weight)
        assert mean == pytest.approx(drawn.mean(), rel=1e-5) if len(drawn) else np.isnan(mean)


def test_draws_scatter_around_the_estimate():
    rng = np.random.default_rng(0)
    image_ids, values = clustered(rng, images=100)
    means = weighted_means(values, image_weights(image_ids, draws=2000, rng=rng))
    assert means.mean() == pytest.approx(values.mean(), abs=4 * means.std() / np.sqrt(2000) + 2e-3)


def test_intervals_are_wider_where_images_share_their_fate():
    rng = np.random.default_rng(1)
    image_ids, _ = clustered(rng)
    values = (image_ids % 2).astype(float)  # wholly shared
    means = weighted_means(values, image_weights(image_ids, draws=2000, rng=rng))
    naive = np.sqrt(values.var() / len(values))
    assert means.std() > 1.5 * naive


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(200):
        image_ids, values = clustered(rng)
        means = weighted_means(values, image_weights(image_ids, draws=400, rng=rng))
        low, high = percentile_interval(means, 0.95)
        covered += low <= 0.6 <= high
    assert 0.88 <= covered / 200 <= 0.99


@given(
    st.lists(st.floats(-5, 5) | st.just(np.nan), max_size=60),
    st.floats(0.05, 0.99),
)
@settings(deadline=None, max_examples=80)
def test_percentile_interval_is_numpys_and_ignores_what_is_empty(draws, confidence):
    draws = np.array(draws, float)
    found = percentile_interval(draws, confidence)
    if np.isnan(draws).all():
        assert np.isnan(found).all()
        return
    tail = 50 * (1 - confidence)
    due = np.nanpercentile(draws, [tail, 100 - tail])
    np.testing.assert_allclose(found, due, atol=1e-9)
    assert found[0] <= found[1]


def test_nothing_drawn_has_no_interval():
    weights = np.zeros((5, 0), np.float32)
    means = weighted_means(np.zeros(0), weights)
    assert np.isnan(means).all()
    assert np.isnan(percentile_interval(means, 0.95)).all()
    assert np.isnan(percentile_interval(np.zeros(0), 0.95)).all()
