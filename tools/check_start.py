"""Checks what DVC reads or writes itself, before it does: its own files, and a user's folders.

What else is wrong with the parameters, the first stage says.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import yaml

from smallsight import params
from smallsight.datasets.watched import check_watched_folders
from smallsight.runtime.errors import ParameterError, SmallsightError
from smallsight.runtime.yaml_files import parse_yaml

LOCK = Path("dvc.lock")
HELD = Path(".dvc/tmp/rwlock")
"""Which process reads or writes which path, as DVC keeps it."""


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
        holders = list(_holders(_read_held()))
    except FileNotFoundError:
        return
    except OSError as error:
        raise SmallsightError(HELD, error.strerror or str(error), "a file to read") from None
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


def _read_held() -> Any:
    """Read DVC's list of who is at work; once more where it was just being written."""
    try:
        return json.loads(HELD.read_bytes())
    except ValueError:
        time.sleep(0.2)
        return json.loads(HELD.read_bytes())


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
