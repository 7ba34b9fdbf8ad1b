"""The three stages on a dataset of their own, and what they leave where they fail."""

import json
import runpy
from pathlib import Path

import pandas as pd
import pytest
import yaml

from smallsight import coco, params, sampling, sources
from smallsight.errors import AnnotationError, PictureError

ROOT = Path(__file__).parents[2]
WRITTEN = {
    "source/instances.json",
    "samples_step1_person_limited.csv",
    "sampling.json",
}


@pytest.fixture
def run(tmp_path, monkeypatch, tree, paint):
    """A project folder over a local dataset; runs a stage's `main` there."""
    coco.write(tree, tmp_path / "mine/instances.json")
    for image in tree["images"]:
        paint(tmp_path / "mine/pictures" / image["file_name"], seed=image["id"])
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    parameters["data"] |= {
        "source": "local",
        "categories": ["car", "person"],
        "local": {"annotations": "mine/instances.json", "images": "mine/pictures"},
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(parameters))
    monkeypatch.chdir(tmp_path)
    return lambda name: runpy.run_path(str(ROOT / "stages" / f"{name}.py"))["main"]()


def test_stages_follow_each_other(run, snapshot):
    assert run("annotate") == "4 pictures, 8 annotations (4 car, 4 person)"
    assert run("sample") == (
        "8 instances of 4 pictures (0 small, 0 medium, 8 large; short of 200: small, medium, large)"
    )
    assert run("fetch") == "4 pictures from source local"
    written = snapshot("data")
    sample = pd.read_csv("data/samples_step1_person_limited.csv")
    assert list(sample.columns) == sampling.SAMPLE_COLUMNS
    assert all(Path(path).is_file() for path in sample["image_path"])
    assert written.keys() == WRITTEN | {f"images/{name}" for name in sample["file_name"]}
    assert json.loads(written["sampling.json"])["requested_per_group"] == 200
    for name in ("annotate", "sample", "fetch"):
        run(name)
    assert snapshot("data") == written


def test_bad_annotations_are_named_and_replace_nothing(run, snapshot, tree):
    run("annotate")
    before = snapshot("data")
    tree["annotations"][0]["bbox"][2] = -1
    coco.write(tree, "mine/instances.json")
    with pytest.raises(AnnotationError, match=r"error: mine/instances\.json: annotation 51: bbox"):
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
    [("phantom", sources.Phantom), ("local", sources.Local), ("coco", sources.CocoWeb)],
)
def test_every_source_opens(name, kind):
    data = params.load(ROOT / "params.yaml").data.model_copy(update={"source": name})
    source = sources.open_source(data, seed=0)
    assert isinstance(source, kind)
    assert source.where
