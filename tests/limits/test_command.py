"""`tools/check_limits.py` as a service for continuous integration runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import junitparser
import pytest
import yaml

from builders.limits import tables_of
from smallsight.limits.check import TABLES
from smallsight.runtime import files

ROOT = Path(__file__).parents[2]
XML = "reports/limits.xml"


@pytest.fixture
def study(tmp_path):
    """A study's folder; give what the tool says, with limits set."""
    made = tables_of(losses={"occlusion": (0.1, 0.04, 0.16)})
    for table in TABLES:
        files.write_table(made[table.name], tmp_path / f"data/analysis/{table.name}.csv")

    def check(**limits):
        tree = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
        tree["limits"] |= limits
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
        command = [sys.executable, str(ROOT / "tools/check_limits.py")]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    check.folder = tmp_path
    return check


def read_back(study):
    found = junitparser.JUnitXml.fromfile(str(study.folder / XML))
    return found.tests, found.failures, found.skipped


def test_passed_failed_and_untold_have_a_status_each(study):
    done = study(least_accuracy_small=0.6, largest_gap=0.3)
    assert (done.returncode, done.stderr) == (0, "")
    assert read_back(study) == (2, 0, 0)
    assert "passed       Accuracy on small objects is 70.0% (64.0–76.0)" in done.stdout
    assert "check_limits: passed: 2 passed; reports/limits.xml [" in done.stdout

    done = study(least_accuracy_small=0.6, largest_gap=0.1)
    assert (done.returncode, done.stderr) == (2, "")
    assert read_back(study) == (2, 0, 1)
    assert "check_limits: cannot tell: 1 cannot tell, 1 passed; reports/limits.xml" in done.stdout

    done = study(least_accuracy_small=0.9, largest_gap=0.1, largest_loss_small=0.5)
    assert (done.returncode, done.stderr) == (1, "")
    assert read_back(study) == (3, 1, 1)
    said = "check_limits: failed: 1 cannot tell, 1 failed, 1 passed; reports/limits.xml"
    assert said in done.stdout


def refused(study, **limits):
    (study.folder / "reports").mkdir(exist_ok=True)
    (study.folder / XML).write_text("of the last time")
    done = study(**limits)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert not (study.folder / XML).exists()
    return done.stderr


def test_without_limits_one_line_names_them(study):
    assert refused(study) == (
        "check_limits: parameter error: params.limits: no limit is set; expected a number for at "
        "least one of least_accuracy_small, largest_gap, largest_loss_small\n"
    )


def test_without_an_analysis_one_line_says_what_makes_it(study):
    shutil.rmtree(study.folder / "data")
    assert refused(study, largest_gap=0.1) == (
        "check_limits: error: data/analysis: no such folder; expected a study that ran: dvc repro\n"
    )


def test_an_analysis_that_lacks_a_table_is_named(study):
    (study.folder / "data/analysis/effects.csv").unlink()
    line = refused(study, largest_gap=0.1)
    assert line.startswith("check_limits: error: data/analysis/effects.csv: No such file")


@pytest.mark.parametrize(("name", "value"), [("largest_gap", 5), ("least_accuracy_small", "70%")])
def test_a_limit_that_is_no_share_is_named(study, name, value):
    assert f"parameter error: params.limits.{name}: {value!r}" in refused(study, **{name: value})


def test_a_misspelt_limit_is_named(study):
    assert "params.limits.largest_gab: unknown parameter" in refused(study, largest_gab=0.1)
