"""Every builder, of categories and of clutter alike."""

import numpy as np
import pytest

from smallsight.phantom.clutter import CLUTTER
from smallsight.phantom.kinds import CATEGORIES, KINDS, draw_yaw
from smallsight.phantom.streets import STREETS

BUILDERS = {name: kind.build for name, kind in KINDS.items()} | CLUTTER
LENGTHS = {
    "person": (0.3, 1.6),
    "car": (3.6, 4.9),
    "truck": (6.4, 9.2),
    "bus": (8.9, 11.7),
    "bicycle": (1.6, 2.0),
    "motorcycle": (1.9, 2.4),
}
HEIGHTS = {
    "person": (1.1, 2.0),
    "car": (1.35, 1.85),
    "truck": (2.4, 3.8),
    "bus": (2.9, 3.6),
    "bicycle": (0.9, 1.1),
    "motorcycle": (1.0, 1.35),
}


def bounds(model):
    reach = model.radii[:, None]
    return (model.points - reach).min(axis=0), (model.points + reach).max(axis=0)


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("seed", range(6))
def test_a_model_stands_on_the_ground(name, seed):
    low, high = bounds(BUILDERS[name](np.random.default_rng(seed)))
    assert -0.22 < low[1] < 0.12
    assert high[1] > 0.4


@pytest.mark.parametrize("name", CATEGORIES)
@pytest.mark.parametrize("seed", range(12))
def test_a_category_has_its_size_in_metres(name, seed):
    low, high = bounds(KINDS[name].build(np.random.default_rng(seed)))
    assert LENGTHS[name][0] <= high[0] - low[0] <= LENGTHS[name][1]
    assert HEIGHTS[name][0] <= high[1] <= HEIGHTS[name][1]


@pytest.mark.parametrize("name", CATEGORIES)
def test_builders_repeat_with_the_same_rng_and_vary_with_another(name):
    first, again, other = (KINDS[name].build(np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(first.points, again.points)
    assert [p.colour for p in first.parts] == [p.colour for p in again.parts]
    assert [p.colour for p in first.parts] != [p.colour for p in other.parts]


@pytest.mark.parametrize("name", BUILDERS)
def test_colours_are_shares(name):
    model = BUILDERS[name](np.random.default_rng(3))
    colours = np.array([part.colour for part in model.parts])
    assert colours.min() >= 0 and colours.max() <= 1


@pytest.mark.parametrize("name", CATEGORIES)
def test_headings_cover_both_sides_front_and_rear(name):
    rng = np.random.default_rng(0)
    yaws = np.array([draw_yaw(KINDS[name], rng) for _ in range(300)])
    for target in (0.0, np.pi, np.pi / 2, -np.pi / 2):
        apart = np.abs(np.angle(np.exp(1j * (yaws - target))))
        assert (apart < 0.4).sum() > 10


def test_each_category_owns_one_street_and_streets_name_known_things():
    assert sorted(street.own for street in STREETS) == sorted(CATEGORIES)
    assert {name for s in STREETS for name in s.furniture + s.clutter} <= set(CLUTTER)
