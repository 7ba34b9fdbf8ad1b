import dataclasses
import errno
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from builders.full_disk import room_for
from smallsight.datasets import coco, phantom_scenes
from smallsight.datasets.phantom_scenes import PhantomData
from smallsight.imaging import masks
from smallsight.params import validate
from smallsight.runtime.errors import AnnotationError, ParameterError, PictureError

CATEGORIES = ("person", "car", "truck", "bus", "bicycle", "motorcycle")


@pytest.fixture
def settings():
    return PhantomData(
        scenes=4,
        width=160,
        height=120,
        context=0.6,
        clutter=0.5,
        neighbours=0.3,
        class_mix=0.0,
        small_blur=0.0,
        haze=0.35,
        noise=0.02,
    )


@pytest.fixture
def source(settings):
    return phantom_scenes.Phantom(settings, seed=3)


@pytest.mark.parametrize("name", ["context", "clutter", "neighbours", "class_mix", "haze", "noise"])
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_a_share_outside_its_range_is_refused_by_name(settings, name, value):
    with pytest.raises(ParameterError, match=f"phantom.{name}"):
        validate(PhantomData, settings.model_dump() | {name: value}, where="params.data.phantom")


@pytest.mark.parametrize("bad", [{"small_blur": -1.0}, {"width": 10}, {"height": 63}])
def test_impossible_pictures_are_refused(settings, bad):
    with pytest.raises(ParameterError):
        validate(PhantomData, settings.model_dump() | bad, where="params.data.phantom")


def test_all_settings_but_the_number_of_scenes_are_dials(settings, source):
    assert {"scenes": 4} | dataclasses.asdict(source.dials) == settings.model_dump()


def parse(source, categories=CATEGORIES):
    return coco.parse(source.annotations(), categories, where=source.where)


def test_annotations_pass_the_readers_checks(source):
    dataset = parse(source)
    assert dataset.images["image_id"].tolist() == [1, 2, 3, 4]
    assert dataset.images["file_name"][0] == "phantom_000001.jpg"
    assert len(dataset.annotations) > 4
    ids = dataset.annotations.groupby("category_name")["category_id"].first().to_dict()
    assert ids.items() <= phantom_scenes.COCO_IDS.items()


def test_area_and_box_are_the_masks(source):
    dataset = parse(source)
    for row in dataset.annotations.itertuples():
        mask = masks.decode(dataset.segmentation(row.Index), width=160, height=120)
        assert mask.sum() == row.area
        x, y, w, h = (int(v) for v in (row.bbox_x, row.bbox_y, row.bbox_w, row.bbox_h))
        box = np.zeros_like(mask)
        box[y : y + h, x : x + w] = True
        assert not (mask & ~box).any()
        inside = mask[y : y + h, x : x + w]
        assert all(edge.any() for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))


def test_categories_may_be_fewer_but_not_unknown(source):
    assert set(parse(source, ["car"]).annotations["category_name"]) <= {"car"}
    with pytest.raises(AnnotationError, match=r"phantom: no category 'tram'.*bicycle, bus, car"):
        parse(source, ["car", "tram"])


def test_workers_change_no_byte(source, tmp_path, monkeypatch, snapshot):
    trees, folders = [], []
    for workers in ("1", "2"):
        monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
        trees.append(source.annotations())
        source.fetch(parse(source).images, tmp_path / workers)
        folders.append(snapshot(tmp_path / workers))
    assert trees[0] == trees[1]
    assert folders[0] == folders[1]


def test_a_picture_is_the_same_alone(source, tmp_path, snapshot):
    images = parse(source).images
    source.fetch(images, tmp_path / "out")
    together = snapshot(tmp_path / "out")
    source.fetch(images[2:3], tmp_path / "out")
    name = "phantom_000003.jpg"
    assert snapshot(tmp_path / "out") == {name: together[name]}


def test_more_scenes_change_none(settings):
    few, many = (
        phantom_scenes.Phantom(settings.model_copy(update={"scenes": n}), seed=3).annotations()
        for n in (2, 4)
    )
    assert many["annotations"][: len(few["annotations"])] == few["annotations"]


def test_seed_and_dials_change_the_pictures(source, settings, tmp_path, snapshot):
    def bytes_of(source):
        source.fetch(parse(source).images[:1], tmp_path / "out")
        return snapshot(tmp_path / "out")

    noisy = phantom_scenes.Phantom(settings.model_copy(update={"noise": 0.2}), seed=3)
    other = phantom_scenes.Phantom(settings, seed=4)
    first = bytes_of(source)
    # All under one name: what lies there from other dials must not pass for a picture of these.
    assert bytes_of(noisy) != first
    assert bytes_of(other) != first
    assert bytes_of(source) == first


def test_pictures_are_fine_jpegs(source, tmp_path):
    source.fetch(parse(source).images[:1], tmp_path / "out")
    with Image.open(tmp_path / "out/phantom_000001.jpg") as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (160, 120))
        assert {layer[1:3] for layer in picture.layer} == {(1, 1)}  # no channel at half size


@pytest.mark.usefixtures("single_worker")
def test_a_full_disk_is_told_as_such(source, tmp_path, snapshot):
    images = parse(source).images[:1]
    source.fetch(images, tmp_path / "out")
    before = snapshot(tmp_path / "out")
    size = (tmp_path / "out/phantom_000001.jpg").stat().st_size
    with pytest.raises(OSError) as caught, room_for(size - 1):
        source.fetch(images, tmp_path / "out")
    assert caught.value.errno == errno.EFBIG
    assert snapshot(tmp_path / "out") == before


def test_what_nobody_sees_is_not_annotated(source, monkeypatch):
    seen = np.zeros((120, 160), dtype=bool)
    seen[10:20, 30:70] = True
    things = [
        SimpleNamespace(category="bus", mask=seen),
        SimpleNamespace(category="car", mask=np.zeros_like(seen)),
    ]
    monkeypatch.setattr(phantom_scenes.phantom, "silhouettes", lambda layout: things)
    annotations = parse(source).annotations
    assert annotations["category_name"].tolist() == ["bus"] * 4
    assert annotations[coco.BOX_COLUMNS].drop_duplicates().to_numpy().tolist() == [[30, 10, 40, 10]]


def test_failure_leaves_the_folder_as_it_was(source, tmp_path, monkeypatch, snapshot):
    images = parse(source).images
    source.fetch(images[:2], tmp_path / "out")
    before = snapshot(tmp_path / "out")
    small = np.zeros((5, 5, 3), np.uint8)
    monkeypatch.setattr(phantom_scenes.phantom, "paint", lambda layout, rng: small)
    with pytest.raises(PictureError, match=r"phantom_000001\.jpg.*5 x 5 pixels; expected 160 x"):
        source.fetch(images, tmp_path / "out")
    assert snapshot(tmp_path / "out") == before
