"""Pictures as the report shows them: at their proportions, the object boxed where it is."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from smallsight.report import pictures


def a_row(**changes):
    box = {"box_x": 16.0, "box_y": 32.0, "box_w": 16.0, "box_h": 8.0}
    return box | {"input_size": 64, "view_w": 640, "view_h": 480} | changes


@pytest.fixture
def picture(tmp_path):
    """A black picture with its object, as `a_row` has it, in white."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[32:40, 16:32] = 255
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return str(tmp_path / "picture.png")


@pytest.mark.parametrize("view", [(640, 480), (480, 640), (1000, 100), (90, 100)])
def test_a_picture_is_shown_at_its_own_proportions_in_the_middle(picture, view):
    shown = pictures.shot(picture, a_row(view_w=view[0], view_h=view[1]))
    width, height = shown.width * pictures.FRAME, shown.height
    assert width / height == pytest.approx(view[0] / view[1])
    assert max(shown.width, shown.height) == pytest.approx(100)
    assert shown.left * 2 + shown.width == pytest.approx(100)
    assert shown.top * 2 + shown.height == pytest.approx(100)
    # The box keeps its place: a quarter from the left, half-way down.
    assert shown.box.x + shown.box.w / 2 == pytest.approx(shown.view[0] * 24 / 64)
    assert shown.box.y + shown.box.h / 2 == pytest.approx(shown.view[1] * 36 / 64)


def test_only_a_tiny_box_gets_pointers_and_they_stay_outside_it(picture):
    tiny = pictures.shot(picture, a_row(box_w=2.0, box_h=2.0))
    assert len(tiny.pointers) == 4
    for x1, y1, x2, y2 in tiny.pointers:
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        inside = tiny.box.x <= x <= tiny.box.x + tiny.box.w
        assert not (inside and tiny.box.y <= y <= tiny.box.y + tiny.box.h)
    assert pictures.shot(picture, a_row(box_w=30.0, box_h=30.0)).pointers == ()


@pytest.mark.parametrize("corner", [(16.0, 32.0), (0.0, 0.0), (48.0, 56.0)])
def test_a_close_up_shows_the_object_where_its_box_says(tmp_path, corner):
    x, y = (int(value) for value in corner)
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[y : y + 8, x : x + 16] = 255
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    shown = pictures.close_up(
        str(tmp_path / "picture.png"), a_row(box_x=corner[0], box_y=corner[1])
    )
    content = base64.b64decode(shown.uri.partition(",")[2])
    with Image.open(io.BytesIO(content)) as image:
        bright = np.argwhere(np.asarray(image.convert("L")) > 128) / image.width
    units = shown.view[0]
    top, left = bright.min(axis=0) * units
    bottom, right = bright.max(axis=0) * units
    box = shown.box
    tolerance = units / 20
    assert (left, top) == pytest.approx((box.x, box.y), abs=tolerance)
    assert (right, bottom) == pytest.approx((box.x + box.w, box.y + box.h), abs=tolerance)


def test_a_close_up_stands_in_the_middle_of_a_wider_frame(picture):
    alone, framed = (pictures.close_up(picture, a_row(), frame=frame) for frame in (1.0, 4 / 3))
    assert framed.uri == alone.uri
    assert (alone.left, alone.width, alone.height) == (0, 100, 100)
    assert (framed.left, framed.width, framed.height) == pytest.approx((12.5, 75, 100))
    # The box keeps its place in the picture.
    for axis, of in ((0, "x"), (1, "y")):
        places = [getattr(one.box, of) / one.view[axis] for one in (alone, framed)]
        assert places[0] == pytest.approx(places[1], abs=0.01)
