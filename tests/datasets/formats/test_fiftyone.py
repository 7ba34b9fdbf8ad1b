import json
import re

import pytest

from smallsight.datasets import coco
from smallsight.datasets.formats import fiftyone
from smallsight.runtime.errors import AnnotationError


@pytest.fixture
def read(tmp_path, blank, write):
    """Read an export of pictures a.jpg and sub/b.png, 200 x 100."""

    def read(tree, *, name="labels.json", given="."):
        blank("data/a.jpg")
        blank("data/sub/b.png")
        write(name, tree if isinstance(tree, str) else json.dumps(tree))
        return fiftyone.read(tmp_path / given, tmp_path / "data")

    return read


def detection(label="car", box=(0.1, 0.2, 0.5, 0.25), **more):
    return {"label": label, "bounding_box": list(box), **more}


def sample(path, *detections, field="ground_truth", **more):
    value = {"_cls": "Detections", "detections": list(detections)}
    return {"filepath": path, field: value, **more}


EXPECTED = [
    {"id": 1, "image_id": 1, "category_id": 2, "bbox": [20, 20, 100, 25], "area": 2500,
     "iscrowd": 0},
    {"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0, 200, 100], "area": 20_000,
     "iscrowd": 0},
]  # fmt: skip


@pytest.mark.parametrize(
    ("classes", "car", "bus"), [(None, "car", "bus"), (["bus", "car"], 1, 0),
                                (["bus", "car"], "car", "bus")],
)  # fmt: skip
@pytest.mark.parametrize("key", ["a", "a.jpg"])
def test_image_detections(read, classes, car, bus, key):
    labels = {key: [detection(car), detection(bus, (0, 0, 1, 1), confidence=1)], "sub/b": None}
    tree = read({"classes": classes, "labels": labels})
    assert [one["file_name"] for one in tree["images"]] == ["a.jpg", "sub/b.png"]
    assert tree["categories"] == [{"id": 1, "name": "bus"}, {"id": 2, "name": "car"}]
    assert tree["annotations"] == EXPECTED
    coco.parse(tree, ("car", "bus"), where="fiftyone")


def test_labels_without_classes_may_be_numbers(read):
    tree = read({"labels": {"a": [detection(7)]}})
    assert tree["categories"] == [{"id": 1, "name": "7"}]


@pytest.mark.parametrize("given", [".", "samples.json"])
@pytest.mark.parametrize("path", ["data/a.jpg", "/elsewhere/before/a.jpg", r"data\a.jpg"])
def test_samples(read, given, path):
    samples = [
        sample(path, detection(_cls="Detection"), detection("bus", (0, 0, 1, 1))),
        {"filepath": "data/sub/b.png", "ground_truth": None},
    ]
    tree = read({"samples": samples}, name="samples.json", given=given)
    assert [one["file_name"] for one in tree["images"]] == ["a.jpg", "sub/b.png"]
    assert tree["annotations"] == EXPECTED


@pytest.mark.parametrize("more", [{"iscrowd": 1}, {"attributes": {"iscrowd": 1}}])
def test_crowds_are_crowds(read, more):
    tree = read({"labels": {"a": [detection(**more), detection()]}})
    assert [one["iscrowd"] for one in tree["annotations"]] == [1, 0]


def test_a_name_that_several_pictures_have_is_not_guessed(read, blank):
    blank("data/other/b.png")
    found = "samples whose filepath may be of several pictures: 1 (first: /before/b.png)"
    with pytest.raises(AnnotationError, match=re.escape(found)):
        read({"samples": [sample("/before/b.png", detection())]}, name="samples.json")


def test_of_several_fields_the_ground_truth_is_read(read):
    both = sample(
        "data/a.jpg", detection("bus"), predictions=sample("", detection(), field="x")["x"]
    )
    tree = read({"samples": [both]}, name="samples.json")
    assert tree["categories"] == [{"id": 1, "name": "bus"}]
    (one,) = read(
        {"samples": [sample("data/a.jpg", detection(), field="boxes")]}, name="samples.json"
    )["annotations"]
    assert one["bbox"] == [20, 20, 100, 25]


@pytest.mark.parametrize(
    ("samples", "found"),
    [
        ([{"filepath": "data/a.jpg"}], "no field of detections"),
        (
            [sample("data/a.jpg", field="mine"), sample("data/a.jpg", field="yours")],
            "several fields of detections (mine, yours)",
        ),
        ([sample("data/a.jpg"), 5, {}], "samples without a filepath: 2"),
        ([sample("data/gone.jpg")], "samples of pictures that are not there: 1"),
    ],
)
def test_samples_that_cannot_be_read_are_one_line(read, samples, found):
    with pytest.raises(AnnotationError) as caught:
        read({"samples": samples}, name="samples.json")
    assert found in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_faults_are_counted_in_one_line(tmp_path, read):
    labels = {
        "a": [detection(""), detection(None), detection(box=(0, 0, 1)), detection(box="0011"),
              detection(box=(0, 0, float("nan"), 1)), detection(box=(20, 20, 100, 25)), "x"],
        "gone": [detection()],
        "sub/b": {"detections": []},
    }  # fmt: skip
    with pytest.raises(AnnotationError) as caught:
        read({"labels": labels})
    where = f"{tmp_path}/labels.json"
    for told in (
        "labels of pictures that are not there: 1 (first: gone)",
        f"detections without a label: 3 (first: {where}: a.jpg, detection 1)",
        f"detections without a box of four shares: 4 (first: {where}: a.jpg, detection 3)",
        f"detections that are no list: 1 (first: {where}: sub/b.png)",
    ):
        assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        ("[]", "a JSON list"),
        ("{", "no JSON"),
        ({}, "neither labels nor samples"),
        ({"labels": {}, "classes": "car"}, "classes that are no texts"),
    ],
)
def test_what_is_no_export_is_named(read, tree, found):
    with pytest.raises(AnnotationError, match=found):
        read(tree)


def test_a_folder_without_an_export_is_named(tmp_path, read):
    with pytest.raises(AnnotationError, match="no export of FiftyOne"):
        read({"labels": {}}, given="data")
