"""What was opened of files is kept as long as the files are the same."""

import threading
from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def opened_once(
    open_: Callable[[K], V], paths_of: Callable[[K], Iterable[Path]], *, at_most: int
) -> Callable[[K], V]:
    """Return what opens something, or finds what this process opened of the very same files.

    Several threads may call it at once; one of them opens.

    Parameters
    ----------
    open_
        What opens it.
    paths_of
        The files that are opened: one that was replaced or written anew is opened again.
    at_most
        How many are kept open, those that were used last.
    """
    lock = threading.Lock()

    @lru_cache(maxsize=at_most)
    def kept(key: K, _: tuple[tuple[int, int, int], ...]) -> V:
        return open_(key)

    def opened(key: K) -> V:
        stats = [path.stat() for path in paths_of(key)]
        with lock:
            return kept(key, tuple((one.st_ino, one.st_mtime_ns, one.st_size) for one in stats))

    return opened
