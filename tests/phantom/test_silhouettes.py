import numpy as np

from builders.phantom_dials import make_dials
from smallsight.phantom import layout, silhouettes
from smallsight.phantom.camera import Patch
from smallsight.phantom.silhouettes import visible_masks


def square(left, top, side):
    corners = [[left, top], [left + side, top], [left + side, top + side], [left, top + side]]
    return [Patch(np.array(corners, dtype=float), (1, 2, 3))]


def test_the_nearer_thing_takes_the_pixels():
    (far, far_full), (near, near_full) = visible_masks(
        [square(10, 10, 20), square(20, 10, 20)], (64, 48)
    )
    assert not (far & near).any()
    assert near.sum() == near_full
    assert 0.4 * far_full < far.sum() < 0.6 * far_full


def test_what_lies_outside_the_picture_shows_nothing():
    ((mask, full),) = visible_masks([square(100, 10, 20)], (64, 48))
    assert full == 0 and not mask.any()


def test_no_pixel_shows_two_objects():
    for seed in range(5):
        scene = layout(np.random.default_rng(seed), make_dials())
        found = silhouettes(scene)
        total = np.sum([item.mask for item in found], axis=0)
        assert total.max() <= 1
        assert all(item.mask.shape == (480, 640) for item in found)
