"""A whole study, small, by DVC in its own repository: what runs, what re-runs, what is lost."""

import getpass
import json
import re
import shutil
import socket
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from builders.small_study import SMALL, Study
from builders.stages import stages_run
from readers.packed import unpacked

pytestmark = pytest.mark.dvc

ROOT = Path(__file__).parents[2]
REPORT = ["reports/report.html", "reports/report.pdf"]
USER, HOST = "grimbaldine", "wolkenhaven"
"""What the study's user and machine are called: words that are nowhere by chance."""
SCENE = ["orig_full", "orig_crop", "downscale", "motion_blur", "occlusion", "bg_blur"]
"""Conditions of the scene task."""
SWEEPS = ["pixels", "pixels/side=12", "shift", "shift/reach=5,draw=2"]
OBJECT = [
    "orig_full", "downscale", "downscale/scale=0.125", "motion_blur", "occlusion", "bg_blur",
    *SWEEPS, "crop_low", "object_alone", "bg_swap", "bg_swap/donor=other",
]  # fmt: skip
"""Conditions of the object task."""
FAMILIES = list(dict.fromkeys(name.split("/")[0] for name in (*SCENE, *OBJECT)))
COMPARED = [name for name in OBJECT if name not in SWEEPS]
EXPLAINED = [name for name in COMPARED if "/" not in name]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    made = Study(tmp_path_factory.mktemp("study"))
    made.rename_machine(tmp_path_factory.mktemp("machine"), user=USER, host=HOST)
    made.first = made.dvc("repro")
    made.commit("Results")
    return made


@pytest.fixture
def restored(study):
    """Give the study, and afterwards bring it back to what was committed."""
    yield study
    study.git("checkout", "-q", "--", ".")
    study.dvc("checkout", "-q")


def test_every_stage_runs_and_says_what_it_did(study):
    ran = stages_run(study.first)
    each = [f"{stage}@{family}" for stage in ("render", "features") for family in FAMILIES]
    assert sorted(ran) == sorted([
        *each, "check", "annotate", "sample", "fetch", "backbone", "engine", "train", "evaluate",
        "explain", "faithfulness", "remedies", "analyse", "report",
    ])  # fmt: skip
    closing = re.findall(r"^\w+( \w+)?: .+ \[\d+\.\d s\]$", study.first, re.MULTILINE)
    assert len(closing) == len(ran)


def test_the_files_of_the_design_are_there(study):
    sample = study.table("data/samples_step1_person_limited.csv")
    conditions = study.folder / "data/conditions"
    levels = [path for path in conditions.glob("*/*") if path.is_dir() and path.name != "object"]
    windows = list(conditions.glob("*/object/*[!z]"))
    assert (len(levels), len(windows)) == (len(SCENE), len(OBJECT))
    assert {path.name for path in conditions.iterdir()} == set(FAMILIES)
    expected = zip(sample["image_id"], sample["ann_id"], strict=True)
    due = {f"{image_id}_{ann_id}.png" for image_id, ann_id in expected}
    for level in (*levels, *windows):
        found = {path.name for path in level.iterdir()}
        if "pixels" in level.parts:
            large = sample[sample["bbox_area"] >= 12**2]
            assert found == {f"{row.image_id}_{row.ann_id}.png" for row in large.itertuples()}
            assert 0 < len(found) < len(due)
        else:
            assert found == due
    fetched = {path.name for path in (study.folder / "data/images").iterdir()}
    assert fetched == set(sample["file_name"])
    assert [path for path in REPORT if (study.folder / path).stat().st_size < 10_000] == []
    metrics = json.loads((study.folder / "reports/metrics.json").read_text())
    assert 0 < len(metrics) <= 10
    summary = (study.folder / "reports/summary.md").read_text()
    numbers = [value for value in metrics.values() if isinstance(value, float)]
    assert numbers
    assert all(str(value) in summary for value in numbers)


def test_predictions_are_complete_unique_and_out_of_fold(study):
    sample = study.table("data/samples_step1_person_limited.csv")
    table = pd.read_parquet(study.folder / "data/predictions.parquet")
    keys = ["task", "regime", "seed", "condition", "image_id", "ann_id"]
    assert not table.duplicated(keys).any()
    conditions = len(SCENE) + len(COMPARED) + 2
    per_instance = 2 * SMALL["evaluation"]["repeats"]
    large = (sample["bbox_area"] >= 12**2).sum()
    assert len(table) == per_instance * (conditions * len(sample) + 2 * large)
    # An image has one fold per seed, so none of its instances was in the training of its head.
    assert (table.groupby(["seed", "image_id"])["fold"].nunique() == 1).all()
    assert (table["correct"] == (table["predicted"] == table["category_name"])).all()


