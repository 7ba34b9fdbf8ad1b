"""What a report was made from: parameters, files, versions. No clock, no machine's name."""

import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from smallsight.runtime.files import sha256

PACKAGES = (
    "smallsight", "torch", "torchvision", "grad-cam", "numpy", "pandas", "scipy", "scikit-image",
    "scikit-learn", "pillow", "pycocotools", "matplotlib", "jinja2", "weasyprint", "dvc",
)  # fmt: skip


def fingerprints(paths: Iterable[Path]) -> dict[str, str]:
    """First twelve hexadecimal digits of each file's SHA-256, by its path as given."""
    return {path.as_posix(): sha256(path)[:12] for path in paths}


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result may depend on."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def revision() -> dict[str, str]:
    """Name the DVC experiment that this runs in, and the commit it started from.

    Nothing outside an experiment: there, DVC says neither, and the commit that will hold the
    results is still to be made.
    """
    told = {"experiment": "DVC_EXP_NAME", "baseline": "DVC_EXP_BASELINE_REV"}
    return {name: os.environ[key] for name, key in told.items() if os.environ.get(key)}


def flattened(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give every parameter as its dotted key and its value, in order."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{key}", ", ".join(map(str, value))
        else:
            yield f"{prefix}{key}", "none" if value in ({}, None) else str(value)
