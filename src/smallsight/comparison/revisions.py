"""Reads the files of a study as they were at a branch, tag, commit or experiment."""

import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import yaml

from smallsight.conditions.rendered.store import archive_of
from smallsight.runtime.errors import SmallsightError
from smallsight.runtime.yaml_files import parse_yaml

WORKSPACE = "workspace"
"""Name of the files on disk, as in `dvc metrics diff`."""

LOCK = "dvc.lock"
"""The file in which DVC records what each stage read and wrote."""

_SHORT = 7
"""Number of a commit's digits that are shown."""

_LONGEST = 28
"""Number of letters that a table's head has room for."""

_KINDS = f"a branch, a tag, a commit, a DVC experiment, or {WORKSPACE}"


@dataclass(frozen=True)
class Revision:
    """A revision whose files can be read.

    Attributes
    ----------
    name
        The name that the user gave.
    commit
        First digits of the commit; empty for the files on disk.
    experiment
        Name of the DVC experiment; empty where the revision is none.
    files
        Reads paths below the project's folder: DVC's file system, or the folder itself.
    """

    name: str
    commit: str
    experiment: str
    files: Any

    @property
    def title(self) -> str:
        """The name, shortened to what a table's head has room for."""
        if re.fullmatch(r"[0-9a-f]{40}", self.name):
            return self.commit
        return self.name if len(self.name) <= _LONGEST else f"{self.name[: _LONGEST - 1]}…"

    @property
    def description(self) -> str:
        """What kind of revision this is, to be shown beside its name."""
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
            If the revision has no such file, or if its content is neither in DVC's cache nor at a
            remote.
        """
        with _in_one_line(f"{path} at {self.name}", "its content"):
            try:
                return self.files.read_bytes(path)
            except FileNotFoundError:
                raise self._missing(path) from None

    def read_picture(self, folder: str, name: str) -> bytes:
        """Read a picture of a level's folder, or of the archive that is in its place.

        Raises
        ------
        SmallsightError
            As `read` does.
        """
        archive = archive_of(Path(folder)).as_posix()
        if not self.files.exists(archive):
            return self.read(f"{folder}/{name}")
        with _in_one_line(f"{archive} at {self.name}", "its content"):
            try:
                with self.files.open_binary(archive) as file, zipfile.ZipFile(file) as opened:
                    return opened.read(name)
            except (FileNotFoundError, KeyError):
                raise self._missing(f"{folder}/{name}") from None

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
        """DVC's record of each stage, by the stage's name; empty where there is none."""
        try:
            tree = self.tree(LOCK)
        except SmallsightError:
            return {}
        return tree.get("stages") or {}

    def tree(self, path: str) -> Mapping[str, Any]:
        """Read a YAML file that holds a mapping.

        Raises
        ------
        SmallsightError
            As for `read`, and if the file holds anything else.
        """
        where = f"{path} at {self.name}"
        try:
            tree = parse_yaml(self.read(path))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise SmallsightError(where, str(error).partition("\n")[0], "YAML") from None
        if not isinstance(tree, Mapping):
            raise SmallsightError(where, type(tree).__name__, "values under names")
        return tree


class _Below:
    """What a file system of DVC's holds below a folder of its own."""

    def __init__(self, files: Any, folder: str) -> None:
        self._files, self._folder = files, folder

    def read_bytes(self, path: str) -> bytes:
        return self._files.read_bytes(self._place(path))

    def exists(self, path: str) -> bool:
        return bool(self._files.exists(self._place(path)))

    def open_binary(self, path: str) -> IO[bytes]:
        return self._files.open(self._place(path), "rb")

    def _place(self, path: str) -> str:
        return posixpath.join(self._folder, path)


class _Folder:
    """The files on disk, behind the same methods."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read_bytes(self, path: str) -> bytes:
        return (self._root / path).read_bytes()

    def exists(self, path: str) -> bool:
        return (self._root / path).exists()

    def open_binary(self, path: str) -> IO[bytes]:
        return (self._root / path).open("rb")


def open_revision(root: Path, name: str) -> Revision:
    """Open a revision.

    Parameters
    ----------
    root
        The project's folder.
    name
        A branch, tag, commit, DVC experiment, or `WORKSPACE`.

    Raises
    ------
    SmallsightError
        If there is no such revision, if there are several of that name, or if the folder is no
        project under Git and DVC.
    """
    if name == WORKSPACE:
        return Revision(name, "", "", _Folder(root))
    if not name:
        raise SmallsightError("revision", "no name", _KINDS)
    # This import takes half a second, and the files on disk need no DVC.
    from dvc.api import DVCFileSystem
    from dvc.repo import Repo
    from dvc.scm import resolve_rev

    with _in_one_line(name, _KINDS), Repo(str(root)) as repo:
        commit = resolve_rev(repo.scm, name)
        experiment = repo.experiments.get_exact_name([commit])[commit] or ""
        # Of a commit, DVC sees the whole Git repository, in which the project may be a folder.
        folder = _inside(repo.root_dir, repo.scm.root_dir)
        files = DVCFileSystem(
            str(root), rev=commit, config=_remote(repo.config), subrepos=bool(folder)
        )
    return Revision(name, commit[:_SHORT], experiment, _Below(files, folder))


def _inside(folder: str, above: str) -> str:
    """Return the way from a folder to one inside it, with slashes; empty where both are one."""
    way = Path(folder).resolve().relative_to(Path(above).resolve()).as_posix()
    return "" if way == "." else way


def _remote(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the setting of the project's present remote, which an old revision may not know."""
    name = config.get("core", {}).get("remote")
    if not name:
        return {}
    return {"core": {"remote": name}, "remote": {name: dict(config["remote"][name])}}


@contextmanager
def _in_one_line(where: str, expected: str) -> Iterator[None]:
    """Turn an error of Git, DVC or a remote into one line."""
    from dvc.exceptions import DvcException

    try:
        yield
    except (DvcException, OSError) as error:
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise SmallsightError(where, " ".join(text.split()), expected) from None


def _owns(lock: Mapping[str, Any], path: str) -> bool:
    """Return whether a stage wrote the file, or a folder that it lies in."""
    outputs = (str(out["path"]) for stage in lock.values() for out in stage.get("outs", ()))
    return any(holds(output, path) for output in outputs)


def holds(folder: str, path: str) -> bool:
    """Return whether a path is a folder, or lies below it."""
    return path == folder or path.startswith(f"{folder}/")