def test_results_begin_with_the_original_columns(study):
    table = study.table("data/results_conditions.csv")
    assert list(table.columns[:13]) == [
        "condition", "val_acc_all", "val_acc_small", "val_acc_medium", "val_acc_large",
        "regime", "family", "level", "n_all", "n_small", "n_medium", "n_large", "task",
    ]  # fmt: skip
    assert list(table["task"]) == ["scene"] * 2 * len(SCENE) + ["object"] * 2 * len(OBJECT)
    assert list(table.loc[table["regime"] == "fixed", "condition"]) == SCENE + OBJECT


def test_the_analysis_has_the_tables_of_the_design(study):
    effects = study.table("data/analysis/effects.csv")
    assert list(effects.columns[:11]) == [
        "regime", "condition", "size_group", "n", "acc_reference", "acc", "delta", "ci_low",
        "ci_high", "p_value", "p_holm",
    ]  # fmt: skip
    changed = len(SCENE) - 1 + len(COMPARED) - 1
    assert len(effects) == 2 * changed * 4
    primary = effects[effects["primary"]]
    assert set(primary["task"] + primary["regime"] + primary["size_group"]) == {"objectfixedsmall"}
    assert effects["verdict"].notna().sum() == len(primary)
    severity = study.table("data/analysis/severity.csv")
    assert len(severity) == changed * 3
    assert set(effects.loc[effects["vacuous"], "condition"]) <= set(
        severity.loc[severity["vacuous"], "condition"]
    )
    claims = study.table("data/analysis/claims.csv")
    assert set(claims["verdict"]) <= {"supported", "contradicted", "not decided"}
    assert set(claims["task"]) == {"scene", "object"}
    assert len(study.table("data/analysis/thresholds.csv")) == 2
    ladder = study.table("data/analysis/ladder.csv")
    assert list(ladder.columns[:10]) == [
        "rung", "size_group", "n", "accuracy", "ci_low", "ci_high", "standardised",
        "delta", "delta_low", "delta_high",
    ]  # fmt: skip
    assert list(ladder["rung"].unique()) == [
        "largest_object", "scene", "box", "pyramid", "window_few_pixels", "window", "object_alone",
    ]  # fmt: skip
    parts = study.table("data/analysis/gap_parts.csv")
    assert list(parts.columns[:6]) == ["part", "value", "ci_low", "ci_high", "p_value", "verdict"]
    assert list(parts["part"]) == [
        "gap", "class_mix", "told_which_object", "finer_cells", "own_window", "own_pixels",
        "no_surroundings", "not_explained",
    ]  # fmt: skip
    assert parts["value"][1:].sum() == pytest.approx(parts["value"][0], abs=1e-9)
    # The gap is that of the original study's own table.
    results = study.table("data/results_conditions.csv")
    assert parts["value"][0] == pytest.approx(
        results["val_acc_large"][0] - results["val_acc_small"][0], abs=1e-9
    )
    failures = study.table("data/analysis/failures.csv")
    assert not failures.duplicated(["image_id", "ann_id"]).any()
    donors = study.table("data/donors.csv").dropna()
    assert (donors["image_id"] != donors["donor_image_id"]).all()


