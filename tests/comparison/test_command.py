"""`make compare` from end to end: real revisions of a small project under Git and DVC."""

import os
import runpy
import shutil
import subprocess
import sys

import pandas as pd
import pypdf
import pytest

from builders.compared_studies import FILES, ROOT, SCRIPT, Project, predicted, sampled, write_study
from smallsight.comparison.comparison import compare_studies
from smallsight.comparison.inputs import read_side
from smallsight.comparison.revisions import open_revision
from smallsight.runtime import script

pytestmark = pytest.mark.dvc

STAGE = """\
import pathlib
import yaml
from builders.compared_studies import predicted, sampled, write_tables
tree = yaml.safe_load(pathlib.Path("params.yaml").read_text())
sample = sampled(each=40, seed=tree["seed"])
odds = {"small": tree["heads"]["small"], "medium": 0.6, "large": 0.8}
write_tables(pathlib.Path(), sample, predicted(sample, odds=odds, seed=tree["heads"]["epochs"]))
"""
PIPELINE = """\
stages:
  make:
    cmd: python make.py
    params: [seed, heads]
    outs:
      - data/samples_step1_person_limited.csv
      - data/predictions.parquet
      - data/rungs.parquet
      - data/analysis
      - data/conditions
"""
OUTPUTS = ("reports/compare.html", "reports/compare.pdf")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A study, tagged, and an experiment that is better on small objects, which is on disk too."""
    folder = tmp_path_factory.mktemp("compared") / "project"
    sample = sampled(each=40)
    write_study(folder, sample, predicted(sample), changes={"heads.small": 0.4})
    shutil.rmtree(folder / "data")
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    made = Project(folder, PYTHONPATH=path)
    (folder / "make.py").write_text(STAGE)
    (folder / "dvc.yaml").write_text(PIPELINE)
    made.before = made.commit("Before")
    made.dvc("repro", "-q")
    made.commit("First")
    made.run("git", "tag", "first")
    made.dvc("exp", "run", "-q", "-n", "better", "-S", "heads.small=0.6", "-S", "heads.epochs=9")
    return made


@pytest.fixture
def compare(project, monkeypatch, capsys):
    """Compare in this process; give what is printed, or the line of a refusal."""
    main = runpy.run_path(str(SCRIPT))["main"]

    def compare(*revisions):
        monkeypatch.chdir(project.folder)
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *revisions])
        try:
            script.run(main, *revisions)
        except SystemExit as refused:
            return str(refused)
        return capsys.readouterr().out

    return compare


def contents(project):
    return [(project.folder / name).read_bytes() for name in OUTPUTS]


@pytest.fixture(scope="module")
def compared(project):
    project.said = project.run(sys.executable, str(SCRIPT), "first", "better")
    return project


def test_two_revisions_are_compared(compared):
    assert "compare first better: 120 objects" in compared.said
    page = contents(compared)[0].decode()
    commit = compared.run("git", "rev-parse", "--short=7", "first").strip()
    assert f"<code>first</code>, commit {commit}" in page
    assert "<code>better</code>, experiment, commit " in page
    assert "B (better) recognises small objects more often than A (first)" in page
    assert "heads.small" in page
    pdf = pypdf.PdfReader(compared.folder / OUTPUTS[1])
    assert f"({len(pdf.pages)} pages)" in compared.said
    assert "first against better" in pdf.metadata.title


def test_a_second_time_gives_the_same_bytes(compared, compare):
    before = contents(compared)
    assert "120 objects" in compare("first", "better")
    assert contents(compared) == before
    left = [path.name for path in (compared.folder / "reports").iterdir()]
    assert sorted(left) == ["compare.html", "compare.pdf"]


REFUSED = {
    "an unknown revision": (("first", "nowhere"), "compare first nowhere: error: nowhere: "),
    "nothing that ran": (("before", "better"), "no such file; expected a revision whose study"),
    "one by itself": (("first",), "usage: python"),
}


@pytest.mark.parametrize(("revisions", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_compared_is_refused_in_one_line(compared, compare, revisions, words):
    before = contents(compared)
    names = [compared.before if name == "before" else name for name in revisions]
    line = compare(*names)
    assert words in line
    assert "\n" not in line
    assert contents(compared) == before


def test_without_a_second_revision_the_first_is_compared_with_the_disk(compared):
    before = contents(compared)
    path = compared.folder / FILES.sample
    text = path.read_text()
    path.unlink()
    path.write_text(text.replace("small", "medium", 1))
    # Refused, which is the quickest way to see that the disk was read.
    output = compared.run(sys.executable, str(SCRIPT), "first", fails=True)
    assert len(output.strip().splitlines()) == 1
    assert "first and workspace: different data, for 1 of 120 ids" in output
    assert contents(compared) == before
    path.write_text(text)


def test_the_disk_is_as_good_as_a_commit(compared):
    names = ("first", "better", "workspace")
    first, *others = (read_side(open_revision(compared.folder, name), FILES) for name in names)
    numbers = [compare_studies(first, one).headline.numbers for one in others]
    pd.testing.assert_frame_equal(*numbers)


@pytest.fixture(params=["plain", "sub folder/größe"])
def made(request, tmp_path):
    """Run this project's `make compare` where nothing needs installing, whatever the path."""
    tmp_path = tmp_path / request.param
    tmp_path.mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/system_libraries.py").touch()
    (tmp_path / "tools/compare.py").write_text("import sys\nprint(sys.argv[1:])\n")
    (tmp_path / "requirements").mkdir()
    for name in ("pyproject.toml", "requirements/build.lock", "requirements/study.lock"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    bin_ = tmp_path / ".venv/bin"
    bin_.mkdir(parents=True)
    (bin_ / "python").symlink_to(sys.executable)
    (bin_ / ".installed").touch()

    def made(*arguments):
        clean = {key: value for key, value in os.environ.items() if key not in ("A", "B")}
        return subprocess.run(
            ["make", "compare", *arguments], cwd=tmp_path, env=clean, capture_output=True, text=True
        )

    return made


def test_make_passes_revisions_on_as_they_are(made):
    assert "['first', 'better']" in made("A=first", "B=better").stdout
    assert "['first']" in made("A=first").stdout
    done = made("A=`touch broken`", 'B="; touch broken; "')
    assert """['`touch broken`', '"; touch broken; "']""" in done.stdout


def test_make_asks_for_a_revision(made):
    done = made()
    assert done.returncode != 0
    assert "make compare A=<revision>" in done.stdout


def test_make_help_names_the_target():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "make compare" in done.stdout
