"""The first stages on a dataset of their own, and what they leave where they fail."""

import json
import runpy
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from smallsight import params
from smallsight.datasets import coco, coco_web, local, phantom_scenes
from smallsight.datasets.registry import make_source
from smallsight.imaging.photographs import DUPLICATES
from smallsight.imaging.pictures import InputFormat, write_input_format
from smallsight.runtime.errors import AnnotationError, PictureError
from smallsight.runtime.tables import read_table
from smallsight.sampling.donors import KINDS, read_donors
from smallsight.sampling.instance_masks import read_masks
from smallsight.sampling.sample import SAMPLE, read_sample

ROOT = Path(__file__).parents[2]
WRITTEN = {
    "source/instances.json",
    "samples_step1_person_limited.csv",
    "sampling.json",
    "categories.json",
    "donors.csv",
    "masks.json",
    "objects.csv",
}


@pytest.fixture
def run(tmp_path, monkeypatch, tree, paint):
    """A project folder over a local dataset; runs a stage's `main` there.

    Only the persons have a mask. The cars stand outside the persons' windows, and they outside
    theirs.
    """
    for annotation in tree["annotations"]:
        if annotation["category_id"] == 1:
            annotation["segmentation"] = [[2, 3, 9, 3, 9, 8]]
        else:
            annotation["bbox"][0] = 26.0
    coco.write(tree, tmp_path / "mine/instances.json")
    for image in tree["images"]:
        paint(tmp_path / "mine/pictures" / image["file_name"], seed=image["id"])
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    parameters["data"] |= {
        "source": "local",
        "categories": ["car", "person"],
        "local": {
            "format": "coco",
            "annotations": "mine/instances.json",
            "images": "mine/pictures",
        },
    }
    parameters["data"]["instances"] = str(ROOT / parameters["data"]["instances"])
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(parameters))
    write_input_format(InputFormat(96), tmp_path / "data/input.json")
    monkeypatch.chdir(tmp_path)
    return lambda name, *given: runpy.run_path(str(ROOT / "stages" / f"{name}.py"))["main"](*given)


def test_stages_follow_each_other(run, snapshot):
    assert run("annotate") == "4 pictures, 8 annotations (4 car, 4 person)"
    assert run("sample") == (
        "8 instances of 4 pictures (0 small, 0 medium, 8 large; short of 200: small, medium, large)"
    )
    assert run("fetch") == "4 pictures from source local"
    written = snapshot("data")
    sample = pd.read_csv("data/samples_step1_person_limited.csv")
    assert list(sample.columns) == SAMPLE.names
    assert all(Path(path).is_file() for path in sample["image_path"])
    facts = {"colour.json", "duplicates.csv", "input.json", "pictures.json"}
    assert written.keys() == WRITTEN | facts | {f"images/{name}" for name in sample["file_name"]}
    assert json.loads(written["pictures.json"]) == {
        "source": "mine/pictures",
        "changed": {},
        "in_doubt": {"count": 0, "examples": []},
        "duplicates": {"identical": 0, "near": 0, "photographs": 0, "unjoined": 0},
    }
    assert read_table("data/duplicates.csv", DUPLICATES).empty
    assert json.loads(written["sampling.json"])["requested_per_group"] == 200
    for name in ("annotate", "sample", "fetch"):
        run(name)
    assert snapshot("data") == written


@pytest.mark.parametrize("part", ["", "train/"])
def test_a_folder_per_class_is_said_to_have_no_boxes(run, tree, paint, part):
    parameters = yaml.safe_load(Path("params.yaml").read_text())
    parameters["data"]["local"] = {"format": "folders", "annotations": "own", "images": "own"}
    Path("params.yaml").write_text(yaml.safe_dump(parameters))
    for seed, name in enumerate(("car/1.png", "person/2.png", "person/3.png")):
        paint(Path("own") / part / name, seed=seed)
    said = "3 pictures, 3 annotations (1 car, 2 person); every box is the whole picture"
    assert run("annotate") == said
    assert run("sample").startswith("3 instances of 3 pictures (0 small, 0 medium, 3 large")
    assert run("fetch") == "3 pictures from source local"
    sample = read_sample("data/samples_step1_person_limited.csv")
    assert sample["area_ratio"].eq(1).all()
    assert sample["file_name"].tolist() == [
        f"{part}{name}" for name in ("car/1.png", "person/2.png", "person/3.png")
    ]


