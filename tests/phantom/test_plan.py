from collections import Counter

import numpy as np
import pytest
from scipy import stats

from builders.phantom_dials import make_dials
from smallsight.phantom import CATEGORIES
from smallsight.phantom.plan import SIZE_CATEGORIES, draw_category, draw_plan, group_of
from smallsight.phantom.streets import STREETS


def drawn(dials, group="small", street=STREETS[0], n=3000, **kwargs):
    rng = np.random.default_rng(5)
    return Counter(draw_category(rng, dials, street, group, **kwargs) for _ in range(n))


def test_full_context_leaves_the_street_s_own_category():
    for street in STREETS:
        assert set(drawn(make_dials(context=1.0), street=street, n=50)) == {street.own}


def test_no_context_is_uniform():
    counts = drawn(make_dials(context=0.0))
    assert stats.chisquare([counts[name] for name in CATEGORIES]).pvalue > 1e-3


@pytest.mark.parametrize("context", [0.25, 0.6])
def test_the_own_share_is_the_documented_mixture(context):
    share = drawn(make_dials(context=context))[STREETS[0].own] / 3000
    assert share == pytest.approx(context + (1 - context) / 6, abs=0.03)


@pytest.mark.parametrize("group", SIZE_CATEGORIES)
def test_full_class_mix_draws_from_the_size_s_own_list(group):
    assert set(drawn(make_dials(class_mix=1.0), group, n=300)) == set(SIZE_CATEGORIES[group])


def test_a_neighbour_is_of_another_category_whatever_the_dials():
    for dials in (make_dials(context=1.0), make_dials(class_mix=1.0), make_dials(context=0.0)):
        assert "person" not in drawn(dials, other_than="person", n=300)


@pytest.mark.parametrize("neighbours", [0.0, 0.5, 1.0])
def test_the_share_of_objects_with_a_neighbour_is_the_dial(neighbours):
    rng = np.random.default_rng(1)
    plans = [draw_plan(rng, make_dials(neighbours=neighbours), STREETS[1]) for _ in range(200)]
    hosts = {(i, wish.beside) for i, plan in enumerate(plans) for wish in plan}
    asked = [w for i, p in enumerate(plans) for n, w in enumerate(p) if (i, n) not in hosts]
    asked = [wish for wish in asked if not wish.lead]
    share = np.mean([wish.beside is not None for wish in asked])
    assert share == pytest.approx(neighbours, abs=0.05)


def test_a_neighbour_comes_first_is_larger_and_differs():
    rng = np.random.default_rng(2)
    for _ in range(100):
        plan = draw_plan(rng, make_dials(neighbours=1.0), STREETS[0])
        for index, wish in enumerate(plan):
            if wish.beside is not None:
                assert wish.beside < index
                assert plan[wish.beside].ratio > wish.ratio
                assert plan[wish.beside].category != wish.category


@pytest.mark.parametrize(
    ("ratio", "group"), [(0.0099, "small"), (0.01, "medium"), (0.0499, "medium"), (0.05, "large")]
)
def test_group_boundaries(ratio, group):
    assert group_of(ratio) == group
