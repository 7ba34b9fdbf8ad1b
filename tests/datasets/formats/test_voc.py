import pytest

from smallsight.datasets import coco
from smallsight.datasets.formats import voc
from smallsight.runtime.errors import AnnotationError

OBJECT = """<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>
<xmin>{box[0]}</xmin><ymin>{box[1]}</ymin><xmax>{box[2]}</xmax><ymax>{box[3]}</ymax>
</bndbox>{more}</object>"""


def entry(name="car", box=(11, 21, 60, 40), *, difficult=0, more=""):
    return OBJECT.format(name=name, box=box, difficult=difficult, more=more)


def document(*entries, filename="a.jpg", size=(200, 100), database="Unknown"):
    sides = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>" if size else ""
    return (
        f"<annotation><filename>{filename}</filename><source><database>{database}</database>"
        f"</source>{sides}{''.join(entries)}</annotation>"
    )


@pytest.fixture
def read(tmp_path, blank, write):
    """Read a dataset of one picture, 200 x 100, with this file."""

    def read(text):
        blank("images/a.jpg")
        write("xml/a.xml", text)
        return voc.read(tmp_path / "xml", tmp_path / "images")

    return read


def test_corners_are_edges(read):
    tree = read(document(entry(), entry("bus", (0, 0, 200, 100), difficult=1)))
    assert tree["images"] == [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}]
    assert tree["categories"] == [{"id": 1, "name": "bus"}, {"id": 2, "name": "car"}]
    assert tree["annotations"] == [
        {"id": 1, "image_id": 1, "category_id": 2, "bbox": [11, 21, 49, 19], "area": 931,
         "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0, 200, 100], "area": 20_000,
         "iscrowd": 0},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("database", "least", "box"),
    [
        ("The VOC2007 Database", 1, [10, 20, 50, 20]),
        ("roboflow.ai", 1, [10, 20, 50, 20]),
        ("The VOC2007 Database", 0, [11, 21, 49, 19]),
        ("Unknown", 1, [11, 21, 49, 19]),
    ],
)
def test_pixels_are_numbered_from_1_only_where_the_files_say_so(read, database, least, box):
    """VOC's own box of pixels 11 to 60 is 50 pixels wide, and begins at 10."""
    other = entry(box=(least, 5, 200, 100))
    tree = read(document(entry(), other, database=database))
    assert tree["annotations"][0]["bbox"] == box


def test_one_file_of_another_tool_makes_all_corners_edges(tmp_path, blank, read, write):
    blank("images/b.jpg")
    write("xml/b.xml", document(entry(), filename="b.jpg"))
    tree = read(document(entry(), database="The VOC2012 Database"))
    assert [one["bbox"] for one in tree["annotations"]] == [[11, 21, 49, 19]] * 2


def test_a_polygon_stands_beside_its_box(read):
    points = (
        "<polygon><x1>11</x1><y1>21</y1><x2>60</x2><y2>21</y2><x3>60</x3><y3>40.5</y3></polygon>"
    )
    (edges,) = read(document(entry(more=points)))["annotations"]
    assert edges["segmentation"] == [[11, 21, 60, 21, 60, 40.5]]
    assert edges["area"] == 49 * 19.5 / 2
    (pixels,) = read(document(entry(more=points), database="roboflow.ai"))["annotations"]
    assert pixels["segmentation"] == [[10, 20, 59, 20, 59, 39.5]]


@pytest.mark.parametrize("size", [None, (0, 0), ("", ""), (200, 0)])
def test_a_size_that_is_missing_is_the_headers(read, size):
    (image,) = read(document(entry(), size=size))["images"]
    assert (image["width"], image["height"]) == (200, 100)


def test_a_size_that_is_missing_is_that_of_the_picture_as_it_is_used(tmp_path, blank, write):
    blank("images/a.jpg", orientation=6)
    write("xml/a.xml", document(entry(), size=None))
    for is_upright, due in ((True, 100), (False, 200)):
        (image,) = voc.read(tmp_path / "xml", tmp_path / "images", is_upright)["images"]
        assert image["width"] == due


def test_a_size_that_is_there_stands(read):
    (image,) = read(document(entry(), size=(400, 300)))["images"]
    assert (image["width"], image["height"]) == (400, 300)