def test_ids_that_are_numbered_anew_are_told(run, tree):
    for image in tree["images"]:
        image["id"] = f"picture {image['id']}"
    for annotation in tree["annotations"]:
        annotation["image_id"] = f"picture {annotation['image_id']}"
    coco.write(tree, "mine/instances.json")
    said = "4 pictures, 8 annotations (4 car, 4 person); 4 ids of images numbered anew"
    assert run("annotate") == said
    assert run("sample").startswith("8 instances of 4 pictures")


def test_the_sample_has_donors_masks_and_the_objects_around_it(run, tree):
    tree["annotations"].append(tree["annotations"][0] | {"id": 7, "iscrowd": 1})
    tree["images"].append(tree["images"][0] | {"id": 77, "file_name": "empty.jpg"})
    coco.write(tree, "mine/instances.json")
    run("annotate")
    run("sample")
    sample = read_sample("data/samples_step1_person_limited.csv")
    drawn = read_donors("data/donors.csv")
    assert drawn["ann_id"].tolist() == np.repeat(sample["ann_id"], 2).tolist()
    category = sample.set_index("ann_id")["category_name"]
    alike = category[drawn["ann_id"]].to_numpy() == category[drawn["donor_ann_id"]].to_numpy()
    assert (alike == (drawn["donor"] == "same")).all()
    counts = json.loads(Path("data/sampling.json").read_text())["side_counts"]
    # Persons of 10 x 8 pixels, cars of 20 x 8.
    assert counts == {"8": 4, "12": 4}
    known = read_masks("data/masks.json")
    persons = sample[sample["category_name"] == "person"]
    assert known.keys() == set(zip(persons["image_id"], persons["ann_id"], strict=True))
    objects = pd.read_csv("data/objects.csv")
    assert set(objects["ann_id"]) == {*sample["ann_id"], 7}
    assert list(objects.columns) == coco.ANNOTATION_COLUMNS


def test_another_donors_window_is_as_large_as_the_parameters_say(run, tree):
    """A margin that brings every person into the car's window leaves persons without a donor."""
    parameters = yaml.safe_load(Path("params.yaml").read_text())
    parameters["tasks"]["window_margin"] = 0.8
    Path("params.yaml").write_text(yaml.safe_dump(parameters))
    run("annotate")
    run("sample")
    drawn = read_donors("data/donors.csv")
    category = read_sample("data/samples_step1_person_limited.csv").set_index("ann_id")
    of_person = category.loc[drawn["ann_id"], "category_name"].to_numpy() == "person"
    lacking = drawn["donor_ann_id"].isna().to_numpy()
    assert (lacking == (of_person & (drawn["donor"] == "other"))).all()


def test_what_was_done_to_the_pictures_is_said_and_written(run, tree, paint):
    names = [image["file_name"] for image in tree["images"]]
    exif = Image.Exif()
    exif[0x0112] = 3
    paint(Path("mine/pictures") / names[0], seed=5, exif=exif)
    shutil.copy(f"mine/pictures/{names[1]}", f"mine/pictures/{names[2]}")
    run("annotate")
    run("sample")
    assert run("fetch") == (
        f"4 pictures from source local; 1 turned as EXIF says, such as "
        f"{names[0]}; 1 whose orientation is in doubt, taken upright (as is usual for this source; "
        f"`data.orientation` decides), such as {names[0]}; "
        "2 identical and 0 near-identical pictures of 1 photograph share a fold"
    )
    written = json.loads(Path("data/pictures.json").read_text())
    assert written["changed"]["turned"]["example"] == names[0]
    assert written["in_doubt"]["examples"] == [names[0]]
    assert written["duplicates"]["identical"] == 2
    found = read_table("data/duplicates.csv", DUPLICATES)
    assert found.to_dict("list") == {
        "image_id": [2, 9],
        "group": [2, 2],
        "kind": ["identical", "identical"],
    }