def test_the_annotations_themselves_give_the_figures_of_neighbours(study):
    """Count again from the COCO file and the predictions, by other means."""
    tree = json.loads((study.folder / "data/source/instances.json").read_text())
    names = {category["id"]: category["name"] for category in tree["categories"]}
    answers = pd.read_parquet(study.folder / "data/predictions.parquet")
    untouched = answers[
        (answers["task"] == "scene")
        & (answers["regime"] == "fixed")
        & (answers["condition"] == "orig_full")
    ]
    counts = Counter()
    for (image_id, ann_id), rows in untouched.groupby(["image_id", "ann_id"]):
        if 2 * rows["correct"].sum() > len(rows):
            continue
        wrong = rows[~rows["correct"]]
        rank = wrong.groupby("predicted")["confidence"].agg(["size", "sum"])
        name = max(rank.index, key=lambda name: (*rank.loc[name], name))
        objects = [one for one in tree["annotations"] if one["image_id"] == image_id]
        area = {one["id"]: one["bbox"][2] * one["bbox"][3] for one in objects}
        beside = [
            one["id"] for one in objects
            if one["id"] != ann_id and names[one["category_id"]] == name
        ]  # fmt: skip
        several = len({one["category_id"] for one in objects}) > 1
        key = rows["size_group"].iloc[0], "several" if several else "one"
        counts[*key, "failed"] += 1
        counts[*key, "any"] += bool(beside)
        counts[*key, "larger"] += any(area[one] > area[ann_id] for one in beside)
    assert counts.total() > 10
    for row in study.table("data/analysis/neighbours.csv").itertuples():
        groups = ["small", "medium", "large"] if row.size_group == "all" else [row.size_group]
        for kind, found in (("failed", row.failed), (row.neighbour, row.named)):
            assert found == sum(counts[group, row.pictures, kind] for group in groups)


def test_the_original_protocol_and_another_readout_are_a_named_run(restored):
    """Heads are trained anew from features that are there."""
    sample = restored.table("data/samples_step1_person_limited.csv")
    changes = ["-S", "protocol=original", "-S", "heads.readout=pyramid"]
    output = restored.dvc("exp", "run", "-n", "original", *changes)
    assert sorted(stages_run(output)) == sorted([
        "check", "train", "evaluate", "explain", "faithfulness", "remedies", "analyse", "report",
    ])  # fmt: skip
    results = restored.table("data/results_conditions.csv")
    in_both = [name for name in SCENE if name != "orig_crop"]
    assert list(results["condition"]) == SCENE + in_both
    assert set(results["regime"]) == {"retrained"}
    assert (results["n_all"] == round(0.2 * len(sample))).all()
    training = json.loads((restored.folder / "data/training.json").read_text())
    page = (restored.folder / "reports/report.html").read_text()
    assert (training["protocol"], training["readout"]) == ("original", "pyramid")
    assert training["shared_images"] > 0
    assert "dvc exp run -S protocol=cross_validation" in page
    facts = json.loads((restored.folder / "data/backbone.json").read_text())
    with np.load(restored.folder / "data/heads/scene.npz") as file:
        assert file["weight"].shape[2] == facts["readouts"]["pyramid"] > facts["readouts"]["box"]


def test_the_checkpoint_loads_without_trust(study):
    checkpoint = torch.load(study.folder / "data/step3_checkpoint.pth", weights_only=True)
    wanted = {"model_state_dict", "classes", "class_to_idx", "condition", "seed", "device"}
    assert wanted <= set(checkpoint)
    assert checkpoint["readout"] == "scene"
    assert checkpoint["model_state_dict"]["classifier.weight"].shape == (6, 1280)


def test_attention_has_a_row_per_instance_and_condition(study):
    table = study.table("data/attention.csv")
    assert list(table.columns[:11]) == [
        "image_id", "ann_id", "condition", "size_group", "predicted", "correct",
        "energy_in_box", "box_area_share", "lift", "pointing_hit", "no_evidence",
    ]  # fmt: skip
    sample = study.table("data/samples_step1_person_limited.csv")
    assert len(table) == len(sample) * (len(SCENE) + len(EXPLAINED))
    assert not table.duplicated(["image_id", "ann_id", "condition", "task"]).any()
    predictions = pd.read_parquet(study.folder / "data/predictions.parquet")
    told = table.merge(
        predictions[(predictions["regime"] == "fixed") & (predictions["seed"] == 0)],
        on=["image_id", "ann_id", "condition", "task"],
        validate="one_to_one",
    )
    assert (told["predicted_x"] == told["predicted_y"]).all()


