"""What a start finds of DVC's own files, and of others at work."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools/check_start.py"
HELD = ".dvc/tmp/rwlock"


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Write a file of DVC's and return what the start says of it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc/tmp").mkdir(parents=True)

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


def test_a_lock_that_a_run_is_writing_is_not_said_to_be_cut(check):
    Path("dvc.lock").write_text("schema: '2.0'\nstag")
    said = check(HELD, held(os.getpid()))
    assert "in use by" in said
    assert "git checkout" not in said


@pytest.mark.parametrize("name", ["dvc.lock", HELD])
def test_what_cannot_be_read_is_one_line(check, name):
    Path(name).mkdir(parents=True)
    assert check("other", "").startswith(f"check_start: error: {name}: Is a directory")


@pytest.mark.parametrize("content", ["{}", '{"write": {}, "read": {}}', held(2**22 + 1)])
def test_nobody_at_work_is_fine(check, content):
    assert check("dvc.lock", "schema: '2.0'\nstages: {}\n") == ""
    assert check(HELD, content) == ""


def test_nothing_there_is_fine(check):
    assert [each.name for each in Path().iterdir()] == [".dvc"]
    assert check("other", "") == ""
