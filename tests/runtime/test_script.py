import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = """
import os, signal, sys, time
from smallsight.runtime import script
from smallsight.runtime.errors import SampleError

def main(family, level):
    if family == "bad":
        raise SampleError("sample", "2 pictures", "at least 5")
    if family == "bug":
        raise KeyError(level)
    if family == "interrupted":
        os.kill(os.getpid(), signal.SIGINT)
    if family == "slow":
        print("begun", flush=True)
        time.sleep(60)
    if family == "sums":
        import numpy, threadpoolctl
        counts = {
            library["num_threads"]
            for library in threadpoolctl.threadpool_info()
            if library["user_api"] == "blas"
        }
        return f"{counts} threads"
    if family == "disk":
        raise OSError(int(level), os.strerror(int(level)), "data/x")
    if family == "full":
        with open("/dev/full", "w") as file:
            file.write("x")
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


def test_sums_are_one_threads_however_many_there_are(run):
    assert ": {1} threads [" in run("sums", "x", OPENBLAS_NUM_THREADS="2").stdout


def test_an_error_of_ours_is_status_1_and_one_line(run):
    done = run("bad", "x")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "render bad x: sample error: sample: 2 pictures; expected at least 5\n"


def test_ctrl_c_is_one_line(run):
    done = run("interrupted", "x")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == (
        "render interrupted x: interrupted; what was there before is still there\n"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_one_line(run):
    done = run("full", "x")
    assert (done.returncode, done.stdout) == (1, "")
    assert "No space left on device; expected room on it" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_an_error_of_the_disk_names_the_file(run, error):
    done = run("disk", str(error))
    assert done.returncode == 1
    assert done.stderr.startswith(f"render disk {error}: disk error: data/x: {os.strerror(error)};")
    assert len(done.stderr.splitlines()) == 1


def test_other_errors_of_the_operating_system_are_defects(run):
    assert "Traceback" in run("disk", str(errno.ENOTDIR)).stderr


def test_ctrl_c_while_a_stage_imports_is_no_traceback():
    stage = Path(__file__).parents[2] / "stages/own_library.py"
    code = (
        f"import sys; sys.path.insert(0, {str(stage.parent)!r}); import own_library; "
        "import time; print('here', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (-signal.SIGINT, b"")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc, which lists processes")
@pytest.mark.parametrize(
    ("environment", "is_ended"), [({"DVC_STAGE": "render"}, True), ({}, False)]
)
def test_a_stage_ends_with_the_dvc_that_began_it(tmp_path, environment, is_ended):
    (tmp_path / "render.py").write_text(SCRIPT)
    begin = (
        "import subprocess, sys; "
        "print(subprocess.Popen([sys.executable, *sys.argv[1:]]).pid, flush=True); "
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", begin, str(tmp_path / "render.py"), "slow", "x"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, env=os.environ | environment) as dvc:
        number = int(dvc.stdout.readline())
        assert dvc.stdout.readline() == b"begun\n"
        dvc.kill()
        deadline = time.monotonic() + (20 if is_ended else 3)
        while Path(f"/proc/{number}").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert Path(f"/proc/{number}").exists() != is_ended
        if not is_ended:
            os.kill(number, signal.SIGKILL)


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
