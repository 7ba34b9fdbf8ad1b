"""The device that networks run on, and how a CPU's cores share their work."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from smallsight.runtime.errors import ParameterError
from smallsight.runtime.parallel import progress, workers

T = TypeVar("T")
R = TypeVar("R")


def pick_device(name: str) -> torch.device:
    """Turn `auto`, `cpu`, `cuda` or `cuda:N` into a device; `auto` is CUDA where there is one.

    From then on torch computes with one thread: sums over several are rounded otherwise, so that
    results would depend on how many cores there are. `map_on_device` uses the cores nevertheless.

    Raises
    ------
    ParameterError
        Where CUDA is asked for and there is none.
    """
    torch.set_num_threads(1)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ParameterError("params.device", repr(name), "a device that this machine has, or auto")
    return device


def map_on_device(
    function: Callable[[T], R], batches: Sequence[T], *, device: torch.device, description: str
) -> list[R]:
    """Apply a function of torch's to batches, with a progress bar; results come in their order.

    On a CPU as many threads as there are workers take a batch each; one batch is computed by one
    thread, so that no result depends on their number.
    """
    count = workers() if device.type == "cpu" else 1
    with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        done = pool.map(function, batches)
        return list(progress(done, total=len(batches), description=description))
