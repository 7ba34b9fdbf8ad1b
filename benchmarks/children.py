"""Commands timed in processes of their own, with their peak memory.

As a script it runs one command: a process counts as its own the memory of the one that started it,
so that one stands between which needs next to none.
"""

import json
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
    with tempfile.TemporaryDirectory() as name:
        report, printed = Path(name) / "report.json", Path(name) / "printed"
        with printed.open("wb") as output:
            found = subprocess.run(
                [sys.executable, __file__, str(report), *command],
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=subprocess.PIPE,
            )
        text = printed.read_text(encoding="utf-8", errors="replace")
        if found.returncode:
            last = "\n".join((text + found.stderr.decode(errors="replace")).splitlines()[-20:])
            sys.exit(f"{' '.join(command)}: exit status {found.returncode}\n{last}")
        return Run(**json.loads(report.read_text(encoding="utf-8")), output=text)


def _measure(report: Path, command: list[str]) -> int:
    """Run a command, write what it took, and return its exit status."""
    start = time.perf_counter()
    child = subprocess.Popen(command)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    took = {"seconds": time.perf_counter() - start, "peak_gib": usage.ru_maxrss / 1024**2}
    report.write_text(json.dumps(took), encoding="utf-8")
    return child.returncode


if __name__ == "__main__":
    sys.exit(_measure(Path(sys.argv[1]), sys.argv[2:]))
