"""Dask clusters on this machine, of real processes, and work for them.

Run as a script, `python clusters.py FOLDER`, it maps slow work and leaves a file for each item.
"""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from smallsight.runtime import script
from smallsight.runtime.parallel import map_items

ROOT = Path(__file__).parents[2]


class Cluster:
    """A scheduler and its workers, each a process; `folder` is where these start, and log."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.workers = {}
        self.start_scheduler()

    def start_scheduler(self):
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        self.scheduler = self._start("scheduler", "scheduler", *options)

    def add_worker(self, name, *options, library=ROOT / "src"):
        """Start a worker that runs the library in a folder."""
        options = ["--name", name, "--nthreads", "1", "--no-nanny", "--no-dashboard", *options]
        where = ["--local-directory", str(self.folder / name), "--host", "127.0.0.1"]
        self.workers[name] = self._start(
            name, "worker", self.address, *options, *where, library=library
        )

    def wait(self):
        """Wait until all workers are known to the scheduler."""
        deadline = time.monotonic() + 60
        for name in self.workers:
            while "Registered to" not in (self.folder / f"{name}.log").read_text():
                assert time.monotonic() < deadline, f"{name} does not start"
                time.sleep(0.05)

    def _start(self, name, *command, library=ROOT / "src"):
        paths = os.pathsep.join([str(library), str(ROOT / "tests")])
        environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
        environment.pop("SMALLSIGHT_DASK", None)
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *command],
                cwd=self.folder, env=environment, stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self, process):
        process.kill()
        process.wait()

    def stop(self):
        for process in (*self.workers.values(), self.scheduler):
            self.kill(process)


def process_of(_):
    """Name the worker that does this work, and its process."""
    from distributed import get_worker

    time.sleep(0.05)
    return get_worker().name, os.getpid()


def leave(number, *, folder):
    """Leave a file, slowly."""
    time.sleep(0.1)
    (folder / str(number)).touch()
    return number


def fall(number):
    """End the process that does this work."""
    os._exit(number)


def main(folder):
    from functools import partial

    done = map_items(partial(leave, folder=Path(folder)), range(200), description="leaving")
    return f"{len(done)} files"


if __name__ == "__main__":
    script.run(main, *sys.argv[1:])
