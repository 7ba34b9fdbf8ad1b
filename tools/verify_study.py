"""Hold the study against `dvc.lock`: what is stored, and what its commit gives when it runs anew.

    python tools/verify_study.py [--stored]

First every output and its object in DVC's cache are hashed; with `--stored`, that is all. Then the
commit runs from nothing in a temporary clone, and the first stage that gives other bytes than
`dvc.lock` records is named. Files that the parameters name and Git does not keep are taken from
here. What shows seconds is written once more, with those of the commit. Where bytes differ,
predictions are compared too: another kind of processor rounds otherwise.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
from dvc.repo import Repo

from smallsight.runtime.files import md5 as md5_of
from smallsight.runtime.yaml_files import parse_yaml
from stored_objects import UnreadableStudyError, check_objects, describe

LOCK = "dvc.lock"
PREDICTIONS = "data/predictions.parquet"
TIMINGS = frozenset({"data/remedies_times.csv"})
"""Outputs that no two runs have alike: seconds."""

ANSWER = ["task", "condition", "regime", "seed", "image_id", "ann_id"]
"""What tells one prediction from all others."""

Stages = Mapping[str, Mapping[str, Any]]
"""What `dvc.lock` records, by stage."""


@dataclass(frozen=True)
class Differences:
    """Outputs of one run whose bytes are not those of another.

    Attributes
    ----------
    found
        By stage, in the order in which they run: outputs that differ, although what the stage read
        is the same in both runs.
    followed
        Outputs of later stages, which read what differs.
    timed
        By stage: outputs that hold seconds, or that differ where seconds do.
    read
        By stage: code, data and parameters that were others, and that no stage writes.
    unrecorded
        Stages of which the first run has no record.
    """

    found: Mapping[str, tuple[str, ...]]
    followed: tuple[str, ...]
    timed: Mapping[str, tuple[str, ...]]
    read: Mapping[str, tuple[str, ...]]
    unrecorded: tuple[str, ...]

    @property
    def are_there(self) -> bool:
        """Whether more differs than seconds."""
        return bool(self.found or self.read or self.unrecorded)


def main(*options: str) -> None:
    """Exit with 1 where anything but seconds differs."""
    if not set(options) <= {"--stored"}:
        sys.exit("python tools/verify_study.py [--stored]")
    _check_stored()
    if options:
        return
    if _git("status", "--porcelain", "--untracked-files=no"):
        print("verify: there are changes that are not committed; what runs anew is the commit")
    recorded = _stages(_git("show", f"HEAD:./{LOCK}").encode())
    above, below = (_git("rev-parse", f"--show-{one}").strip() for one in ("toplevel", "prefix"))
    with tempfile.TemporaryDirectory(prefix="verify-") as name:
        # So deep that paths that lead out of the project lead to folders of the clone's own.
        top = Path(name, *[Path(name).name] * _steps_out(recorded, below))
        _run("git", "clone", "--quiet", "--no-hardlinks", above, str(top))
        clone = top / below
        _borrow(recorded, clone)
        print(f"verify: {len(recorded)} stages run anew", flush=True)
        dvc = partial(_run, sys.executable, "-m", "dvc", folder=clone)
        dvc("repro", "--force", "--no-run-cache")
        found = compare(recorded, _stages((clone / LOCK).read_bytes()))
        if shows_seconds(found) and show_stored_seconds(recorded, clone, Path(), dvc):
            found = compare(recorded, _stages((clone / LOCK).read_bytes()))
        for line in tell(found):
            print(f"verify: {line}")
        if found.are_there:
            print(f"verify: {_compare_predictions(clone)}")
            sys.exit(1)


def _check_stored() -> None:
    try:
        check = check_objects()
    except UnreadableStudyError as error:
        sys.exit(f"verify: {error}")
    # Of what was not pulled nothing is here, in neither place: that is no damage.
    damage = [one for one in check.problems if one.state != "missing" or one.source is not None]
    if damage:
        for line in describe(damage):
            print(f"verify: {line}")
        sys.exit("verify: to mend this: python tools/stored_objects.py --repair")
    lacking = {one.output for one in check.problems} | {*check.not_run}
    waiting = f"; not here, wholly or in part: {', '.join(sorted(lacking))}" if lacking else ""
    print(f"verify: {check.files} stored files are as {LOCK} records them{waiting}", flush=True)


def compare(before: Stages, after: Stages) -> Differences:
    """Compare what two runs wrote.

    Parameters
    ----------
    before, after
        What `dvc.lock` records of them.
    """
    written = [path for stage in before.values() for path in _digests(stage, "outs")]
    found: dict[str, tuple[str, ...]] = {}
    read: dict[str, tuple[str, ...]] = {}
    timed: dict[str, tuple[str, ...]] = {}
    differing: set[str] = set()
    followed: list[str] = []
    for name, stage in _in_order(before):
        other = after.get(name, {})
        again = _digests(other, "outs")
        outputs = [path for path, md5 in _digests(stage, "outs").items() if md5 != again.get(path)]
        inputs = _digests(stage, "deps")
        if own := _own_input(stage, other, written):
            read[name] = own
            differing.update(outputs)
            continue
        seconds = [path for path in outputs if path in TIMINGS]
        rest = [path for path in outputs if path not in TIMINGS]
        shown = [path for paths in timed.values() for path in paths]
        if rest and _meet(inputs, differing):
            followed += rest
            differing.update(rest)
        elif rest and _meet(inputs, shown):
            seconds += rest
        elif rest:
            found[name] = tuple(rest)
            differing.update(rest)
        if seconds:
            timed[name] = tuple(seconds)
    unrecorded = tuple(name for name in after if name not in before)
    return Differences(found, tuple(followed), timed, read, unrecorded)


def _own_input(
    before: Mapping[str, Any], after: Mapping[str, Any], written: Iterable[str]
) -> tuple[str, ...]:
    """Return what a stage read that no stage writes, and that was another: files and parameters."""
    if not after:
        return ()
    paths = _digests(after, "deps")
    files = [
        path
        for path, md5 in _digests(before, "deps").items()
        if md5 != paths.get(path) and not _meet([path], written)
    ]
    values = after.get("params", {})
    names = [
        f"{file}: {key}"
        for file, keys in before.get("params", {}).items()
        for key, value in keys.items()
        if value != values.get(file, {}).get(key)
    ]
    return (*files, *names)


def tell(found: Differences) -> Iterator[str]:
    """Say in lines what differs: the first stage first."""
    if found.unrecorded:
        yield f"{LOCK} records nothing of {', '.join(found.unrecorded)}: git log {LOCK}"
    for name, inputs in found.read.items():
        yield f"stage {name} reads other input than {LOCK} records: {', '.join(inputs)}"
    for name, outputs in found.found.items():
        yield f"stage {name} gives other bytes of the same input: {', '.join(outputs)}"
    if found.followed:
        yield f"{len(found.followed)} outputs of later stages differ with it"
    if not found.are_there:
        timed = [path for paths in found.timed.values() for path in paths]
        others = f", but for seconds in {', '.join(timed)}" if timed else ""
        yield f"every output is what {LOCK} records{others}"


def shows_seconds(found: Differences) -> bool:
    """Return whether nothing differs but seconds, and outputs that show them."""
    return not found.are_there and any(
        not TIMINGS.issuperset(paths) for paths in found.timed.values()
    )


def show_stored_seconds(
    recorded: Stages, clone: Path, stored: Path, dvc: Callable[..., object]
) -> bool:
    """Let the outputs of a clone show the seconds that a record names.

    Parameters
    ----------
    recorded
        What `dvc.lock` records.
    clone
        Folder in which its stages have run anew.
    stored
        Folder of the project that has those seconds, as an output or in DVC's cache.
    dvc
        Runs DVC in the clone.

    Returns
    -------
    bool
        False where that project has them no more.
    """
    due = [
        (name, path, md5)
        for name, stage in recorded.items()
        for path, md5 in _digests(stage, "outs").items()
        if path in TIMINGS
    ]
    cache = Repo(str(stored)).cache.local
    for _, path, md5 in due:
        places = (stored / path, Path(cache.oid_to_path(md5)))
        right = next((one for one in places if one.is_file() and md5_of(one) == md5), None)
        if right is None:
            return False
        (clone / path).unlink()
        shutil.copyfile(right, clone / path)
    dvc("commit", "--force", *(name for name, _, _ in due))
    dvc("repro", "--no-run-cache")
    return True


def _in_order(stages: Stages) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each stage after those whose outputs it reads."""
    writer = {path: name for name, one in stages.items() for path in _digests(one, "outs")}
    done: set[str] = set()

    def visit(name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        if name in done:
            return
        done.add(name)
        for path, other in writer.items():
            if _meet(_digests(stages[name], "deps"), [path]):
                yield from visit(other)
        yield name, stages[name]

    for name in stages:
        yield from visit(name)


def _meet(some: Iterable[str], others: Iterable[str]) -> bool:
    """Return whether a path is one of others, lies in one, or holds one."""
    pairs = product(some, others)
    return any(a == b or a.startswith(f"{b}/") or b.startswith(f"{a}/") for a, b in pairs)


def _digests(stage: Mapping[str, Any], kind: str) -> dict[str, str]:
    return {one["path"]: one["md5"] for one in stage.get(kind, ())}


def _stages(content: bytes) -> Stages:
    return (parse_yaml(content) or {}).get("stages") or {}


def _steps_out(recorded: Stages, below: str) -> int:
    """Count the folders above Git's that are named by what stages read, from a folder below it."""
    paths = [path for stage in recorded.values() for path in _digests(stage, "deps")]
    read = [Path(os.path.normpath(Path(below, path))) for path in paths]
    return max((path.parts.count(os.pardir) for path in read), default=0)


def _borrow(recorded: Stages, clone: Path) -> None:
    """Show a clone what its stages read and neither Git nor another stage gives: a user's data."""
    written = [path for stage in recorded.values() for path in _digests(stage, "outs")]
    for stage in recorded.values():
        for path in _digests(stage, "deps"):
            if _meet([path], written) or (clone / path).exists() or not Path(path).exists():
                continue
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).symlink_to(Path(path).resolve())


