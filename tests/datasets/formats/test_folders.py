import pytest

from smallsight import params
from smallsight.datasets import coco
from smallsight.datasets.collecting import Reading
from smallsight.datasets.formats import folders
from smallsight.datasets.registry import make_source
from smallsight.imaging.pictures import read_picture
from smallsight.runtime.errors import AnnotationError


@pytest.mark.parametrize(
    "names",
    [
        ("car/a.jpg", "person/a.jpg", "person/deep/b.png"),
        ("train/car/a.jpg", "val/person/a.jpg", "val/person/deep/b.png"),
        ("TEST/car/a.jpg", "Train/person/a.jpg", "Train/person/deep/b.png"),
    ],
)
def test_every_picture_is_one_object(tmp_path, blank, names):
    for name in names:
        blank(f"mine/{name}", size=(30, 20))
    tree = folders.read(tmp_path / "mine", tmp_path / "mine")
    assert tree["images"] == [
        {"id": number, "file_name": name, "width": 30, "height": 20}
        for number, name in enumerate(names, start=1)
    ]
    assert tree["categories"] == [{"id": 1, "name": "car"}, {"id": 2, "name": "person"}]
    assert [one["category_id"] for one in tree["annotations"]] == [1, 2, 2]
    assert all(one["bbox"] == [0, 0, 30, 20] for one in tree["annotations"])
    dataset = coco.parse(tree, ("car", "person"), where="folders")
    assert dataset.annotations["area"].tolist() == [600] * 3


def test_a_class_may_be_called_as_a_part_of_the_data(tmp_path, blank):
    blank("mine/train/a.jpg")
    blank("mine/bus/a.jpg")
    tree = folders.read(tmp_path / "mine", tmp_path / "mine")
    assert [one["name"] for one in tree["categories"]] == ["bus", "train"]


def test_faults_are_counted_in_one_line(tmp_path, blank):
    blank("mine/car/a.jpg")
    blank("mine/b.jpg")
    blank("mine/c.jpg")
    (tmp_path / "mine/car/d.jpg").write_bytes(b"no picture")
    with pytest.raises(AnnotationError) as caught:
        folders.read(tmp_path / "mine", tmp_path / "mine")
    assert f"pictures in no class's folder: 2 (first: {tmp_path}/mine/b.jpg)" in str(caught.value)
    assert f"header cannot be read: 1 (first: {tmp_path}/mine/car/d.jpg)" in str(caught.value)


def test_both_parameters_name_the_same_folder(tmp_path, blank):
    blank("mine/car/a.jpg")
    with pytest.raises(AnnotationError, match="another folder than that of the pictures"):
        folders.read(tmp_path / "instances.json", tmp_path / "mine")


@pytest.mark.parametrize(("orientation", "side"), [("auto", 20), ("upright", 20), ("stored", 30)])
def test_pictures_lie_as_they_are_used(tmp_path, blank, orientation, side):
    """What is measured is what is fetched: a phone's picture is turned, unless all are stored."""
    for name in ("car", "bus"):
        blank(f"mine/{name}/a.jpg", size=(30, 20), orientation=6)
    mine = {"format": "folders", "annotations": str(tmp_path / "mine")}
    mine["images"] = mine["annotations"]
    data = {
        "source": "local",
        "categories": "all",
        "instances": "none.csv",
        "max_bad_share": 0,
        "orientation": orientation,
        "max_pixels": 10**6,
        "local": mine,
    }
    source = make_source(params.validate(params.Data, data, where="data"), seed=0)
    images = coco.parse(source.annotations(), "all", where="mine").images
    assert images["width"].tolist() == [side, side]
    source.fetch(images, tmp_path / "fetched", Reading(orientation))
    assert read_picture(tmp_path / "fetched/car/a.jpg").shape[1] == side
