"""What is installed is locked, file by file, and looked up where that can be done."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {name: ROOT / f"requirements/{name}.lock" for name in ("build", "study", "dev")}
EACH_LOCK = pytest.mark.parametrize("name", LOCKS)

BUILD = PYPROJECT["build-system"]["requires"]


def asked_for(requirements):
    """Yield what stands in pyproject.toml; for an extra of the project itself, what is in it."""
    for requirement in map(Requirement, requirements):
        if requirement.name == PROJECT["name"]:
            for extra in sorted(requirement.extras):
                yield from asked_for(EXTRAS[extra])
        else:
            yield requirement


DIRECT = {
    "build": list(asked_for(BUILD)),
    "study": list(asked_for([*BUILD, *PROJECT["dependencies"]])),
    "dev": list(asked_for([*BUILD, *PROJECT["dependencies"], *EXTRAS["dev"]])),
}


def locked(name):
    """The version and the hashes of each package of a lock, which has nothing else in it."""
    text = re.sub(r"^ *#.*$", "", LOCKS[name].read_text(encoding="utf-8"), flags=re.MULTILINE)
    entries = [one for one in re.split(r"\n(?=\S)", text.replace("\\\n", "")) if one.strip()]
    found = {}
    for entry in entries:
        requirement, *hashes = re.split(r"\s+--hash=", entry.strip())
        pinned = Requirement(requirement)
        (specifier,) = pinned.specifier
        assert specifier.operator == "==", entry
        assert canonicalize_name(pinned.name) not in found, entry
        found[canonicalize_name(pinned.name)] = (specifier.version, hashes)
    return found


@EACH_LOCK
def test_every_entry_has_hashes(name):
    for package, (_, hashes) in locked(name).items():
        assert hashes, package
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), package


@EACH_LOCK
def test_every_dependency_is_locked_at_a_version_that_it_allows(name):
    found = locked(name)
    for requirement in DIRECT[name]:
        package = canonicalize_name(requirement.name)
        assert package in found, f"{package}: make lock"
        version, _ = found[package]
        assert version in requirement.specifier, f"{requirement}, locked is {version}: make lock"


def test_the_locks_agree():
    full = locked("dev")
    for name in LOCKS:
        assert locked(name).items() <= full.items(), name


def test_what_builds_the_project_is_what_is_locked():
    assert PYPROJECT["dependency-groups"]["build"] == BUILD


@EACH_LOCK
def test_a_lock_names_no_place(name):
    text = LOCKS[name].read_text(encoding="utf-8")
    assert not re.search(r"://|index|find-links|^ *-e|@ |(?:^|\s)/", text, flags=re.MULTILINE)


@pytest.fixture
def audit(tmp_path):
    """Run the audit with a program in the place of pip-audit, which cannot ask from everywhere."""

    def run(*, output="", error="", status=0):
        program = tmp_path / "pip-audit"
        told = f"sys.stdout.write({output!r}); sys.stderr.write({error!r}); sys.exit({status})"
        program.write_text(f"#!{sys.executable}\nimport sys\n{told}\n")
        program.chmod(0o755)
        path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
        return subprocess.run(
            [sys.executable, "tools/audit.py"],
            cwd=ROOT,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
        )

    return run


def answer(*faults):
    return json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": list(faults)}]})


def test_an_audit_that_finds_nothing_passes(audit):
    done = audit(output=answer())
    assert done.returncode == 0
    assert "1 packages, 0 known vulnerabilities" in done.stdout


def test_an_audit_names_what_it_finds(audit):
    done = audit(output=answer({"id": "X-1", "fix_versions": ["2", "3"]}), status=1)
    assert done.returncode == 1
    assert done.stdout.startswith("a 1: X-1, fixed in 2, 3\n")


@pytest.mark.parametrize(
    "said",
    [
        {"error": "ERROR: no such host\n", "status": 1},
        {"error": "ERROR: not found\n", "status": 0},
        {"output": answer(), "error": "ERROR: half of it\n", "status": 1},
        {"output": json.dumps({"dependencies": []}), "status": 0},
    ],
)
def test_an_audit_without_an_answer_never_passes(audit, said):
    done = audit(**said)
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 1
    assert "NOT audited" in done.stdout
    assert said.get("error", "").strip() in done.stdout
