import random

import pytest

from smallsight.datasets import coco
from smallsight.datasets.formats import yolo
from smallsight.runtime.errors import AnnotationError


@pytest.fixture
def read(tmp_path, blank, write):
    """Read a dataset of one picture, 200 x 100, with these labels."""

    def read(labels, *, yaml="names: [person, car]\n"):
        blank("images/a.jpg")
        write("data.yaml", yaml)
        write("labels/a.txt", labels)
        return yolo.read(tmp_path, tmp_path / "images")

    return read


def test_a_box_of_shares_is_one_of_pixels(read):
    tree = read("1 0.5 0.5 0.25 0.1\n\n0 0.05 0.1 0.1 0.2\n")
    assert tree["images"] == [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}]
    assert tree["categories"] == [{"id": 0, "name": "person"}, {"id": 1, "name": "car"}]
    assert tree["annotations"] == [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [75, 45, 50, 10], "area": 500,
         "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 0, "bbox": [0, 0, 20, 20], "area": 400,
         "iscrowd": 0},
    ]  # fmt: skip


def test_a_polygon_has_its_box_and_its_own_area(read):
    (triangle,) = read("0 0.1 0.1 0.5 0.1 0.1 0.9")["annotations"]
    assert triangle["segmentation"] == [[20, 10, 100, 10, 20, 90]]
    assert triangle["bbox"] == [20, 10, 80, 80]
    assert triangle["area"] == 3200


def test_an_oriented_box_is_a_polygon_of_four_points(read):
    (rhombus,) = read("0 0.5 0 1 0.5 0.5 1 0 0.5")["annotations"]
    assert rhombus["bbox"] == [0, 0, 200, 100]
    assert rhombus["area"] == 10_000


@pytest.mark.parametrize("line", ["1.0 0.5 0.5 0.25 0.1", "1 0.5 0.5 0.25 0.1 0.93",
                                  "1.000000e+00 5e-1 5.0E-1 .25 +0.1", "\ufeff1 0.5 0.5 0.25 0.1",
                                  "1 0.5 0.5 0.25 0.1\r"])  # fmt: skip
def test_what_tools_write_otherwise_is_the_same_box(read, line):
    (box,) = read(line)["annotations"]
    assert (box["category_id"], box["bbox"]) == (1, [75, 45, 50, 10])


def test_keypoints_are_no_polygon(read):
    yaml = "names: [person, car]\nkpt_shape: [2, 3]\n"
    (pose,) = read("1 0.5 0.5 0.25 0.1 0.1 0.1 2 0.9 0.9 2", yaml=yaml)["annotations"]
    assert pose["bbox"] == [75, 45, 50, 10]
    assert "segmentation" not in pose


@pytest.mark.parametrize(
    ("yaml", "names"),
    [
        ("names: {0: person, 1: car}", {0: "person", 1: "car"}),
        ("names:\n  1: car\n  0: person\n  10: bus\n", {0: "person", 1: "car", 10: "bus"}),
        ("nc: 2\nnames: ['0', 007]", {0: "0", 1: "007"}),
        ("names: [no, 1e5, nan, True, null]",
         {0: "no", 1: "1e5", 2: "nan", 3: "True", 4: "null"}),
        ("names: [行人, Vélo]", {0: "行人", 1: "Vélo"}),
    ],
)  # fmt: skip
def test_names_are_text_whatever_they_look_like(read, yaml, names):
    tree = read("", yaml=yaml)
    assert {one["id"]: one["name"] for one in tree["categories"]} == names


