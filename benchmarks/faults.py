"""Do harm to a small study and see what is lost: what `make faults` runs.

    python benchmarks/faults.py [--tries N] [--seed N] [--short]

A fault strikes while `dvc repro` runs, again and again until the study is done all the same; or it
is done to what a run has left: to as many files as there are tries, but at most 3 of each kind.
Every study has to end with the outputs of one that nothing befell, and every file has to be as
`dvc.lock` records it: outputs that differ are lost, but for those that hold seconds. The table that
is printed is Markdown; the exit status is 1 where anything was lost, or a fault was not said as it
should be.
"""

import argparse
import ctypes
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO, Any

import psutil
import yaml
from study_copy import ROOT, StudyCopy

sys.path.insert(0, str(ROOT / "tools"))
from stored_objects import UnreadableStudyError, check_objects, describe
from verify_study import compare, show_stored_seconds, shows_seconds, tell

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
"""Bytes that a file may have where the disk is full: more than DVC's own, less than the report."""
EVERYWHERE = {
    "SMALLSIGHT_WORKERS": "1",
    "OMP_NUM_THREADS": "1",
    "LC_ALL": "C",
    "TZ": "Pacific/Auckland",
    "PYTHONHASHSEED": "7",
}
"""What another machine may have otherwise."""
DAMAGED = 3
"""How many files of a kind are damaged at most, one after the other."""
PATIENCE = 30
"""Seconds that processes have to end after the run that began them."""
STAGE_SAYS = re.compile(r"^\w+(?: \w+)?: disk error: ", re.MULTILINE)
DVC_SAYS = re.compile(r"^ERROR: ", re.MULTILINE)
"""How the line begins that tells of a disk that cannot be written to."""


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
        Bytes of outputs that are not those of a study that nothing befell, or not as recorded. A
        folder counts as a whole.
    """

    tries: int
    survived: int
    said: str = ""
    lost: int = 0


Row = tuple[str, "Subject", Outcome]
"""A fault's name, the study that it befell, and what became of it."""


@dataclass(frozen=True)
class Ended:
    """What a run in the background came to.

    Attributes
    ----------
    status
        DVC's exit status.
    printed
        What it printed, its stages included.
    left
        The processes that it began and that did not end with it.
    """

    status: int
    printed: str
    left: tuple[str, ...]

    def fault(self) -> str:
        """Return what was wrong with how it ended; nothing where all was well."""
        left = f"left behind: {', '.join(self.left)}" if self.left else ""
        return unexpected(self.printed) or left


class Run:
    """A run of a study in the background.

    Parameters
    ----------
    process
        DVC, which leads a session of its own.
    output
        Where it prints to.
    """

    def __init__(self, process: subprocess.Popen[bytes], output: IO[bytes]) -> None:
        self.process = process
        self._output = output

    def is_on(self) -> bool:
        """Return whether it still runs."""
        return self.process.poll() is None

    def end(self) -> Ended:
        """Wait for its end, and for that of all that it began."""
        status = self.process.wait()
        latest = time.monotonic() + PATIENCE
        while (left := _of_session(self.process.pid)) and time.monotonic() < latest:
            time.sleep(0.2)
        self._output.seek(0)
        printed = self._output.read().decode(errors="replace")
        return Ended(status, printed, tuple(" ".join(_command(one)) for one in left))

    def kill(self) -> None:
        """Kill what is left of it."""
        left = _of_session(self.process.pid)
        for one in left:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self.process.wait()
        psutil.wait_procs(left, timeout=PATIENCE)


