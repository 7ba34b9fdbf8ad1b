"""The worked example: a small network is trained, saved in three formats, and each diagnosed."""

import functools
import importlib.util
import json
import operator
import re
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from builders.stages import run
from smallsight import params
from smallsight.classifiers.facts import read_classifier_facts
from smallsight.classifiers.tables import PREPROCESSINGS, is_suspicious
from smallsight.phantom import layout, paint
from smallsight.report import page
from smallsight.report.provenance import DIGITS
from smallsight.runtime.randomness import derive
from smallsight.runtime.tables import read_table

pytestmark = pytest.mark.usefixtures("single_worker")

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/own-classifier"
SOURCES = ("state_dict", "export", "onnx")
FAMILIES = {
    "orig_full": {},
    "orig_crop": {"margin": [0.25]},
    "downscale": {"scale": [0.5, 0.25]},
    "motion_blur": {"length": [5]},
    "occlusion": {"ratio": [0.35]},
    "object_alone": {},
}


@pytest.fixture(scope="module")
def example():
    """The script that trains, with less to draw and to learn."""
    sys.path.insert(0, str(EXAMPLE))
    try:
        spec = importlib.util.spec_from_file_location("example_train", EXAMPLE / "train.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(EXAMPLE))
        del sys.modules["network"]
    module.SCENES, module.EPOCHS = 40, 4
    return module


@pytest.fixture(scope="module")
def windows(example):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALLSIGHT_WORKERS", "1")
        return example.draw_windows(example.SCENES, seed=0)


@pytest.fixture(scope="module")
def network(example, windows):
    return example.train(*windows, epochs=example.EPOCHS, seed=0)


@pytest.fixture(scope="module")
def trained(example, network, tmp_path_factory):
    """The folder of the trained files."""
    folder = tmp_path_factory.mktemp("own") / "trained"
    example.save(network, folder)
    return folder


def test_equal_seeds_train_equal_networks(example, windows):
    few = [part[:96] for part in windows]
    states = [example.train(*few, epochs=1, seed=seed).state_dict() for seed in (0, 0, 1)]
    one, again, other = ([value.flatten() for value in state.values()] for state in states)
    assert all(map(torch.equal, one, again))
    assert not all(map(torch.equal, one, other))


def test_what_dvc_watches_by_default_is_no_trained_file():
    own = params.load(ROOT / "params.yaml").classifier
    for path in (own.file, own.code, own.class_names_file):
        assert (ROOT / path).is_file()
        assert (ROOT / path).parent == EXAMPLE
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "/examples/own-classifier/trained/" in ignored


def test_the_network_has_learnt_something(example, network):
    windows, labels = example.draw_windows(10, seed=1)
    with torch.inference_mode():
        named = network(example.inputs_of(windows)).argmax(1).numpy()
    assert (named == labels).mean() > 0.5


def test_windows_are_those_of_no_study(example):
    dials = example.DIALS
    study = paint(layout(derive(0, "layout", 1), dials), derive(0, "paint", 1))
    own = layout(derive("own classifier", 0, "layout", 1), dials)
    assert (study != paint(own, derive("own classifier", 0, "paint", 1))).any()
    (window, label), *_ = example.windows_of(1, 0)
    assert window.shape == (64, 64, 3)
    assert label in range(6)


@pytest.mark.parametrize("n", [1, 5])
def test_exports_answer_as_the_network_does(example, windows, network, trained, n):
    inputs = example.inputs_of(windows[0][:n])
    exported = torch.export.load(trained / "classifier.pt2").module()
    session = onnxruntime.InferenceSession(trained / "classifier.onnx")
    with torch.inference_mode():
        due = network(inputs).numpy()
        of_export = exported(inputs).numpy()
    (of_onnx,) = session.run(None, {session.get_inputs()[0].name: inputs.numpy()})
    np.testing.assert_allclose(of_export, due, atol=1e-4)
    np.testing.assert_allclose(of_onnx, due, atol=1e-4)


def test_formats_with_room_say_how_they_are_fed(example, trained):
    extra = {"classifier.json": ""}
    torch.export.load(trained / "classifier.pt2", extra_files=extra)
    model = onnx.load(trained / "classifier.onnx")
    found = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert found == json.loads(extra["classifier.json"])
    assert found == json.loads(json.dumps(example.FACTS))
    assert found["class_names"] == (EXAMPLE / "classes.txt").read_text().splitlines()


def test_a_state_is_no_pickle_of_code(trained):
    state = torch.load(trained / "classifier.pth", weights_only=True)
    assert state["classifier.weight"].shape == (6, 128)


def test_the_script_says_what_it_wrote(example, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(example, "SCENES", 8)
    monkeypatch.setattr(example, "SCENES_HELD_OUT", 4)
    example.main(tmp_path / "new")
    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == ["classifier.onnx", "classifier.pt2", "classifier.pth"]
    lines = capsys.readouterr().out.splitlines()
    assert [Path(line).name for line in lines[:3]] == [
        "classifier.pth", "classifier.pt2", "classifier.onnx",
    ]  # fmt: skip
    assert re.match(r"\d+\.\d% of \d+ windows of other scenes are right", lines[3])


def test_without_the_packages_of_onnx_the_others_are_written(
    example, network, tmp_path, capsys, monkeypatch
):
    find = importlib.util.find_spec
    hidden = lambda name: None if name == "onnxscript" else find(name)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", hidden)
    assert [path.name for path in example.save(network, tmp_path)] == [
        "classifier.pth", "classifier.pt2",
    ]  # fmt: skip
    assert "pip install onnx" in capsys.readouterr().out


def declared(source):
    """Read what the example's page declares for a source: dotted parameters and values."""
    page_ = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    (command,) = (
        block for block in re.findall(r"```sh\n(.*?)```", page_, re.S) if f"-n {source} " in block
    )
    given = re.findall(r"-S '?([a-z_.]+)=([^\s']+)", command)
    return {name: yaml.safe_load(value) for name, value in given}


def write_params(folder, source, trained):
    tree = yaml.safe_load((ROOT / "params.yaml").read_text())
    tree["data"]["instances"] = str(ROOT / tree["data"]["instances"])
    tree |= {"device": "cpu", "conditions": FAMILIES}
    tree["tasks"]["scene"] = list(FAMILIES)[:-1]
    tree["data"]["phantom"] |= {"scenes": 60, "width": 320, "height": 240}
    tree["sample"] |= {"per_group": 32, "caps": {"person": 12}}
    tree["analysis"]["bootstrap_draws"] = 100
    tree["explain"]["gallery_size"] = 1
    for name, value in declared(source).items():
        *groups, key = name.split(".")
        place = functools.reduce(operator.getitem, groups, tree)
        assert key in place, name
        place[key] = value
    own = tree["classifier"]
    own["file"] = str(trained / Path(own["file"]).name)
    for name in ("code", "class_names_file"):
        own[name] = str(ROOT / own[name])
    (folder / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))


@pytest.fixture(scope="module")
def studies(trained, tmp_path_factory):
    """The folder of each source's study, by the stages themselves, with one set of pictures."""
    folders, rendered = {}, tmp_path_factory.mktemp("rendered") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALLSIGHT_WORKERS", "1")
        for source in SOURCES:
            folder = folders[source] = tmp_path_factory.mktemp(source)
            patch.chdir(folder)
            write_params(folder, source, trained)
            if rendered.exists():
                shutil.copytree(rendered, "data")
                run("backbone")
            else:
                for stage in ("check", "annotate", "backbone", "sample", "fetch"):
                    run(stage)
                for family in FAMILIES:
                    run("render", family)
                shutil.copytree("data", rendered)
            run("engine")
            for family in FAMILIES:
                run("features", family)
            for stage in ("train", "evaluate", "explain", "faithfulness", "remedies", "analyse"):
                run(stage)
    return folders


def predictions(folder):
    return pd.read_parquet(folder / "data/predictions.parquet")


@pytest.mark.page
def test_the_three_formats_agree(studies):
    tables = [predictions(folder) for folder in studies.values()]
    keys = ["task", "condition", "image_id", "ann_id"]
    assert len(tables[0]) >= 1000
    for table in tables:
        assert set(table["regime"]) == {"fixed"}
        assert not table.duplicated(keys).any()
        assert table[keys].equals(tables[0][keys])
        assert (table["predicted"] == tables[0]["predicted"]).mean() >= 0.999
        np.testing.assert_allclose(table["confidence"], tables[0]["confidence"], atol=1e-3)


@pytest.mark.page
def test_predictions_are_those_of_the_network(example, network, studies):
    """By way of nothing of the library's but the pictures that were written."""
    for source, folder in studies.items():
        table = predictions(folder)
        table = table[(table["task"] == "object") & (table["condition"] == "downscale")]
        names = table["image_id"].astype(str) + "_" + table["ann_id"].astype(str) + ".png"
        place = folder / "data/conditions/downscale/object/scale=0.5"
        pictures = np.stack([np.asarray(Image.open(place / name)) for name in names])
        with torch.inference_mode():
            chances = network(example.inputs_of(pictures)).softmax(dim=1).numpy()
        columns = [f"p_{name}" for name in example.CLASSES]
        np.testing.assert_allclose(table[columns], chances, atol=1e-4, err_msg=source)


@pytest.mark.page
@pytest.mark.parametrize("source", SOURCES)
def test_each_report_is_about_its_own_file(source, studies, monkeypatch):
    folder = studies[source]
    monkeypatch.chdir(folder)
    inputs = runpy.run_path(str(ROOT / "stages/report.py"))["INPUTS"]
    screen = page.build(inputs, params.load()).screen()
    facts = read_classifier_facts(folder / "data/classifier.json")
    assert facts.source == source
    assert facts.classes == ("person", "car", "truck", "bus", "bicycle", "motorcycle")
    assert (facts.maps, facts.cells) == ("closed_form", 4)
    assert facts.label in screen
    assert facts.origin in screen
    digests = {
        read_classifier_facts(one / "data/classifier.json").sha256[:DIGITS]
        for one in studies.values()
    }
    assert [digest for digest in digests if digest in screen] == [facts.sha256[:DIGITS]]


@pytest.mark.page
@pytest.mark.parametrize("source", SOURCES)
def test_cells_add_up_to_the_logit(source, studies):
    table = pd.read_csv(studies[source] / "data/attention.csv")
    parts = table["logit_in_box"] + table["logit_elsewhere"] + table["bias"]
    assert len(table) > 100
    np.testing.assert_allclose(parts, table["logit"], atol=1e-3)


@pytest.mark.page
def test_no_wrong_preprocessing_is_better(studies):
    for folder in studies.values():
        table = read_table(folder / "data/preprocessing.csv", PREPROCESSINGS)
        assert len(table) == 5
        assert table["accuracy"].iloc[0] > 0.5
        assert not is_suspicious(table)
