"""A study's files as they were at a revision: a branch, tag, commit or experiment, through DVC."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from smallsight.runtime.errors import SmallsightError

WORKSPACE = "workspace"
"""Stands for the files on disk, as in `dvc metrics diff`."""


LOCK = "dvc.lock"
"""Where DVC records what each stage was run with, and what it wrote."""


_SHORT = 7
"""Digits of a commit that are shown."""


_LONGEST = 28
"""Letters of a name that a table's head has room for."""


_KINDS = f"a branch, a tag, a commit, a DVC experiment, or {WORKSPACE}"


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Lock files are long, and the loader written in C is ten times as fast."""


@dataclass(frozen=True)
class Revision:
    """A revision whose files can be read.

    Attributes
    ----------
    name
        What the user called it.
    commit
        The commit that this is, in short; empty for the files on disk.
    experiment
        The name of the experiment that it is, or nothing.
    files
        Reads a path below the project's folder: DVC's file system, or the folder itself.
    """

    name: str
    commit: str
    experiment: str
    files: Any

    @property
    def title(self) -> str:
        """The name, as far as a table's head has room for it."""
        if re.fullmatch(r"[0-9a-f]{40}", self.name):
            return self.commit
        return self.name if len(self.name) <= _LONGEST else f"{self.name[: _LONGEST - 1]}…"

    @property
    def description(self) -> str:
        """What it is, beside its name."""
        if not self.commit:
            return "the files on disk"
        if not self.experiment:
            return f"commit {self.commit}"
        name = "" if self.experiment == self.name else f" {self.experiment}"
        return f"experiment{name}, commit {self.commit}"

    def read(self, path: str) -> bytes:
        """Read a file that Git or DVC keeps.

        Raises
        ------
        SmallsightError
            Where it has no such file, or where its content lies neither in DVC's cache nor at a
            remote.
        """
        with _in_one_line(f"{path} at {self.name}", "its content"):
            try:
                return self.files.read_bytes(path)
            except FileNotFoundError:
                raise self._missing(path) from None

    def _missing(self, path: str) -> SmallsightError:
        where = f"{path} at {self.name}"
        if not self.commit:
            return SmallsightError(where, "no such file", "a study that has run: dvc repro")
        if path != LOCK and _owns(self.lock, path):
            return SmallsightError(
                where, "neither in DVC's cache nor at a remote", "its content: dvc fetch, or a run"
            )
        return SmallsightError(where, "no such file", "a revision whose study has run")

    @cached_property
    def lock(self) -> Mapping[str, Any]:
        """What DVC recorded of each stage, by its name; nothing where there is no record."""
        try:
            tree = self.tree(LOCK)
        except SmallsightError:
            return {}
        return tree.get("stages") or {}

    def tree(self, path: str) -> Mapping[str, Any]:
        """Read a file in YAML, whose values stand under names.

        Raises
        ------
        SmallsightError
            As for `read`, and where the file is no such YAML.
        """
        where = f"{path} at {self.name}"
        try:
            tree = yaml.load(self.read(path), Loader=_LOADER)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise SmallsightError(where, str(error).partition("\n")[0], "YAML") from None
        if not isinstance(tree, Mapping):
            raise SmallsightError(where, type(tree).__name__, "values under names")
        return tree


class _Folder:
    """The files on disk, read as DVC's file system reads those of a revision."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read_bytes(self, path: str) -> bytes:
        return (self._root / path).read_bytes()


def open_revision(root: Path, name: str) -> Revision:
    """Find a revision by the name of a branch, tag, commit or experiment, or `WORKSPACE`.

    Raises
    ------
    SmallsightError
        Where there is no such revision, several of that name, or no project under Git and DVC.
    """
    if name == WORKSPACE:
        return Revision(name, "", "", _Folder(root))
    if not name:
        raise SmallsightError("revision", "no name", _KINDS)
    # Takes half a second, which nothing else needs to wait for.
    from dvc.api import DVCFileSystem
    from dvc.repo import Repo
    from dvc.scm import resolve_rev

    with _in_one_line(name, _KINDS), Repo(str(root)) as repo:
        commit = resolve_rev(repo.scm, name)
        experiment = repo.experiments.get_exact_name([commit])[commit] or ""
        files = DVCFileSystem(str(root), rev=commit, config=_remote(repo.config))
    return Revision(name, commit[:_SHORT], experiment, files)


def _remote(config: Mapping[str, Any]) -> dict[str, Any]:
    """Choose what tells DVC where the project's remote is now; a revision may not know it yet."""
    name = config.get("core", {}).get("remote")
    if not name:
        return {}
    return {"core": {"remote": name}, "remote": {name: dict(config["remote"][name])}}


@contextmanager
def _in_one_line(where: str, expected: str) -> Iterator[None]:
    """Turn what Git, DVC or a remote complain about into one line."""
    from dvc.exceptions import DvcException

    try:
        yield
    except (DvcException, OSError) as error:
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise SmallsightError(where, " ".join(text.split()), expected) from None


def _owns(lock: Mapping[str, Any], path: str) -> bool:
    """Say whether a stage wrote the file, or the folder that it lies in."""
    outputs = (str(out["path"]) for stage in lock.values() for out in stage.get("outs", ()))
    return any(holds(output, path) for output in outputs)


def holds(folder: str, path: str) -> bool:
    """Say whether a path is a folder, or lies below it."""
    return path == folder or path.startswith(f"{folder}/")
