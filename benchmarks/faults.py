"""Do harm to a small study and see what is lost: what `make faults` runs.

    python benchmarks/faults.py [--tries N] [--seed N]

A fault strikes while `dvc repro` runs, again and again until the study is done all the same; or it
is done to what a run has left. Every study has to end with the outputs of one that nothing befell:
outputs that differ are lost, but for those that hold seconds. The table that is printed is
Markdown; the exit status is 1 where anything was lost, or a fault was not said as it should be.
"""

import argparse
import ctypes
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import yaml
from study_copy import ROOT, StudyCopy

sys.path.insert(0, str(ROOT / "tools"))
from verify_study import compare

FAMILIES = ("orig_full", "orig_crop", "occlusion")
SMALL = {
    "data.phantom.scenes": 24,
    "data.phantom.width": 200,
    "data.phantom.height": 150,
    "sample.per_group": 8,
    "sample.caps": {"person": 4},
    "tasks.scene": list(FAMILIES),
    "conditions": {
        "orig_full": {},
        "orig_crop": {"margin": [0.25]},
        "occlusion": {"ratio": [0.35]},
    },
    "backbone.input_size": 64,
    "evaluation.folds": 2,
    "evaluation.repeats": 2,
    "heads.epochs": 2,
    "analysis.bootstrap_draws": 100,
    "explain.gallery_size": 1,
}
FILE_LIMIT = 150_000
"""Bytes that a file may have where the disk is full: more than DVC's own, less than outputs."""
EVERYWHERE = {
    "SMALLSIGHT_WORKERS": "1",
    "OMP_NUM_THREADS": "1",
    "LC_ALL": "C",
    "TZ": "Pacific/Auckland",
    "PYTHONHASHSEED": "7",
}
"""What another machine may have otherwise."""


@dataclass(frozen=True)
class Outcome:
    """What became of a study.

    Attributes
    ----------
    tries
        How often the fault struck.
    survived
        How often what followed went as it should.
    said
        What was printed where it should not have been; empty where all was well.
    lost
        Bytes of outputs that are not those of a study that nothing befell.
    """

    tries: int
    survived: int
    said: str = ""
    lost: int = 0


class Subject:
    """A small study, to which things are done.

    Parameters
    ----------
    folder
        Where it is made.
    environment
        Variables that are otherwise than here.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.environment = StudyCopy(folder, SMALL).environment | dict(environment or {})
        for key, value in {"user.email": "faults@example.org", "user.name": "Faults"}.items():
            self.run("git", "config", key, value)
        self.run("git", "add", "-A")
        self.run("git", "commit", "--quiet", "-m", "Before any run")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def repro(self) -> subprocess.CompletedProcess[str]:
        """Run the study."""
        return self.run(*_DVC, "repro")

    def begin(
        self, *options: str, limit: Callable[[], None] | None = None
    ) -> subprocess.Popen[str]:
        """Begin to run the study, in a group of processes of its own, under a limit set first."""
        return subprocess.Popen(
            [*_DVC, "repro", *options],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=limit,
        )

    def lock(self) -> Mapping[str, Any]:
        """Return what DVC recorded, by stage."""
        return yaml.safe_load((self.folder / "dvc.lock").read_text(encoding="utf-8"))["stages"]

    def lost(self, whole: Mapping[str, Any]) -> int:
        """Count the bytes of outputs that differ from a whole study's."""
        found = compare(whole, self.lock())
        differing = {path for paths in found.found.values() for path in paths} | {*found.followed}
        outputs = (one for stage in whole.values() for one in stage.get("outs", ()))
        return sum(one["size"] for one in outputs if one["path"] in differing)


_DVC = (sys.executable, "-m", "dvc")
_DROP_CAPABILITY, _IGNORES_MODES = 24, 1
"""PR_CAPBSET_DROP and CAP_DAC_OVERRIDE, of prctl(2) and capabilities(7)."""


