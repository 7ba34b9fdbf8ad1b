import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.coco_trees import tree
from smallsight.datasets import coco
from smallsight.runtime.errors import AnnotationError

CATEGORIES = ("person", "car")


def changed(path, value):
    """A tree with one value replaced, or taken out where the new one is `del`."""
    new = tree()
    *way, last = path
    node = new
    for key in way:
        node = node[key]
    if value is del_:
        del node[last]
    else:
        node[last] = value
    return new


del_ = object()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "instances.json"


def test_read_sorts_types_and_keeps_the_studys_categories(path):
    coco.write(tree(), path)
    dataset = coco.read(path, CATEGORIES)
    assert list(dataset.images.columns) == coco.IMAGE_COLUMNS
    assert list(dataset.annotations.columns) == coco.ANNOTATION_COLUMNS
    assert dataset.images["image_id"].tolist() == [3, 7]
    assert dataset.annotations["ann_id"].tolist() == [10, 11, 12]
    assert dataset.annotations["category_name"].tolist() == ["person", "person", "car"]
    assert dataset.annotations["iscrowd"].tolist() == [1, 0, 0]
    assert dataset.annotations["area"].tolist() == [81.0, 9.5, 122.0]
    assert dataset.annotations["bbox_w"].tolist() == [9.0, 5.0, 30.5]
    assert dataset.categories == CATEGORIES
    assert dataset.where == str(path)


def test_entries_may_come_in_any_order(path):
    reordered = {key: entries[::-1] for key, entries in tree().items()}
    expected, found = (coco.parse(t, CATEGORIES, where="x") for t in (tree(), reordered))
    assert found.images.equals(expected.images)
    assert found.annotations.equals(expected.annotations)


def test_no_annotations_still_give_typed_tables():
    dataset = coco.parse(changed(["annotations"], []), CATEGORIES, where="x")
    assert dataset.annotations.empty
    assert dataset.annotations["bbox_w"].dtype == np.float64
    assert dataset.annotations["ann_id"].dtype == np.int64


def test_write_is_deterministic_and_round_trips(path):
    coco.write(tree(), path)
    first = path.read_bytes()
    coco.write({key: tree()[key] for key in reversed(tree())}, path)
    assert path.read_bytes() == first
    assert first.endswith(b"}\n")
    assert coco.load(path)["images"] == tree()["images"]


