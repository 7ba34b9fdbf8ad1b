"""One thread that gives a GPU its work, whichever threads of this process have some for it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")

_spent = threading.local()


def on_gpu(device: str, work: Callable[[], T]) -> T:
    """Let a GPU's own thread do some work, and wait for it.

    PyTorch keeps the plans of cuDNN, which take seconds to make, for each thread anew and forgets
    them with it. The threads that prepare work come and go; this one stays.

    Parameters
    ----------
    device
        The GPU's name.
    work
        Done when the GPU has done it.
    """

    def timed() -> tuple[T, float]:
        start = time.perf_counter()
        return work(), time.perf_counter() - start

    found, seconds = _thread_of(device).submit(timed).result()
    _spent.seconds = gpu_seconds() + seconds
    return found


def gpu_seconds() -> float:
    """Return the seconds that GPUs have worked for the calling thread so far."""
    return getattr(_spent, "seconds", 0.0)


@cache
def _thread_of(device: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, device)
