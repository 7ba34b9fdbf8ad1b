"""What is installed is locked, file by file."""

import re
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
