import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.segmentations import HEIGHT, MALFORMED, POLYGON, SAME, SQUARE, WIDTH
from smallsight.imaging import masks


def decoded(segmentation):
    return masks.decode(segmentation, width=WIDTH, height=HEIGHT)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.floats(0, 1), st.integers(0, 2**32))
def test_masks_survive_the_json(height, width, share, seed):
    mask = np.random.default_rng(seed).random((height, width)) < share
    segmentation = json.loads(json.dumps(masks.encode(mask)))
    found = masks.decode(segmentation, width=width, height=height)
    assert found.dtype == bool
    assert found.shape == (height, width)
    assert (found == mask).all()


def test_masks_of_long_runs_survive():
    mask = np.zeros((700, 900), bool)
    mask[100:101, 850:] = mask[650:, 3:5] = True
    assert (masks.decode(masks.encode(mask), width=900, height=700) == mask).all()


@pytest.mark.parametrize("kind", SAME)
def test_polygons_and_rle_decode_alike(kind):
    assert (decoded(SAME[kind]) == SQUARE).all()


def test_polygons_of_one_object_are_united_and_cut_at_the_picture():
    due = SQUARE.copy()
    due[:, :1] = True
    assert (decoded([*POLYGON, [-24, -24, 1, -24, 1, 24, -24, 24]]) == due).all()


@pytest.mark.parametrize("nothing", [None, [], "none"])
def test_no_segmentation_is_said(nothing):
    with pytest.raises(ValueError, match="no segmentation"):
        decoded(nothing)


@pytest.mark.parametrize(
    "kind",
    ["runs that end early", "runs that go on", "no runs", "no text", "text cut short",
     "text of another mask", "another size", "a huge size"],
)  # fmt: skip
def test_rle_of_another_size_is_refused(kind):
    """Whether or not its first runs would do: no pixel is made up."""
    with pytest.raises(ValueError, match="another size"):
        decoded(MALFORMED[kind])


numbers = st.integers(-20, 60) | st.floats()
anything = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(numbers, max_size=8), max_size=3)
    | st.fixed_dictionaries(
        {
            "size": st.just([HEIGHT, WIDTH]),
            "counts": st.lists(numbers, max_size=4) | st.text("01oO"),
        }
    )
    | anything
)
def test_any_segmentation_gives_one_mask_of_the_size_or_raises(segmentation):
    try:
        one, other = decoded(segmentation), decoded(copy.deepcopy(segmentation))
    except Exception:
        return
    assert one.shape == (HEIGHT, WIDTH)
    assert one.dtype == bool
    assert (one == other).all()


@pytest.mark.parametrize("degenerate", [[], [1, 2], [1, 2, 5, 3]], ids=["none", "point", "line"])
def test_a_polygon_of_fewer_than_three_points_encloses_nothing(degenerate):
    size = {"width": 8, "height": 6}
    whole = masks.decode(POLYGON, **size)
    assert (masks.decode([degenerate, *POLYGON], **size) == whole).all()
    assert (masks.decode([*POLYGON, degenerate], **size) == whole).all()
    assert not masks.decode([degenerate], **size).any()
