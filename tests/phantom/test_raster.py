import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallsight.phantom.camera import Patch
from smallsight.phantom.raster import coverage, stamp, window_of

SIZE = (100, 80)


def rectangle(left, top, right, bottom, colour=(255, 0, 0)):
    return Patch(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]), colour)


@given(st.floats(5, 40), st.floats(5, 40), st.floats(3, 50), st.floats(3, 35))
def test_coverage_adds_up_to_the_area(left, top, width, height):
    patch = rectangle(left, top, left + width, top + height)
    found = coverage([patch], window_of([patch], SIZE)).sum()
    # Pillow paints every subpixel that an edge touches: up to one more on each side.
    edge = 2 * (width + height) / 4 + 0.5
    assert abs(found - width * height) <= edge


def test_a_patch_outside_the_picture_has_no_window():
    assert window_of([rectangle(120, 10, 130, 20)], SIZE) is None
    assert window_of([], SIZE) is None


def test_a_window_stays_inside_the_picture():
    window = window_of([rectangle(-50, -50, 500, 500)], SIZE)
    assert (window.left, window.top, window.right, window.bottom) == (0, 0, *SIZE)


def test_later_patches_cover_earlier_ones():
    patches = [rectangle(10, 10, 30, 30), rectangle(10, 10, 30, 30, (0, 0, 255))]
    layer = stamp(patches, window_of(patches, SIZE))
    middle = layer.colour[10, 10]
    assert middle.tolist() == [0.0, 0.0, 1.0]


def test_colour_is_premultiplied_by_coverage():
    patch = rectangle(10.3, 10.3, 30.6, 30.6, (255, 255, 255))
    layer = stamp([patch], window_of([patch], SIZE))
    assert layer.colour == pytest.approx(np.repeat(layer.alpha[..., None], 3, axis=2), abs=0.01)
