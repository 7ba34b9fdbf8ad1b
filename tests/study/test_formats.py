"""One dataset in several formats: the same study, to the byte, by the stages themselves."""

import json
import shutil
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import yaml

from builders.stages import run

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/local"
FAMILIES = {"orig_full": {}, "orig_crop": {"margin": [0.25]}, "object_alone": {}}


def read_example():
    """Give the example's pictures with their objects, whose masks no other format keeps here."""
    tree = json.loads((EXAMPLE / "instances.json").read_text())
    for annotation in tree["annotations"]:
        del annotation["segmentation"]
        annotation["area"] = annotation["bbox"][2] * annotation["bbox"][3]
    return tree


def by_picture(tree):
    names = {one["id"]: one["name"] for one in tree["categories"]}
    for image in tree["images"]:
        yield (
            image,
            [
                (names[one["category_id"]], *one["bbox"])
                for one in tree["annotations"]
                if one["image_id"] == image["id"]
            ],
        )


def write_coco(tree):
    Path("mine/coco.json").write_text(json.dumps(tree))
    return "mine/coco.json"


def write_yolo(tree):
    names = sorted(one["name"] for one in tree["categories"])
    Path("mine/data.yaml").write_text(yaml.safe_dump({"names": names}))
    Path("mine/labels").mkdir()
    for image, objects in by_picture(tree):
        width, height = image["width"], image["height"]
        lines = [
            f"{names.index(name)} {(x + w / 2) / width} {(y + h / 2) / height} "
            f"{w / width} {h / height}\n"
            for name, x, y, w, h in objects
        ]
        path = Path("mine/labels", image["file_name"]).with_suffix(".txt")
        path.write_text("".join(lines))
    return "mine"


def write_voc(tree):
    Path("mine/xml").mkdir()
    for image, objects in by_picture(tree):
        parts = [
            f"<object><name>{escape(name)}</name><bndbox><xmin>{x}</xmin><ymin>{y}</ymin>"
            f"<xmax>{x + w}</xmax><ymax>{y + h}</ymax></bndbox></object>"
            for name, x, y, w, h in objects
        ]
        path = Path("mine/xml", image["file_name"]).with_suffix(".xml")
        path.write_text(f"<annotation>{''.join(parts)}</annotation>")
    return "mine/xml"


def write_fiftyone(tree):
    labels = {
        Path(image["file_name"]).stem: [
            {
                "label": name,
                "bounding_box": [
                    x / image["width"], y / image["height"], w / image["width"], h / image["height"]
                ],
            }
            for name, x, y, w, h in objects
        ]
        for image, objects in by_picture(tree)
    }  # fmt: skip
    Path("mine/labels.json").write_text(json.dumps({"classes": None, "labels": labels}))
    return "mine"


WRITERS = {"yolo": write_yolo, "voc": write_voc, "fiftyone": write_fiftyone}


@pytest.fixture(scope="module")
def predict(tmp_path_factory):
    """Run the study of a format in a folder of its own; give what it wrote."""

    def predict(name, write):
        folder = tmp_path_factory.mktemp(name)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            # Processes that other tests left behind are in another folder.
            patch.setenv("SMALLSIGHT_WORKERS", "1")
            shutil.copytree(EXAMPLE / "images", "mine/images")
            annotations = write(read_example())
            tree = yaml.safe_load((ROOT / "params.yaml").read_text())
            tree["data"]["instances"] = str(ROOT / tree["data"]["instances"])
            local = {"format": name, "annotations": annotations, "images": "mine/images"}
            tree |= {"device": "cpu", "conditions": FAMILIES}
            tree["data"] |= {"source": "local", "local": local}
            tree["tasks"]["scene"] = ["orig_full", "orig_crop"]
            tree["sample"] |= {"per_group": 8, "caps": {"person": 4}}
            tree["backbone"] |= {"name": "resnet18", "weights": "random", "input_size": 64}
            tree["evaluation"] |= {"folds": 2, "repeats": 1}
            tree["heads"] |= {"epochs": 2}
            Path("params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
            for stage in ("check", "annotate", "backbone", "sample", "fetch"):
                run(stage)
            for family in FAMILIES:
                run("render", family)
            run("engine")
            for family in FAMILIES:
                run("features", family)
            for stage in ("train", "evaluate"):
                run(stage)
            names = ("predictions.parquet", "results_conditions.csv", "rungs.parquet")
            return {written: Path("data", written).read_bytes() for written in names}

    return predict


@pytest.fixture(scope="module")
def reference(predict):
    return predict("coco", write_coco)


@pytest.mark.parametrize("name", WRITERS)
def test_the_study_is_that_of_the_same_boxes_in_coco(predict, reference, name):
    assert predict(name, WRITERS[name]) == reference
