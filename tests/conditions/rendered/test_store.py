import json
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from builders.families import EVERY, ON_FRAMES, ON_WINDOWS, levels
from smallsight.conditions.rendered import store
from smallsight.conditions.rendered.names import read_all_facts, read_facts, write_facts
from smallsight.conditions.rendered.store import (
    Pictures,
    archive_of,
    new_pictures,
    packed_mask,
    picture_name,
    read_file,
    read_masks,
    read_pictures,
    unpack,
    write_masks,
)
from smallsight.conditions.rendered.views import VIEWS, read_changed_views, read_views
from smallsight.conditions.rendering.levels import facts_of
from smallsight.imaging.png import png
from smallsight.runtime.errors import PictureError
from smallsight.vocabulary import TASKS

CONDITIONS = {
    name: facts_of(EVERY[name]).conditions for name in ("orig_full", "bg_swap", "downscale")
}


@pytest.fixture
def folder(tmp_path):
    """Tables of views, as rendering leaves them: two objects under every condition."""
    for number, (name, steps) in enumerate(CONDITIONS.items()):
        rows = [
            dict.fromkeys(VIEWS.names, 10 * number + place)
            | {"task": step.task, "level": step.level, "image_id": 7, "ann_id": ann_id}
            for place, step in enumerate(steps)
            for ann_id in (70, 71)
        ]
        (tmp_path / name).mkdir()
        pd.DataFrame(rows).to_csv(tmp_path / name / "views.csv", index=False)
    return tmp_path


