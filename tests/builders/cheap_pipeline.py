"""A pipeline whose stages cost nothing, for what DVC alone does: a file, a folder and a metric."""

import copy
import hashlib
import shutil

from builders.compared_studies import Project

MAKE = """\
import pathlib
text = pathlib.Path("params.yaml").read_text()
inner = pathlib.Path("data/many/inner")
inner.mkdir(parents=True)
for path in (inner / "b", inner.parent / "a"):
    path.write_text(path.name + text)
pathlib.Path("data/one").write_text(text)
"""
COUNT = """\
import pathlib
text = pathlib.Path("data/one").read_text()
pathlib.Path("reports").mkdir(exist_ok=True)
pathlib.Path("reports/count.json").write_text('{"letters": %d}' % len(text))
"""
PIPELINE = """\
stages:
  make:
    cmd: python make.py
    deps: [make.py]
    params: [x]
    outs:
    - data/one
    - data/many
  count:
    cmd: python count.py
    deps: [count.py, data/one]
    metrics:
    - reports/count.json:
        cache: false
"""
TIMED = """\
  time:
    cmd: python -c "import time; open('data/remedies_times.csv', 'w').write(str(time.time_ns()))"
    deps: [make.py, data/one]
    outs:
    - data/remedies_times.csv
  show:
    cmd: python show.py
    deps: [show.py, data/remedies_times.csv]
    outs:
    - reports/page
"""
SHOW = """\
import os, pathlib, time
seconds = pathlib.Path("data/remedies_times.csv").read_text()
pathlib.Path("reports/page").write_text(f"{seconds}MORE")
"""


class CheapPipeline(Project):
    """Such a project in a repository of its own; its only parameter is x."""

    def __init__(self, folder):
        folder.mkdir()
        super().__init__(folder)
        (folder / "make.py").write_text(MAKE)
        (folder / "count.py").write_text(COUNT)
        (folder / "dvc.yaml").write_text(PIPELINE)
        (folder / "params.yaml").write_text("x: 1\n")
        (folder / ".gitignore").write_text("/data/\n")

    def add_seconds(self, more=""):
        """Add a stage that writes a time, and one whose page shows it, and more in braces."""
        path = self.folder / "dvc.yaml"
        path.write_text(path.read_text() + TIMED)
        (self.folder / "show.py").write_text(SHOW.replace("MORE", more))

    def run_and_commit(self, message="Results"):
        """Run it, commit what it recorded, and return what DVC printed."""
        output = self.dvc("repro")
        self.commit(message)
        return output

    def clone(self, folder):
        """Clone what is committed, as another user does: without anything that DVC keeps."""
        self.run("git", "clone", "-q", str(self.folder), str(folder))
        made = copy.copy(self)
        made.folder = folder
        return made

    def copy(self, folder):
        """Copy all of it, as it is, to be damaged or run."""
        shutil.copytree(self.folder, folder, symlinks=True)
        made = copy.copy(self)
        made.folder = folder
        return made

    def bytes(self):
        """Digest of every file that it wrote."""
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for part in ("data", "reports")
            for path in sorted((self.folder / part).rglob("*"))
            if path.is_file()
        }
