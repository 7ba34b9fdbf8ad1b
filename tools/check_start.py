"""Checks what DVC reads or writes itself, before it does: its own files, and a user's folders.

What else is wrong with the parameters, the first stage says.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import yaml
from dvc.exceptions import DvcException
from dvc.lock import LockError
from dvc.repo import Repo

from smallsight import params
from smallsight.datasets.watched import check_watched_folders
from smallsight.runtime.errors import ParameterError, SmallsightError
from smallsight.runtime.yaml_files import parse_yaml

LOCK = Path("dvc.lock")
HELD = Path(".dvc/tmp/rwlock")
"""Which process reads or writes which path, as DVC keeps it."""
BUSY = Path(".dvc/tmp/lock")
"""Whose holder does not run a stage: it starts, or is between two, or is no run at all."""


def main() -> None:
    """Exit with one line of error where a run could not begin."""
    try:
        # In this order: a run that is at work writes the lock, which then may look cut.
        check_held()
        check_lock()
        check_watched_folders(params.load().data)
    except ParameterError:
        return
    except SmallsightError as error:
        sys.exit(f"check_start: {error}")


def check_lock() -> None:
    """Check that `dvc.lock` is one.

    Raises
    ------
    SmallsightError
        Where a run was killed while DVC wrote it.
    """
    try:
        content = LOCK.read_bytes()
        tree = parse_yaml(content)
    except FileNotFoundError:
        return
    except OSError as error:
        raise SmallsightError(LOCK, error.strerror or str(error), "a file to read") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        tree = None
    is_whole = isinstance(tree, Mapping) and {"schema", "stages"} <= tree.keys()
    # Cut within a value, it may still be YAML.
    if not is_whole or not content.endswith(b"\n"):
        due = f"DVC's record of stages: git checkout {LOCK}, and what it lacks runs again"
        raise SmallsightError(LOCK, "cut short, as by a run that was killed", due)


def check_held() -> None:
    """Check that no other run is at work here, nor one that was killed seems to be.

    Raises
    ------
    SmallsightError
        Where DVC's list of who is at work cannot be read, or somebody is.
    """
    try:
        # DVC waits 3 seconds for others. While it is held, nobody begins or ends a stage.
        with Repo().lock:
            holders = list(_holders(json.loads(HELD.read_bytes())))
    except FileNotFoundError:
        return
    except LockError:
        due = "no other DVC command here: wait for its end, or stop it"
        raise SmallsightError(BUSY, f"in use by {_locker()}", due) from None
    except DvcException:  # DVC says it itself
        return
    except OSError as error:
        found = error.strerror or str(error)
        raise SmallsightError(error.filename or HELD, found, "a file to read") from None
    except (ValueError, AttributeError, KeyError, TypeError):
        due = "JSON: where no other run is at work, remove this file"
        raise SmallsightError(HELD, "cut short, as by a run that was killed", due) from None
    for process in holders:
        number = process["pid"]
        found = f"in use by {process.get('cmd')} (process {number})"
        due = "no other run here: wait for its end, or stop it"
        if not _is_dvc(number):
            due = f"no other run: if process {number} is another program by now, remove this file"
        raise SmallsightError(HELD, found, due)


def _locker() -> str:
    """Name who holds DVC's lock, which is a path where DVC locks by hard links."""
    try:
        number = BUSY.read_text(encoding="utf-8").strip()
    except OSError:  # given back meanwhile
        number = ""
    return f"process {number}" if number.isdecimal() else "another process"


def _holders(held: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the processes that hold a path and live: DVC waits for these, whatever they are."""
    writers = held.get("write", {}).values()
    readers = (one for each in held.get("read", {}).values() for one in each)
    for process in (*writers, *readers):
        if process and psutil.pid_exists(process["pid"]):
            yield process


def _is_dvc(number: int) -> bool:
    """Return whether a process runs DVC, as far as can be seen."""
    try:
        return any(Path(part).name == "dvc" for part in psutil.Process(number).cmdline())
    except psutil.Error:
        return False


if __name__ == "__main__":
    main()
