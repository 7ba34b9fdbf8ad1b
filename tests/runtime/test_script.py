import os
import re
import subprocess
import sys

import pytest

SCRIPT = """
import sys
from smallsight.runtime import script
from smallsight.runtime.errors import SampleError

def main(family, level):
    if family == "bad":
        raise SampleError("sample", "2 pictures", "at least 5")
    if family == "bug":
        raise KeyError(level)
    return f"{family} at {level}"

script.run(main, *sys.argv[1:])
"""


@pytest.fixture
def run(tmp_path):
    script = tmp_path / "render.py"
    script.write_text(SCRIPT)

    def run(*arguments, **environment):
        command = [sys.executable, str(script), *arguments]
        environment = os.environ | environment
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    return run


def test_a_stage_ends_with_one_line_and_its_seconds(run):
    done = run("crop", "a b")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"render crop a b: crop at a b \[\d+\.\d s\]\n", done.stdout)


def test_an_error_of_ours_is_status_1_and_one_line(run):
    done = run("bad", "x")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "render bad x: sample error: sample: 2 pictures; expected at least 5\n"


def test_a_defect_is_not_hidden(run):
    done = run("bug", "x")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "KeyError: 'x'" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("crop",), ("crop", "x", "y")])
def test_wrong_number_of_arguments_says_how_to_call_it(run, arguments):
    done = run(*arguments)
    assert done.returncode != 0
    assert done.stdout == ""
    assert re.fullmatch(r"usage: python \S*render\.py FAMILY LEVEL\n", done.stderr)


@pytest.mark.parametrize("family", ["crop", "bad"])
def test_a_terminal_that_knows_few_letters_is_told_their_numbers(run, family):
    done = run(family, "größe 翻", LC_ALL="C", PYTHONIOENCODING="ascii")
    said = done.stdout + done.stderr
    assert said.startswith(f"render {family} gr\\xf6\\xdfe \\u7ffb: ")
    assert done.returncode == (family == "bad")
    assert len(said.splitlines()) == 1
