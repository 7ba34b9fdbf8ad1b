import numpy as np
import pytest

from smallsight.phantom.streets import STREETS
from smallsight.phantom.walls import WALLS

QUAD = np.array([[0.0, 0, 20], [10, 0, 20], [10, 8, 20], [0, 8, 20]])


def test_every_street_s_walls_are_known():
    assert {street.walls for street in STREETS} == set(WALLS)


@pytest.mark.parametrize("name", WALLS)
def test_a_lining_stays_in_the_plane_of_its_quad(name):
    surfaces = WALLS[name].paint(QUAD, (10.0, 8.0), np.random.default_rng(0))
    points = np.concatenate([outline for outline, _ in surfaces])
    assert np.allclose(points[:, 2], 20)
    assert points[:, 1].min() > -1.0 and points[:, 1].max() < 10.0


@pytest.mark.parametrize("name", WALLS)
def test_linings_vary_with_the_rng_and_repeat_with_the_same(name):
    def colours(seed):
        surfaces = WALLS[name].paint(QUAD, (10.0, 8.0), np.random.default_rng(seed))
        return [tuple(map(float, colour)) for _, colour in surfaces]

    assert colours(1) == colours(1) != colours(2)