def test_contributions_of_cells_and_bias_are_the_logits_of_the_heads(study):
    table = study.table("data/attention.csv")
    sums = table["logit_in_box"] + table["logit_elsewhere"] + table["bias"]
    predictions = pd.read_parquet(study.folder / "data/predictions.parquet")
    first = predictions[(predictions["regime"] == "fixed") & (predictions["seed"] == 0)]
    classes = yaml.safe_load((study.folder / "params.yaml").read_text())["data"]["categories"]
    each = [("scene", name) for name in SCENE] + [("object", name) for name in EXPLAINED]
    for task, family in each:
        with np.load(study.folder / f"data/heads/{task}.npz") as file:
            weight, bias = file["weight"], file["bias"]
        rows = first[(first["task"] == task) & (first["condition"] == family)].reset_index()
        folder = study.folder / "data/features" / family / ("object" if task == "object" else "")
        with np.load(folder / f"{rows['level'][0]}.npz") as file:
            scene = file["scene"][file["row"]]
        logits = np.einsum("ncd,nd->nc", weight[rows["fold"]], scene) + bias[rows["fold"]]
        due = logits[np.arange(len(rows)), [classes.index(name) for name in rows["predicted"]]]
        found = sums[(table["task"] == task) & (table["condition"] == family)].to_numpy()
        assert np.abs(found - due).max() < 1e-4
        # The predicted class is the one of the greatest logit.
        assert (due == logits.max(axis=1)).all()


def test_masks_lie_in_their_boxes(study):
    table = study.table("data/attention.csv")
    assert table["mask_area_share"].notna().all()
    assert (table["mask_area_share"] <= table["box_area_share"]).all()
    known = table[~table["no_evidence"]]
    assert (known["energy_in_mask"] <= known["energy_in_box"] + 1e-9).all()


@pytest.mark.parametrize("stage", ["explain", "faithfulness"])
def test_a_second_run_of_a_stage_writes_the_same_bytes(restored, stage):
    before = restored.bytes()
    restored.dvc("repro", "--force", "--single-item", stage)
    assert restored.bytes() == before


def test_a_finer_layer_is_one_parameter(restored):
    before = restored.table("data/attention.csv")
    output = restored.dvc("exp", "run", "-n", "finer", "-S", "explain.layer=blocks.4")
    # `backbone` looks for the layer, and writes what it wrote before.
    assert sorted(stages_run(output)) == ["analyse", "backbone", "check", "explain", "report"]
    about = json.loads((restored.folder / "data/gradcam/about.json").read_text())
    assert (about["layer"], about["cell"], about["last_cell"]) == ("blocks.4", 16, 32)
    after = restored.table("data/attention.csv")
    assert (after["energy_in_box"] != before["energy_in_box"]).any()
    # What is exact stays that of the last layer.
    pd.testing.assert_series_equal(after["logit_in_box"], before["logit_in_box"])
    page = (restored.folder / "reports/report.html").read_text()
    assert "blocks.4, one cell 16 × 16 input pixels" in page


BELOW_HEADS = ["train", "evaluate", "explain", "faithfulness", "remedies", "report"]
BELOW_BACKBONE = [
    *(f"features@{family}" for family in FAMILIES), "engine", "train", "explain", "faithfulness",
    "remedies", "report",
]  # fmt: skip


def due(study):
    """Stages of which something is changed; those that wait for their results are not told."""
    return sorted(stages_run(study.dvc("repro", "--dry")))


def test_another_readout_runs_the_network_over_nothing(restored):
    restored.set("heads.readout", "box")
    assert due(restored) == sorted(["check", *BELOW_HEADS])


def test_another_network_or_another_file_of_weights_renders_nothing_again(restored):
    alone = ["repro", "--single-item", "backbone"]
    restored.set("backbone.name", "resnet34")
    restored.set("backbone.weights", "random")
    assert stages_run(restored.dvc(*alone)) == ["backbone"]
    assert due(restored) == sorted(["check", *BELOW_BACKBONE])

    own = restored.folder / "own.pth"
    state = torch.load(restored.folder / "data/backbone.pth", weights_only=True)["state"]
    torch.save(state, own)
    restored.set("backbone.weights", "checkpoint")
    restored.set("backbone.checkpoint", own.name)
    assert stages_run(restored.dvc(*alone)) == ["backbone"]
    assert "backbone" not in due(restored)
    # Replaced in place, under the same name.
    torch.save(state | {"conv1.weight": -state["conv1.weight"]}, own)
    assert "backbone" in due(restored)
    own.unlink()


def test_nothing_runs_twice(study):
    assert stages_run(study.dvc("repro")) == []
    assert "up to date" in study.dvc("status")


