"""What a report was made from: parameters, files, versions. No clock, no machine's name."""

import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from smallsight.runtime.files import sha256

PACKAGE = "smallsight"
DIGITS = 12
"""Hexadecimal digits of a hash that are shown."""


def fingerprints(paths: Iterable[Path]) -> dict[str, str]:
    """Return the first `DIGITS` of each file's SHA-256, by its path as given."""
    return {path.as_posix(): sha256(path)[:DIGITS] for path in paths}


def versions() -> dict[str, str]:
    """Return the versions of Python, of this package and of the packages that it depends on.

    Those of extras are left out: no result depends on them.
    """
    found = {"Python": platform.python_version()}
    for package in (PACKAGE, *dependencies(metadata.requires(PACKAGE) or ())):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def dependencies(requirements: Iterable[str]) -> list[str]:
    """Return the names of required packages, in the order of the alphabet.

    Parameters
    ----------
    requirements
        As in the metadata of a package; those of an extra end in `extra == "..."`.

    Examples
    --------
    >>> dependencies(["numpy>=2.0", "dvc>=3.60", 'ruff>=0.8; extra == "dev"'])
    ['dvc', 'numpy']
    """
    always = (one for one in requirements if not re.search(r";.*\bextra\b", one))
    return sorted({re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in always})


def revision() -> dict[str, str]:
    """Return the names of the DVC experiment that this runs in and of the commit it started from.

    Nothing outside an experiment: there, DVC names neither, and the commit that will hold the
    results is still to be made.
    """
    variables = {"experiment": "DVC_EXP_NAME", "baseline": "DVC_EXP_BASELINE_REV"}
    return {name: os.environ[key] for name, key in variables.items() if os.environ.get(key)}


def flattened(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every parameter as its dotted key and its value as text, in order."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{key}", ", ".join(map(str, value))
        else:
            yield f"{prefix}{key}", "none" if value in ({}, None) else str(value)
