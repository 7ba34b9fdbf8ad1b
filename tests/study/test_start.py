"""What a start finds of DVC's own files, and of others at work."""

import json
import os
import re
import runpy
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest
import zc.lockfile
from dvc.lock import Lock, LockError, make_lock

SCRIPT = Path(__file__).parents[2] / "tools/check_start.py"
HELD = ".dvc/tmp/rwlock"
BUSY = ".dvc/tmp/lock"


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Write a file of DVC's and return what the start says of it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], check=True)

    def check(name, content):
        Path(name).write_text(content)
        try:
            runpy.run_path(str(SCRIPT))["main"]()
        except SystemExit as said:
            assert len(str(said).splitlines()) == 1
            return str(said)
        return ""

    return check


def held(number, kind="write"):
    process = {"pid": number, "cmd": "dvc repro"}
    return json.dumps({kind: {"/a/data": process if kind == "write" else [process]}})


@pytest.mark.parametrize(
    "content",
    ["", "schema: '2.0'\nstages: {}\nx: 1", "schema: '2.0'\nstag", "schema: '2.0\n", "- 1\n", "\0"],
)
def test_a_lock_that_was_cut_short_is_named_with_what_to_do(check, content):
    said = check("dvc.lock", content)
    assert said.startswith("check_start: error: dvc.lock: cut short")
    assert "git checkout dvc.lock" in said


@pytest.mark.parametrize("content", ["", '{"write": {"/a', "[]", '{"write": {"/a": {"cmd": "x"}}}'])
def test_a_list_of_who_is_at_work_that_was_cut_short_is_named(check, content):
    said = check(HELD, content)
    assert said.startswith(f"check_start: error: {HELD}: cut short")
    assert "remove this file" in said


@pytest.mark.parametrize("kind", ["write", "read"])
def test_another_run_is_named(check, kind):
    command = [
        sys.executable,
        "-c",
        "import time; print(flush=True); time.sleep(60)",
        "dvc",
        "repro",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        said = check(HELD, held(other.pid, kind))
        other.kill()
        other.wait()
    assert f"in use by dvc repro (process {other.pid}); expected no other run here: wait" in said
    assert check(HELD, held(other.pid, kind)) == ""


def test_of_a_process_that_was_given_the_number_since_it_is_said_what_to_do(check):
    """DVC takes it for a run."""
    with subprocess.Popen(["sleep", "60"]) as other:
        said = check(HELD, held(other.pid))
        other.kill()
    assert f"if process {other.pid} is another program by now, remove this file" in said


def test_a_run_that_begins_or_is_between_two_stages_is_named(check):
    """It holds DVC's lock alone, and no file."""
    with closing(zc.lockfile.LockFile(BUSY)):
        said = check(HELD, "{}")
    due = "expected no other DVC command here: wait for its end, or stop it"
    assert said == f"check_start: error: {BUSY}: in use by process {os.getpid()}; {due}"


def test_who_locks_by_hard_links_is_seen_too(check):
    Path(".dvc/config").write_text("[core]\nhardlink_lock = true\n")
    with make_lock(BUSY, tmp_dir=".dvc/tmp", hardlink_lock=True):
        assert f"{BUSY}: in use by another process; expected" in check(HELD, "{}")
    assert check(HELD, "{}") == ""


def test_a_lock_that_is_given_back_while_its_holder_is_asked_for_is_no_error(check, monkeypatch):
    def given_back(lock):
        Path(BUSY).unlink(missing_ok=True)
        raise LockError("held")

    monkeypatch.setattr(Lock, "__enter__", given_back)
    assert "in use by another process; expected" in check(HELD, "{}")


def test_a_command_that_ends_in_an_instant_is_waited_for(check):
    lock = zc.lockfile.LockFile(BUSY)
    Timer(1, lock.close).start()
    assert check(HELD, "{}") == ""


def test_a_run_that_begins_its_next_stage_meanwhile_is_named(check):
    lock = zc.lockfile.LockFile(BUSY)

    def begin():
        Path(HELD).write_text(held(os.getpid()))
        lock.close()

    Timer(1, begin).start()
    assert "in use by dvc repro" in check(HELD, "{}")


def test_a_lock_that_a_run_is_writing_is_not_said_to_be_cut(check):
    Path("dvc.lock").write_text("schema: '2.0'\nstag")
    said = check(HELD, held(os.getpid()))
    assert "in use by" in said
    assert "git checkout" not in said


@pytest.mark.parametrize("name", ["dvc.lock", HELD, BUSY])
def test_what_cannot_be_read_is_one_line(check, name):
    Path(name).mkdir(parents=True)
    assert re.match(rf"check_start: error: \S*{name}: Is a directory", check("other", ""))


@pytest.mark.parametrize("content", ["{}", '{"write": {}, "read": {}}', held(2**22 + 1)])
def test_nobody_at_work_is_fine(check, content):
    assert check("dvc.lock", "schema: '2.0'\nstages: {}\n") == ""
    assert check(HELD, content) == ""


def test_nothing_there_is_fine(check):
    assert {each.name for each in Path().iterdir()} == {".dvc", ".git"}
    assert check("other", "") == ""