def _of_session(number: int) -> list[psutil.Process]:
    """Return the processes of a session that have not ended."""
    return [one for one in psutil.process_iter() if _is_alive(one) and _session(one) == number]


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:
        return None


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


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
        self.commit("Before any run")

    def commit(self, message: str) -> None:
        """Commit what Git keeps of the study."""
        self.run("git", "add", "-A")
        self.run("git", "commit", "--quiet", "-m", message)

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

    def tool(self, name: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run one of the study's own tools."""
        return self.run(sys.executable, f"tools/{name}.py", *options)

    def dvc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run DVC."""
        return self.run(*_DVC, *arguments)

    def repro(self) -> subprocess.CompletedProcess[str]:
        """Run the study."""
        return self.dvc("repro")

    @contextmanager
    def begun(self, *options: str, limit: Callable[[], None] | None = None) -> Iterator[Run]:
        """Begin to run the study, under a limit set first; in the end nothing of it is left."""
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                [*_DVC, "repro", *options],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=limit,
            )
            run = Run(process, output)
            try:
                yield run
            finally:
                run.kill()

    def lock(self) -> Mapping[str, Any]:
        """Return what DVC recorded, by stage."""
        return yaml.safe_load((self.folder / "dvc.lock").read_text(encoding="utf-8"))["stages"]

    def outputs(self, stage: str) -> list[Path]:
        """Return the outputs that DVC recorded of a stage."""
        return [self.folder / one["path"] for one in self.lock()[stage]["outs"]]

    def losses(self, first: Path, whole: Mapping[str, Any]) -> tuple[int, str]:
        """Hash all files, in DVC's cache too, and compare what DVC recorded with a whole study's.

        Pages that show seconds are written once more, with those of the whole study.

        Parameters
        ----------
        first
            Folder of the whole study.
        whole
            What DVC recorded of it, by stage.

        Returns
        -------
        tuple
            The bytes of outputs that differ or are missing, and which they are: nothing where all
            is well. Where nothing can be read, all is lost.
        """
        outputs = (one for stage in whole.values() for one in stage.get("outs", ()))
        sizes = {one["path"]: one["size"] for one in outputs}
        try:
            problems = check_objects(self.folder).problems
            recorded = self.lock()
        except (UnreadableStudyError, FileNotFoundError) as error:
            return sum(sizes.values()), f"nothing can be read: {error}"
        found = compare(whole, recorded)
        if shows_seconds(found) and show_stored_seconds(whole, self.folder, first, self.dvc):
            found = compare(whole, self.lock())
        differing = {path for paths in found.found.values() for path in paths} | {*found.followed}
        told = [*(tell(found) if differing else ()), *describe(problems)]
        lost = differing | {one.output for one in problems}
        return sum(sizes[path] for path in lost), "\n".join(told)


_DVC = (sys.executable, "-m", "dvc")
_DROP_CAPABILITY, _IGNORES_MODES = 24, 1
"""PR_CAPBSET_DROP and CAP_DAC_OVERRIDE, of prctl(2) and capabilities(7)."""


def struck(
    subject: Subject,
    strike: Callable[[subprocess.Popen[bytes]], None],
    tries: int,
    rng: random.Random,
) -> Outcome:
    """Let a fault strike a study that runs, at moments of chance, then let it come to its end."""
    count, survived, said = 0, 0, ""
    for _ in range(tries):
        with subject.begun() as run:
            time.sleep(rng.uniform(3, 9))
            is_struck = run.is_on()
            if is_struck:
                strike(run.process)
            ended = run.end()
        if not is_struck:
            said = said or failure(ended.status, ended.printed)
            break
        wrong = ended.fault() or ("" if ended.status else "a strike had no effect")
        count += 1
        survived += not wrong
        said = said or wrong
    done = subject.repro()
    survived = 0 if done.returncode else survived
    return Outcome(count, survived, said or failure(done.returncode, done.stdout))


def failure(status: int, printed: str) -> str:
    """Return the end of what a command printed that failed; nothing where it did not."""
    return (printed[-500:] or f"exit status {status}") if status else ""


def unexpected(printed: str) -> str:
    """Return what a traceback says; nothing where there is none."""
    where = printed.find("Traceback (most recent call last)")
    return printed[where:][-500:] if where >= 0 else ""


def kill_stage(process: subprocess.Popen[bytes]) -> None:
    """Kill the stage that runs, if one does; else DVC."""
    below = psutil.Process(process.pid).children(recursive=True)
    stages = [one for one in below if any("stages/" in part for part in _command(one))]
    try:
        stages[-1].kill()
    except (IndexError, psutil.NoSuchProcess):  # none runs, or it ended just then
        process.kill()


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill DVC and all that it began."""
    os.killpg(process.pid, signal.SIGKILL)


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Press Ctrl-C."""
    os.killpg(process.pid, signal.SIGINT)


def full_disk(subject: Subject, stage: str) -> Outcome:
    """Let no file grow beyond a limit, as on a full disk, while a stage runs; then make room."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))

    with subject.begun("--force", "--single-item", stage, limit=limit) as run:
        ended = run.end()
    return stopped(subject, ended, STAGE_SAYS)


def read_only(subject: Subject, name: str, stage: str, line: re.Pattern[str]) -> Outcome:
    """Let nothing be written into a folder while a stage runs; then allow it."""
    folder = subject.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    mode = folder.stat().st_mode
    folder.chmod(0o555)

    def limit() -> None:
        if os.geteuid() == 0:  # who may otherwise write everywhere
            ctypes.CDLL(None).prctl(_DROP_CAPABILITY, _IGNORES_MODES, 0, 0, 0)

    try:
        with subject.begun("--force", "--single-item", stage, limit=limit) as run:
            ended = run.end()
    finally:
        folder.chmod(mode)
    return stopped(subject, ended, line)


def cleared(subject: Subject, name: str, stage: str) -> Outcome:
    """Let a stage find a folder that cannot be written to, and no output that DVC would clear."""
    for path in subject.outputs(stage):
        path.unlink()
    return read_only(subject, name, stage, STAGE_SAYS)


def stopped(subject: Subject, ended: Ended, line: re.Pattern[str]) -> Outcome:
    """Return what became of a run that a fault had to stop, with one such line, and of the next."""
    said = ended.fault()
    if ended.status == 0:
        said = said or "it stopped nothing"
    elif len(line.findall(ended.printed)) != 1:
        said = said or f"not one line of {line.pattern!r}: {ended.printed[-500:]}"
    done = subject.repro()
    said = said or failure(done.returncode, done.stdout)
    return Outcome(1, int(not said), said)


def damaged(subject: Subject, paths: Iterable[Path], damage: Callable[[bytes], bytes]) -> Outcome:
    """Damage files one after the other; each has to be noticed, and mended."""
    faults = [_damage(subject, path, damage) for path in paths]
    return Outcome(len(faults), faults.count(""), "\n".join(filter(None, faults)))


def _damage(subject: Subject, path: Path, damage: Callable[[bytes], bytes]) -> str:
    """Damage a file; return what then was wrong, nothing where all was well."""
    name, mode = path.relative_to(subject.folder), path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(damage(path.read_bytes()))
    path.chmod(mode)
    noticed = subject.tool("verify_study", "--stored")
    subject.tool("stored_objects", "--repair")
    done = subject.repro()
    mended = subject.tool("verify_study", "--stored")
    if noticed.returncode == 0 or path.name not in noticed.stdout:
        return f"{name}: not noticed: {noticed.stdout[-500:]}"
    for one in (done, mended):
        if one.returncode:
            return f"{name}: not mended: {failure(one.returncode, one.stdout)}"
    return ""


def drawn(paths: Iterable[Path], tries: int, rng: random.Random) -> list[Path]:
    """Draw as many files that hold something as there are tries, but few."""
    files = sorted(path for path in paths if path.is_file() and path.stat().st_size)
    return rng.sample(files, min(tries, DAMAGED, len(files)))


def flipped(content: bytes) -> bytes:
    """Flip a bit in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def cut(content: bytes) -> bytes:
    """Keep the first half, which ends within a line."""
    return content[: len(content) // 2].rstrip(b"\n")


def half_written(subject: Subject, name: str, content: bytes, advice: str, *way: str) -> Outcome:
    """Leave a file of DVC's half written: the start has to say which, and the way back."""
    path = subject.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    said = subject.tool("check_start").stdout
    is_told = name in said and advice in said and len(said.splitlines()) == 1
    subject.run(*way)
    done = subject.repro()
    wrong = failure(done.returncode, done.stdout) if is_told else f"the start says: {said}"
    return Outcome(1, int(not wrong), wrong)


def beside(subject: Subject) -> Outcome:
    """Start the study beside itself: the first goes on, and who comes second is told so."""
    lock = subject.folder / ".dvc/tmp/lock"
    with subject.begun("--force", "--single-item", "remedies") as run:
        number = str(run.process.pid)
        # From its first lock on, which names who had it last, a run is at work until it ends.
        while run.is_on() and (not lock.exists() or lock.read_text("utf-8").strip() != number):
            time.sleep(0.1)
        start = subject.tool("check_start")
        second = subject.repro()
        ended = run.end()
    is_told = re.search(rf"process {number}\b", start.stdout) and start.stdout.count("\n") == 1
    wrong = (
        ("" if is_told else f"the start says: {start.stdout}"),
        ("" if second.returncode else "the second run was not refused"),
        unexpected(second.stdout),
        ended.fault() or failure(ended.status, ended.printed),
    )
    return Outcome(1, int(not any(wrong)), "\n".join(filter(None, wrong)))


def rows(
    folder: Path, tries: int, rng: random.Random, *, short: bool = False
) -> Iterator[tuple[str, Outcome]]:
    """Yield what became of each fault; in short, of one strike and not on another machine."""
    first = Subject(folder / "whole")
    done = first.repro()
    if done.returncode:
        sys.exit(f"faults: the study itself fails\n{done.stdout[-2000:]}")
    whole = first.lock()
    found = chain(
        strikes(folder, tries, rng, ["all is killed"] if short else WAYS),
        limits(first),
        damages(first, tries, rng),
        leftovers(first),
        () if short else elsewhere(folder),
    )
    for name, subject, outcome in found:
        lost, told = subject.losses(first.folder, whole)
        if told:
            outcome = replace(outcome, survived=0, lost=lost, said=outcome.said or told)
        yield name, outcome


WAYS = {"a stage is killed": kill_stage, "all is killed": kill_all, "Ctrl-C": interrupt}
"""How a run is struck."""


def strikes(folder: Path, tries: int, rng: random.Random, names: Iterable[str]) -> Iterator[Row]:
    """Strike studies that run."""
    for number, name in enumerate(names):
        subject = Subject(folder / f"struck {number}")
        yield name, subject, struck(subject, WAYS[name], tries, rng)


def limits(first: Subject) -> Iterator[Row]:
    """Let stages find no place to write to."""
    # In a study that is done: anew, DVC's own databases outgrow the limit before any output does.
    yield "the disk is full", first, full_disk(first, "report")
    for name, stage in {"data": "check", "reports": "report"}.items():
        yield f"{name} is read-only", first, cleared(first, name, stage)


def damages(first: Subject, tries: int, rng: random.Random) -> Iterator[Row]:
    """Damage what is stored."""
    objects = (first.folder / ".dvc/cache/files").rglob("*")
    paths = sorted(objects)
    for name, damage in {"a bit is flipped": flipped, "half is missing": cut}.items():
        outcome = damaged(first, drawn(paths, tries, rng), damage)
        yield f"an object of the cache: {name}", first, outcome
    outputs = (path for stage in first.lock() for path in first.outputs(stage))
    files = (path for output in outputs for path in (output, *output.rglob("*")))
    outcome = damaged(first, drawn(files, tries, rng), flipped)
    yield "an output: a bit is flipped", first, outcome


def leftovers(first: Subject) -> Iterator[Row]:
    """Leave what a run leaves that was killed, or is at work."""
    first.commit("After the study")
    lock = "dvc.lock"
    half = cut((first.folder / lock).read_bytes())
    back = f"git checkout {lock}"
    yield f"{lock} is half written", first, half_written(first, lock, half, back, *back.split())
    held = ".dvc/tmp/rwlock"
    outcome = half_written(first, held, b'{"data": {"read', "remove this file", "rm", held)
    yield f"{held} is half written", first, outcome
    yield "a second run beside the first", first, beside(first)


def elsewhere(folder: Path) -> Iterator[Row]:
    """Run the study as on another machine, first with a cache that cannot be written to."""
    other = Subject(folder / "Ordner mit Lücke", EVERYWHERE)
    # Here, since a cache that has all is not written to.
    cache = ".dvc/cache"
    yield f"{cache} is read-only", other, read_only(other, cache, "check", DVC_SAYS)
    done = other.repro()
    outcome = Outcome(1, int(done.returncode == 0), failure(done.returncode, done.stdout))
    yield "one worker, another folder, locale, zone and hash seed", other, outcome


def main(tries: int, seed: int, short: bool) -> None:
    """Print the table; exit with 1 where anything was lost."""
    print("| fault | tries | survived | bytes lost |\n| --- | --- | --- | --- |", flush=True)
    complaints = []
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        for name, found in rows(Path(folder), tries, random.Random(seed), short=short):
            print(f"| {name} | {found.tries} | {found.survived} | {found.lost:,} |", flush=True)
            if found.lost or found.said or found.survived < found.tries or not found.tries:
                complaints.append(f"{name}: {found.said or 'not survived'}")
    if complaints:
        sys.exit("\n".join(complaints))


def at_least_one(text: str) -> int:
    """Read a number of tries."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}; expected a whole number above 0")
    return int(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    few = f"strikes of each kind, and damaged files of each kind, of these at most {DAMAGED}"
    parser.add_argument("--tries", type=at_least_one, default=8, metavar="N", help=few)
    chance = "of the moments at which they strike, and of the files"
    parser.add_argument("--seed", type=int, default=0, metavar="N", help=chance)
    less = "leave out two ways to strike a run, and the run as on another machine"
    parser.add_argument("--short", action="store_true", help=less)
    main(**vars(parser.parse_args()))
