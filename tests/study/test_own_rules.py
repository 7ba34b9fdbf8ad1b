"""Programs of a known rule, examined by the stages themselves, are diagnosed as what they are."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from builders.stages import run
from smallsight.conditions.rendering.windows import reduced_and_enlarged
from smallsight.imaging.pictures import resize

pytestmark = [pytest.mark.dvc, pytest.mark.usefixtures("single_worker")]

ROOT = Path(__file__).parents[2]
NAMES = ["car", "bus", "person"]
SIZE, INPUT, MARGIN = 400, 96, 0.25
EACH = 40
"""Pictures with a small target, and with a medium one; beside it stands a large object."""
SIDES = {"small": (6, 10), "medium": (68, 84)}
"""Of targets, in native pixels."""
LARGE = 100
LEVELS = [5, 7, 9, 12, 16, 24, 40]
"""Sides of the sweep, in native pixels."""
REMEDIES = ("flip", "window_same_head")
"""Those that are tried: one asks anew, and one does not."""
FAMILIES = {"orig_full": {}, "downscale": {"scale": [0.5]}, "pixels": {"side": LEVELS}}

LARGEST = """\
import csv, sys

largest = {}
for row in csv.DictReader(open("data/objects.csv")):
    area = float(row["bbox_w"]) * float(row["bbox_h"])
    largest[row["image_id"]] = max((area, row["category_name"]), largest.get(row["image_id"], (0,)))
with open(sys.argv[1]) as requests, open(sys.argv[2], "w") as answers:
    answers.write("image,condition,class,probability\\n")
    for row in csv.DictReader(requests):
        name = largest[row["image"].split("_")[0]][1]
        answers.write(f"{row['image']},{row['condition']},{name},1\\n")
"""
"""Names the picture's largest object, and looks at no picture."""

PIXELS = """\
import csv, sys
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ["car", "bus", "person"]


def direction(patch):
    grey = patch.mean(axis=2) / 255 - 0.5
    if 2 * grey.std() < 0.35:
        return None
    waves = abs(np.fft.fft2(grey * np.outer(np.hanning(len(grey)), np.hanning(len(grey[0])))))
    across, down = np.meshgrid(*(abs(np.fft.fftfreq(n)) * n for n in grey.shape[::-1]))
    waves[(across < 2) & (down < 2)] = 0
    return NAMES[int(np.argmax([
        waves[down < across / 2].sum(),
        waves[across < down / 2].sum(),
        waves[(down >= across / 2) & (across >= down / 2)].sum(),
    ]))]


def classify(picture):
    # The window is the object and a quarter of its width and height on each side.
    height, width = picture.shape[:2]
    top, left = round(height / 6), round(width / 6)
    return direction(picture[top:height - top, left:width - left])


if __name__ == "__main__":
    requests, answers = map(Path, sys.argv[1:])
    with requests.open() as asked, answers.open("w") as file:
        table = csv.writer(file)
        table.writerow(["image", "condition", "class", "probability"])
        for row in csv.DictReader(asked):
            name = classify(np.asarray(Image.open(requests.parent / row["path"])))
            for one in NAMES if name is None else [name]:
                p = 1 / 3 if name is None else 1
                table.writerow([row["image"], row["condition"], one, p])
"""
"""Reads the direction of stripes off the picture alone; undecided where they are too faint."""


def draw(folder):
    """Write pictures of two striped objects each, with annotations; return them as a table."""
    rng = np.random.default_rng(0)
    (folder / "pictures").mkdir(parents=True)
    images, annotations = [], []
    for image_id, group in enumerate(np.repeat(list(SIDES), EACH), start=1):
        picture = np.full((SIZE, SIZE, 3), 128, np.uint8)
        name = str(rng.choice(NAMES))
        others = [other for other in NAMES if other != name]
        second = name if image_id % 2 else str(rng.choice(others))
        x, y = rng.integers(40, 80, 2).tolist()
        side = int(rng.integers(*SIDES[group]))
        for number, (category, left, top, width) in enumerate(
            [(name, x, y, side), (second, x + 150, y + 150, LARGE)]
        ):
            place = slice(top, top + width), slice(left, left + width)
            picture[place] = resize(stripes(category, rng), width)
            box = {"bbox": [left, top, width, width], "area": width**2, "iscrowd": 0}
            box |= {"id": 10 * image_id + number, "image_id": image_id}
            annotations.append(box | {"category_id": NAMES.index(category)})
        file_name = f"{image_id}.png"
        Image.fromarray(picture).save(folder / "pictures" / file_name)
        images.append({"id": image_id, "file_name": file_name, "width": SIZE, "height": SIZE})
    categories = [{"id": number, "name": name} for number, name in enumerate(NAMES)]
    tree = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(tree))