def _compare_predictions(clone: Path) -> str:
    """Say how many predictions of a clone are others than those that are stored here."""
    if not Path(PREDICTIONS).is_file():
        return f"predictions cannot be compared: no {PREDICTIONS}; dvc pull {PREDICTIONS}"
    return count_changes(pd.read_parquet(PREDICTIONS), pd.read_parquet(clone / PREDICTIONS))


def count_changes(before: pd.DataFrame, after: pd.DataFrame) -> str:
    """Say how many predictions of two runs name another category.

    Parameters
    ----------
    before, after
        Tables of predictions.
    """
    joined = before[[*ANSWER, "predicted"]].merge(
        after[[*ANSWER, "predicted"]], on=ANSWER, how="outer", indicator=True
    )
    both = joined["_merge"] == "both"
    changed = int((joined["predicted_x"] != joined["predicted_y"])[both].sum())
    alone = f"; {int((~both).sum()):,} are in one run alone" if not both.all() else ""
    return f"{changed:,} of {int(both.sum()):,} predictions name another category{alone}"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"verify: git {' '.join(arguments)}: {' '.join(done.stderr.split())}")
    return done.stdout


def _run(*command: str, folder: Path | None = None) -> None:
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-5:])
        sys.exit(f"verify: {' '.join(command)}: exit status {done.returncode}\n{last}")


if __name__ == "__main__":
    main(*sys.argv[1:])
