"""Classifiers of every kind run a whole study, tiny, by the stages themselves, to the report."""

import json
import runpy
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from torch import nn

from builders.stages import run
from smallsight import params
from smallsight.classifiers.facts import read_classifier_facts
from smallsight.imaging.pictures import InputFormat, write_input_format
from smallsight.report import page

pytestmark = [pytest.mark.page, pytest.mark.usefixtures("single_worker")]

ROOT = Path(__file__).parents[2]
FAMILIES = {"orig_full": {}, "orig_crop": {"margin": [0.25]}, "object_alone": {}}
SIZE, PER_GROUP = 64, 4
N = 3 * PER_GROUP
IMAGENET = {"class_names": "imagenet", "mapping": "imagenet"}
CATEGORIES = ["person", "car", "truck", "bus", "bicycle", "motorcycle"]


class Case(NamedTuple):
    """A tiny study of one classifier."""

    chosen: dict
    """What its parameters say of the classifier."""
    maps: str = "closed_form"
    """How saliency maps are made."""
    tasks: tuple = ("scene", "object")
    rungs: tuple = ("scene", "box")


CASES = {
    "torchvision": Case({"source": "torchvision", "architecture": "resnet18", **IMAGENET}),
    "timm": Case(
        {"source": "timm", "architecture": "timm:mobilenetv3_small_050", **IMAGENET},
        "gradient", rungs=("scene",),
    ),
    "packaged, other classes kept": Case({
        "source": "timm", "architecture": "efficientnet_lite0", "weights": "imagenet",
        "rest": "other", **IMAGENET,
    }),
    "whole pictures": Case(
        {"source": "torchvision", "architecture": "resnet18", "input": "scene", **IMAGENET},
        tasks=("scene",),
    ),
    "torchscript": Case({
        "source": "torchscript", "file": "own.pt", "class_names": "file", "mapping": "same",
        "class_names_file": "names.txt", "output": "probabilities",
    }, "none", rungs=("scene",)),
}  # fmt: skip
OWN = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bilinear", "channels": "bgr",
       "range": "0..1"}  # fmt: skip


class Tiny(nn.Module):
    """Six classes, as probabilities."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(3, 16, 5, stride=4), nn.ReLU())
        self.last = nn.Linear(16, 6)

    def forward(self, inputs):
        return (20 * self.last(self.trunk(inputs).mean(dim=(2, 3)))).softmax(dim=1)


def write_params(folder, case):
    tree = yaml.safe_load((ROOT / "params.yaml").read_text())
    tree["data"]["instances"] = str(ROOT / tree["data"]["instances"])
    tree |= {"device": "cpu", "conditions": FAMILIES}
    tree["tasks"]["scene"] = ["orig_full", "orig_crop"]
    tree["data"]["phantom"] |= {"scenes": 20, "width": 200, "height": 150}
    tree["sample"] |= {"per_group": PER_GROUP, "caps": {"person": 4}}
    tree["analysis"]["bootstrap_draws"] = 100
    tree["explain"] |= {"gallery_size": 1}
    tree["classifier"] |= {"weights": "random"} | case.chosen
    declared = OWN if case.chosen["source"] == "torchscript" else {}
    tree["classifier"]["preprocessing"] |= declared | {"input_size": SIZE}
    (folder / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("name", CASES)
def test_a_whole_study_runs(name, share, tmp_path, monkeypatch):
    case = CASES[name]
    monkeypatch.chdir(tmp_path)
    write_params(tmp_path, case)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.jit.script(Tiny()).save("own.pt")
    Path("names.txt").write_text("\n".join(CATEGORIES))
    run("check")
    # The sample is told in pixels of an input of any size; `backbone` writes its own.
    write_input_format(InputFormat(SIZE), "data/input.json")
    share("data", "sample", ["annotate"], ["sample"], ["fetch"])
    run("backbone")
    inputs = Path("data/input.json").read_text()
    share("data/conditions", inputs, *[["render", family] for family in FAMILIES])
    run("engine")
    for family in FAMILIES:
        run("features", family)
    for stage in ("train", "evaluate", "explain", "faithfulness", "remedies", "analyse"):
        run(stage)
    inputs = runpy.run_path(str(ROOT / "stages/report.py"))["INPUTS"]
    made = page.build(inputs, params.load())
    screen, printed, summary = made.screen(), made.printed(), made.summary()

    facts = read_classifier_facts("data/classifier.json")
    assert facts.maps == case.maps
    assert (facts.no_maps == "") == (case.maps == "closed_form")
    assert all(facts.label in text for text in (screen, printed, summary.replace("\\", "")))
    for text in (screen, printed):
        assert "Left out" in text
        assert ">nan" not in text
        assert "None" not in text

    found = pd.read_parquet("data/predictions.parquet")
    assert tuple(found["task"].unique()) == case.tasks
    assert set(found["regime"]) == {"fixed"}
    assert (found.groupby(["task", "condition"]).size() == N).all()
    shares = found[[f"p_{category}" for category in CATEGORIES]].sum(axis=1)
    if case.chosen.get("rest") == "other":
        assert "other" in set(found["predicted"])
        assert (shares < 1).all()
        assert "other" in set(pd.read_csv("data/analysis/confusion.csv")["predicted"])
    else:
        np.testing.assert_allclose(shares, 1, rtol=1e-5)
    rungs = pd.read_parquet("data/rungs.parquet")["rung"].unique()
    assert tuple(rungs) == ("largest_object", *case.rungs)

    about = json.loads(Path("data/gradcam/about.json").read_text())
    maps = pd.read_csv("data/attention.csv")
    parts = maps["logit_in_box"] + maps["logit_elsewhere"] + maps["bias"]
    if case.maps == "closed_form":
        np.testing.assert_allclose(parts, maps["logit"], atol=1e-3 * maps["logit"].abs().max())
        assert about["largest_sum_error"] < 1e-3 * maps["logit"].abs().max()
    else:
        assert about["largest_sum_error"] is None
        assert parts.isna().all()
    assert (len(maps) > 0) == (case.maps != "none")

    removals = pd.read_csv("data/faithfulness.csv")
    assert len(removals) == 12 * N
    assert (removals["p_after"] != removals["p_before"]).any()
    tried = pd.read_parquet("data/remedies.parquet")
    assert set(tried["task"]) == set(case.tasks)
    assert {"flip", "tiles_mean", "window_same_head"} <= set(tried["remedy"])
    assert not {"window", "small_weighted"} & set(tried["remedy"])
    assert pd.read_parquet("data/more_examples.parquet").empty
    preprocessings = pd.read_csv("data/preprocessing.csv")
    assert preprocessings["is_declared"].sum() == 1
    assert len(preprocessings) >= 4
