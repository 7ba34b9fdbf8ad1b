import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallsight.datasets import coco
from smallsight.imaging import masks
from smallsight.runtime.errors import AnnotationError
from smallsight.sampling.instance_masks import collect_masks, read_masks, write_masks

WIDTH, HEIGHT = 8, 6
SQUARE = np.zeros((HEIGHT, WIDTH), bool)
SQUARE[1:4, 2:6] = True
POLYGON = [[2, 1, 6, 1, 6, 4, 2, 4]]
RUNS = {"size": [HEIGHT, WIDTH], "counts": [13, 3, 3, 3, 3, 3, 3, 3, 14]}
"""The square's pixels, column by column: unset, set, unset, ..."""
SAME = {"polygon": POLYGON, "RLE": RUNS, "compressed": masks.encode(SQUARE)}


def decoded(segmentation):
    return masks.decode(segmentation, width=WIDTH, height=HEIGHT)


# One mask.


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


MALFORMED = {
    "numbers without a polygon": POLYGON[0],
    "half a point": [[2, 3, 9]],
    "words": [["a", "b", "c", "d", "e", "f"]],
    "NaN": [[2, 1, math.nan, 1, 6, 4]],
    "infinity": [[2, 1, math.inf, 1, 6, 4]],
    "beyond three times the picture": [[2, 1, 24.5, 1, 6, 4]],
    "far beyond the picture": [[2, 1, -1e9, 1, 6, 4]],
    "nothing known": {"mask": 1},
    "no size": {"counts": RUNS["counts"]},
    "no counts": {"size": RUNS["size"]},
    "counts that are none": RUNS | {"counts": None},
    "runs that end early": RUNS | {"counts": [13, 3, 3]},
    "runs that go on": RUNS | {"counts": [*RUNS["counts"], 5]},
    "no runs": RUNS | {"counts": []},
    "negative runs": RUNS | {"counts": [13, -3, 38]},
    "broken runs": RUNS | {"counts": [13.5, 3, 31.5]},
    "huge runs": RUNS | {"counts": [10**30]},
    "no text": RUNS | {"counts": ""},
    "text cut short": RUNS | {"counts": masks.encode(SQUARE)["counts"][:-3]},
    "text of another mask": RUNS | {"counts": masks.encode(np.ones((9, 9), bool))["counts"]},
    "no RLE at all": RUNS | {"counts": "{}~é"},
    "another size": masks.encode(np.ones((WIDTH, HEIGHT), bool)),
    "a huge size": {"size": [10**7, 10**7], "counts": [10**14]},
}


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


# Masks of a sample.


def dataset(segmentations):
    """Pictures 7 and 3 with an annotation per segmentation, in turn."""
    tree = {
        "images": [
            {"id": number, "file_name": f"{number}.jpg", "width": WIDTH, "height": HEIGHT}
            for number in (7, 3)
        ],
        "annotations": [
            {"id": 10 + n, "image_id": (7, 3)[n % 2], "category_id": 1, "bbox": [2, 1, 4, 3]}
            | ({} if segmentation is None else {"segmentation": segmentation})
            for n, segmentation in enumerate(segmentations)
        ],
        "categories": [{"id": 1, "name": "car"}],
    }
    return coco.parse(tree, ("car",), where="mine.json")


def collected(segmentations):
    data = dataset(segmentations)
    return collect_masks(data, data.annotations)


def test_masks_come_by_the_ids_of_their_instances():
    found = collected([POLYGON, RUNS, masks.encode(~SQUARE), None, []])
    assert {key: decoded(mask).sum() for key, mask in found.items()} == {
        (7, 10): 12, (3, 11): 12, (7, 12): 36,
    }  # fmt: skip
    assert (decoded(found[7, 12]) == ~SQUARE).all()


def test_one_mask_is_kept_one_way_however_it_was_written():
    kept = list(collected(SAME.values()).values())
    assert len(kept) == 3
    assert kept[0] == kept[1] == kept[2]


def test_masks_are_those_of_the_sample_alone():
    data = dataset([POLYGON, POLYGON, MALFORMED["runs that end early"], POLYGON])
    sample = data.annotations[data.annotations["ann_id"].isin([11, 10])]
    assert collect_masks(data, sample).keys() == {(7, 10), (3, 11)}
    assert collect_masks(data, sample.iloc[:0]) == {}


def test_the_order_of_the_sample_does_not_matter(tmp_path):
    data = dataset([POLYGON, RUNS, masks.encode(~SQUARE), POLYGON])
    for name, sample in (("one", data.annotations), ("other", data.annotations[::-1])):
        write_masks(collect_masks(data, sample), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_segmentation_is_one_line_that_names_file_and_annotation(kind):
    data = dataset([POLYGON, MALFORMED[kind], RUNS])
    with pytest.raises(
        AnnotationError, match=r"mine\.json: annotation 11: segmentation "
    ) as caught:
        collect_masks(data, data.annotations)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


def test_a_mask_of_another_size_than_its_picture_is_named_even_if_another_picture_has_it():
    data = dataset([masks.encode(np.ones((4, 5), bool)), POLYGON])
    data.images.loc[data.images["image_id"] == 3, ["width", "height"]] = [5, 4]
    with pytest.raises(AnnotationError, match=r"annotation 10: .* of the picture's size"):
        collect_masks(data, data.annotations)


# The file.


def test_masks_are_written_the_same_whatever_the_order_and_come_back(tmp_path):
    rng = np.random.default_rng(0)
    known = {
        (int(image_id), int(ann_id)): masks.encode(rng.random((9, 7)) < 0.5)
        for image_id, ann_id in zip(rng.permutation(20), rng.permutation(20), strict=True)
    }
    turned = {
        key: dict(reversed(known[key].items())) for key in sorted(known, key=lambda key: -key[1])
    }
    write_masks(known, tmp_path / "one.json")
    write_masks(turned, tmp_path / "other.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "other.json").read_bytes()
    assert read_masks(tmp_path / "one.json") == known


def test_no_masks_are_a_file_too(tmp_path):
    write_masks({}, tmp_path / "none.json")
    assert read_masks(tmp_path / "none.json") == {}


def test_ids_of_any_size_come_back(tmp_path):
    known = {(2**62 + 1, 2**61 + 3): masks.encode(SQUARE)}
    write_masks(known, tmp_path / "large.json")
    assert read_masks(tmp_path / "large.json") == known


@pytest.mark.parametrize("degenerate", [[], [1, 2], [1, 2, 5, 3]], ids=["none", "point", "line"])
def test_a_polygon_of_fewer_than_three_points_encloses_nothing(degenerate):
    size = {"width": 8, "height": 6}
    whole = masks.decode(POLYGON, **size)
    assert (masks.decode([degenerate, *POLYGON], **size) == whole).all()
    assert (masks.decode([*POLYGON, degenerate], **size) == whole).all()
    assert not masks.decode([degenerate], **size).any()
