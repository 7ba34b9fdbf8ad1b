import numpy as np
import pytest

from builders.views import BOX
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendering.filters import FilteredPictures, as_bytes
from smallsight.conditions.rendering.views import View
from smallsight.conditions.rendering.windows import cropped, zoomed

WHOLE = [
    ("bg_blur", {"sigma": 2.0, "margin": 0.1}),
    ("motion_blur", {"length": 7.0}),
    ("downscale", {"scale": 0.25}),
]


@pytest.fixture
def picture(noise):
    return noise(60, 80)


@pytest.fixture
def calls():
    return []


@pytest.fixture
def darkened(calls):
    """A filter that says what it was called with."""

    def darkened(picture, *, share, floor=0):
        calls.append((picture, share, floor))
        return as_bytes(picture * share + floor)

    return darkened


@pytest.fixture
def view(picture):
    return View(picture, BOX, filtered_pictures=FilteredPictures(picture))


def test_values_are_rounded_and_clipped_to_whole_levels():
    values = np.float32([-0.6, 0.4, 0.6, 254.4, 254.6, 255.2, 1e9])
    found = as_bytes(values)
    assert found.dtype == np.uint8
    assert found.tolist() == [0, 0, 1, 254, 255, 255, 255]


def test_equal_options_are_computed_once_and_others_for_themselves(picture, calls, darkened):
    filtered = FilteredPictures(picture)
    first = filtered.by(darkened, share=0.5, floor=3)
    assert filtered.by(darkened, floor=3, share=0.5) is first
    assert (first == as_bytes(picture * 0.5 + 3)).all()
    assert (filtered.by(darkened, share=0.5, floor=4) == as_bytes(picture * 0.5 + 4)).all()
    assert (filtered.by(inverted, share=0.5) == 255 - picture).all()
    assert [call[1:] for call in calls] == [(0.5, 3), (0.5, 4)]


def inverted(picture, *, share):
    return 255 - picture


def test_what_is_shared_cannot_be_written_to(view, darkened):
    with pytest.raises(ValueError, match="read-only"):
        view.filtered(darkened, share=0.5)[0] = 0


def test_a_picture_of_its_own_is_filtered_itself(view, picture, calls, darkened):
    """Whatever has been made of the untouched one."""
    view.filtered(darkened, share=0.5)
    others = [
        view.showing(255 - picture), cropped(view, margin=0.2), zoomed(view, factor=2),
        zoomed(view, factor=0.5),
    ]  # fmt: skip
    for other in others:
        assert (other.filtered(darkened, share=0.5) == as_bytes(other.picture * 0.5)).all()
        assert calls.pop()[0] is other.picture
    assert (view.filtered(darkened, share=0.5) == as_bytes(picture * 0.5)).all()
    assert len(calls) == 1


@pytest.mark.parametrize(("name", "options"), WHOLE)
def test_a_family_shows_the_same_whether_filters_are_shared_or_not(view, picture, name, options):
    change = FAMILIES[name].change
    frames = [lambda view: view, lambda view: cropped(view, margin=0.3),
              lambda view: zoomed(view, factor=1.5)]  # fmt: skip
    for frame in frames:
        due = change(frame(View(picture, BOX)), **options)
        assert (change(frame(view), **options).picture == due.picture).all()
    # Nor does one instance change what the next one sees.
    other = View(picture, BOX.shifted(10, 8), filtered_pictures=view.filtered_pictures)
    due = change(View(picture, other.box), **options)
    assert (change(other, **options).picture == due.picture).all()
