"""Copies of this tree in which a study is run by DVC, and what its stages took."""

import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from os import wait4
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]

CLOSING = re.compile(r"^(\w+)(?: \w+)?: .*\[([0-9.]+) s\]$", re.MULTILINE)
"""A stage's closing line: its name, perhaps a family, and its seconds."""


@dataclass(frozen=True)
class Run:
    """What a command took.

    Attributes
    ----------
    seconds
        From its start to its end.
    stages
        Seconds that stages say they took, by name, families together.
    memory
        Of the largest of its processes, in bytes.
    """

    seconds: float
    stages: dict[str, float]
    memory: int

    @property
    def overhead(self) -> float:
        """The share of the time in which no stage was at work: starts, and DVC's own."""
        return 1 - sum(self.stages.values()) / self.seconds


def copy_tree(folder: Path) -> None:
    """Copy what Git tracks here, as it is on disk, into a new folder that Git does not know."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    config = folder / ".dvc/config"
    config.write_text(config.read_text().replace("[core]", "[core]\n    no_scm = true", 1))


def set_parameters(folder: Path, change: dict[str, Any]) -> None:
    """Change parameters of a copy; a dotted name is a path, and a group's value replaces it."""
    path = folder / "params.yaml"
    tree = yaml.safe_load(path.read_text())
    for name, value in change.items():
        *groups, last = name.split(".")
        place = tree
        for group in groups:
            place = place[group]
        place[last] = value
    path.write_text(yaml.safe_dump(tree, sort_keys=False))


def reproduce(folder: Path, *targets: str) -> Run:
    """Run `dvc repro` in a copy.

    Raises
    ------
    SystemExit
        Where it fails, with the end of what it said.
    """
    return run([sys.executable, "-m", "dvc", "repro", *targets], folder)


def run(command: list[str], folder: Path) -> Run:
    """Run a command with the library of a folder, and see what it takes."""
    log = folder / "run.log"
    start = time.perf_counter()
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT)
        _, status, usage = wait4(process.pid, 0)
        process.returncode = status
    seconds = time.perf_counter() - start
    said = log.read_text()
    if status:
        sys.exit(f"{' '.join(command)} failed:\n{said[-2000:]}")
    stages: dict[str, float] = {}
    for name, took in CLOSING.findall(said):
        stages[name] = stages.get(name, 0.0) + float(took)
    return Run(seconds, stages, usage.ru_maxrss * 1024)
