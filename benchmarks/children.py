"""Commands timed in processes of their own, with their peak memory."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """What a command took and printed.

    Attributes
    ----------
    seconds
        From its start to its end, on the clock.
    peak_gib
        Peak memory of the largest of its processes, in GiB.
    output
        What it printed to standard output.
    """

    seconds: float
    peak_gib: float
    output: str


def run(*command: str, folder: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Run a command in a folder and wait for it.

    Raises
    ------
    SystemExit
        Where it fails; says the command and what it printed last.
    """
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=printed, stderr=errors
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (printed, errors):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    if child.returncode:
        last = "\n".join("".join(texts).splitlines()[-20:])
        sys.exit(f"{' '.join(command)}: exit status {child.returncode}\n{last}")
    return Run(seconds, usage.ru_maxrss / 1024**2, texts[0])
