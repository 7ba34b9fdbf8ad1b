import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from builders.coco_trees import tree
from smallsight.datasets import coco
from smallsight.datasets.picture_folder import PictureFolder
from smallsight.datasets.tidying import tidy
from smallsight.runtime.errors import AnnotationError

CATEGORIES = ("person", "car")


def with_entry(kind, position, **values):
    """The tree with values of one entry replaced."""
    found = copy.deepcopy(tree())
    found[kind][position] |= values
    return found


def tidied(given_tree, categories=CATEGORIES, *, share=0.01, folder=None):
    return tidy(given_tree, categories, where="x.json", max_bad_share=share, folder=folder)


def read(given_tree, categories=CATEGORIES, **options):
    return coco.parse(tidied(given_tree, categories, **options), categories, where="x.json")


def counts(given_tree, **options):
    return {name: one["count"] for name, one in tidied(given_tree, **options)["left_out"].items()}


def test_annotations_without_quirks_stay_as_they_are():
    found, given_tree = tidied(tree()), tree()
    kite = given_tree["annotations"].pop()
    assert kite["category_id"] not in {entry["category_id"] for entry in found["annotations"]}
    assert json.dumps(found | {"annotations": [*found["annotations"]]}) == json.dumps(given_tree)


# Ids.


@pytest.mark.parametrize(
    ("given_ids", "due"),
    [
        ((7, 3), (7, 3)),
        (("7", "3"), (7, 3)),
        ((7.0, "3"), (7, 3)),
        ((2**64, 3), (1, 2)),
        ((2**63 - 1, 2**63), (1, 2)),
        (("b", "a"), (1, 2)),
        (("7", "007"), (1, 2)),
        ((-1, 0), (1, 2)),
    ],
)
def test_ids_of_pictures_are_kept_where_they_fit_and_else_numbered_anew(given_ids, due):
    given_tree = tree()
    first, second = given_tree["images"]
    for image, identity in ((first, given_ids[0]), (second, given_ids[1])):
        for annotation in given_tree["annotations"]:
            if annotation["image_id"] == image["id"]:
                annotation["image_id"] = identity
        image["id"] = identity
    dataset = read(given_tree)
    assert dataset.images.set_index("file_name")["image_id"].to_dict() == {
        "b.jpg": due[0], "sub/a.jpg": due[1],
    }  # fmt: skip
    found = dataset.annotations.set_index("ann_id")["image_id"]
    assert found[[12, 11, 10]].tolist() == [due[0], due[0], due[1]]


def test_an_entry_numbered_anew_keeps_its_own_id_beside():
    images = tidied(with_entry("images", 0, id=2**70), share=1)["images"]
    assert [image["id"] for image in images] == [1, 2]
    assert [image["source_id"] for image in images] == [2**70, 3]


@pytest.mark.parametrize("identity", [None, True, 1.5, [], "", "  "])
def test_a_picture_without_an_id_is_named(identity):
    with pytest.raises(AnnotationError, match=r"x\.json: images\[0\]: .*expected an id"):
        tidied(with_entry("images", 0, id=identity))


def test_two_pictures_of_one_id_are_named_and_a_repetition_is_not():
    with pytest.raises(AnnotationError, match=r"images\[1\]: id 7 again"):
        tidied(with_entry("images", 1, id=7))
    repeated = tree()
    repeated["images"].append(repeated["images"][0] | {"license": 4})
    repeated["categories"].append({"id": 3, "name": "car", "supercategory": "vehicle"})
    assert read(repeated).images["image_id"].tolist() == [3, 7]
    assert len(read(repeated).annotations) == 3


def test_a_picture_under_two_ids_is_one():
    given_tree = with_entry("annotations", 0, image_id=8)
    given_tree["images"].append(given_tree["images"][0] | {"id": 8})
    dataset = read(given_tree)
    assert dataset.images["image_id"].tolist() == [3, 7]
    assert dataset.annotations.set_index("ann_id").loc[12, "image_id"] == 7


@pytest.mark.parametrize("identity", [13, None, "x", 2**64, math.nan])
def test_ids_of_annotations_need_not_be_any_good(identity):
    """Nothing refers to them."""
    dataset = read(with_entry("annotations", 0, id=identity), ("person", "car"))
    assert len(dataset.annotations) == 3
    assert dataset.annotations["ann_id"].is_unique
    assert set(dataset.annotations["area"]) == {81, 122, 9.5}


def test_two_names_of_one_file_are_not_one_picture(folder):
    """One of them may be meant for a file that is missing."""
    given_tree = tree()
    given_tree["images"].append(given_tree["images"][0] | {"id": 8, "file_name": "B.JPG"})
    with pytest.raises(AnnotationError, match="is image 7's too"):
        read(given_tree, folder=folder)


