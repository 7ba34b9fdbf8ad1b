import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from builders.phantom_dials import make_dials
from smallsight.phantom import layout, paint
from smallsight.phantom.paint import blurred, shade_mask, small_things
from smallsight.phantom.raster import stamp, window_of
from smallsight.phantom.silhouettes import visible_masks

QUIET = make_dials(noise=0.0)
SIZE = (640, 480)


@pytest.fixture(scope="module")
def scene():
    return layout(np.random.default_rng(9), QUIET)


@pytest.fixture(scope="module")
def picture(scene):
    return paint(scene, np.random.default_rng(1))


def test_a_picture_has_the_documented_shape_and_type(picture):
    assert picture.shape == (480, 640, 3) and picture.dtype == np.uint8
    assert picture.std() > 20


def test_the_same_rng_gives_the_same_bytes(scene, picture):
    np.random.seed(0)  # noqa: NPY002 (a global seed must not matter)
    assert np.array_equal(paint(scene, np.random.default_rng(1)), picture)


def test_another_rng_changes_textures_and_not_the_scene(scene, picture):
    other = paint(scene, np.random.default_rng(2)).astype(int)
    assert (other != picture).any()
    assert np.abs(other - picture).mean() < 12


@pytest.mark.parametrize("seed", range(2))
def test_an_object_changes_its_silhouette_and_its_shadow_and_nothing_else(seed):
    scene = layout(np.random.default_rng([4, seed]), QUIET)
    whole = paint(scene, np.random.default_rng(1)).astype(int)
    masks = visible_masks([thing.patches for thing in scene.things], SIZE)
    for index, thing in enumerate(scene.things):
        if not thing.category:
            continue
        rest = scene.things[:index] + scene.things[index + 1 :]
        without = dataclasses.replace(scene, things=rest)
        changed = np.abs(whole - paint(without, np.random.default_rng(1))).max(axis=2) > 3
        visible = masks[index][0]
        darkened = np.abs(shade_mask(scene) - shade_mask(without)) > 1e-6
        full = visible_masks([thing.patches], SIZE)[0][0]
        around = ndimage.binary_dilation(full, iterations=2)
        # Spokes cover too little of a pixel to be in the mask, and still change it.
        assert (changed & ~around & ~darkened).sum() <= 0.04 * full.sum()
        assert changed[visible].mean() > 0.8


def test_small_blur_touches_small_objects_alone():
    scene = layout(np.random.default_rng(3), QUIET)
    soft = dataclasses.replace(scene, dials=dataclasses.replace(scene.dials, small_blur=2.0))
    changed = (paint(scene, np.random.default_rng(1)) != paint(soft, np.random.default_rng(1))).any(
        2
    )
    masks = visible_masks([thing.patches for thing in scene.things], SIZE)
    small = small_things(scene)
    assert small
    around = np.zeros((480, 640), dtype=bool)
    for index in small:
        window = window_of(scene.things[index].patches, SIZE)
        around[window.slices] = True
    around = ndimage.binary_dilation(around, iterations=10)
    assert changed.any() and not (changed & ~around).any()
    for index in small:
        assert changed[masks[index][0]].mean() > 0.3


def test_small_things_are_those_below_a_hundredth_of_the_picture():
    scene = layout(np.random.default_rng(3), QUIET)
    small = small_things(scene)
    masks = visible_masks([thing.patches for thing in scene.things], SIZE)
    for index, thing in enumerate(scene.things):
        if thing.category:
            mask = masks[index][0]
            area = np.prod([np.ptp(np.flatnonzero(mask.any(axis))) + 1 for axis in (0, 1)])
            assert (index in small) == (area < 0.01 * mask.size)


def test_a_blurred_stamp_keeps_its_amount(scene):
    thing = next(t for i, t in enumerate(scene.things) if i in small_things(scene))
    layer = stamp(thing.patches, window_of(thing.patches, SIZE))
    soft = blurred(layer, 1.5, SIZE)
    assert soft.alpha.sum() == pytest.approx(layer.alpha.sum(), rel=0.02)
    assert soft.alpha.max() <= layer.alpha.max() + 1e-6


def test_noise_has_the_dial_s_standard_deviation(scene, picture):
    noisy = dataclasses.replace(scene, dials=make_dials(noise=0.05))
    grain = paint(noisy, np.random.default_rng(1)).astype(float) - picture
    inside = (picture > 60) & (picture < 200)
    assert grain[inside].std() / 255 == pytest.approx(0.05, rel=0.05)


def test_haze_pales_far_things_more_than_near_ones():
    scene = layout(np.random.default_rng(3), QUIET)
    pictures = [
        paint(
            dataclasses.replace(scene, dials=make_dials(noise=0.0, haze=haze)),
            np.random.default_rng(1),
        )
        for haze in (0.0, 1.0)
    ]
    change = np.abs(pictures[0].astype(int) - pictures[1]).mean(axis=(1, 2))
    just_below_horizon = change[scene.camera.first_row + 5 : scene.camera.first_row + 15].mean()
    assert just_below_horizon > 2 * change[-40:].mean()
