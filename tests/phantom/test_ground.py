import numpy as np
import pytest

from builders.phantom_dials import make_dials
from smallsight.phantom import layout
from smallsight.phantom.ground import MARKINGS, grain, ground_patches
from smallsight.phantom.raster import Window, coverage
from smallsight.phantom.streets import STREETS

SCENE = layout(np.random.default_rng(0), make_dials())


def test_the_ground_covers_every_row_below_the_horizon():
    window = Window(0, 0, 640, 480, 2)
    cover = coverage(ground_patches(SCENE), window)
    assert cover[SCENE.camera.first_row + 1 :].min() == 1.0
    assert cover[: SCENE.camera.first_row - 2].max() == 0.0


def test_grain_is_even_on_average_and_fades_towards_the_horizon():
    field = grain(SCENE, np.random.default_rng(1))
    assert field.shape == (480 - SCENE.camera.first_row, 640)
    assert field.mean() == pytest.approx(1.0, abs=0.03)
    assert field[-40:].std() > 2 * field[:10].std()


def test_every_street_s_markings_are_known():
    assert {street.markings for street in STREETS} == set(MARKINGS)