@pytest.mark.parametrize(
    ("xml", "filename", "picture"),
    [
        ("a.xml", "old-name.jpg", "a.jpg"),
        ("a.xml", "", "a.jpg"),
        ("a.xml", "a", "a.jpg"),
        ("label-1.xml", "a.jpg", "a.jpg"),
        ("label-1.xml", "a", "a.jpg"),
        ("label-1.xml", r"C:\Users\me\a.jpg", "a.jpg"),
        ("sub/label-1.xml", "b.PNG", "sub/b.PNG"),
        ("sub/b.xml", "a.jpg", "sub/b.PNG"),
        ("sub/a.xml", "a.jpg", "a.jpg"),
        ("图.xml", "图.webp", "图.webp"),
        ("gone.xml", "gone.png", "gone.png"),
        ("gone.xml", "", "gone.jpg"),
    ],
)
def test_the_picture_is_that_of_the_stem_or_of_the_filename(
    tmp_path, blank, write, xml, filename, picture
):
    for name in ("a.jpg", "sub/b.PNG", "图.webp"):
        blank(f"images/{name}")
    write(f"xml/{xml}", document(entry(), filename=filename))
    (image,) = voc.read(tmp_path / "xml", tmp_path / "images")["images"]
    assert image["file_name"] == picture


def test_of_two_endings_the_filename_says_which(tmp_path, blank, read):
    blank("images/a.png")
    (image,) = read(document(entry(), filename="a.png"))["images"]
    assert image["file_name"] == "a.png"


def test_pictures_and_files_may_lie_together(tmp_path, blank, write):
    blank("train/a.jpg")
    blank("train/b.jpg")
    write("train/a.xml", document(entry()))
    tree = voc.read(tmp_path / "train", tmp_path / "train")
    assert [one["file_name"] for one in tree["images"]] == ["a.jpg"]


def test_a_picture_that_is_missing_is_left_for_tidying_with_a_size_or_without(tmp_path, write):
    write("images/sub/readme.txt", "")
    write("xml/a.xml", document(entry(), size=None))
    write("xml/b.xml", document(entry(), filename="b.jpg"))
    images = voc.read(tmp_path / "xml", tmp_path / "images")["images"]
    assert [one["file_name"] for one in images] == ["a.jpg", "b.jpg"]
    assert [one["width"] for one in images] == [0, 200]


def test_all_faults_are_counted_in_one_line(tmp_path, blank, write):
    blank("images/a.jpg")
    write("images/b.jpg", "no picture")
    files = {
        "a": document(entry(name=""), entry(box=("x", 1, 2, 3))),
        "b": document(entry(box=("nan", 1, 2, 3)), "<object><name>car</name></object>", size=None),
        "c": "<annotation><object>",
        "d": "",
        "e": "<html/>",
        "f": document(entry(more="<polygon><x1>1</x1><y1>2</y1><x2>3</x2></polygon>")),
    }
    for name, text in files.items():
        write(f"xml/{name}.xml", text.replace("a.jpg", f"{name}.jpg"))
    with pytest.raises(AnnotationError) as caught:
        voc.read(tmp_path / "xml", tmp_path / "images")
    folder = tmp_path / "xml"
    for told in (
        f"objects without a name: 1 (first: {folder}/a.xml, object 1)",
        f"objects without a <bndbox> of four numbers: 3 (first: {folder}/a.xml, object 2)",
        f"files without <size> of pictures that cannot be read: 1 (first: {folder}/b.xml)",
        f"files that are no XML: 2 (first: {folder}/c.xml)",
        f"files that do not hold an <annotation>: 1 (first: {folder}/e.xml)",
        f"polygons that are no pairs of numbers: 1 (first: {folder}/f.xml, object 1)",
    ):
        assert told in str(caught.value)
    assert "\n" not in str(caught.value)


BOMB = (
    '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>'
    "<annotation><filename>&c;</filename></annotation>"
)
ENCODED = '<?xml version="1.0" encoding="{}"?><a/>'
FOREIGN = (
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    "<annotation><filename>&x;</filename></annotation>"
)


@pytest.mark.parametrize("text", [BOMB, FOREIGN, *map(ENCODED.format, ("none-such", "gb2312"))])
def test_hostile_xml_is_refused(read, text):
    with pytest.raises(AnnotationError, match="files with entities, or in an encoding that is not"):
        read(text)


def test_a_folder_without_xml_is_named(tmp_path, blank):
    blank("images/a.jpg")
    with pytest.raises(AnnotationError, match="no XML files"):
        voc.read(tmp_path / "images", tmp_path / "images")
    with pytest.raises(AnnotationError, match="no such folder"):
        voc.read(tmp_path / "none", tmp_path / "images")


def test_a_dataset_written_as_voc_is_the_same_again(tmp_path, blank, write):
    boxes = [[n, 2 * n, 10 + n, 5 + n] for n in range(30)]
    for number, (x, y, width, height) in enumerate(boxes):
        blank(f"images/{number:02}.jpg")
        write(f"xml/{number:02}.xml", document(entry(box=(x, y, x + width, y + height))))
    tree = voc.read(tmp_path / "xml", tmp_path / "images")
    assert [one["bbox"] for one in tree["annotations"]] == boxes
    coco.parse(tree, ("car",), where="voc")
