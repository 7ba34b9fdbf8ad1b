import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from builders.pixel_sweeps import SIDES, rising
from smallsight.analysis.statistics.psychometric import SPREADS, Curves, bounds_of, fit

LOG_SIDES = np.log(SIDES)
CHANCE = 1 / 6
BOUNDS = bounds_of(LOG_SIDES, chance=CHANCE)
parameters = st.tuples(
    st.floats(0.5, 5), st.floats(0.03, 1.6), st.floats(0, 0.5), st.floats(0.5, 1)
)  # fmt: skip


def curves(*found):
    """Curves by location, spread, floor and ceiling."""
    table = np.array(found)
    table[:, 1] = np.log(table[:, 1])
    return Curves(table)


def loss(means, location, spread, floor, ceiling):
    """Mean negative log likelihood, stated once more."""
    right = rising(SIDES, np.exp(location), spread, floor, ceiling).clip(1e-6, 1 - 1e-6)
    return -np.mean(means * np.log(right) + (1 - means) * np.log(1 - right))


def loss_of(means, found, draw=0):
    shape = found.location[draw], found.spread[draw], found.floor[draw], found.ceiling[draw]
    return loss(means, *shape)


def noisy(seed, *shape):
    """Level means near a curve's."""
    scatter = np.random.default_rng(seed).normal(0, 0.02, len(SIDES))
    return (rising(SIDES, *shape) + scatter).clip(0, 1)


@given(parameters)
def test_a_curve_rises_from_its_floor_to_its_ceiling_and_is_half_way_at_its_threshold(shape):
    location, spread, floor, ceiling = shape
    one = curves(shape)
    low, middle, high = one.at(np.array([-1e4, location, 1e4]))[0]
    assert (low, middle, high) == pytest.approx((floor, (floor + ceiling) / 2, ceiling))
    due = rising(SIDES, np.exp(location), spread, floor, ceiling)
    assert one.at(LOG_SIDES)[0] == pytest.approx(due)
    assert one.share(LOG_SIDES)[0] * (ceiling - floor) + floor == pytest.approx(due)


@given(parameters)
def test_gradients_are_differences_of_curves_that_differ_a_little(shape):
    one, step = curves(shape), 1e-6
    for parameter in range(4):
        there, back = one.parameters.copy(), one.parameters.copy()
        there[0, parameter] += step
        back[0, parameter] -= step
        due = (Curves(there).at(LOG_SIDES) - Curves(back).at(LOG_SIDES)) / (2 * step)
        assert one.gradients(LOG_SIDES)[0, :, parameter] == pytest.approx(due[0], abs=1e-4)


@pytest.mark.parametrize(
    "shape", [(18, 0.4, 0.35, 0.85), (7, 0.5, 0.1, 0.95), (50, 0.3, 0.3, 0.8), (14, 0.08, 0.2, 1)]
)
def test_a_curve_is_found_from_its_own_accuracies(shape):
    found = fit(LOG_SIDES, rising(SIDES, *shape)[None], bounds=BOUNDS)
    assert np.exp(found.location[0]) == pytest.approx(shape[0], rel=1e-3)
    due = pytest.approx(shape[1:], abs=2e-3)
    assert (found.spread[0], found.floor[0], found.ceiling[0]) == due


@pytest.mark.parametrize("seed", range(6))
def test_a_curve_is_as_likely_as_the_best_of_many_direct_fits(seed):
    rng = np.random.default_rng(seed)
    shape = rng.uniform(7, 50), rng.uniform(0.15, 0.8), rng.uniform(0, 0.5), rng.uniform(0.6, 1)
    means = noisy(seed, *shape)
    found = loss_of(means, fit(LOG_SIDES, means[None], bounds=BOUNDS))
    ends = list(zip(BOUNDS.low, BOUNDS.high, strict=True))
    for _ in range(6):
        start = rng.uniform(BOUNDS.low, BOUNDS.high)
        direct = minimize(
            lambda point: loss(means, point[0], np.exp(point[1]), point[2], point[3]),
            x0=np.append(start[:3], max(start[2:])),
            bounds=ends,
        )
        assert found <= direct.fun + 1e-7


def test_draws_are_fitted_each_by_itself():
    means = np.stack([noisy(seed, 18, 0.4, 0.35, 0.85) for seed in range(5)])
    together = fit(LOG_SIDES, means, bounds=BOUNDS)
    for draw, one in enumerate(means):
        alone = fit(LOG_SIDES, one[None], bounds=BOUNDS)
        assert together.parameters[draw] == pytest.approx(alone.parameters[0], abs=1e-9)


def test_sides_ten_times_as_large_have_a_threshold_ten_times_as_large():
    means = noisy(0, 18, 0.4, 0.35, 0.85)[None]
    one = fit(LOG_SIDES, means, bounds=BOUNDS)
    farther = LOG_SIDES + np.log(10)
    other = fit(farther, means, bounds=bounds_of(farther, chance=CHANCE))
    due = one.parameters[0] + [np.log(10), 0, 0, 0]
    assert other.parameters[0] == pytest.approx(due, abs=1e-4)


@given(st.lists(st.floats(0, 1), min_size=len(SIDES), max_size=len(SIDES)))
@settings(deadline=None, max_examples=60)
def test_whatever_the_accuracies_the_curve_is_one(means):
    found = fit(LOG_SIDES, np.array([means]), bounds=BOUNDS)
    assert np.isfinite(found.parameters).all()
    assert (found.parameters >= BOUNDS.low).all()
    assert (found.parameters <= BOUNDS.high).all()
    assert 0 <= found.floor[0] <= found.ceiling[0] <= 1
    assert SPREADS[0] * (1 - 1e-9) <= found.spread[0] <= SPREADS[1] * (1 + 1e-9)
    # No worse than the best level line.
    level = np.full(len(SIDES), np.mean(means)).clip(1e-6, 1 - 1e-6)
    due = -np.mean(means * np.log(level) + (1 - np.array(means)) * np.log(1 - level))
    assert loss_of(np.array(means), found) <= due + 1e-3


@pytest.mark.parametrize("answer", [0.0, 1.0])
def test_where_all_are_right_or_all_wrong_so_is_the_curve(answer):
    found = fit(LOG_SIDES, np.full((1, len(SIDES)), answer), bounds=BOUNDS)
    assert found.at(LOG_SIDES)[0] == pytest.approx(np.full(len(SIDES), answer), abs=1e-3)


def test_the_floor_is_at_most_half_way_from_guessing_to_one():
    found = fit(
        LOG_SIDES,
        rising(SIDES, 20, 0.4, 0.75, 0.95)[None],
        bounds=bounds_of(LOG_SIDES, chance=0.2),
    )
    assert found.floor[0] == pytest.approx(0.6)
