"""What has to be predicted is listed just as the study asks for it."""

import runpy
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from builders import rendered_families
from smallsight.backbones.features import extract_features
from smallsight.classifiers.asked import AskedClassifier
from smallsight.classifiers.requests import REQUESTS, list_requests, write_requests
from smallsight.conditions.rendered.names import read_facts
from smallsight.conditions.rendered.store import unpack
from smallsight.conditions.rendered.views import read_views
from smallsight.imaging.pictures import read_picture
from smallsight.runtime.errors import ParameterError, SmallsightError

ROOT = Path(__file__).parents[2]

UNPACKED = Path("pictures")

FAMILIES = ("orig_full", "downscale", "pixels")


@pytest.fixture(scope="module")
def conditions(tmp_path_factory):
    """A folder of rendered families over two pictures of three objects each."""
    folder = tmp_path_factory.mktemp("conditions")
    rendered_families.write(folder)
    return folder


class Listener(AskedClassifier):
    """Remembers what it is asked, and keeps the first pixel of each picture as its features."""

    batch_size = 4

    def __init__(self):
        self.heard = []

    def answer(self, pictures, names):
        self.heard += [(*name, picture) for name, picture in zip(names, pictures, strict=True)]
        return pictures[:, 0, 0].astype(np.float32)


def all_of(conditions):
    return [one for family in FAMILIES for one in read_facts(conditions, family).conditions]


def test_requests_are_what_the_features_ask_for(conditions, monkeypatch):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "1")
    listener = Listener()
    for condition in all_of(conditions):
        extract_features(
            read_views(conditions, condition),
            conditions / condition.folder,
            lambda: listener,
            keep_mirrored=False,
            asked=condition.asked,
        )
    requests = list_requests(conditions, all_of(conditions), unpacked=UNPACKED)
    assert list(requests) == REQUESTS.names
    assert list(zip(requests["image"], requests["condition"], strict=True)) == [
        (image, condition) for image, condition, _ in listener.heard
    ]
    for path, (*_, picture) in zip(requests["path"], listener.heard, strict=True):
        assert (read_picture(path) == picture).all()


def test_pictures_of_archives_are_listed_where_they_are_unpacked(conditions, tmp_path):
    rendered_families.write(tmp_path, storage="archive")
    due = list_requests(conditions, all_of(conditions), unpacked=UNPACKED)
    found = list_requests(tmp_path, all_of(tmp_path), unpacked=tmp_path / "unpacked")
    assert found.drop(columns="path").equals(due.drop(columns="path"))
    unpack(tmp_path, tmp_path / "unpacked")
    for one, other in zip(found["path"], due["path"], strict=True):
        assert Path(one).read_bytes() == Path(other).read_bytes()


def test_equal_pictures_are_listed_once_and_windows_each(conditions):
    requests = list_requests(conditions, all_of(conditions), unpacked=UNPACKED)
    counts = requests["condition"].value_counts()
    # Two whole pictures, six windows of objects.
    assert counts["scene/orig_full/default"] == 2
    assert counts["object/orig_full/default"] == 6
    first = requests[requests["condition"] == "scene/orig_full/default"]
    assert first["image"].tolist() == ["1_10.png", "2_20.png"]
    assert not requests.duplicated(["image", "condition"]).any()
    due = [(conditions / "orig_full/default" / image).as_posix() for image in first["image"]]
    assert first["path"].tolist() == due


def test_nothing_is_listed_of_no_conditions(conditions):
    assert list(list_requests(conditions, [], unpacked=UNPACKED)) == REQUESTS.names


def test_pictures_are_written_losslessly(noise, tmp_path):
    pictures = np.stack([noise(8, 8, seed) for seed in range(3)])
    names = [("1_1.png", "a, b"), ("1_2.png", 'a "b"'), ("1_1.png", "c")]
    table = pd.read_csv(write_requests(pictures, names, tmp_path), dtype=str)
    assert list(table) == REQUESTS.names
    assert list(zip(table["image"], table["condition"], strict=True)) == names
    for path, picture in zip(table["path"], pictures, strict=True):
        assert not Path(path).is_absolute()
        assert (read_picture(tmp_path / path) == picture).all()


def test_features_of_a_listener_have_no_maps(conditions, tmp_path):
    (condition,) = read_facts(conditions, "orig_full").in_task("object")
    views = read_views(conditions, condition)
    found = extract_features(
        views, conditions / condition.folder, Listener, maps=tmp_path / "maps.npy",
        keep_mirrored=False, asked=condition.asked,
    )  # fmt: skip
    assert found.plain["scene"].shape == (6, 3)
    assert np.load(tmp_path / "maps.npy").shape == (6, 0, 0, 0)


@pytest.fixture
def make_requests(tmp_path, monkeypatch):
    """Write requests in a project that has nothing but parameters; DVC fails there."""
    monkeypatch.chdir(tmp_path)
    failed = subprocess.CompletedProcess([], 255)
    monkeypatch.setattr(subprocess, "run", lambda command, check: failed)

    def make_requests(**classifier):
        tree = yaml.safe_load((ROOT / "params.yaml").read_text())
        tree["classifier"] |= classifier
        Path("params.yaml").write_text(yaml.safe_dump(tree))
        runpy.run_path(str(ROOT / "tools/write_requests.py"))["main"]()

    return make_requests


def test_the_study_s_own_heads_have_no_requests(make_requests):
    with pytest.raises(ParameterError) as caught:
        make_requests()
    assert str(caught.value) == (
        "parameter error: params.classifier.source: head; expected predictions or command: all "
        "others are asked by the study itself"
    )


def test_a_study_that_cannot_be_rendered_is_one_line_and_takes_nothing_away(make_requests):
    Path("mine.csv").write_text("precious")
    with pytest.raises(SmallsightError) as caught:
        make_requests(source="predictions", file="mine.csv")
    assert str(caught.value) == "error: dvc repro render: exit status 255; expected 0"
    assert Path("mine.csv").read_text() == "precious"
    assert not Path("requests.csv").exists()
