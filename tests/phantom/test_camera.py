import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallsight.phantom.camera import Camera, Light, Pose, capsules, extent, shadow, view
from smallsight.phantom.solids import Model, box, limb

CAMERA = Camera(width=640, height=480, focal=600.0, horizon=200.0, eye=1.6)
LIGHT = Light(direction=(0.6, 0.8, 0.0), sun=1.0, sky=(1.0, 1.0, 1.0))
CUBE = Model((box((-0.5, 0.5), (0.0, 1.0), 0.5, (0.5, 0.5, 0.5)).block(),))
metres = st.floats(-50, 50)


@given(metres, st.floats(0.5, 500))
def test_what_is_at_eye_level_lies_on_the_horizon(x, z):
    assert CAMERA.project(np.array([x, CAMERA.eye, z]))[1] == pytest.approx(CAMERA.horizon)


@given(st.floats(3.0, 100.0), st.floats(1.1, 5.0))
def test_box_area_falls_with_distance(z, times):
    def area(distance):
        left, top, right, bottom = extent(CUBE, Pose(0.0, distance, 0.3), CAMERA)
        return (right - left) * (bottom - top)

    assert area(z * times) < area(z)


def test_ground_depth_agrees_with_projection():
    depth = CAMERA.ground_depth()
    feet = np.column_stack([0 * depth, 0 * depth, depth])
    assert np.allclose(CAMERA.project(feet)[:, 1], np.arange(CAMERA.first_row, 480) + 0.5)


@pytest.mark.parametrize("horizon", [-50.0, 700.0])
def test_the_horizon_may_lie_outside_the_picture(horizon):
    camera = Camera(width=64, height=64, focal=100.0, horizon=horizon, eye=1.6)
    assert len(camera.ground_depth()) == (64 if horizon < 0 else 0)


@given(st.floats(-7, 7))
def test_turning_keeps_lengths_and_heights(yaw):
    turned = Pose(0.0, 0.0, yaw).turn(CUBE.points)
    assert np.allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(CUBE.points, axis=1))
    assert np.allclose(turned[:, 1], CUBE.points[:, 1])


def test_a_cube_seen_at_an_angle_shows_two_sides_and_no_more_from_below_its_top():
    high = Model((box((-0.5, 0.5), (0.0, 3.0), 0.5, (0.5, 0.5, 0.5)).block(),))
    assert len(view(high, Pose(0.0, 8.0, np.pi / 4), CAMERA, LIGHT)) == 2
    assert len(view(CUBE, Pose(0.0, 8.0, np.pi / 4), CAMERA, LIGHT)) == 3


def test_a_face_towards_the_sun_is_brighter_than_one_away_from_it():
    patches = view(CUBE, Pose(0.0, 8.0, np.pi / 4), CAMERA, LIGHT)
    left, right = sorted(
        (p for p in patches if np.ptp(p.outline[:, 1]) > 40), key=lambda p: p.outline[:, 0].mean()
    )[:2]
    assert sum(right.colour) > sum(left.colour)


def test_the_nearer_of_two_blocks_is_painted_last():
    near = box((-1.0, -0.5), (0.0, 1.0), 0.5, (1.0, 0.0, 0.0)).block()
    far = box((0.5, 1.0), (0.0, 1.0), 0.5, (0.0, 0.0, 1.0)).block()
    away = view(Model((near, far)), Pose(0.0, 8.0, np.pi / 2), CAMERA, LIGHT)
    assert away[-1].colour[0] > away[-1].colour[2]
    back = view(Model((near, far)), Pose(0.0, 8.0, -np.pi / 2), CAMERA, LIGHT)
    assert back[-1].colour[2] > back[-1].colour[0]


def test_extent_encloses_every_patch():
    model = Model((limb((0, 0.2, 0), (0.3, 1.5, 0.2), (0.2, 0.1), (1, 1, 1)), *CUBE.blocks))
    pose = Pose(1.0, 6.0, 0.7)
    left, top, right, bottom = extent(model, pose, CAMERA)
    points = np.concatenate([p.outline for p in view(model, pose, CAMERA, LIGHT)])
    assert left <= points[:, 0].min() + 1e-6 and points[:, 0].max() <= right + 1e-6
    assert top <= points[:, 1].min() + 1e-6 and points[:, 1].max() <= bottom + 1e-6


def test_a_capsule_reaches_one_radius_beyond_its_ends():
    outline = capsules(np.array([[[0.0, 0.0], [10.0, 0.0]]]), np.array([[1.0, 3.0]]))[0]
    assert outline[:, 0].min() == pytest.approx(-1.0)
    assert outline[:, 0].max() == pytest.approx(13.0)
    assert np.abs(outline[:, 1]).max() == pytest.approx(3.0)


def test_a_shadow_falls_away_from_the_sun_and_below_the_horizon():
    points = np.concatenate(shadow(CUBE, Pose(0.0, 8.0, 0.0), CAMERA, LIGHT.direction))
    feet = CAMERA.project(Pose(0.0, 8.0, 0.0).place(CUBE.points))
    assert points[:, 0].min() < feet[:, 0].min() - 10
    assert points[:, 1].min() > CAMERA.horizon