def evaluated(*names):
    """Rows of the conditions of these tasks and names in both regimes."""
    steps = {(step.task, step.name): step for steps in CONDITIONS.values() for step in steps}
    rows = [
        {"task": task, "regime": regime, "condition": name, "family": steps[task, name].family,
         "level": steps[task, name].level}
        for regime in ("fixed", "retrained") for task, name in names
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_conditions_views_are_those_of_its_task_and_level(folder):
    for number, steps in enumerate(CONDITIONS.values()):
        for place, step in enumerate(steps):
            views = read_views(folder, step)
            assert list(views.columns) == VIEWS.names[2:]
            assert views["ann_id"].tolist() == [70, 71]
            assert (views["ssim_box"] == 10 * number + place).all()


def test_the_first_columns_of_views_say_what_of_a_picture_is_shown():
    assert VIEWS.names[:4] == ["task", "level", "image_id", "ann_id"]


def test_changed_views_are_those_of_all_conditions_but_the_untouched_one(folder):
    names = [
        ("object", "bg_swap/donor=other"), ("scene", "orig_full"), ("object", "orig_full"),
        ("object", "bg_swap"), ("scene", "downscale"), ("object", "downscale"),
    ]  # fmt: skip
    views = read_changed_views(folder, evaluated(*names))
    kept = [name for name in names if name[1] != "orig_full"]
    found = views[["task", "condition"]].drop_duplicates().itertuples(index=False, name=None)
    assert list(found) == kept
    seen = views.set_index(["task", "condition", "ann_id"])["ssim_box"].to_dict()
    due = dict(zip(kept, (11, 10, 20, 21), strict=True))
    assert seen == {(*name, ann_id): due[name] for name in due for ann_id in (70, 71)}


def test_untouched_pictures_alone_have_no_changed_views(folder):
    views = read_changed_views(folder, evaluated(("scene", "orig_full"), ("object", "orig_full")))
    assert len(views) == 0
    assert {*VIEWS.names, "condition"} <= set(views.columns)


def test_pictures_are_named_by_both_ids():
    assert picture_name(3, 30) == "3_30.png"


@pytest.mark.usefixtures("single_worker")
def test_pictures_are_those_of_the_instances_in_their_order(tmp_path, noise):
    instances = pd.DataFrame({"image_id": [7, 3, 7], "ann_id": [70, 30, 71]}, index=[5, 1, 9])
    for ann_id in (30, 31, 70, 71):
        name = picture_name(ann_id // 10, ann_id)
        Image.fromarray(noise(8, 8, ann_id)).save(tmp_path / name)
    pictures = read_pictures(tmp_path, instances)
    assert pictures.dtype == np.uint8
    assert (pictures == np.stack([noise(8, 8, ann_id) for ann_id in (70, 30, 71)])).all()


@pytest.fixture
def kept(tmp_path, noise):
    """Write pictures of 8 pixels as files and as an archive; return both folders."""
    folders = tmp_path / "files/scale=0.5", tmp_path / "archive/scale=0.5"
    for folder, storage in zip(folders, ("files", "archive"), strict=True):
        with new_pictures(folder, storage=storage, objects=5) as write:
            for ann_id in range(5):
                write(picture_name(1, ann_id), png(noise(8, 8, ann_id)))
    return folders


ROWS = pd.DataFrame({"image_id": 1, "ann_id": [3, 0, 4, 1, 2]}, index=[7, 7, 1, 2, 3])


def test_archives_and_files_hold_the_same_pictures(kept, noise):
    due = np.stack([noise(8, 8, ann_id) for ann_id in ROWS["ann_id"]])
    loose, archived = kept
    assert loose.is_dir()
    assert not archive_of(loose).exists()
    assert archive_of(archived).name == "scale=0.5.zip"
    assert not archived.exists()
    for folder in kept:
        assert (read_pictures(folder, ROWS) == due).all()
        assert read_file(folder / "1_4.png") == png(noise(8, 8, 4))
        pictures = pickle.loads(pickle.dumps(Pictures(folder, ROWS)))
        assert len(pictures) == 5
        assert (pictures.read() == due).all()
        assert (pictures.read(slice(1, 4)) == due[1:4]).all()
        assert (pictures.part(slice(1, 4)).read(slice(1, None)) == due[2:4]).all()
        with pytest.raises(FileNotFoundError):
            read_file(folder / "1_5.png")


def test_archives_are_uncompressed_and_have_no_date(kept):
    with zipfile.ZipFile(archive_of(kept[1])) as archive:
        members = archive.infolist()
    assert [one.filename for one in members] == [picture_name(1, n) for n in range(5)]
    assert {one.compress_type for one in members} == {zipfile.ZIP_STORED}
    assert {one.date_time for one in members} == {(1980, 1, 1, 0, 0, 0)}


def test_auto_makes_archives_of_more_objects_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "MOST_FILES", 3)
    for objects, is_archive in ((3, False), (4, True)):
        folder = tmp_path / str(objects)
        with new_pictures(folder, storage="auto", objects=objects):
            pass
        assert (folder.is_dir(), archive_of(folder).exists()) == (not is_archive, is_archive)


def test_each_archive_is_opened_once_though_they_are_read_in_turn(tmp_path, noise, monkeypatch):
    folders = [tmp_path / f"level={number}" for number in range(9)]
    for folder in folders:
        with new_pictures(folder, storage="archive", objects=1) as write:
            write("1_0.png", png(noise(8, 8, 0)))
    opened = []
    zip_file = zipfile.ZipFile
    monkeypatch.setattr(zipfile, "ZipFile", lambda path: opened.append(path) or zip_file(path))
    for folder in 3 * folders:
        assert read_file(folder / "1_0.png") == png(noise(8, 8, 0))
    assert len(opened) == len(folders)


def test_archives_are_unpacked_where_they_lie_among_the_families(kept, tmp_path):
    assert unpack(tmp_path, tmp_path / "out") == 1
    names = [
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png")
    ]
    assert sorted(names) == [f"archive/scale=0.5/1_{n}.png" for n in range(5)]
    for n in range(5):
        assert (tmp_path / f"out/archive/scale=0.5/1_{n}.png").read_bytes() == read_file(
            kept[0] / f"1_{n}.png"
        )


def test_without_archives_nothing_is_unpacked(kept, tmp_path):
    assert unpack(kept[0].parent, tmp_path / "out") == 0
    assert not (tmp_path / "out").exists()


def test_a_damaged_picture_of_an_archive_is_named(kept):
    archive = archive_of(kept[1])
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"IDAT", b"IDAX"))
    for read in (lambda: read_file(kept[1] / "1_4.png"), Pictures(kept[1], ROWS).read):
        with pytest.raises(PictureError, match=r"scale=0\.5\.zip: Bad CRC-32"):
            read()


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_damaged_archive_is_named_and_nothing_is_lost(kept, tmp_path, is_encrypted):
    archive = archive_of(kept[1])
    content = archive.read_bytes()
    flags = content.index(b"PK\1\2") + 8
    encrypted = content[:flags] + b"\1\0" + content[flags + 2 :]
    archive.write_bytes(encrypted if is_encrypted else b"no archive")
    with pytest.raises(PictureError, match=r"scale=0\.5\.zip"):
        read_file(kept[1] / "1_0.png")
    (tmp_path / "out").mkdir()
    with pytest.raises(PictureError, match=r"scale=0\.5\.zip"):
        unpack(tmp_path, tmp_path / "out")
    assert (tmp_path / "out").is_dir()


# Masks.


@pytest.fixture
def covers():
    rng = np.random.default_rng(0)
    keys = [(7, 70), (7, 71), (3, 30), (30, 3)]
    return {key: rng.integers(0, 256, (6, 6), np.uint8) for key in keys}


