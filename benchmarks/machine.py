"""What the benchmark ran on."""

import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from study_copy import ROOT

from smallsight.runtime.parallel import workers

PACKAGES = ("torch", "torchvision", "onnxruntime", "dvc", "grad-cam", "numpy", "pillow")


def describe_machine() -> dict[str, object]:
    """Return processor, cores that are used, memory, date, commit, and releases of packages."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "processor": _value("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": workers(),
        "memory_gib": round(
            int((_value("/proc/meminfo", "MemTotal") or "0").split()[0]) / 1024**2, 1
        ),
        "system": platform.system(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": _commit(),
        "versions": versions,
    }


def _value(path: str, key: str) -> str:
    if not Path(path).is_file():
        return ""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def _commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    )
    return found.stdout.strip()
