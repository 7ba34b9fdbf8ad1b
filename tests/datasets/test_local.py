import pytest

from builders.drawn_sample import draw
from smallsight.datasets import coco
from smallsight.datasets.local import Local, LocalData
from smallsight.runtime.errors import AnnotationError, ParameterError, PictureError


@pytest.fixture
def dataset(tmp_path, tree, paint):
    """A folder with annotations and pictures."""
    coco.write(tree, tmp_path / "mine/instances.json")
    for image in tree["images"]:
        paint(tmp_path / "mine/pictures" / image["file_name"], seed=image["id"])
    return tmp_path / "mine"


@pytest.fixture
def source(dataset):
    annotations, pictures = str(dataset / "instances.json"), str(dataset / "pictures")
    return Local(LocalData(format="coco", annotations=annotations, images=pictures))


def test_annotations_are_the_files(source, tree):
    assert source.annotations() == tree


def test_missing_annotations_are_named(source, dataset):
    (dataset / "instances.json").unlink()
    with pytest.raises(AnnotationError, match=r"instances\.json: No such file"):
        source.annotations()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_fetch_copies_just_these(source, dataset, images, tmp_path, snapshot, monkeypatch, workers):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
    before, out = snapshot(dataset), tmp_path / "out"
    source.fetch(images, out)
    source.fetch(images[:2], out)
    expected = {name: before[f"pictures/{name}"] for name in images["file_name"][:2]}
    assert snapshot(out) == expected
    assert snapshot(dataset) == before


def test_pictures_may_lie_in_subfolders(source, images, tmp_path, paint, dataset):
    paint(dataset / "pictures/sub/deep/a.png")
    images = images[:1].assign(file_name="sub/deep/a.png")
    source.fetch(images, tmp_path / "out")
    assert (tmp_path / "out/sub/deep/a.png").exists()


def test_changed_picture_is_copied_anew(source, images, tmp_path, paint, dataset, snapshot):
    source.fetch(images, tmp_path / "out")
    paint(dataset / "pictures" / images["file_name"][0], seed=77)
    source.fetch(images, tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(dataset / "pictures")


def lose(path):
    path.unlink()


def truncate(path):
    path.write_bytes(path.read_bytes()[:-200])


def block(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [lose, truncate, block])
def test_bad_picture_is_named_and_nothing_changes(
    source, dataset, images, tmp_path, snapshot, spoil
):
    source.fetch(images[:2], tmp_path / "out")
    before = snapshot(tmp_path / "out")
    spoiled = dataset / "pictures" / images["file_name"][3]
    spoil(spoiled)
    with pytest.raises(PictureError) as caught:
        source.fetch(images, tmp_path / "out")
    assert str(spoiled) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert snapshot(tmp_path / "out") == before
    assert {path.name for path in tmp_path.iterdir()} == {"mine", "out"}


def test_other_size_is_named(source, images, tmp_path):
    with pytest.raises(PictureError, match="48 x 32 pixels; expected 32 x 48 pixels"):
        source.fetch(images[:1].assign(width=32, height=48), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("out", ["mine/pictures", "mine", "mine/pictures/out"])
def test_own_pictures_are_never_replaced(source, dataset, images, tmp_path, snapshot, out):
    before = snapshot(dataset)
    with pytest.raises(ParameterError, match=r"data\.local\.images"):
        source.fetch(images, tmp_path / out)
    assert snapshot(dataset) == before


def test_real_photographs(real, tmp_path):
    categories = ("person", "car", "truck", "bus", "bicycle", "motorcycle")
    annotations = real / "instances_val2017.json"
    settings = LocalData(format="coco", annotations=str(annotations), images=str(real / "val2017"))
    source = Local(settings)
    dataset = coco.parse(source.annotations(), categories, where=source.where)
    drawn = draw(dataset, per_group=200, person_cap=70)
    sizes = drawn.sample["size_group"].value_counts()
    assert sizes.drop(list(drawn.shortfalls)).eq(200).all()
    persons = drawn.sample[drawn.sample["category_name"] == "person"]["size_group"].value_counts()
    assert persons.between(1, 70).all()
    images = dataset.images[dataset.images["image_id"].isin(drawn.sample["image_id"])][:20]
    source.fetch(images, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(images["file_name"])