@pytest.mark.parametrize("values", [{"id": 11}, {"id": None}, {}])
def test_annotations_whose_ids_are_good_keep_them(values):
    """A list of instances refers to them."""
    given_tree = tree()
    del given_tree["annotations"][2]["id"]
    given_tree["annotations"][2] |= values
    ids = [entry["id"] for entry in tidied(given_tree)["annotations"]]
    assert ids == [12, 11, 14]


# Categories.


@pytest.mark.parametrize("name", ["car ", "\u00a0car", "car\n", "\ufeffcar", "ca\u200br"])
def test_names_are_compared_without_odd_spaces(name):
    dataset = read(with_entry("categories", 1, name=name))
    assert set(dataset.annotations["category_name"]) == {"person", "car"}


def test_spaces_inside_and_composed_letters_are_plain():
    given_tree = with_entry("categories", 1, name="Fu\u0308ll\u00a0 horn")
    assert tidied(given_tree, ["Füll horn"])["categories"][1]["name"] == "Füll horn"


def test_numbers_may_be_names():
    dataset = read(with_entry("categories", 1, name=7), ("person", "7"))
    assert dataset.annotations["category_name"].tolist() == ["person", "person", "7"]


@pytest.mark.parametrize("name", ["\ud800", "car\x07", "\x00", "\ufeff"])
def test_names_that_no_file_can_hold_are_named(name):
    with pytest.raises(AnnotationError, match=r"x\.json: category 3: name '.*'; expected a name"):
        tidied(with_entry("categories", 1, name=name))


def test_a_root_category_without_annotations_gives_way_to_its_namesake():
    given_tree = tree()
    given_tree["categories"].insert(0, {"id": 0, "name": "car", "supercategory": "none"})
    assert read(given_tree).annotations["category_id"].tolist() == [1, 1, 3]


def test_a_category_given_twice_counts_once_and_two_of_a_name_in_use_are_named():
    given_tree = tree()
    given_tree["categories"].append({"id": 3, "name": "car"})
    assert len(read(given_tree).annotations) == 3
    used = with_entry("categories", 2, name="car", supercategory="toy")
    with pytest.raises(AnnotationError, match="several categories named 'car'"):
        read(used)


def test_two_categories_that_differ_in_nothing_but_their_ids_are_one():
    given_tree = with_entry("categories", 2, name="car")
    given_tree["annotations"][3]["bbox"] = [0, 0, 3, 3]
    dataset = read(given_tree)
    found = dataset.annotations.set_index("ann_id")
    assert found.loc[[12, 13], "category_name"].tolist() == ["car", "car"]
    assert found.loc[[12, 13], "category_id"].tolist() == [3, 3]


def test_all_categories_are_those_with_annotations_in_the_files_order():
    given_tree = with_entry("annotations", 3, bbox=[0, 0, 3, 3])
    given_tree["categories"].append({"id": 11, "name": "unused"})
    assert read(given_tree, "all").categories == ("person", "car", "kite")


def test_a_single_category_of_all_is_named():
    given_tree = tree() | {"annotations": tree()["annotations"][1:3]}
    with pytest.raises(AnnotationError, match="annotations of 1 categories: person; expected"):
        read(given_tree, "all")


# What is left out.


