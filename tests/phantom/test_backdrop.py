import dataclasses

import numpy as np
import pytest

from builders.phantom_dials import make_dials
from smallsight.phantom import layout
from smallsight.phantom.backdrop import backdrop_patches, haze_share, sky
from smallsight.phantom.streets import STREETS

SCENE = layout(np.random.default_rng(0), make_dials())


def test_haze_grows_with_distance_and_with_the_dial():
    depth = np.array([0.0, 10.0, 100.0, 1000.0])
    share = haze_share(0.35, depth)
    assert share[0] == 0.0 and np.all(np.diff(share) > 0) and share[-1] < 1.0
    assert np.all(haze_share(0.7, depth)[1:] > share[1:])


def test_the_sky_fills_the_picture_with_valid_colours():
    field = sky(SCENE.camera, SCENE.light, np.random.default_rng(0))
    assert field.shape == (480, 640, 3)
    assert field.min() >= 0.0 and field.max() <= 1.1


@pytest.mark.parametrize("street", STREETS, ids=lambda street: street.name)
def test_each_street_is_lined_on_both_sides_in_its_own_way(street):
    scene = dataclasses.replace(SCENE, street=street, offset=0.0)
    patches = backdrop_patches(scene, np.random.default_rng(3))
    columns = np.concatenate([patch.outline for patch in patches])[:, 0]
    assert columns.min() < 160 and columns.max() > 480
    assert len(patches) > 30


def test_far_walls_take_the_haze_s_colour():
    clear, dense = (
        dataclasses.replace(SCENE, dials=dataclasses.replace(SCENE.dials, haze=haze))
        for haze in (0.0, 1.0)
    )
    spread = [
        np.std([p.colour for p in backdrop_patches(s, np.random.default_rng(3))])
        for s in (clear, dense)
    ]
    assert spread[1] < spread[0]
