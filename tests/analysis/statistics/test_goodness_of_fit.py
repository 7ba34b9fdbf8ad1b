import numpy as np
import pytest
from scipy.linalg import null_space
from scipy.stats import chi2

from builders.pixel_sweeps import SIDES, rising
from smallsight.analysis.statistics.bootstrap import image_weights
from smallsight.analysis.statistics.goodness_of_fit import misfit_p
from smallsight.analysis.statistics.psychometric import bounds_of, fit

LOG_SIDES = np.log(SIDES)
BOUNDS = bounds_of(LOG_SIDES, chance=1 / 6)
CURVE = rising(SIDES, 18, 0.4, 0.35, 0.85)
BENT = CURVE + np.array([0, 0, 0.05, 0, -0.05, 0.04, 0, 0])


def answers(rng, accuracy, n):
    """Objects that are right at all levels above their own one, but for some luck."""
    hard = rng.random((n, 1))
    luck = rng.random((n, len(SIDES)))
    return np.where(rng.random((n, len(SIDES))) < 0.7, hard, luck) < accuracy


def fit_p(right, image, *, draws=400, seed=0, log_sides=LOG_SIDES):
    right = right.astype(float)
    drawn = image_weights(image, draws=draws, rng=np.random.default_rng(seed))
    weights = np.concatenate([np.ones((1, len(image)), np.float32), drawn])
    bounds = bounds_of(log_sides, chance=1 / 6)
    curve = fit(log_sides, right.mean(axis=0)[None], bounds=bounds)
    p = misfit_p(right, weights, image, log_sides=log_sides, curve=curve, bounds=bounds)
    return p, curve


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("accuracy", [CURVE, BENT], ids=["a curve", "bent"])
def test_of_many_images_it_is_the_chi_squared_test_of_what_the_curve_leaves(seed, accuracy):
    """With as many degrees of freedom as levels exceed parameters, by another way of computing."""
    n = 1500
    right = answers(np.random.default_rng(seed), accuracy, n)
    p, curve = fit_p(right, np.arange(n), draws=2000)
    left = null_space(curve.gradients(LOG_SIDES)[0].T).T
    assert left.shape == (4, 8)
    apart = left @ (right.mean(axis=0) - curve.at(LOG_SIDES)[0])
    scatter = np.cov(right.T, bias=True) / n
    due = chi2.sf(apart @ np.linalg.inv(left @ scatter @ left.T) @ apart, 4)
    assert p == pytest.approx(due, abs=0.035)


def test_a_bent_curve_is_refused_and_a_straight_one_is_not():
    p = {}
    for name, accuracy in (("curve", CURVE), ("bent", BENT)):
        p[name] = [
            fit_p(answers(np.random.default_rng(seed), accuracy, 500), np.arange(500))[0]
            for seed in range(10)
        ]
    assert np.median(p["curve"]) > 0.2
    assert max(p["bent"]) <= 0.05
    assert min(p["bent"]) >= 1 / 401


def test_objects_of_an_image_count_as_one():
    right = answers(np.random.default_rng(3), 0.6 * BENT + 0.4 * CURVE, 150)
    alone, _ = fit_p(right, np.arange(150))
    thrice, images = np.repeat(right, 3, axis=0), np.repeat(np.arange(150), 3)
    together, _ = fit_p(thrice, images)
    assert together == pytest.approx(alone, abs=1e-9)
    assert fit_p(thrice, np.arange(450))[0] < alone


def test_the_order_of_the_objects_does_not_matter():
    rng = np.random.default_rng(4)
    right, image = answers(rng, BENT, 200), np.sort(rng.integers(0, 90, 200))
    drawn = image_weights(image, draws=300, rng=rng)
    weights = np.concatenate([np.ones((1, 200), np.float32), drawn])
    curve = fit(LOG_SIDES, right.mean(axis=0)[None], bounds=BOUNDS)
    found = []
    for order in (np.arange(200), rng.permutation(200)):
        p = misfit_p(
            right[order].astype(float), weights[:, order], image[order],
            log_sides=LOG_SIDES, curve=curve, bounds=BOUNDS,
        )  # fmt: skip
        found.append(p)
    assert found[0] == pytest.approx(found[1], abs=1e-12)


def test_the_same_answers_from_all_objects_fit_their_step_and_nothing_else():
    """No object differs from another: no scatter says how well the accuracies are known."""
    step = np.tile(SIDES > 14, (60, 1))
    gap = np.tile((SIDES > 9) & (SIDES != 24), (60, 1))
    assert fit_p(step, np.arange(60))[0] == 1
    assert fit_p(gap, np.arange(60))[0] <= 0.01


def test_as_many_parameters_as_levels_leave_nothing_to_test():
    few = LOG_SIDES[[0, 2, 4, 6]]
    right = answers(np.random.default_rng(0), CURVE, 100)[:, [0, 2, 4, 6]]
    assert np.isnan(fit_p(right, np.arange(100), log_sides=few)[0])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_few_images_tell_nothing(n):
    right = answers(np.random.default_rng(1), CURVE, 4 * n)
    assert np.isnan(fit_p(right, np.repeat(np.arange(n), 4))[0])


def test_few_images_refuse_few_curves():
    found = [
        fit_p(answers(np.random.default_rng(seed), CURVE, 12), np.arange(12))[0]
        for seed in range(20)
    ]
    assert np.sum(np.array(found) <= 0.05) <= 3
