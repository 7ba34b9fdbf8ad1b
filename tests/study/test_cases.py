"""Small datasets with the quirks of exports, in a folder of cases: what must come out of each."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = os.environ.get("SMALLSIGHT_CASES")

pytestmark = [
    pytest.mark.dvc,
    pytest.mark.skipif(not FOLDER, reason="SMALLSIGHT_CASES names no folder of cases"),
]

BOXES = "dvc repro render@orig_crop render@orig_full"
"""As far as the objects can be seen in their boxes."""

WHOLE = "dvc repro"

OWN_WEIGHTS = {"name": "resnet18", "weights": "checkpoint", "input_size": 64}
CHANGES = {
    "08-nan-running-statistics": {"backbone": OWN_WEIGHTS | {"checkpoint": "@WORK@/weights.pth"}},
    "09-dataparallel-checkpoint": {
        "backbone": OWN_WEIGHTS | {"checkpoint": "@WORK@/checkpoint.pth.tar"}
    },
}
"""Parameters of cases in the words that they have today."""


class Run:
    """One case, run as far as a command takes it."""

    def __init__(self, name, tmp_path, command):
        cases = tmp_path / "cases"
        cases.mkdir()
        (self.case,) = (path for path in Path(FOLDER).iterdir() if path.name == name)
        shutil.copytree(self.case, cases / name)
        for shared in ("run.sh", "small.yaml"):
            shutil.copy(Path(FOLDER) / shared, cases)
        override = cases / name / "override.yaml"
        parameters = yaml.safe_load(override.read_text(encoding="utf-8"))
        for section, values in CHANGES.get(name, {}).items():
            parameters[section] = values
        override.write_text(yaml.safe_dump(parameters, allow_unicode=True), encoding="utf-8")
        self.study = tmp_path / "work" / "study"
        environment = os.environ | {
            "COMMAND": command,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SMALLSIGHT_WORKERS": "1",
        }
        done = subprocess.run(
            ["sh", cases / "run.sh", cases / name, ROOT, tmp_path / "work"],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.status, self.said = done.returncode, done.stdout + done.stderr

    def line(self, word):
        """The one line that holds a word."""
        (found,) = (line for line in self.said.splitlines() if word in line)
        return found

    def excluded(self):
        return json.loads((self.study / "data/sampling.json").read_text())["excluded"]

    def sample(self):
        return pd.read_csv(self.study / "data/samples_step1_person_limited.csv")


@pytest.fixture
def run(tmp_path):
    return lambda name, command=BOXES: Run(name, tmp_path, command)


@pytest.mark.parametrize(
    ("name", "excluded"),
    [
        ("01-train2017-zero-height-person", {"degenerate": 1}),
        ("02-coco-annotator-empty-box", {"degenerate": 2}),
        ("03-roboflow-root-of-same-name", {}),
        ("13-iscrowd-null", {}),
        ("14-label-studio-windows", {}),
        ("16-ignore-flag", {"ignored": 36}),
        ("30-ids-beyond-63-bits", {}),
    ],
)
def test_a_quirk_is_read_and_what_is_left_out_is_counted(run, name, excluded):
    done = run(name)
    assert done.status == 0, done.said
    assert done.excluded() == excluded
    assert len(done.sample()) == 24
    assert done.sample()["size_group"].value_counts().eq(8).all()
    if name == "16-ignore-flag":
        assert "0 of 24 sampled objects" in done.line("check: 0")
        assert "right" in done.line("check: 0")


@pytest.mark.parametrize("name", ["07-exif-upside-down", "05-thermal-16-bit"])
def test_the_object_is_seen_in_its_box(run, name):
    done = run(name)
    assert done.status == 0, done.said
    assert re.search(r"^check: .* - right$", done.said, flags=re.MULTILINE), done.said


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("08-nan-running-statistics", r"weights error: .*layer4\.1\.bn2\.running_mean holds NaN"),
        ("17-one-category", r"parameter error: params\.data\.categories: .*at least two names"),
        ("19-pictures-missing", r"annotation error: .*4 of 16 pictures .*such as image 1 "),
    ],
)
def test_what_cannot_be_examined_is_refused_in_one_line(run, name, line):
    done = run(name, WHOLE)
    assert done.status != 0
    assert re.search(line, done.line("expected"))
    assert "Traceback" not in done.said
    assert not (done.study / "reports/report.html").exists()


def test_weights_under_a_prefix_are_read(run):
    done = run("09-dataparallel-checkpoint", "dvc repro features@orig_full")
    assert done.status == 0, done.said
    assert "module." in (done.study / "data/backbone.json").read_text(encoding="utf-8")


def test_a_whole_study_runs(run):
    done = run("00-control", WHOLE)
    assert done.status == 0, done.said
    assert (done.study / "reports/report.pdf").stat().st_size > 10_000
    assert "100% of 24 crops" in done.line("check: 100%")


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext reads the PDF's letters")
def test_names_that_no_font_has_are_told_in_one_line_or_legible(run):
    done = run("25-chinese-names", WHOLE)
    assert done.status == 0, done.said
    found = re.search(r"check: (\d+) Chinese characters", done.said)
    told = [line for line in done.said.splitlines() if "font" in line and "report:" in line]
    assert int(found[1]) > 0 or len(told) == 1, done.said