def test_byte_order_mark_is_no_obstacle(path):
    path.write_text(json.dumps(tree()), encoding="utf-8-sig")
    assert len(coco.read(path, CATEGORIES).images) == 2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ((["images"], del_), ["'images'"]),
        ((["annotations"], {}), ["'annotations'", "{}"]),
        ((["categories"], None), ["'categories'", "None"]),
        ((["images", 0], 5), ["images[0]", "5"]),
        ((["images", 1, "id"], "three"), ["images[1]", "three"]),
        ((["images", 1, "id"], -3), ["images[1]", "-3"]),
        ((["images", 1, "id"], True), ["images[1]", "True"]),
        ((["annotations", 0, "id"], 10**30), ["annotations[0]", "1000"]),
        ((["annotations", 0, "id"], del_), ["annotations[0]", "no id"]),
        ((["images", 1, "id"], 7), ["image 7", "twice"]),
        ((["annotations", 0, "id"], 13), ["annotation 13", "twice"]),
        ((["categories", 0, "id"], 3), ["category 3", "twice"]),
        ((["categories", 0, "name"], 8), ["category 1", "name 8"]),
        ((["categories", 1, "name"], "person"), ["several", "'person'"]),
        ((["categories", 1, "name"], "automobile"), ["'car'", "automobile, kite, person"]),
        ((["categories", 1, "name"], "c\nar"), ["'car'", "'c\\nar', kite, person"]),
        ((["annotations", 0, "image_id"], 99), ["annotation 12", "image_id 99"]),
        ((["annotations", 3, "category_id"], 77), ["annotation 13", "category_id 77"]),
        ((["annotations", 0, "category_id"], []), ["annotation 12", "category_id []"]),
        ((["annotations", 0, "image_id"], del_), ["annotation 12", "no image_id"]),
        ((["images", 0, "width"], 0), ["image 7", "width 0"]),
        ((["images", 0, "height"], -48), ["image 7", "height -48"]),
        ((["images", 0, "height"], math.nan), ["image 7", "height nan"]),
        ((["images", 0, "width"], "64"), ["image 7", "width '64'"]),
        ((["images", 0, "width"], 64.5), ["image 7", "width 64.5"]),
        ((["images", 0, "height"], del_), ["image 7", "no height"]),
        ((["images", 0, "file_name"], del_), ["image 7", "no file_name"]),
        ((["images", 0, "file_name"], ""), ["image 7", "''"]),
        ((["images", 0, "file_name"], "/etc/passwd"), ["image 7", "/etc/passwd"]),
        ((["images", 0, "file_name"], "../b.jpg"), ["image 7", "../b.jpg"]),
        ((["images", 0, "file_name"], "a/../../b.jpg"), ["image 7", "a/../../b.jpg"]),
        ((["images", 0, "file_name"], "..\\b.jpg"), ["image 7", "b.jpg"]),
        ((["images", 0, "file_name"], "C:\\b.jpg"), ["image 7", "C:"]),
        ((["images", 0, "file_name"], "b\0.jpg"), ["image 7", "file_name"]),
        ((["images", 0, "file_name"], "./sub/a.jpg"), ["image 3", "sub/a.jpg", "image 7"]),
        ((["annotations", 0, "bbox"], [1, 2, math.nan, 4]), ["annotation 12", "nan"]),
        ((["annotations", 0, "bbox"], [math.inf, 2, 3, 4]), ["annotation 12", "inf"]),
        ((["annotations", 0, "bbox"], [10**400, 2, 3, 4]), ["annotation 12", "bbox"]),
        ((["annotations", 0, "bbox"], [1, 2, "3", 4]), ["annotation 12", "'3'"]),
        ((["annotations", 0, "bbox"], [1, 2, 3]), ["annotation 12", "[1, 2, 3]"]),
        ((["annotations", 0, "bbox"], del_), ["annotation 12", "no bbox"]),
        ((["annotations", 0, "bbox"], [1, 2, 3, -4]), ["annotation 12", "-4"]),
        ((["annotations", 2, "bbox"], [1, 2, -3, 0]), ["annotation 10", "[1, 2, -3, 0]"]),
        ((["annotations", 0, "area"], "much"), ["annotation 12", "area 'much'"]),
        ((["annotations", 0, "iscrowd"], 2), ["annotation 12", "iscrowd 2"]),
    ],
)
def test_bad_value_gives_one_line_with_file_place_and_value(path, change, named):
    path.write_text(json.dumps(changed(*change)), encoding="utf-8")
    with pytest.raises(AnnotationError) as caught:
        coco.read(path, CATEGORIES)
    line = str(caught.value)
    assert "\n" not in line
    for text in [str(path), *named]:
        assert text in line


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "no JSON"),
        (b"{'images': 1}", "no JSON"),
        (b"\xff\xfe\xfa", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "a JSON list"),
        (b"{}", "no 'categories'"),
    ],
)
def test_what_is_no_coco_file_is_named(path, content, named):
    path.write_bytes(content)
    with pytest.raises(AnnotationError, match=named) as caught:
        coco.read(path, CATEGORIES)
    assert str(path) in str(caught.value)


def test_missing_file_is_named(path):
    with pytest.raises(AnnotationError, match=r"instances\.json: No such file"):
        coco.read(path, CATEGORIES)


def test_errors_call_the_file_what_they_are_told(path):
    path.write_bytes(b"[]")
    with pytest.raises(AnnotationError, match="annotation error: there: a JSON list"):
        coco.read(path, CATEGORIES, where="there")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)
leaves = [[key] for key in tree()] + [
    [key, position, name]
    for key, entries in tree().items()
    for position, entry in enumerate(entries)
    for name in entry
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(leaves), values)
def test_any_replaced_value_is_accepted_or_reported_in_one_line(leaf, value):
    try:
        dataset = coco.parse(copy.deepcopy(changed(leaf, value)), CATEGORIES, where="x.json")
    except AnnotationError as error:
        assert str(error).isprintable()
        assert "x.json" in str(error)
    else:
        boxes = dataset.annotations[coco.BOX_COLUMNS].to_numpy()
        assert np.isfinite(boxes).all()
        assert (boxes[:, 2:] >= 0).all()