@pytest.mark.parametrize(
    ("yaml", "found"),
    [
        ("path: .", "no names"),
        ("names: car", "no names"),
        ("names: []", "no names"),
        ("names: [car, '']", "class 1 has no name"),
        ("names: [car, [bus]]", "class 1 has no name"),
        ("nc: 3\nnames: [car, bus]", "nc 3 beside 2 names"),
        ("names: {a: car}", "a name under a"),
        ("names: {0: car, 0: bus}", "line 1: no YAML (key '0' stands twice)"),
        ("names: [car", "no YAML"),
        ("names: [car]\nkpt_shape: [17]", "kpt_shape"),
        ("- car", "no names"),
    ],
)
def test_a_description_without_names_is_one_line(read, yaml, found):
    with pytest.raises(AnnotationError) as caught:
        read("0 0.5 0.5 0.1 0.1", yaml=yaml)
    assert found in str(caught.value)
    assert "data.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_faults_are_counted_in_one_line(tmp_path, blank, write):
    write("data.yaml", "names: [person]")
    labels = {
        "a": "0 0.5 0.5 0.1 0.1\nperson 0.5 0.5 0.1 0.1\n0 0,5 0.5 0.1 0.1\n",
        "b": "0 0.5 0.5 nan 0.1\n1 0.5 0.5 0.1 0.1\n",
        "c": "0 0.5 0.5\n0 0.1 0.1 0.2 0.2 0.3 0.3 0.4\n0 100 50 20 10\n",
        "d": "0 0.5 0.5 0.1 1_0\n",
    }
    for name, text in labels.items():
        blank(f"images/{name}.png")
        write(f"labels/{name}.txt", text)
    (tmp_path / "images/e.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(AnnotationError) as caught:
        yolo.read(tmp_path, tmp_path / "images")
    folder = tmp_path / "labels"
    for told in (
        f"lines that do not hold a class index and numbers: 4 (first: {folder}/a.txt, line 2)",
        f"class indices that data.yaml does not name: 1 (first: {folder}/b.txt, line 2)",
        f"lines that hold neither four numbers nor points: 2 (first: {folder}/c.txt, line 1)",
        f"coordinates that are no shares of the picture: 1 (first: {folder}/c.txt, line 3)",
        f"pictures whose header cannot be read: 1 (first: {tmp_path}/images/e.png)",
    ):
        assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_labels_that_are_no_text_are_a_fault(tmp_path, read):
    read("")
    (tmp_path / "labels/a.txt").write_bytes(b"\xff\xfe0 0.5")
    with pytest.raises(AnnotationError, match="files that cannot be read as text: 1"):
        yolo.read(tmp_path, tmp_path / "images")


@pytest.mark.parametrize(
    ("picture", "labels", "images"),
    [
        ("images/val/a.jpg", "labels/val/a.txt", "images/val"),
        ("images/val/a.jpg", "labels/val/a.txt", "images"),
        ("val/images/sub/a.b.JPG", "val/labels/sub/a.b.txt", "val/images"),
        ("images/images/a.jpg", "images/labels/a.txt", "images"),
        ("pictures/a.jpg", "labels/a.txt", "pictures"),
        ("flat/a.jpg", "flat/a.txt", "flat"),
        ("images/été/图.jpg", "labels/été/图.txt", "images"),
    ],
)
def test_labels_are_found_where_tools_lay_them(tmp_path, blank, write, picture, labels, images):
    blank(picture)
    write("data.yaml", "names: [person]")
    write(labels, "0 0.5 0.5 0.1 0.1")
    tree = yolo.read(tmp_path, tmp_path / images)
    (image,), (annotation,) = tree["images"], tree["annotations"]
    assert f"{images}/{image['file_name']}" == picture
    assert annotation["bbox"] == [90, 45, 20, 10]


@pytest.mark.parametrize("name", ["data.yaml", "coco8.yaml", "classes.txt", "obj.names"])
def test_names_are_found_in_the_folder(tmp_path, read, write, name):
    read("1 0.5 0.5 0.1 0.1")
    (tmp_path / "data.yaml").unlink()
    write(name, "names: [person, car]" if name.endswith("yaml") else "person\ncar\n\n")
    tree = yolo.read(tmp_path, tmp_path / "images")
    assert [one["name"] for one in tree["categories"]] == ["person", "car"]


def test_pictures_without_labels_have_no_objects(tmp_path, blank, read, write):
    blank("images/b.png")
    blank("images/c.png")
    blank("images/._a.jpg".replace("._a", "d"))
    (tmp_path / "images/._a.jpg").write_bytes(b"macOS")
    (tmp_path / "images/notes.txt").write_text("no picture")
    write("labels/b.txt", "\n")
    tree = read("0 0.5 0.5 0.1 0.1")
    assert [one["file_name"] for one in tree["images"]] == ["a.jpg", "b.png", "c.png", "d.jpg"]
    assert [one["image_id"] for one in tree["annotations"]] == [1]


def test_a_dataset_without_any_label_is_no_dataset(tmp_path, blank, write):
    blank("images/a.jpg")
    write("data.yaml", "names: [person]")
    with pytest.raises(AnnotationError, match="no label file of any of 1 pictures"):
        yolo.read(tmp_path, tmp_path / "images")


@pytest.mark.parametrize("lacking", ["data.yaml", "images"])
def test_what_is_missing_is_named(tmp_path, read, lacking):
    read("")
    (tmp_path / lacking).rename(tmp_path / "elsewhere")
    with pytest.raises(AnnotationError, match=lacking):
        yolo.read(tmp_path, tmp_path / "images")


def test_labels_that_nothing_watches_are_refused(tmp_path, blank, write):
    blank("images/a.jpg")
    write("labels/a.txt", "0 0.5 0.5 0.1 0.1")
    write("described/data.yaml", "names: [person]")
    with pytest.raises(AnnotationError, match="label files outside of both folders: 1"):
        yolo.read(tmp_path / "described", tmp_path / "images")
    with pytest.raises(AnnotationError, match="no folder; expected the folder"):
        yolo.read(tmp_path / "described/data.yaml", tmp_path / "images")


def test_shares_are_of_the_upright_picture(tmp_path, blank, read):
    read("0 0.5 0.5 0.1 0.1")
    blank("images/a.jpg", orientation=6)
    tree = yolo.read(tmp_path, tmp_path / "images")
    assert (tree["images"][0]["width"], tree["images"][0]["height"]) == (100, 200)
    assert tree["annotations"][0]["bbox"] == [45, 90, 10, 20]
    stored = yolo.read(tmp_path, tmp_path / "images", is_upright=False)
    assert stored["annotations"][0]["bbox"] == [90, 45, 20, 10]


def test_a_dataset_written_as_yolo_is_the_same_again(tmp_path, blank, write):
    """Any corners, written with six decimals, come back within a thousandth of a pixel."""
    rng = random.Random(5)
    given = []
    for picture in range(20):
        width, height = rng.randint(50, 900), rng.randint(50, 900)
        blank(f"images/{picture:03}.png", size=(width, height))
        lines = []
        for _ in range(rng.randint(0, 5)):
            x, y = rng.uniform(0, width - 2), rng.uniform(0, height - 2)
            w, h = rng.uniform(1, width - x), rng.uniform(1, height - y)
            given.append([x, y, w, h])
            shares = ((x + w / 2) / width, (y + h / 2) / height, w / width, h / height)
            lines.append(" ".join(["1", *(f"{share:.6f}" for share in shares)]))
        write(f"labels/{picture:03}.txt", "\n".join(lines))
    write("data.yaml", "names: [person, car]")
    tree = yolo.read(tmp_path, tmp_path / "images")
    assert [one["bbox"] for one in tree["annotations"]] == [
        pytest.approx(box, abs=1e-3) for box in given
    ]
    coco.parse(tree, ("person", "car"), where="yolo")