def stripes(category, rng, size=400):
    """Black and white stripes, (size, size, 3); their number says how few pixels are too few."""
    periods = 5 * np.exp(rng.logistic(scale=0.12)).clip(0.6, 1.7)
    y, x = np.mgrid[:size, :size] / size
    along = {"car": x, "bus": y, "person": (x + y) / np.sqrt(2)}[category]
    wave = np.sin(2 * np.pi * (periods * along + rng.random()))
    return np.repeat(np.where(wave > 0, 255, 0).astype(np.uint8)[..., None], 3, axis=2)


def write_params(**classifier):
    tree = yaml.safe_load((ROOT / "params.yaml").read_text())
    tree["data"]["instances"] = str(ROOT / tree["data"]["instances"])
    tree |= {"device": "cpu", "conditions": FAMILIES}
    tree["tasks"] = {"scene": ["orig_full", "downscale"], "window_margin": MARGIN}
    tree["data"] |= {"source": "local", "categories": NAMES}
    tree["data"]["local"] |= {"annotations": "drawn/instances.json", "images": "drawn/pictures"}
    tree["sample"] |= {"per_group": EACH, "caps": {"person": EACH}}
    tree["analysis"]["bootstrap_draws"] = 1000
    tree["remedies"] = {name: name in REMEDIES for name in tree["remedies"]}
    tree["classifier"] |= {"class_names": "file", "class_names_file": "classes.txt"} | classifier
    tree["classifier"]["preprocessing"]["input_size"] = INPUT
    Path("params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))


def write_command(text):
    Path("program.py").write_text(text)
    command = f"{sys.executable} program.py {{requests}} {{answers}}"
    write_params(source="command", command=command, code="program.py")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """A project whose pictures are rendered."""
    folder = tmp_path_factory.mktemp("rules")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SMALLSIGHT_WORKERS", "1")
        draw(folder / "drawn")
        Path("classes.txt").write_text("\n".join([*NAMES, "none of these"]))
        write_command(LARGEST)
        for stage in ("check", "annotate", "backbone", "sample", "fetch"):
            run(stage)
        for family in FAMILIES:
            run("render", family)
    return folder


@pytest.fixture(scope="module")
def examined(rendered, tmp_path_factory):
    """Examine a program once; return the folder of its study."""
    made = {}

    def examined(text):
        if text not in made:
            folder = tmp_path_factory.mktemp("rule") / "project"
            shutil.copytree(rendered, folder)
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(folder)
                patch.setenv("SMALLSIGHT_WORKERS", "1")
                patch.setattr(tempfile, "tempdir", str(folder.parent))
                write_command(text)
                run("backbone")
                run("engine")
                for family in FAMILIES:
                    run("features", family)
                for stage in ("train", "evaluate", "explain", "faithfulness", "remedies"):
                    run(stage)
                run("analyse")
            assert [one.name for one in folder.parent.iterdir()] == ["project"]
            made[text] = folder
        return made[text]

    return examined


def table(folder, name, *keys):
    found = pd.read_csv(folder / f"data/analysis/{name}.csv", keep_default_na=False, na_values="")
    return found.set_index(list(keys)) if keys else found


def test_a_program_that_names_the_largest_object_is_told_by_the_tables(examined):
    folder = examined(LARGEST)
    predictions = pd.read_parquet(folder / "data/predictions.parquet")
    objects = pd.read_csv(folder / "data/objects.csv")
    objects = objects.assign(area=objects["bbox_w"] * objects["bbox_h"]).sort_values("area")
    largest = objects.groupby("image_id")["category_name"].last()
    assert (predictions["predicted"] == predictions["image_id"].map(largest)).all()
    assert set(predictions["task"]) == {"scene", "object"}

    split = table(folder, "largest_object", "size_group", "largest")
    for group in ("small", "medium"):
        assert split.loc[(group, "other"), "n"] > EACH / 3
        for task in ("scene", "object"):
            assert split.loc[(group, "same"), task] == 1
            assert split.loc[(group, "other"), task] == 0
    assert split.loc[("large", "other"), "n"] == 0
    rule = table(folder, "baselines", "baseline", "size_group").loc["largest_object", "accuracy"]
    results = pd.read_csv(folder / "data/results_conditions.csv")
    for name, accuracies in results.set_index(["task", "condition"]).iterrows():
        if not name[1].startswith("pixels"):
            assert [accuracies[f"val_acc_{group}"] for group in rule.index] == rule.tolist()

    named = table(folder, "neighbours", "task", "size_group", "pictures", "neighbour")
    row = named.loc[("scene", "small", "several", "larger")]
    assert (row["share"], row["verdict"]) == (1, "more")
    effects = table(folder, "effects")
    assert (effects["delta"] == 0).all()
    # It needs no pixels.
    assert table(folder, "thresholds")["threshold"].isna().all()


def test_a_program_that_reads_pixels_has_their_threshold(examined):
    folder = examined(PIXELS)
    classify = runpy.run_path(str(folder / "program.py"))["classify"]
    sample = pd.read_csv(folder / "data/samples_step1_person_limited.csv")
    swept = sample[np.sqrt(sample["bbox_area"]) >= max(LEVELS)]
    # Undecided, it names the first category: cars are right however few their pixels.
    read = swept[swept["category_name"] != NAMES[0]]
    due = float(np.median([fewest_pixels(classify, folder, row) for row in read.itertuples()]))
    assert LEVELS[1] < due < LEVELS[-2]
    (row,) = table(folder, "thresholds").to_dict("records")
    assert row["n"] == len(swept)
    assert row["fits"]
    assert row["threshold"] == pytest.approx(due, rel=0.1)
    assert row["ci_low"] <= due <= row["ci_high"]
    assert row["ceiling"] > 0.95
    assert row["floor"] < 0.5
    # Of 160 objects, the 40 small ones.
    assert row["share_below"] == 0.25

    # Small objects have fewer pixels of their own than that, all others have more.
    results = pd.read_csv(folder / "data/results_conditions.csv")
    untouched = results.set_index(["task", "condition"]).loc[("object", "orig_full")]
    assert untouched["val_acc_small"] < 0.6
    assert (untouched["val_acc_medium"], untouched["val_acc_large"]) == (1, 1)
    # It does not go by what else is in the picture.
    split = table(folder, "largest_object", "size_group", "largest")["object"]
    assert split.loc[("medium", "other")] == split.loc[("medium", "same")] == 1


def fewest_pixels(classify, folder, row):
    """The least side, in native pixels, from which on the program reads the object's stripes."""
    picture = np.asarray(Image.open(folder / row.image_path))
    x, y, side = (round(value) for value in (row.bbox_x, row.bbox_y, row.bbox_w))
    edge = round(MARGIN * side)
    window = picture[y - edge : y + side + edge, x - edge : x + side + edge]
    sides = np.geomspace(min(LEVELS), max(LEVELS), 30)
    reads = [
        classify(resize(reduced_and_enlarged(window, few / side, few / side), INPUT))
        == row.category_name
        for few in sides
    ]
    return sides[len(sides) - np.argmin(reads[::-1])]


def test_a_table_made_by_the_same_program_gives_the_same_study(examined, tmp_path, monkeypatch):
    folder, project = examined(PIXELS), tmp_path / "project"
    shutil.copytree(folder, project)
    monkeypatch.chdir(project)
    shutil.rmtree("data/features")
    write_params(source="predictions", file="mine.csv")
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", stands_for_dvc)
        said = runpy.run_path(str(ROOT / "tools/write_requests.py"))["main"]()
    requests = pd.read_csv("requests.csv")
    assert said == f"{len(requests)} pictures of 11 conditions to predict: requests.csv"
    assert Path("mine.csv").read_text() == "image,condition,class,probability\n"
    subprocess.run([sys.executable, "program.py", "requests.csv", "mine.csv"], check=True)
    for stage in ("check", "backbone"):
        run(stage)
    run("engine")
    for family in FAMILIES:
        run("features", family)
    for stage in ("train", "evaluate", "explain", "faithfulness", "remedies", "analyse"):
        run(stage)
    for name in ("predictions", "rungs"):
        one, other = (pd.read_parquet(at / f"data/{name}.parquet") for at in (folder, project))
        pd.testing.assert_frame_equal(one, other)
    # A program is asked about pictures that are changed on the way, a table cannot be.
    edits = [len(pd.read_csv(at / "data/faithfulness.csv")) for at in (folder, project)]
    assert edits == [12 * 3 * EACH, 0]
    tried = [pd.read_parquet(at / "data/remedies.parquet") for at in (folder, project)]
    assert [set(one["remedy"]) - {"untouched"} for one in tried] == [set(REMEDIES), {REMEDIES[1]}]
    facts = {one["name"]: one for one in json.loads(Path("data/remedies.json").read_text())}
    assert facts["flip"]["reason"] == "a table of predictions cannot be asked again"


def stands_for_dvc(command, check):
    assert command == [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "render"]
    run("backbone")
    return subprocess.CompletedProcess(command, 0)


@pytest.fixture
def project(tmp_path):
    """A copy of this project under DVC, with the example's table of predictions to be made."""
    listed = subprocess.check_output(["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT)
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "dvc.lock")):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tmp_path / name)
    tree = yaml.safe_load((tmp_path / "params.yaml").read_text())
    tree["data"]["phantom"] |= {"scenes": 12, "width": 160, "height": 120}
    tree["sample"] |= {"per_group": 4, "caps": {"person": 2}}
    tree["conditions"] = {"orig_full": {}, "downscale": {"scale": [0.5, 0.25]}}
    tree["tasks"]["scene"] = ["orig_full"]
    tree["classifier"] |= {"source": "predictions", "file": "mine.parquet", "class_names": "file"}
    tree["classifier"] |= {"class_names_file": "examples/predictions/classes.txt"}
    tree["classifier"]["preprocessing"]["input_size"] = 32
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def test_the_example_answers_what_make_requests_lists(project):
    def call(*command):
        done = subprocess.run(
            [sys.executable, *command], cwd=project, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PYTHONPATH": str(project / "src"), "PATH": path}
    environment |= {"DVC_NO_ANALYTICS": "1", "OMP_NUM_THREADS": "1"}
    said = call("tools/write_requests.py")
    requests = pd.read_csv(project / "requests.csv")
    counts = requests["condition"].value_counts()
    assert set(counts.index) == {
        "scene/orig_full/default", "object/orig_full/default",
        "object/downscale/scale=0.5", "object/downscale/scale=0.25",
    }  # fmt: skip
    assert counts["object/orig_full/default"] == 12 >= counts["scene/orig_full/default"]
    assert said.splitlines()[-1].startswith(f"write_requests: {len(requests)} pictures of 4 ")
    call("examples/predictions/predict.py", "requests.csv", "mine.csv")
    answers = pd.read_csv(project / "mine.csv")
    assert len(answers) == 6 * len(requests)
    answers.to_parquet(project / "mine.parquet")
    ran = re.findall(r"Running stage '([^']+)'", call("-m", "dvc", "repro", "evaluate"))
    # Nothing is rendered again for a table that has changed.
    assert not [stage for stage in ran if stage.startswith("render")]
    predictions = pd.read_parquet(project / "data/predictions.parquet")
    best = answers.sort_values("probability").groupby(["image", "condition"])["class"].last()
    windows = predictions[predictions["task"] == "object"]
    names = windows["image_id"].astype(str) + "_" + windows["ann_id"].astype(str) + ".png"
    asked = "object/" + windows["family"] + "/" + windows["level"]
    assert windows["predicted"].tolist() == [
        best[name, condition] for name, condition in zip(names, asked, strict=True)
    ]
