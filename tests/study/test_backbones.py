"""Each backbone of the registry runs a whole study, tiny, by the stages themselves."""

import json
import runpy
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from torchvision.models import get_model

from builders.stages import run
from smallsight import params
from smallsight.backbones.facts import read_backbone_facts
from smallsight.backbones.registry import BACKBONES
from smallsight.imaging.pictures import InputFormat, write_input_format
from smallsight.report import page

pytestmark = [pytest.mark.page, pytest.mark.usefixtures("single_worker")]

ROOT = Path(__file__).parents[2]
FAMILIES = {"orig_full": {}, "orig_crop": {"margin": [0.25]}, "object_alone": {}}


class Case(NamedTuple):
    """A tiny study of one backbone."""

    finer: str
    """A layer whose maps take gradients, in the words of the network's library."""
    cells: int
    """Rows and columns of its maps."""
    last: int
    """Rows and columns of the last layer's."""
    readout: str = "scene"
    size: int = 64
    per_group: int = 2
    """Objects per size group."""


CASES = {
    "efficientnet_lite0": Case("blocks.4", 4, 2),
    "efficientnet_lite1": Case("blocks.2", 8, 2, "pyramid"),
    "efficientnet_lite2": Case("blocks.4", 4, 2, "box"),
    "resnet18": Case("layer3", 4, 2, "box"),
    "resnet34": Case("layer2", 8, 2, "pyramid"),
    "resnet50": Case("layer3", 4, 2),
    "convnext_tiny": Case("features.5", 4, 2, "box"),
    "efficientnet_b0": Case("features.5", 4, 2, "pyramid"),
    "swin_t": Case("features.5", 4, 2, "pyramid"),
    "vit_b_16": Case("encoder.layers.encoder_layer_10", 14, 14, size=224, per_group=1),
    "fasterrcnn_resnet50_fpn": Case("backbone.body.layer3", 4, 2, "fpn"),
    "fasterrcnn_resnet50_fpn_v2": Case("backbone.body.layer4", 2, 2, "fpn"),
    "fasterrcnn_mobilenet_v3_large_fpn": Case("last", 2, 2, "fpn"),
    "timm:convnext_atto": Case("stages.2", 4, 2, "pyramid"),
    "timm:test_vit": Case("blocks.4", 10, 10, "box", size=160),
}


def write_params(folder, case, **backbone):
    tree = yaml.safe_load((ROOT / "params.yaml").read_text())
    tree["data"]["instances"] = str(ROOT / tree["data"]["instances"])
    tree |= {"device": "cpu", "conditions": FAMILIES}
    tree["tasks"]["scene"] = ["orig_full", "orig_crop"]
    tree["data"]["phantom"] |= {"scenes": 16, "width": 200, "height": 150}
    tree["sample"] |= {"per_group": case.per_group, "caps": {"person": 4}}
    tree["backbone"] |= backbone | {"input_size": case.size}
    tree["heads"] |= {"readout": case.readout, "epochs": 1}
    tree["evaluation"] |= {"folds": 2, "repeats": 2}
    tree["analysis"]["bootstrap_draws"] = 100
    tree["explain"] = {"layer": case.finer, "gallery_size": 1}
    (folder / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))


def weights_for(name, folder):
    """Say where weights come from; a detector's are a file of one that was drawn at random.

    It has normalised noise once, so that its deepest features still tell pictures apart.
    """
    if not name.startswith("fasterrcnn"):
        return {"weights": "random"}
    path = folder / "own.pth"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        detector = get_model(name, weights=None, weights_backbone=None)
        noise = torch.randn(2, 3, 64, 64)
        with torch.no_grad():
            for _ in range(20):
                detector.backbone(noise)
    torch.save(detector.state_dict(), path)
    return {"weights": "checkpoint", "checkpoint": str(path)}


def test_every_backbone_of_the_registry_is_here():
    assert {name for name in CASES if ":" not in name} == set(BACKBONES)


@pytest.mark.parametrize("name", CASES)
def test_a_whole_study_runs(name, share, tmp_path, monkeypatch):
    case = CASES[name]
    monkeypatch.chdir(tmp_path)
    write_params(tmp_path, case, name=name, **weights_for(name, tmp_path))
    # The sample is told in pixels of an input of any size; `backbone` writes its own.
    write_input_format(InputFormat(case.size), "data/input.json")
    share("data", case.per_group, ["annotate"], ["sample"], ["fetch"])
    run("backbone")
    inputs = Path("data/input.json").read_text()
    rendering = [["render", family] for family in FAMILIES]
    share("data/conditions", (case.per_group, inputs), *rendering)
    run("engine")
    for family in FAMILIES:
        run("features", family)
    for stage in ("train", "evaluate", "explain", "faithfulness", "remedies", "analyse"):
        run(stage)
    inputs = runpy.run_path(str(ROOT / "stages/report.py"))["INPUTS"]
    screen = page.build(inputs, params.load()).screen()

    facts = read_backbone_facts("data/backbone.json")
    assert facts.cells[case.finer] == case.cells
    assert facts.cells["last"] == case.last
    assert facts.label in screen
    n = 3 * case.per_group
    with np.load("data/gradcam/maps.npz") as file:
        assert file["task"].tolist() == ["scene", "object", "object"]
        assert file["condition"].tolist() == ["orig_full", "orig_full", "object_alone"]
        maps = file["cams"].reshape(-1, n, case.cells, case.cells)
    assert np.isfinite(maps).all()
    assert (maps >= 0).all()
    assert (maps.max(axis=(2, 3)) > 0).mean() > 0.5
    # Of different pictures, different maps.
    pictures = pd.read_csv("data/samples_step1_person_limited.csv")["image_id"].nunique()
    assert len(np.unique(maps[0].reshape(n, -1), axis=0)) >= pictures > 1
    about = json.loads(Path("data/gradcam/about.json").read_text())
    table = pd.read_csv("data/attention.csv")
    # Untouched in both tasks, the crop in the scene task, the object alone in the other.
    assert len(table) == 4 * n
    parts = table["logit_in_box"] + table["logit_elsewhere"] + table["bias"]
    if case.readout in ("scene", "box"):
        scale = table["logit"].abs().max()
        assert about["largest_sum_error"] < 1e-4 * max(scale, 1)
        np.testing.assert_allclose(parts, table["logit"], atol=1e-4 * max(scale, 1))
    else:
        assert about["largest_sum_error"] is None
        assert parts.isna().all() == (case.readout == "fpn")
    removals = pd.read_csv("data/faithfulness.csv")
    assert len(removals) == 12 * n
    assert removals["p_after"].between(0, 1).all()
    assert (removals["p_after"] != removals["p_before"]).any()
