import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, poisson, t
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from smallsight.analysis.statistics import tests

COUNTS = st.integers(0, 40)
CHANGES = st.lists(st.integers(-5, 5), min_size=1, max_size=9)
P_VALUES = st.lists(st.floats(0, 1) | st.just(np.nan), min_size=1, max_size=30)


@given(COUNTS, COUNTS, st.integers(0, 20))
@settings(deadline=None, max_examples=100)
def test_sign_flips_of_one_answer_per_image_are_mcnemars_exact_test(gained, lost, same):
    changes = np.repeat([1, -1, 0], [gained, lost, same])
    found = tests.sign_flip_p(changes)
    due = mcnemar([[7, gained], [lost, 9]], exact=True).pvalue
    assert found == pytest.approx(due, rel=1e-9)


def net_of_every_outcome(changes):
    """Flip the signs of the images in every way, and sum."""
    return np.array(list(itertools.product([-1, 1], repeat=len(changes)))) @ changes


@given(CHANGES)
@settings(deadline=None, max_examples=100)
def test_sign_flips_count_every_way_that_images_could_have_turned(changes):
    changes = np.array(changes)
    due = (abs(net_of_every_outcome(changes)) >= abs(changes.sum())).mean()
    assert tests.sign_flip_p(changes) == pytest.approx(due)
    assert tests.sign_flip_p(-changes[::-1]) == pytest.approx(due)
    assert tests.sign_flip_p(changes) >= tests.least_p(np.count_nonzero(changes))
    assert tests.sign_flip_p(abs(changes)) == tests.least_p(np.count_nonzero(changes))


def test_sign_flips_do_not_take_a_scene_for_many_witnesses():
    """Ten images in which six objects each turn wrong: ten witnesses, not sixty."""
    found = tests.sign_flip_p(np.full(10, -6))
    assert found == pytest.approx(2 / 2**10)
    assert tests.sign_flip_p(np.full(60, -1)) < 1e-15


def test_sign_flips_of_thousands_of_images_are_finite_and_normal():
    rng = np.random.default_rng(0)
    changes = rng.integers(-12, 13, 5000)
    found = tests.sign_flip_p(changes)
    due = 2 * norm.sf((abs(changes.sum()) - 1) / np.sqrt((changes**2).sum()))
    assert found == pytest.approx(due, rel=0.02)
    assert 0 < tests.sign_flip_p(np.ones(900, int)) < 1e-200
    assert 0 < tests.sign_flip_p(np.ones(5000, int)) < 1e-200


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
    if len(tested):
        _, adjusted, *_ = multipletests(tested, method="holm")
        assert found[~np.isnan(found)] == pytest.approx(adjusted)


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


# What could have been found.


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("images", [12, 40, 4000])
def test_the_detectable_effect_is_found_in_four_of_five_studies(confidence, images):
    mde = tests.minimum_detectable(0.3, confidence=confidence, images=images)
    limit = t.isf((1 - confidence) / 2, images - 1)
    assert t.sf(limit - mde / 0.3, images - 1) == pytest.approx(0.8)
    assert tests.wald_p(mde, 0.3, images=images) < 1 - confidence


def test_no_effect_is_detectable_where_images_are_too_few_or_nothing_scatters():
    assert np.isnan(tests.minimum_detectable(0.1, confidence=0.95, images=5))
    assert np.isfinite(tests.minimum_detectable(0.1, confidence=0.95, images=6))
    assert tests.least_p(5) > 0.05 > tests.least_p(6)
    assert np.isnan(tests.minimum_detectable(0.0, confidence=0.95, images=99))
    assert np.isnan(tests.minimum_detectable(np.nan, confidence=0.95, images=99))


@pytest.mark.parametrize("level", [0.2, 0.05, 0.01])
def test_as_many_images_as_the_test_needs_turn_in_four_of_five_studies(level):
    needed = next(k for k in range(99) if tests.sign_flip_p(np.ones(k, int)) <= level)
    for whole in (1, 5):
        mean = tests.detectable_change(np.zeros(50, int), level=level, whole=whole) / whole
        assert poisson.sf(needed - 1, mean) == pytest.approx(0.8)


@given(CHANGES, st.sampled_from([0.3, 0.05, 0.01]))
@settings(deadline=None, max_examples=100)
def test_a_net_change_beyond_what_is_detectable_is_always_found(changes, level):
    changes = np.array(changes)
    limit = tests.detectable_change(changes, level=level, whole=1)
    nets = net_of_every_outcome(changes)
    for net in nets[abs(nets) > limit]:
        assert (abs(nets) >= abs(net)).mean() <= level + 1e-12