def test_the_colour_is_the_mean_of_the_pictures(run, images):
    for name in ("annotate", "sample", "fetch"):
        run(name)
    means = [
        np.asarray(Image.open(f"mine/pictures/{name}")).mean(axis=(0, 1))
        for name in images["file_name"]
    ]
    (colour,) = json.loads(Path("data/colour.json").read_text()).values()
    assert np.abs(np.mean(means, axis=0) - colour).max() <= 0.5


@pytest.mark.parametrize("categories", [["car", "person"], ["car", "kite"]])
def test_interventions_are_rendered_from_what_the_stages_wrote(run, snapshot, tree, categories):
    """Where every car has a kite at its place, no instance has a donor of another category."""
    tree["categories"].append({"id": 3, "name": "kite"})
    cars = [entry for entry in tree["annotations"] if entry["category_id"] == 2]
    tree["annotations"] += [car | {"id": 100 + car["id"], "category_id": 3} for car in cars]
    coco.write(tree, "mine/instances.json")
    parameters = yaml.safe_load(Path("params.yaml").read_text())
    parameters["conditions"] |= {"object_only": {}}
    parameters["data"]["categories"] = categories
    parameters["backbone"]["input_size"] = 96
    Path("params.yaml").write_text(yaml.safe_dump(parameters))
    for name in ("annotate", "sample", "fetch", "backbone"):
        run(name)
    sample = read_sample("data/samples_step1_person_limited.csv")
    assert set(sample["category_name"]) == {*categories}
    for family, levels in (("object_only", 1), ("bg_swap", 2)):
        done = run("render", family)
        assert done.startswith(f"{levels * len(sample)} pictures of 96 x 96 at object/")
    folder = snapshot("data/conditions")
    for name in {Path(path).name for path in folder if path.endswith(".png")}:
        alone = folder[f"object_only/object/default/{name}"]
        same, other = (folder[f"bg_swap/object/donor={kind}/{name}"] for kind in KINDS)
        assert same != alone
        assert (other == alone) == ("kite" in categories)


def test_too_many_bad_masks_are_named_and_replace_nothing(run, snapshot, tree):
    run("annotate")
    run("sample")
    before = snapshot("data")
    for annotation in tree["annotations"][::2]:
        annotation["segmentation"] = [[2, 3, 9]]
    coco.write(tree, "data/source/instances.json")
    with pytest.raises(AnnotationError, match=r"4 of 4 segmentations .* annotation 21 \(\[\[2"):
        run("sample")
    after = snapshot("data")
    assert after.pop("source/instances.json") != before.pop("source/instances.json")
    assert after == before


def test_bad_annotations_are_named_and_replace_nothing(run, snapshot, tree):
    run("annotate")
    before = snapshot("data")
    for annotation in tree["annotations"][:3]:
        annotation["bbox"][2] = -1
    coco.write(tree, "mine/instances.json")
    due = r"error: mine/instances\.json: 3 of 8 annotations whose box .* annotation 51 \(bbox \[-?1"
    with pytest.raises(AnnotationError, match=due):
        run("annotate")
    assert snapshot("data") == before


def test_bad_picture_is_named_and_replaces_nothing(run, snapshot, tree):
    run("annotate")
    run("sample")
    run("fetch")
    before = snapshot("data")
    picture = Path("mine/pictures") / tree["images"][2]["file_name"]
    picture.write_bytes(picture.read_bytes()[:200])
    with pytest.raises(PictureError, match=str(picture)):
        run("fetch")
    assert snapshot("data") == before


@pytest.mark.parametrize(
    ("name", "kind"),
    [("phantom", phantom_scenes.Phantom), ("local", local.Local), ("coco", coco_web.CocoWeb)],
)
def test_every_source_opens(name, kind):
    data = params.load(ROOT / "params.yaml").data.model_copy(update={"source": name})
    source = make_source(data, seed=0)
    assert isinstance(source, kind)
    assert source.where