def struck(
    subject: Subject,
    strike: Callable[[subprocess.Popen[str]], None],
    tries: int,
    rng: random.Random,
) -> Outcome:
    """Let a fault strike a study that runs, at moments of chance, then let it come to its end."""
    count, said = 0, ""
    for _ in range(tries):
        process = subject.begin()
        time.sleep(rng.uniform(3, 9))
        is_struck = process.poll() is None
        if is_struck:
            strike(process)
        printed, _ = process.communicate()
        if not is_struck:
            said = said or failure(process.returncode, printed)
            break
        count += 1
        said = said or unexpected(printed)
    done = subject.repro()
    survived = count - (done.returncode != 0)
    return Outcome(count, survived, said or failure(done.returncode, done.stdout))


def failure(status: int, printed: str) -> str:
    """Return the end of what a command printed that failed; nothing where it did not."""
    return printed[-500:] if status else ""


def unexpected(printed: str) -> str:
    """Return what a traceback says; nothing where there is none."""
    where = printed.find("Traceback (most recent call last)")
    return printed[where:][-500:] if where >= 0 else ""


def kill_stage(process: subprocess.Popen[str]) -> None:
    """Kill the stage that runs, if one does; else DVC."""
    below = psutil.Process(process.pid).children(recursive=True)
    stages = [one for one in below if any("stages/" in part for part in _command(one))]
    target = stages[-1] if stages else psutil.Process(process.pid)
    target.kill()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def kill_all(process: subprocess.Popen[str]) -> None:
    """Kill DVC and all that it began."""
    os.killpg(process.pid, signal.SIGKILL)


