"""Holds outputs and DVC's cache against `dvc.lock`, and mends what is missing or damaged.

DVC trusts an object of its cache that is write-protected, and does not hash it again: a flipped
byte is checked out, pushed, and given back by a stage that runs anew. Here every file is hashed.
No run may be in progress.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from dvc.exceptions import DvcException
from dvc.repo import Repo

from check_lock import list_folder
from smallsight.runtime.files import md5 as md5_of

Place = Literal["workspace", "cache"]
State = Literal["missing", "differs", "unreadable", "unexpected"]

_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
_UNREADABLE = "unreadable"
"""What stands for the hash of a file that is there and cannot be read."""


class UnreadableStudyError(Exception):
    """Why nothing can be said of a study, in one line, with what to do."""


@dataclass(frozen=True)
class Problem:
    """A file that is not as `dvc.lock` records it.

    Attributes
    ----------
    stage
        Name of the stage that wrote it.
    output
        The stage's output, which is the file or a folder that holds it; from the project's folder.
    place
        Whether it is the output itself, in the `workspace`, or DVC's copy of it, in the `cache`.
    state
        `missing`; `differs`, where its content is another; `unreadable`, where the disk or its
        permissions stand in the way; `unexpected`, where a folder should not have it.
    path
        The file. It is the whole folder where nothing tells which of its files are wrong.
    source
        Its right content, where that is known: the same file in the other place, or bytes.
    can_pull
        Whether DVC pushes and pulls the output, and the project has a default remote.
    """

    stage: str
    output: str
    place: Place
    state: State
    path: Path
    source: Path | bytes | None
    can_pull: bool


@dataclass(frozen=True)
class Check:
    """What a check found.

    Attributes
    ----------
    files
        Number of files that `dvc.lock` records, those in folders and lists of folders included.
    not_run
        Outputs of which nothing is recorded, since their stage has not run.
    problems
        What is not as recorded, output by output.
    """

    files: int
    not_run: tuple[str, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class _Output:
    """An output as `dvc.lock` records it; `cached` is missing where DVC keeps no copy."""

    stage: str
    name: str
    md5: str
    path: Path
    cached: Path | None
    can_pull: bool

    def problem(
        self, place: Place, state: State, path: Path, source: Path | bytes | None = None
    ) -> Problem:
        return Problem(self.stage, self.name, place, state, path, source, self.can_pull)


@dataclass(frozen=True)
class _File:
    """A file of an output; `cached` is missing where DVC keeps no copy."""

    output: _Output
    md5: str
    path: Path
    cached: Path | None


def check_objects(folder: Path = Path(), *, workers: int | None = None) -> Check:
    """Hash every output and its object in DVC's cache, and hold them against `dvc.lock`.

    Files are read piece by piece, several at a time; of lists of folders one is in memory at a
    time. Stages that have not run, and a study without `dvc.lock`, are no problems.

    Parameters
    ----------
    folder
        The project's folder, or one inside it.
    workers
        Number of files that are read at a time; by default a few more than there are processors.

    Raises
    ------
    UnreadableStudyError
        If the folder is no DVC project, or if `dvc.lock` or another of its files is damaged.
    """
    problems: list[Problem] = []
    files: list[_File] = []
    lists = 0
    with _opened(folder) as repo, ThreadPoolExecutor(workers) as pool:
        outputs, not_run = _recorded_outputs(repo)
        for output in outputs:
            if not output.md5.endswith(".dir"):
                files.append(_File(output, output.md5, output.path, output.cached))
                continue
            lists += 1
            if output.path.is_file():
                problems.append(output.problem("workspace", "unexpected", output.path))
            there = _files_below(repo, output.path)
            entries, found = _entries(output, there, pool)
            problems += found
            if entries is not None:
                files += _files_of(repo, output, entries)
                problems += [
                    output.problem("workspace", "unexpected", path)
                    for name, path in there.items()
                    if name not in entries
                ]
        paths = dict.fromkeys(path for file in files for path in _places(file).values())
        digests = dict(zip(paths, pool.map(_digest, paths), strict=True))
    problems += [problem for file in files for problem in _problems(file, digests)]
    problems.sort(key=lambda one: (one.stage, one.output, one.place, one.state, one.path))
    return Check(len(files) + lists, not_run, tuple(problems))


def repair(problems: Iterable[Problem]) -> tuple[str, ...]:
    """Mend what is wrong, and say which commands bring back the rest.

    A file whose right content is in the other place is copied from there. All else that differs or
    is unexpected is deleted, since DVC leaves alone what it has. What cannot be read stays.

    Parameters
    ----------
    problems
        What a check found, or part of it.

    Returns
    -------
    tuple of str
        Commands to run in the project's folder, in this order; none where all is mended.
    """
    touched = [one for one in problems if one.state != "unreadable"]
    wrong = [one for one in touched if one.source is None]
    # First, since a file may lie where a folder is to be.
    for problem in wrong:
        _delete(problem.path)
    for problem in touched:
        if problem.source is not None:
            _put(problem.source, problem.path, is_protected=problem.place == "cache")
    lost = [one for one in wrong if one.state != "unexpected"]
    pulled = dict.fromkeys(one.output for one in lost if one.can_pull)
    made = dict.fromkeys(one.stage for one in lost if not one.can_pull)
    commands = (("pull", pulled), ("repro", made))
    return tuple(shlex.join(["dvc", verb, *names]) for verb, names in commands if names)


def describe(problems: Sequence[Problem]) -> list[str]:
    """Say what is wrong: a line for each output, place and state, with the first file.

    Parameters
    ----------
    problems
        What a check found, in its order.
    """
    lines = []
    kinds = groupby(problems, key=lambda one: (one.stage, one.output, one.place, one.state))
    for (stage, output, place, state), group in kinds:
        first, *others = group
        more = f" and {len(others)} more" if others else ""
        lines.append(f"{stage}: {output}: {state} in the {place}: {first.path}{more}")
    return lines


def _opened(folder: Path) -> Any:
    try:
        return Repo(str(folder))
    except DvcException as error:
        raise UnreadableStudyError(_in_one_line(error)) from None


def _recorded_outputs(repo: Any) -> tuple[list[_Output], tuple[str, ...]]:
    """Return what DVC knows of all outputs, and the names of those that no run has recorded."""
    root = Path(repo.root_dir)
    try:
        known = list(repo.index.outs)
    # DVC finds an MD5 that was cut down to figures to be a number, and fails over it.
    except (DvcException, AttributeError) as error:
        advice = "if dvc.lock was cut short: git checkout dvc.lock"
        raise UnreadableStudyError(f"{_in_one_line(error)}; {advice}") from None
    outputs, not_run = [], []
    for out in known:
        path = Path(out.fs_path)
        name = Path(os.path.relpath(path, root)).as_posix()
        if not out.hash_info:
            not_run.append(name)
            continue
        md5 = out.hash_info.value
        if out.hash_name != "md5" or not _MD5.fullmatch(str(md5)) or out.meta.size is None:
            raise UnreadableStudyError(
                f"dvc.lock: {name} has {out.hash_name} {md5} and size {out.meta.size}; "
                "expected an MD5 and a size by DVC 3: git checkout dvc.lock"
            )
        cached = Path(repo.cache.local.oid_to_path(md5))
        can_pull = out.use_cache and out.can_push and "remote" in repo.config["core"]
        stage = out.stage.name or out.stage.relpath
        # Of an output with `cache: false` the cache of runs may have a copy.
        kept = cached if out.use_cache or cached.exists() else None
        outputs.append(_Output(stage, name, md5, path, kept, can_pull))
    return outputs, tuple(not_run)


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _files_below(repo: Any, folder: Path) -> dict[str, Path]:
    """Return the files of a folder that DVC does not ignore, by their paths inside of it."""
    found = map(Path, repo.dvcignore.find(repo.fs, str(folder)))
    return {path.relative_to(folder).as_posix(): path for path in found}


def _entries(
    output: _Output, there: Mapping[str, Path], pool: ThreadPoolExecutor
) -> tuple[dict[str, str] | None, list[Problem]]:
    """Read the hashes of a folder's files, by their paths inside of it.

    Where the cache's list of them is not right, the folder itself gives it, if that is right. Else
    nothing is known of its files: where one of them cannot be read, they may all be right.
    """
    found = _digest(output.cached) if output.cached else None
    if output.cached and _agrees(found, output.md5):
        return _parsed(output.cached.read_bytes()), []
    digests = dict(zip(there, pool.map(_digest, there.values()), strict=True))
    listing = list_folder(digests)
    is_right = _agrees(hashlib.md5(listing, usedforsecurity=False).hexdigest(), output.md5)
    problems = []
    if output.cached:
        source = listing if is_right else None
        problems.append(output.problem("cache", _state(found), output.cached, source))
    if is_right:
        return _parsed(listing), problems
    unreadable = [there[name] for name, digest in digests.items() if digest == _UNREADABLE]
    if unreadable:
        return None, [*problems, output.problem("workspace", "unreadable", unreadable[0])]
    state: State = "differs" if there else "missing"
    return None, [*problems, output.problem("workspace", state, output.path)]


def _agrees(digest: str | None, md5: str) -> bool:
    return digest == md5.removesuffix(".dir")


def _parsed(listing: bytes) -> dict[str, str]:
    return {entry["relpath"]: entry["md5"] for entry in json.loads(listing)}


def _files_of(repo: Any, output: _Output, entries: Mapping[str, str]) -> Iterator[_File]:
    for name, md5 in entries.items():
        cached = Path(repo.cache.local.oid_to_path(md5)) if output.cached else None
        yield _File(output, md5, output.path / name, cached)


def _places(file: _File) -> dict[Place, Path]:
    places: dict[Place, Path] = {"workspace": file.path}
    if file.cached:
        places["cache"] = file.cached
    return places


def _problems(file: _File, digests: Mapping[Path, str | None]) -> Iterator[Problem]:
    places = _places(file)
    right = [path for path in places.values() if digests[path] == file.md5]
    for place, path in places.items():
        if digests[path] != file.md5:
            source = right[0] if right else None
            yield file.output.problem(place, _state(digests[path]), path, source)


def _state(digest: str | None) -> State:
    if digest is None:
        return "missing"
    return "unreadable" if digest == _UNREADABLE else "differs"


def _digest(path: Path) -> str | None:
    """Hash a file piece by piece; none where there is no such file."""
    try:
        return md5_of(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return _UNREADABLE


def _put(source: Path | bytes, path: Path, *, is_protected: bool) -> None:
    """Write a file under another name first, so that it is never there by half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        if isinstance(source, bytes):
            partial.write_bytes(source)
        else:
            shutil.copyfile(source, partial)
        if is_protected:
            partial.chmod(0o444)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def main(*options: str) -> None:
    """Exit with 1 and a line for each kind of damage; with `--repair`, mend it."""
    if not set(options) <= {"--repair"}:
        sys.exit("python tools/stored_objects.py [--repair]")
    try:
        check = check_objects()
    except UnreadableStudyError as error:
        sys.exit(f"stored_objects: {error}")
    for line in describe(check.problems):
        print(line)
    if not check.problems:
        waiting = f"; {len(check.not_run)} outputs wait for a run" if check.not_run else ""
        print(f"stored_objects: {check.files} files are as dvc.lock records them{waiting}")
        return
    if not options:
        sys.exit("to mend this: python tools/stored_objects.py --repair")
    try:
        commands = repair(check.problems)
    except OSError as error:
        sys.exit(f"stored_objects: {error.strerror}; what is mended stays, so run it again")
    left = [one for one in check.problems if one.state == "unreadable"]
    if commands:
        print(f"now run: {' && '.join(commands)}")
    elif not left:
        print("mended")
    if left:
        sys.exit(f"{left[0].path}: look at its disk and its permissions")


if __name__ == "__main__":
    main(*sys.argv[1:])
