"""What all stages' scripts share: one closing line, or one line of error."""

import errno
import inspect
import io
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from threadpoolctl import threadpool_limits

import smallsight
from smallsight.runtime.errors import SmallsightError
from smallsight.runtime.parallel import end_with

INTERRUPTED = 128 + signal.SIGINT
"""Exit status of a stage that Ctrl-C ended, as shells have it."""

_OF_THE_DISK = {
    errno.ENOSPC: "room on it: what was there before is still there",
    errno.EDQUOT: "a quota with room: what was there before is still there",
    errno.EFBIG: "files of any size",
    errno.EROFS: "a disk that can be written",
    errno.EACCES: "the right to read and write there",
    errno.EPERM: "the right to read and write there",
    errno.EIO: "a disk that works",
}
"""Errors of the operating system's that are no defect of the program, and what would help."""


def run(main: Callable[..., str], *arguments: str) -> None:
    """Run a stage; print what it did and how long it took, or exit with 1 and one line of error.

    A script runs the library of the tree that it lies in, or not at all.

    Parameters
    ----------
    main
        Does the stage's work and returns in a few words what it did.
    arguments
        Passed to `main`, from the command line.
    """
    script = Path(sys.argv[0])
    wanted = inspect.signature(main).parameters
    if len(arguments) != len(wanted):
        sys.exit(" ".join(("usage: python", str(script), *(name.upper() for name in wanted))))
    name = " ".join((script.stem, *arguments))
    start = time.perf_counter()
    _escape_what_the_terminal_lacks()
    if "DVC_STAGE" in os.environ:
        end_with(os.getppid())  # else, where DVC is killed, it would write beside the next run
    signal.signal(signal.SIGINT, signal.default_int_handler)  # `own_library` had it end at once
    try:
        _check_library(script)
        # Sums over several threads are rounded otherwise: results would depend on their number.
        with threadpool_limits(limits=1, user_api="blas"):
            summary = main(*arguments)
    except SmallsightError as error:
        sys.exit(f"{name}: {error}")
    except KeyboardInterrupt:
        print(f"{name}: interrupted; what was there before is still there", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            raise
        place, due = error.filename or Path.cwd(), _OF_THE_DISK[error.errno]
        sys.exit(f"{name}: disk error: {place}: {error.strerror}; expected {due}")
    print(f"{name}: {summary} [{time.perf_counter() - start:.1f} s]", flush=True)


def _escape_what_the_terminal_lacks() -> None:
    r"""Print a letter that the terminal's encoding lacks as its number, such as `\xfc`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _check_library(script: Path) -> None:
    own = script.resolve().parents[1] / "src" / "smallsight"
    found = Path(smallsight.__file__).resolve().parent
    if own.is_dir() and found != own:
        raise SmallsightError("smallsight", f"the library at {found}", f"this tree's own, at {own}")
