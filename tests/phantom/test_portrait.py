import numpy as np
import pytest

from smallsight.phantom import CATEGORIES, STREET_NAMES, portrait
from smallsight.phantom.camera import extent
from smallsight.phantom.kinds import KINDS, draw_yaw
from smallsight.phantom.portrait import SHARES, frame


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("size", [64, 96])
def test_a_portrait_has_the_documented_shape_and_type(category, size):
    picture = portrait(category, STREET_NAMES[0], np.random.default_rng(0), size=size)
    assert picture.shape == (size, size, 3) and picture.dtype == np.uint8
    assert picture.std() > 5


def test_the_same_rng_gives_the_same_bytes_and_another_does_not():
    one, again, other = (portrait("car", "park", np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_object_fills_its_share_and_lies_mostly_inside(category):
    rng = np.random.default_rng(3)
    for _ in range(40):
        kind = KINDS[category]
        model, yaw = kind.build(rng), draw_yaw(kind, rng)
        camera, pose = frame(model, yaw, kind.nearest * 3, 96, rng)
        left, top, right, bottom = extent(model, pose, camera)
        longer = max(right - left, bottom - top) / 96
        assert 0.85 * SHARES[0] < longer < 1.2 * SHARES[1]
        inside = (min(right, 96) - max(left, 0)) * (min(bottom, 96) - max(top, 0))
        assert inside > 0.6 * (right - left) * (bottom - top)


def test_some_portraits_are_softer_than_others():
    detail = []
    for seed in range(30):
        grey = portrait("bus", "avenue", np.random.default_rng(seed)).astype(float).mean(axis=2)
        spectrum = np.abs(np.fft.fft2(grey - grey.mean())) ** 2
        detail.append(spectrum[32:64, :].sum() / spectrum.sum())
    assert np.quantile(detail, 0.9) > 3 * np.quantile(detail, 0.1)
