"""A whole study, small, by DVC in a repository of its own."""

import copy
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).parents[2]
SMALL = {
    "data.phantom": {"scenes": 30, "width": 240, "height": 180},
    "sample": {"per_group": 15, "caps": {"person": 5}},
    "conditions.downscale": {"scale": [0.5, 0.125]},
    "conditions.motion_blur": {"length": [15]},
    "conditions.occlusion": {"ratio": [0.35]},
    "conditions.bg_blur": {"sigma": [3.5]},
    "conditions.pixels": {"side": [6, 12]},
    "conditions.shift": {"reach": [5], "draw": [1, 2]},
    "backbone": {"input_size": 64},
    "evaluation": {"folds": 3, "repeats": 2},
    "analysis": {"bootstrap_draws": 100},
    "explain": {"gallery_size": 2},
}
MACHINE = """import os, socket

found = os.uname()
os.uname = lambda: os.uname_result((found.sysname, {host!r}, *found[2:]))
socket.gethostname = lambda: {host!r}
"""
"""Python imports it first of all, and then takes the machine for another one."""


class Study:
    """A copy of this project, under Git and DVC, with small parameters; Git's own may lie above."""

    def __init__(self, folder, *, repository=None):
        self.folder = folder
        home = {"PYTHONPATH": str(folder / "src"), "GIT_CONFIG_GLOBAL": str(folder / "gitconfig")}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = os.environ | home | {"PATH": path, "DVC_NO_ANALYTICS": "1"}
        # Other tests run beside these: torch's threads would wait for cores that those hold.
        self.environment |= {"OMP_NUM_THREADS": "1"}
        listed = subprocess.check_output(
            ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT
        )
        for name in filter(None, listed.decode().split("\0")):
            if (ROOT / name).is_file() and not name.startswith(("tests/", "dvc.lock")):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, folder / name)
        for key, changes in SMALL.items():
            for name, value in changes.items():
                self.set(f"{key}.{name}", value)
        self.git("config", "--global", "user.email", "study@example.org")
        self.git("config", "--global", "user.name", "Study")
        self.git("init", "-q", "-b", "main", str(repository or folder))
        self.commit("Small study")

    def rename_machine(self, folder, *, user, host):
        """Give the machine and its user other names in all that runs, by a module in a folder."""
        (folder / "sitecustomize.py").write_text(MACHINE.format(host=host))
        path = os.pathsep.join([self.environment["PYTHONPATH"], str(folder)])
        self.environment |= {"USER": user, "LOGNAME": user, "PYTHONPATH": path}

    def run(self, *command, fails=False):
        """Run a command; give its exit status' agreement with `fails` and what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        output = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, output
        return output

    def git(self, *arguments):
        return self.run("git", *arguments)

    def dvc(self, *arguments, fails=False):
        return self.run(sys.executable, "-m", "dvc", *arguments, fails=fails)

    def clone(self, folder):
        """Clone what is committed, as another user does: without anything that DVC keeps."""
        self.git("clone", "-q", str(self.folder), str(folder))
        made = copy.copy(self)
        made.folder = folder
        made.environment = self.environment | {"PYTHONPATH": str(folder / "src")}
        return made

    def commit(self, message):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def set(self, key, value):
        path = self.folder / "params.yaml"
        tree = yaml.safe_load(path.read_text())
        *above, last = key.split(".")
        branch = tree
        for name in above:
            branch = branch[name]
        branch[last] = value
        path.write_text(yaml.safe_dump(tree, sort_keys=False))

    def bytes(self):
        """Digest of every file that the study wrote."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for part in ("data", "reports")
            for path in sorted((self.folder / part).rglob("*"))
            if path.is_file() and path.name != ".gitignore"
        }

    def table(self, name):
        return pd.read_csv(self.folder / name)
