"""What a report was made from: the same on every machine, whatever the clock says."""

import hashlib
import re
import tomllib
from importlib import metadata

import pytest

from builders.study_files import ROOT
from smallsight.report import provenance

NAME, BASELINE = "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"


@pytest.fixture(autouse=True)
def outside(monkeypatch):
    for key in (NAME, BASELINE):
        monkeypatch.delenv(key, raising=False)


@pytest.mark.parametrize(
    ("variables", "due"),
    [
        ({}, {}),
        ({NAME: "", BASELINE: ""}, {}),
        ({NAME: "bold-owl"}, {"experiment": "bold-owl"}),
        ({BASELINE: "0f" * 20}, {"baseline": "0f" * 20}),
        (
            {BASELINE: "0f" * 20, NAME: "bold-owl"},
            {"experiment": "bold-owl", "baseline": "0f" * 20},
        ),
    ],
)
def test_an_experiment_is_named_with_the_commit_it_started_from(monkeypatch, variables, due):
    for key, value in variables.items():
        monkeypatch.setenv(key, value)
    # The experiment comes first, whichever variable was set first.
    assert list(provenance.revision().items()) == list(due.items())


def test_nothing_else_of_the_environment_is_told(monkeypatch):
    monkeypatch.setenv("DVC_EXP_GIT_REMOTE", "https://token@example.org")
    monkeypatch.setenv("DVC_STAGE", "report")
    assert provenance.revision() == {}


def test_a_fingerprint_is_the_beginning_of_the_files_hash(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_bytes(b"1\n" * 100_000)
    other.write_bytes(b"")
    paths = [path.relative_to(tmp_path) for path in (other, one)]
    found = provenance.fingerprints(paths)
    assert list(found.items()) == [
        (path.as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()[:12]) for path in paths
    ]


def test_versions_are_those_installed(monkeypatch):
    monkeypatch.setattr(metadata, "requires", lambda package: ["pandas>=2", "no-such-package"])
    found = provenance.versions()
    assert found.keys() == {"Python", "smallsight", "pandas", "no-such-package"}
    assert found["pandas"] == metadata.version("pandas")
    assert found["no-such-package"] == "not installed"


def test_every_dependency_is_told_and_no_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.match(r"[\w.-]+", one)[0] for one in project["dependencies"]]
    assert list(provenance.versions()) == ["Python", "smallsight", *sorted(names)]
    assert "not installed" not in provenance.versions().values()


@pytest.mark.parametrize(
    ("requirement", "names"),
    [
        ("numpy>=2.0", ["numpy"]),
        ("opencv-python-headless", ["opencv-python-headless"]),
        ("dask[distributed]>=2025.1", ["dask"]),
        ('tomli>=2; python_version < "3.11"', ["tomli"]),
        ('ruff>=0.8; extra == "dev"', []),
        ('smallsight[cluster]; python_version > "3" and extra == "dev"', []),
        ("extra-package>=1", ["extra-package"]),
    ],
)
def test_a_requirement_names_its_package_unless_it_is_an_extras(requirement, names):
    assert provenance.dependencies([requirement]) == names


def test_parameters_come_out_flat_and_in_order():
    tree = {"a": {"b": [1, 2.5], "c": {"d": None, "e": {}}}, "f": "x", "g": False, "h": 0}
    assert list(provenance.flattened(tree)) == [
        ("a.b", "1, 2.5"),
        ("a.c.d", "none"),
        ("a.c.e", "none"),
        ("f", "x"),
        ("g", "False"),
        ("h", "0"),
    ]