@pytest.fixture
def zoomed():
    """The reference level of zoom, which has a part in the scene task."""
    return levels("zoom", factor=4)[0].condition


def write(covers, path):
    write_masks({key: packed_mask(cover) for key, cover in covers.items()}, path, size=6)


def test_written_masks_come_back_in_the_order_of_the_instances(tmp_path, covers, zoomed):
    write(covers, tmp_path / "zoom/masks.npz")
    other = {key: 255 - cover for key, cover in covers.items()}
    write(other, tmp_path / "downscale/masks.npz")
    instances = pd.DataFrame(
        {"image_id": [30, 7, 3, 70, 7], "ann_id": [3, 71, 30, 7, 70]}, index=[4, 4, 0, 1, 2]
    )
    found = read_masks(tmp_path, zoomed, instances)
    assert len(found) == 5
    for key, cover in zip(instances.itertuples(index=False, name=None), found, strict=True):
        if key in covers:
            assert cover.dtype == np.uint8
            assert (cover == covers[key]).all()
        else:
            assert not cover.any()


def test_each_task_has_masks_of_its_own(tmp_path, covers):
    scene, thing = (level.condition for level in levels("orig_full"))
    other = {key: 255 - cover for key, cover in covers.items()}
    write(covers, tmp_path / "orig_full/masks.npz")
    write(other, tmp_path / "orig_full/object/masks.npz")
    instances = pd.DataFrame(list(covers), columns=["image_id", "ann_id"])
    for condition, due in ((scene, covers), (thing, other)):
        found = read_masks(tmp_path, condition, instances)
        assert (np.stack(found) == np.stack(list(due.values()))).all()


def test_no_masks_can_be_written_and_read(tmp_path, zoomed):
    write({}, tmp_path / "zoom/masks.npz")
    instances = pd.DataFrame({"image_id": [7, 3], "ann_id": [70, 30]})
    assert [cover.any() for cover in read_masks(tmp_path, zoomed, instances)] == [False] * 2
    assert read_masks(tmp_path, zoomed, instances[:0]) == []


def test_masks_written_again_are_the_same_bytes(tmp_path, covers):
    for name in ("one", "other"):
        write(covers, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


# Facts.


@pytest.mark.parametrize("name", EVERY)
def test_written_facts_come_back(tmp_path, name):
    facts = facts_of(EVERY[name])
    (tmp_path / name).mkdir()
    write_facts(facts, tmp_path / name)
    back = read_facts(tmp_path, name)
    assert back == facts
    assert back.is_intervention == (back.role == "intervention")
    conditions = [one for task in TASKS for one in back.in_task(task)]
    assert tuple(conditions) == facts.conditions
    assert bool(back.in_task("scene")) == (name not in ON_WINDOWS)
    assert bool(back.in_task("object")) == (name not in ON_FRAMES)
    assert all(one.task == task for task in TASKS for one in back.in_task(task))


def test_facts_are_strict_json_and_an_infinite_neutral_value_survives(tmp_path):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    facts = facts_of(levels("orig_crop", margin=0.25))
    assert facts.neutral == {"margin": np.inf}
    write_facts(facts, tmp_path)
    content = json.loads((tmp_path / "family.json").read_text(), parse_constant=refuse)
    assert content == {
        "family": "orig_crop",
        "label": "Crop",
        "description": "the object's box and a margin around it, nothing else",
        "role": "corruption",
        "neutral": {"margin": "inf"},
        "levels": {"scene": ["margin=0.25"], "object": []},
        "reference": "margin=0.25",
    }


def test_the_scene_has_the_reference_alone_and_the_object_every_level(tmp_path):
    write_facts(facts_of(levels("downscale", scale=[0.25, 0.5, 0.125])), tmp_path)
    content = json.loads((tmp_path / "family.json").read_text())
    assert content["levels"] == {
        "scene": ["scale=0.25"], "object": ["scale=0.25", "scale=0.5", "scale=0.125"],
    }  # fmt: skip
    assert content["reference"] == "scale=0.25"
    assert content["neutral"] == {"scale": 1}


def test_the_facts_of_several_families_come_in_the_order_asked_for(tmp_path):
    for name in ("orig_full", "downscale", "bg_swap"):
        (tmp_path / name).mkdir()
        write_facts(facts_of(EVERY[name]), tmp_path / name)
    for names in (("downscale", "orig_full", "bg_swap"), ("bg_swap", "downscale")):
        facts = read_all_facts(tmp_path, names)
        assert tuple(facts) == names
        assert all(facts[name] == read_facts(tmp_path, name) for name in names)
