"""What comes of DVC commands that are at work in one project at once: docs/versions.md."""

import re
import shlex
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import zc.lockfile

pytestmark = pytest.mark.dvc

ROOT = Path(__file__).parents[2]
WAITING = """\
import pathlib, time
pathlib.Path("begun").touch()
while not pathlib.Path("may_end").exists():
    time.sleep(0.05)
"""


@pytest.fixture
def waiting(project):
    """The pipeline, whose first stage waits for leave to end."""
    path = project.folder / "make.py"
    path.write_text(WAITING + path.read_text())
    return project


@contextmanager
def stage_at_work(project, command):
    """Begin a run, and wait until its stage is at work; in the end it may end."""
    run = subprocess.Popen(
        [sys.executable, "-m", *shlex.split(command)],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with run:
        while not (project.folder / "begun").exists():
            assert run.poll() is None, run.stdout.read()
            time.sleep(0.05)
        try:
            yield run
        finally:
            (project.folder / "may_end").touch()


def of_make_report():
    """The command by which `make report` runs the study."""
    said = subprocess.check_output(["make", "-n", "report"], cwd=ROOT, text=True)
    (command,) = (line for line in said.splitlines() if line.startswith("dvc "))
    return command


def run_while_another_command_holds_the_lock(project, command):
    """Let another command hold DVC's lock for 5 seconds, in which the stage ends."""
    with stage_at_work(project, command) as run:
        with closing(zc.lockfile.LockFile(str(project.folder / ".dvc/tmp/lock"))):
            (project.folder / "may_end").touch()
            time.sleep(5)
        printed, _ = run.communicate()
    return run.returncode, printed


def test_make_report_waits_for_another_command(waiting):
    status, printed = run_while_another_command_holds_the_lock(waiting, of_make_report())
    assert status == 0, printed
    assert "Stage 'count'" in printed


def test_a_run_that_does_not_wait_is_lost(waiting):
    """DVC takes its lock again after each stage, and gives up after 3 seconds."""
    status, printed = run_while_another_command_holds_the_lock(waiting, "dvc repro")
    assert status != 0
    assert "Unable to acquire lock. Most likely another DVC process is running" in printed
    assert "count" not in printed


def documented_refusal():
    """What docs/versions.md shows of a second run, as a pattern of its lines."""
    text = (ROOT / "docs/versions.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```text\n(ERROR: .*?)```", text, re.DOTALL)
    first, process, *rest = (re.escape(line) for line in shown.splitlines(keepends=True))
    process = process.replace("4711", r"\d+").replace(r"/\.venv/bin/dvc", "")
    lines = "".join([first, f"(?:{process})+", *rest])
    return re.sub(r"/home/me/study(/data/heads)?", r"\\S+", lines).replace("train", "make")


@pytest.mark.parametrize("command", ["dvc repro", "dvc --wait-for-lock repro"])
def test_a_second_run_is_refused_at_once_and_the_first_goes_on(waiting, command):
    with stage_at_work(waiting, "dvc repro") as first:
        said = waiting.run(sys.executable, "-m", *shlex.split(command), fails=True)
        (waiting.folder / "may_end").touch()
        printed, _ = first.communicate()
    assert re.fullmatch(documented_refusal(), said.rstrip() + "\n"), said
    assert first.returncode == 0, printed