@pytest.mark.parametrize(
    ("kind", "position", "values", "due"),
    [
        ("annotations", 0, {"ignore": 1}, {"ignored": 1}),
        ("annotations", 0, {"ignore": True}, {"ignored": 1}),
        ("annotations", 0, {"ignore": "1"}, {"ignored": 1}),
        ("annotations", 0, {"image_id": 99}, {"unknown_picture": 1}),
        ("annotations", 0, {"image_id": None}, {"unknown_picture": 1}),
        ("annotations", 0, {"category_id": 99}, {"unknown_category": 1}),
        ("annotations", 0, {"bbox": []}, {"malformed_box": 1}),
        ("annotations", 0, {"bbox": None}, {"malformed_box": 1}),
        ("annotations", 0, {"bbox": [1, 2, 3, "x"]}, {"malformed_box": 1}),
        ("annotations", 0, {"bbox": [1, 2, math.nan, 4]}, {"malformed_box": 1}),
        ("annotations", 0, {"bbox": [1, 2, -3, 4]}, {"malformed_box": 1}),
        ("annotations", 0, {"bbox": [1, 2, 3, 10**400]}, {"malformed_box": 1}),
        (
            "annotations", 0, {"image_id": 7, "category_id": 1, "bbox": [0, 0, 5, 5.0]},
            {"repeated": 1},
        ),
        ("images", 1, {"file_name": "/etc/a"}, {"malformed_picture": 1, "of_left_out_picture": 1}),
        ("images", 1, {"file_name": "../a"}, {"malformed_picture": 1, "of_left_out_picture": 1}),
        ("images", 1, {"file_name": "a\0b"}, {"malformed_picture": 1, "of_left_out_picture": 1}),
        ("images", 1, {"width": 0}, {"malformed_picture": 1, "of_left_out_picture": 1}),
        ("images", 1, {"height": 1.5}, {"malformed_picture": 1, "of_left_out_picture": 1}),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_left_out_and_counted(kind, position, values, due):
    given_tree = with_entry(kind, position, **values)
    assert counts(given_tree) == due
    assert len(read(given_tree).annotations) == 2
    assert read(given_tree).left_out.keys() == due.keys()


@pytest.mark.parametrize(
    "values",
    [
        {"ignore": 0}, {"ignore": False}, {"ignore": None}, {"ignore": "0"}, {"iscrowd": None},
        {"iscrowd": False}, {"iscrowd": "0"}, {"area": None}, {"area": "x"}, {"area": math.nan},
        {"segmentation": None}, {"segmentation": []}, {"bbox": ["1", "2", "30.5", "4"]},
        {"ignore": math.nan}, {"iscrowd": math.nan}, {"segmentation": math.nan}, {"area": 0},
        {"area": "122"}, {"iscrowd": "nan"},
    ],
)  # fmt: skip
def test_harmless_quirks_change_nothing(values):
    dataset, plain = read(with_entry("annotations", 0, **values)), read(tree())
    assert dataset.annotations.equals(plain.annotations)
    assert [dataset.segmentation(row) for row in dataset.annotations.index] == [None] * 3
    assert dataset.left_out == {}


def test_an_area_may_be_a_text():
    areas = read(with_entry("annotations", 0, area="61.5")).annotations.set_index("ann_id")["area"]
    assert areas[12] == 61.5


def test_a_single_polygon_need_not_stand_in_a_list():
    polygon = [1, 2, 31, 2, 31, 6]
    dataset = read(with_entry("annotations", 0, segmentation=polygon))
    (row,) = dataset.annotations.index[dataset.annotations["ann_id"] == 12]
    assert dataset.segmentation(row) == [polygon]


@pytest.mark.parametrize("said", ["x", {"crowd": {"count": 1}}, {"ignored": None}])
def test_what_a_file_says_of_what_it_lacks_is_not_counted(said):
    assert read(tree() | {"left_out": said}).left_out == {}


def test_crowds_may_be_flagged_by_a_truth_value():
    assert read(with_entry("annotations", 0, iscrowd=True)).annotations["iscrowd"].tolist() == [
        1, 0, 1,
    ]  # fmt: skip


def test_boxes_of_no_area_are_read_for_the_sample_to_leave_out():
    dataset = read(with_entry("annotations", 0, bbox=[1, 2, 3, 0]))
    assert set(dataset.annotations["bbox_h"]) == {9, 0, 5}
    assert dataset.left_out == {}


def many(n, spoiled, spoil):
    boxes = [[1, 2, 3, 4 + k] for k in range(n)]
    entries = [
        {"id": k + 1, "image_id": 7, "category_id": 3, "bbox": box} for k, box in enumerate(boxes)
    ]
    for entry in entries[:spoiled]:
        spoil(entry)
    return tree() | {"annotations": entries}


def flatten(entry):
    entry["bbox"] = [entry["id"], 0, 0, 0]


def lose_box(entry):
    entry["bbox"] = []


@pytest.mark.parametrize("spoil", [flatten, lose_box])
def test_the_run_stops_where_more_than_the_share_is_bad(spoil):
    assert tidied(many(1000, 10, spoil))
    assert tidied(many(38, 2, spoil))
    with pytest.raises(AnnotationError) as caught:
        tidied(many(1000, 40, spoil))
    line = str(caught.value)
    assert "40 of 1000 annotations" in line
    assert "such as annotation 1 (bbox [" in line
    assert "at most 1% of them (data.max_bad_share)" in line
    assert tidied(many(1000, 40, spoil), share=0.04)
    with pytest.raises(AnnotationError, match="1 of 1000"):
        tidied(many(1000, 1, spoil), share=0)


def test_several_kinds_of_faults_are_told_at_once():
    spoiled = many(1000, 40, lose_box)
    for entry in spoiled["annotations"][100:200]:
        entry["image_id"] = 99
    with pytest.raises(AnnotationError, match=r"100 of 1000 .* not listed.*; 40 of 1000 .* box"):
        tidied(spoiled)


# Pictures.


@pytest.fixture
def folder(tmp_path):
    """A folder with a picture of the tree's, and one in a folder of it."""
    found = tmp_path / "mine pictures"
    (found / "sub").mkdir(parents=True)
    Image.new("RGB", (64, 48)).save(found / "b.jpg")
    Image.new("RGB", (40, 30)).save(found / "sub/a.jpg")
    return PictureFolder(found)


@pytest.mark.parametrize(
    "name",
    [
        "sub/a.jpg", "./sub/a.jpg", "sub\\a.jpg", "SUB/A.JPG", "mine pictures/sub/a.jpg",
        "mine%20pictures/sub/a.jpg", "mine pictures\\sub\\a.jpg", "{folder}/sub/a.jpg",
    ],
)  # fmt: skip
def test_a_files_name_is_found_as_it_is_meant(folder, name):
    given_tree = with_entry("images", 1, file_name=name.format(folder=folder.path))
    dataset = read(given_tree, folder=folder)
    assert dataset.images["file_name"].tolist() == ["sub/a.jpg", "b.jpg"]
    assert dataset.left_out == {}


def test_links_that_lead_round_are_followed_once(folder):
    for name in ("one", "other"):
        (folder.path / "sub" / name).symlink_to("..")
        (folder.path / name).symlink_to("sub")
    assert {"b.jpg", "one/a.jpg", "other/a.jpg", "sub/a.jpg"} <= folder.names
    assert len(folder.names) < 50


def test_accents_may_be_composed_or_not(folder):
    (folder.path / "b.jpg").rename(folder.path / "Fu\u0308r.jpg")
    dataset = read(with_entry("images", 0, file_name="F\u00fcr.jpg"), folder=folder)
    assert dataset.images["file_name"].tolist()[1] == "Fu\u0308r.jpg"


def test_a_backslash_that_a_file_has_in_its_name_is_none_between_folders(folder):
    (folder.path / "b.jpg").rename(folder.path / "sub\\a.jpg")
    dataset = read(with_entry("images", 0, file_name="sub\\a.jpg"), folder=folder)
    # Such a name may not leave the folder on another system.
    assert dataset.images["file_name"].tolist()[1] == "sub\\a.jpg"


def test_a_missing_picture_is_left_out_with_its_annotations(folder):
    given_tree = with_entry("images", 1, file_name="gone.jpg")
    assert counts(given_tree, folder=folder) == {"missing_picture": 1, "of_left_out_picture": 1}
    assert read(given_tree, folder=folder).annotations["image_id"].tolist() == [7, 7]


def test_too_many_missing_pictures_are_told_in_one_line(folder):
    images = [{"id": k, "file_name": f"{k}.jpg", "width": 64, "height": 48} for k in range(16)]
    for image in images[4:]:
        Image.new("L", (64, 48)).save(folder.path / image["file_name"])
    given_tree = tree() | {"images": images, "annotations": []}
    with pytest.raises(AnnotationError, match=r"4 of 16 pictures not in .* \(file_name '0\.jpg'\)"):
        tidied(given_tree, folder=folder)


@pytest.mark.parametrize("size", [{"width": None}, {"width": "64", "height": "48"}, {"height": 0}])
def test_a_size_that_the_annotations_lack_is_the_pictures(folder, size):
    dataset = read(with_entry("images", 0, **size), folder=folder)
    assert dataset.images[["width", "height"]].to_numpy().tolist() == [[40, 30], [64, 48]]


def test_a_size_of_a_picture_that_lies_on_its_side_is_that_of_the_upright_one(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 48)).save(folder.path / "b.jpg", exif=exif)
    dataset = read(with_entry("images", 0, width=None), folder=folder)
    assert dataset.images[["width", "height"]].to_numpy()[1].tolist() == [48, 64]
    stored = read(with_entry("images", 0, width=None), folder=PictureFolder(folder.path, False))
    assert stored.images[["width", "height"]].to_numpy()[1].tolist() == [64, 48]


# Anything at all.

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)
entries = st.dictionaries(
    st.sampled_from(
        ["id", "image_id", "category_id", "bbox", "name", "file_name", "width", "height", "area",
         "iscrowd", "ignore", "segmentation"]
    ),
    values | st.integers(0, 3) | st.lists(st.integers(-3, 30) | st.floats(), max_size=5),
    max_size=8,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*tree(), "info"]), st.lists(entries, max_size=4) | values))
def test_any_tree_is_read_or_refused_in_one_line(given_tree):
    whole = tree() | given_tree
    try:
        dataset = read(whole, "all", share=1)
    except AnnotationError as error:
        assert str(error).isprintable()
        assert "x.json" in str(error)
    else:
        boxes = dataset.annotations[coco.BOX_COLUMNS].to_numpy()
        assert np.isfinite(boxes).all()
        assert (boxes[:, 2:] >= 0).all()
        assert dataset.annotations["image_id"].isin(dataset.images["image_id"]).all()