def test_no_output_names_the_machine_its_user_or_its_folders(study):
    asked = "import getpass, platform, socket"
    asked += "; print(getpass.getuser(), socket.gethostname(), platform.node())"
    assert study.run(sys.executable, "-c", asked).split() == [USER, HOST, HOST]
    names = {str(study.folder), str(ROOT), str(Path.home()), sys.prefix, sys.base_prefix}
    # Not all code asks Python. Shorter names are in other words, and in pictures, by chance.
    real = (socket.gethostname(), getpass.getuser())
    names |= {USER, HOST, *(name for name in real if len(name) > 6)}
    outputs = [study.folder / name for name in ("dvc.lock", *study.bytes())]
    assert len(outputs) > 100
    found = {
        (path.name, name)
        for path in outputs
        for content in unpacked(path)
        for name in names - {"/"}
        if name.encode() in content
    }
    assert found == set()


def test_a_clone_pulls_what_was_pushed_and_runs_nothing(study, tmp_path):
    """As docs/dvc.md says: what can be made again is made again when it is needed."""
    store = ("remote", "add", "--local", "-d", "store", str(tmp_path / "store"))
    study.dvc(*store)
    study.dvc("push", "-q")
    other = study.clone(tmp_path / "clone")
    other.dvc(*store)
    other.dvc("pull", "-q", "--allow-missing")
    for path in sorted((other.folder / "data").rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    unpushed = ("data/conditions/", "data/features/")
    due = {path: one for path, one in study.bytes().items() if not path.startswith(unpushed)}
    assert other.bytes() == due
    assert stages_run(other.dvc("repro", "--allow-missing")) == []

    template = other.folder / "src/smallsight/report/templates/report.html"
    template.write_text(f"{template.read_text()}<!-- edited -->\n")
    render = [f"render@{family}" for family in FAMILIES]
    assert sorted(stages_run(other.dvc("repro", "render"))) == sorted(render)
    assert stages_run(other.dvc("repro", "--allow-missing")) == ["report"]
    features = [f"features@{family}" for family in FAMILIES]
    assert sorted(stages_run(other.dvc("repro"))) == sorted(features)


def test_a_template_re_runs_the_report_alone(restored):
    template = restored.folder / "src/smallsight/report/templates/report.html"
    template.write_text(template.read_text() + "\n<!-- edited -->\n")
    assert stages_run(restored.dvc("repro")) == ["report"]


def test_a_docstring_of_a_family_re_runs_its_rendering_alone(restored):
    source = restored.folder / "src/smallsight/conditions/families/occlusion.py"
    source.write_text(source.read_text().replace('"""', '"""Edited. ', 1))
    assert stages_run(restored.dvc("repro")) == ["check", "render@occlusion"]


def test_an_experiment_runs_the_code_that_it_was_queued_with(restored):
    """DVC runs it in a copy of the tree, while the installed library is the workspace's."""
    before = restored.table("data/results_conditions.csv")
    metrics = json.loads((restored.folder / "reports/metrics.json").read_text())
    queued = ["exp", "run", "--queue", "-n", "queued", "-S", "analysis.bootstrap_draws=101"]
    restored.dvc(*queued)
    source = restored.folder / "src/smallsight/analysis/headline.py"
    edited = source.read_text().replace("round(float(value), 4)", "-1.0")
    assert edited != source.read_text()
    source.write_text(edited)
    restored.dvc("exp", "run", "--run-all")
    assert source.read_text() == edited

    restored.git("checkout", "-q", "--", ".")
    restored.dvc("exp", "apply", "queued")
    found = json.loads((restored.folder / "reports/metrics.json").read_text())
    assert found == metrics
    assert restored.table("data/results_conditions.csv").equals(before)
    # What the run cache brings back is what this code makes.
    restored.dvc("repro", "--force", "--single-item", "analyse")
    assert json.loads((restored.folder / "reports/metrics.json").read_text()) == found


def test_an_experiment_re_runs_one_family_and_what_follows(study):
    before = study.bytes()
    output = study.dvc("exp", "run", "-n", "harder", "-S", "conditions.occlusion.ratio=[0.6]")
    assert sorted(stages_run(output)) == sorted([
        "check", "render@occlusion", "features@occlusion", "evaluate", "explain", "analyse",
        "report",
    ])  # fmt: skip
    after = study.bytes()
    same = [name for name in before if "conditions/" in name and "occlusion" not in name]
    assert same
    assert all(before[name] == after[name] for name in same)
    folders = {str(Path(name).parent) for name in after}
    assert "data/conditions/occlusion/ratio=0.6" in folders
    assert "data/conditions/occlusion/object/ratio=0.6" in folders

    difference = json.loads(study.dvc("metrics", "diff", "--json", "--all", "HEAD", "workspace"))
    metrics = difference["reports/metrics.json"]
    assert metrics["accuracy_small"]["diff"] == 0
    # DVC leaves out what the study has no number for: here no effect is shown, no step identified.
    told = json.loads((study.folder / "reports/metrics.json").read_text())
    assert "worst_effect_on_small" in told
    assert set(metrics) == {name for name, value in told.items() if value is not None}
    assert "size_gap" in metrics
    shown = study.dvc("exp", "show", "--csv")
    assert "harder" in shown
    assert "reports/metrics.json" in shown or "accuracy_small" in shown
    study.dvc("plots", "diff", "HEAD", "workspace", "-o", "plots")
    page = (study.folder / "plots/index.html").read_text()
    for name in ("train_loss", "test_accuracy", "confusion", "gap", "pixels"):
        assert name in page
    assert "harder" in (study.folder / "reports/report.html").read_text()
    assert "harder" in (study.folder / "reports/summary.md").read_text()

    # Back to the old value: nothing is computed that was computed before.
    study.git("checkout", "-q", "--", ".")
    back = study.dvc("repro")
    assert "Running stage 'render" not in back
    assert study.bytes() == before
    shutil.rmtree(study.folder / "plots")


BAD = {
    "an unknown parameter": ("sample.per_grop", 10, "sample.per_grop: unknown parameter"),
    "an unknown option": ("conditions.occlusion", {"rato": [0.3]}, "conditions.occlusion.rato"),
    "a level out of range": ("conditions.occlusion.ratio", [3], "conditions.occlusion.ratio: 3"),
    "a file of weights that is missing": ("backbone.checkpoint", "no/such.pth", "no/such.pth"),
    "a layer that the network lacks": ("explain.layer", "layer9", "explain.layer: 'layer9'"),
    "a task without whole pictures": ("tasks.scene", ["downscale"], "tasks.scene: downscale"),
    "a category that no one has": ("data.categories", ["person", "zebra"], "no category 'zebra'"),
}


@pytest.mark.parametrize(("key", "value", "line"), BAD.values(), ids=BAD)
def test_a_bad_parameter_gets_one_line_and_costs_nothing(restored, key, value, line):
    before = restored.bytes()
    restored.set(key, value)
    output = restored.dvc("repro", fails=True)
    assert len([text for text in output.splitlines() if line in text]) == 1
    assert "Traceback" not in output
    after = restored.bytes()
    # The check's own mark says nothing but that it passed.
    before.pop("data/checked.txt")
    after.pop("data/checked.txt", None)
    assert after == before


def test_an_unknown_family_gets_one_line_and_costs_nothing(restored):
    before = restored.bytes()
    restored.set("conditions.blurr", {"sigma": [2]})
    output = restored.dvc("repro", fails=True)
    assert "conditions.blurr: unknown family; expected one of bg_blur, bg_swap, " in output
    assert "Traceback" not in output
    before.pop("data/checked.txt")
    after = restored.bytes()
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_bad_local_picture_gets_one_line_and_costs_nothing(restored, tmp_path, damage):
    shutil.copytree(ROOT / "examples/local", tmp_path / "own")
    annotations = json.loads((tmp_path / "own/instances.json").read_text())
    victim = tmp_path / "own/images" / annotations["images"][0]["file_name"]
    if damage == "truncated":
        content = victim.read_bytes()
        victim.write_bytes(content[: len(content) // 2])
    else:
        # One of a dozen may be missing; of four, the first is named.
        for image in annotations["images"][:4]:
            (tmp_path / "own/images" / image["file_name"]).unlink()
    pictures = {
        name: digest for name, digest in restored.bytes().items() if name.startswith("data/images")
    }
    restored.set("data.source", "local")
    restored.set("data.local.annotations", str(tmp_path / "own/instances.json"))
    restored.set("data.local.images", str(tmp_path / "own/images"))
    output = restored.dvc("repro", "fetch", fails=True)
    assert len([text for text in output.splitlines() if victim.name in text]) == 1
    assert "Traceback" not in output
    after = restored.bytes()
    assert {name: after[name] for name in pictures} == pictures