def interrupt(process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C."""
    os.killpg(process.pid, signal.SIGINT)


def full_disk(subject: Subject) -> Outcome:
    """Let no file grow beyond a limit, which a full disk does too; then make room."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))

    process = subject.begin(limit=limit)
    printed, _ = process.communicate()
    return stopped(subject, process.returncode, printed)


def read_only(subject: Subject, name: str, stage: str) -> Outcome:
    """Let nothing be written into a folder while a stage runs; then allow it."""
    folder = subject.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    mode = folder.stat().st_mode
    folder.chmod(0o555)

    def limit() -> None:
        if os.geteuid() == 0:  # who may otherwise write everywhere
            ctypes.CDLL(None).prctl(_DROP_CAPABILITY, _IGNORES_MODES, 0, 0, 0)

    process = subject.begin("--force", "--single-item", stage, limit=limit)
    printed, _ = process.communicate()
    folder.chmod(mode)
    return stopped(subject, process.returncode, printed)


def stopped(subject: Subject, status: int, printed: str) -> Outcome:
    """Return what became of a run that a fault had to stop, and of one after it."""
    if status == 0:
        return Outcome(0, 0, "it stopped nothing")
    said = unexpected(printed)
    done = subject.repro()
    return Outcome(1, int(done.returncode == 0), said or failure(done.returncode, done.stdout))


def damaged(subject: Subject, damage: Callable[[bytes], bytes], tries: int) -> Outcome:
    """Damage objects of DVC's cache; they have to be noticed, and mended."""
    check = (sys.executable, "tools/verify_study.py", "--stored")
    mend = (sys.executable, "tools/stored_objects.py", "--repair")
    paths = [path for path in (subject.folder / ".dvc/cache/files").rglob("*") if path.is_file()]
    chosen = sorted(paths)[:: max(len(paths) // tries, 1)][:tries]
    survived = 0
    for path in chosen:
        path.chmod(0o644)
        path.write_bytes(damage(path.read_bytes()))
        path.chmod(0o444)
        is_noticed = subject.run(*check).returncode != 0
        subject.run(*mend)
        is_mended = subject.repro().returncode == 0 and subject.run(*check).returncode == 0
        survived += is_noticed and is_mended
    return Outcome(len(chosen), survived)


def flipped(content: bytes) -> bytes:
    """Flip a bit in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def cut(content: bytes) -> bytes:
    """Keep the first half, which ends within a line."""
    return content[: len(content) // 2].rstrip(b"\n")


def half_written(subject: Subject, name: str) -> Outcome:
    """Leave a file of DVC's half written: the start has to say which, and what to do."""
    path = subject.folder / name
    content = path.read_bytes() if path.is_file() else b'{"data": {"read": ['
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cut(content) or b"{")
    said = subject.run(sys.executable, "tools/check_start.py")
    is_named = said.returncode != 0 and name in said.stdout and len(said.stdout.splitlines()) == 1
    if name == "dvc.lock":
        path.write_bytes(content)
    else:
        path.unlink()
    done = subject.repro()
    return Outcome(1, int(is_named and done.returncode == 0), "" if is_named else said.stdout)


def beside(subject: Subject) -> Outcome:
    """Start the study beside itself: one of the two goes on, the other says so in one line."""
    process = subject.begin("--force", "--single-item", "remedies")
    said = subject.run(sys.executable, "tools/check_start.py")
    while said.returncode == 0 and process.poll() is None:
        said = subject.run(sys.executable, "tools/check_start.py")
    is_said = "in use by" in said.stdout and len(said.stdout.splitlines()) == 1
    process.communicate()
    is_whole = process.returncode == 0
    return Outcome(1, int(is_said and is_whole), "" if is_said else said.stdout)


def rows(folder: Path, tries: int, rng: random.Random) -> Iterator[tuple[str, Outcome]]:
    """Yield what became of each fault."""
    first = Subject(folder / "whole")
    done = first.repro()
    if done.returncode:
        sys.exit(f"faults: the study itself fails\n{done.stdout[-2000:]}")
    whole = first.lock()

    def of(outcome: Outcome, subject: Subject) -> Outcome:
        return replace(outcome, lost=subject.lost(whole))

    strikes = {"a stage is killed": kill_stage, "all is killed": kill_all, "Ctrl-C": interrupt}
    for number, (name, strike) in enumerate(strikes.items()):
        subject = Subject(folder / f"struck {number}")
        yield name, of(struck(subject, strike, tries, rng), subject)
    subject = Subject(folder / "full")
    yield "the disk is full", of(full_disk(subject), subject)
    # A cache that has all is not written to.
    empty = Subject(folder / "empty")
    for name, stage, subject in (
        ("data", "annotate", first),
        ("reports", "report", first),
        (".dvc/cache", "check", empty),
    ):
        yield f"{name} is read-only", of(read_only(subject, name, stage), subject)
    for name, damage in {"a bit is flipped": flipped, "half is missing": cut}.items():
        yield f"an object of the cache: {name}", of(damaged(first, damage, min(tries, 3)), first)
    for name in ("dvc.lock", ".dvc/tmp/rwlock"):
        yield f"{name} is half written", of(half_written(first, name), first)
    yield "a second run beside the first", of(beside(first), first)
    other = Subject(folder / "Ordner mit Lücke", EVERYWHERE)
    done = other.repro()
    outcome = Outcome(1, int(done.returncode == 0), failure(done.returncode, done.stdout))
    yield "one worker, another folder, locale, zone and hash seed", of(outcome, other)


def main(tries: int, seed: int) -> None:
    """Print the table; exit with 1 where anything was lost."""
    print("| fault | tries | survived | bytes lost |\n| --- | --- | --- | --- |", flush=True)
    complaints = []
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        for name, found in rows(Path(folder), tries, random.Random(seed)):
            print(f"| {name} | {found.tries} | {found.survived} | {found.lost:,} |", flush=True)
            if found.lost or found.said or found.survived < found.tries or not found.tries:
                complaints.append(f"{name}: {found.said or 'not survived'}")
    if complaints:
        sys.exit("\n".join(complaints))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tries", type=int, default=8, help="strikes of each kind")
    parser.add_argument("--seed", type=int, default=0, help="of the moments at which they strike")
    main(**vars(parser.parse_args()))
