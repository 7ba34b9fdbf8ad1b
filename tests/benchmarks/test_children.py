import sys

import children
import pytest


def test_time_and_memory_are_those_of_the_child(tmp_path):
    code = "import time; held = b'x' * 300 * 2**20; time.sleep(0.2); print('done')"
    done = children.run(sys.executable, "-c", code, folder=tmp_path)
    assert done.output == "done\n"
    assert done.seconds > 0.2
    assert 0.29 < done.peak_gib < 0.4
    idle = children.run(sys.executable, "-c", "", folder=tmp_path)
    assert idle.peak_gib < 0.1


def test_a_grandchild_counts_in_the_peak(tmp_path):
    held = "held = b'x' * 300 * 2**20"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {held!r}], check=True)"
    assert children.run(sys.executable, "-c", code, folder=tmp_path).peak_gib > 0.29


def test_a_command_that_fails_says_which_and_why(tmp_path):
    with pytest.raises(SystemExit, match=r"(?s)-c .*exit status 3.*no such thing"):
        children.run(
            sys.executable, "-c", "import sys; print('no such thing'); sys.exit(3)", folder=tmp_path
        )
