"""What every stage's script shares: one closing line, or one line of error."""

import inspect
import sys
import time
from collections.abc import Callable
from pathlib import Path

from smallsight.runtime.errors import SmallsightError


def run(main: Callable[..., str], *arguments: str) -> None:
    """Run a stage; print what it did and how long it took, or exit with 1 and one line of error.

    Parameters
    ----------
    main
        Does the stage's work and says in a few words what it did.
    arguments
        Passed to `main`, from the command line.
    """
    script = Path(sys.argv[0])
    wanted = inspect.signature(main).parameters
    if len(arguments) != len(wanted):
        sys.exit(" ".join(("usage: python", str(script), *(name.upper() for name in wanted))))
    name = " ".join((script.stem, *arguments))
    start = time.perf_counter()
    try:
        summary = main(*arguments)
    except SmallsightError as error:
        sys.exit(f"{name}: {error}")
    print(f"{name}: {summary} [{time.perf_counter() - start:.1f} s]", flush=True)
