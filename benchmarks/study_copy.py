"""A copy of this project in a folder of its own, with its own parameters, run by DVC."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import children
import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[1]
LOCK = "dvc.lock"
WRITTEN = ("data", "reports", ".dvc/cache")
"""Folders that a run writes into."""
CLOSING_LINE = re.compile(r"^(\w+)(?: \w+)?: .* \[(\d+\.\d) s\]$", re.MULTILINE)
STARTS = "starts and hashing"
"""What a run of DVC takes beyond its stages' own work."""


class StudyCopy:
    """The working tree, copied without what was computed in it.

    Parameters
    ----------
    folder
        Where it is made.
    changes
        By dotted key of params.yaml, another value.
    """

    def __init__(self, folder: Path, changes: Mapping[str, Any]) -> None:
        self.folder = folder
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = os.environ | {"PATH": path, "DVC_NO_ANALYTICS": "1"}
        self.environment.pop("PYTHONPATH", None)
        listed = subprocess.check_output(
            ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, text=True
        )
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file() and name != LOCK:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, folder / name)
        children.run("git", "init", "--quiet", folder=folder)
        for key, value in changes.items():
            self.change(key, value)
        self.keep()

    def change(self, key: str, value: Any) -> None:
        """Change one parameter, named by its dotted key."""
        change_parameter(self.folder / "params.yaml", key, value)

    def keep(self) -> None:
        """Remember what there is now: `restore` comes back to it."""
        self._kept = self._written()
        self._texts = {name: self._text(name) for name in (LOCK, "params.yaml")}

    def restore(self) -> None:
        """Come back to what was kept: delete what was computed since, from DVC's cache too."""
        # What lies deepest first. No empty folder stays: DVC fails on those in its cache of runs.
        for path in sorted(self._written() - self._kept, reverse=True):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()
        for name, text in self._texts.items():
            path = self.folder / name
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.write_text(text, encoding="utf-8")

    def repro(self, *targets: str) -> dict[str, Any]:
        """Run `dvc repro`; return what it took.

        Returns
        -------
        dict
            `seconds`, on the clock; `peak_gib`; `steps`: the seconds of all stages of a name, as
            their closing lines say, and of starts and hashing, which is the rest; `stages`, how
            many ran.
        """
        command = (sys.executable, "-m", "dvc", "repro", *targets)
        done = children.run(*command, folder=self.folder, environment=self.environment)
        steps = steps_of(done.output)
        own = sum(steps.values())
        return {
            "seconds": done.seconds,
            "peak_gib": done.peak_gib,
            "steps": steps | {STARTS: done.seconds - own},
            "stages": len(CLOSING_LINE.findall(done.output)),
        }

    def passes(self) -> int:
        """Count the network's passes whose features are stored: pictures and mirror images."""
        total = 0
        for path in (self.folder / "data/features").rglob("*.npz"):
            with np.load(path) as file:
                names = {"scene", "scene_mirrored"} & set(file.files)
                total += sum(len(file[name]) for name in names)
        return total

    def heads(self) -> int:
        """Count the heads behind the predictions, and the reference head.

        Those of the regime `fixed` are the heads that `retrained` has on untouched pictures; those
        of the ladder's rungs are not counted.
        """
        table = pd.read_parquet(self.folder / "data/predictions.parquet")
        own = table[table["regime"] == "retrained"]
        return len(own.drop_duplicates(["task", "condition", "seed", "fold"])) + 1

    def accuracies(self) -> dict[str, float]:
        """Return the original study's table: accuracy by condition, on whole pictures."""
        table = pd.read_csv(self.folder / "data/results_conditions.csv")
        table = table[(table["task"] == "scene") & (table["regime"] == "retrained")]
        return dict(zip(table["condition"], table["val_acc_all"], strict=True))

    def _written(self) -> set[Path]:
        below = (self.folder / name for name in WRITTEN)
        return {path for at in below for path in at.rglob("*")}

    def _text(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.is_file() else None


def change_parameter(path: Path, key: str, value: Any) -> None:
    """Change one parameter in a file of them, named by its dotted key."""
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    *above, last = key.split(".")
    branch = tree
    for name in above:
        branch = branch[name]
    branch[last] = value
    path.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")


def steps_of(output: str) -> dict[str, float]:
    r"""Add up the seconds of stages by name, from their closing lines.

    Examples
    --------
    >>> steps_of("render zoom: 3 pictures [1.5 s]\nrender shift: 3 pictures [0.5 s]\nno [2 s]")
    {'render': 2.0}
    """
    steps: dict[str, float] = {}
    for name, seconds in CLOSING_LINE.findall(output):
        steps[name] = steps.get(name, 0.0) + float(seconds)
    return steps
