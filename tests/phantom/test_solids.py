import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallsight.phantom.solids import Model, box, circle, limb, pane, patch_on, sheet, wheels

SQUARE = np.array([[0.0, 0, 0], [2, 0, 0], [2, 4, 0], [0, 4, 0]])
share = st.floats(0.0, 1.0)


def test_every_face_of_a_box_looks_outward():
    hull = box((-1.0, 2.0), (0.5, 1.5), 0.7, (1, 1, 1))
    model = Model((hull.block(),))
    for part, normal in zip(model.parts, model.normals, strict=True):
        assert normal @ (part.points.mean(axis=0) - hull.inside) > 0
        assert np.linalg.norm(normal) == pytest.approx(1.0)


def test_a_box_has_six_different_normals():
    model = Model((box((-1.0, 2.0), (0.5, 1.5), 0.7, (1, 1, 1)).block(),))
    assert len(np.unique(np.round(model.normals, 6), axis=0)) == 6


@given(share, share)
def test_a_spot_on_a_rectangle_lies_at_its_shares(u, v):
    assert np.allclose(patch_on(SQUARE, [(u, v)])[0], [2 * u, 4 * v, 0])


def test_a_full_pane_is_the_quad_itself():
    assert np.allclose(pane(SQUARE, 0, 0, 1, 1), SQUARE)


def test_circle_points_are_one_radius_from_the_centre():
    ring = circle(1.0, 2.0, 3.0, 0.5)
    assert np.allclose(np.linalg.norm(ring - [1.0, 2.0, 3.0], axis=1), 0.5)


def test_wheels_stand_on_the_ground_and_inside_the_track():
    model = Model(tuple(wheels(0.0, 0.9, 0.3, 0.2, (1, 1, 1))))
    assert model.points[:, 1].min() == pytest.approx(0.0, abs=0.04)
    assert np.abs(model.points[:, 2]).max() == pytest.approx(0.91)


def test_only_limbs_have_radii():
    flat = Model((box((0, 1), (0, 1), 0.5, (1, 1, 1)).block(),))
    tube = Model((limb((0, 0, 0), (0, 1, 0), (0.2, 0.1), (1, 1, 1)),))
    assert not flat.radii.any()
    assert tube.radii.tolist() == [0.2, 0.1]


def test_a_sheet_has_no_inside():
    assert sheet(SQUARE, (1, 1, 1)).inside is None
