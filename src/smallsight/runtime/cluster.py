"""Work on a Dask cluster: its workers are checked first, then sent so much at a time, in order.

Every job runs in the folder of the one that asks, on a worker that sees the same files there and
runs the same library; so nothing that is computed depends on where.
"""

import hashlib
import logging
import math
import os
import platform
import tempfile
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import cache, partial
from importlib import metadata
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, TypeVar

import distributed
from distributed.scheduler import KilledWorker
from threadpoolctl import threadpool_limits

import smallsight
from smallsight.runtime.errors import ClusterError, ParameterError

T = TypeVar("T")
R = TypeVar("R")

WHERE = "SMALLSIGHT_DASK"

GPU = "GPU"
"""The resource of workers that have one, as their command line declares it."""

AHEAD = 3
"""Items of work that are sent for each of the workers' threads: finished ones do not pile up."""

PATIENCE = 60
"""Seconds to wait for the first worker, and for another one where all were lost."""

_REFRESH = 5
"""Seconds after which the workers' threads are counted again."""

_PACKAGES = ("numpy", "onnxruntime", "pillow", "scikit-image", "scipy", "torch", "torchvision")
"""What the values in pictures and features come from."""

_EQUIPPED = "workers that see the same files under the same path and run the same library"

_AGAIN = "run the same again; stages that were finished are kept"


class _Place(NamedTuple):
    """Where work is done: the folder, and the versions of what does it."""

    folder: str
    software: tuple[tuple[str, str], ...]


def map_on_cluster(
    address: str, function: Callable[[T], R], items: Collection[T], *, is_network: bool
) -> Iterator[R]:
    """Apply a function to every item on a cluster; yield results in their order.

    What a worker had in hand when it died is given to another one.

    Parameters
    ----------
    address
        The scheduler's.
    function
        Pure but for files that it writes; of items and it, what `cloudpickle` can send.
    is_network
        Whether it runs the examined network: workers with a GPU take that where there are any.

    Raises
    ------
    ParameterError
        Where there is no scheduler or worker, or one that lacks the files or the library.
    ClusterError
        Where the scheduler or all workers are lost, or an item of work kills one worker after the
        other.
    """
    place = _Place(str(Path.cwd()), _software())
    waiting, pending = iter(items), deque[Any]()
    threads, counted = 0, -math.inf
    with _losses(address):
        client = _joined(address, place)
        # Chosen once, so that all items are one kind of worker's.
        needed = {GPU: 1} if is_network and _threads(client, {GPU: 1}) else {}
        # Sent once, then from worker to worker: what it holds may be large.
        job = client.submit(partial(_itself, function), pure=False)
    while True:
        with _losses(address):
            if time.monotonic() - counted > _REFRESH:
                threads, counted = _threads(client, needed), time.monotonic()
            for item in islice(waiting, max(AHEAD * threads - len(pending), 1)):
                task = partial(_work, item=item, place=place)
                pending.append(client.submit(task, job, pure=False, resources=needed))
            if not pending:
                return
            _wait(pending[0], client, needed)
        yield _result(pending.popleft(), address)


def _itself(function: Callable[[T], R]) -> Callable[[T], R]:
    return function


def _work(job: Callable[[T], R], *, item: T, place: _Place) -> R:
    """Do one item of work, on a worker."""
    lack = _lack(place)
    if lack:
        raise ClusterError(WHERE, f"a worker {lack}", _EQUIPPED)
    os.chdir(place.folder)
    # As `script.run` has it; once more, because the job may have loaded further libraries.
    threadpool_limits(limits=1, user_api="blas")
    return job(item)


def _wait(future: Any, client: Any, needed: Mapping[str, float]) -> None:
    """Wait until an item of work is done, or nobody who could do it has been there for long.

    Raises
    ------
    ClusterError
        Where no such worker is left, and none came.
    """
    seen = time.monotonic()
    while True:
        with suppress(TimeoutError):
            distributed.wait(future, timeout=_REFRESH)
            return
        if _threads(client, needed):
            seen = time.monotonic()
        elif time.monotonic() - seen > PATIENCE:
            who = f"workers that declare {GPU}" if needed else "workers"
            found = f"all {who} were lost, and none came for {PATIENCE} seconds"
            raise ClusterError(WHERE, found, f"{who} that last: {_AGAIN}")


def _result(future: Any, address: str) -> Any:
    try:
        return future.result()
    except KilledWorker as error:
        found = f"work that killed {error.last_worker.address} and others before"
        raise ClusterError(
            WHERE, found, "workers with memory enough; they log what ended"
        ) from None
    except (OSError, RuntimeError, CancelledError):
        if future.status == "error":
            raise
        raise _lost(address) from None


@contextmanager
def _losses(address: str) -> Iterator[None]:
    """Say in one line that the scheduler is gone."""
    try:
        yield
    except (OSError, RuntimeError, CancelledError):
        raise _lost(address) from None


def _lost(address: str) -> ClusterError:
    found = f"the scheduler at {address} was lost"
    return ClusterError(WHERE, found, f"one that lasts: {_AGAIN}")


_CLIENTS: dict[tuple[str, _Place], Any] = {}
"""What was joined, by address and folder; left at the end of the process, as `distributed` does."""

_LOCK = Lock()


def _joined(address: str, place: _Place) -> Any:
    """Join a cluster whose workers are fit for the work, or return what was joined before."""
    with _LOCK:
        client = _CLIENTS.get((address, place))
        if client is None or client.status != "running":
            client = _CLIENTS[address, place] = _connected(address)
            _check_workers(client, place)
        return client


def _connected(address: str) -> Any:
    for name in ("distributed", *filter(_is_of_distributed, logging.root.manager.loggerDict)):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # one line of ours says what matters
    try:
        client = distributed.Client(address)
    except (OSError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        found = f"{address!r} ({reason})"
        raise ParameterError(WHERE, found, "the address of a Dask scheduler") from None
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        found = f"a scheduler at {address} without workers for {PATIENCE} seconds"
        raise ParameterError(WHERE, found, "one with workers") from None
    return client


def _is_of_distributed(name: str) -> bool:
    return name.startswith("distributed.")


def _check_workers(client: Any, place: _Place) -> None:
    """Refuse workers that are not fit for the work.

    Raises
    ------
    ParameterError
        Where one does not see this very folder, or runs something else.
    """
    with tempfile.NamedTemporaryFile(prefix=".smallsight-", dir=place.folder) as probe:
        lacks = client.run(_lack, place, Path(probe.name).name, on_error="return")
    for address, lack in sorted(lacks.items()):
        if isinstance(lack, Exception):
            lack = f"cannot run this library ({lack})".splitlines()[0]
        if lack:
            raise ParameterError(WHERE, f"the worker at {address} {lack}", _EQUIPPED)


def _lack(place: _Place, probe: str = "") -> str:
    """Say what this process lacks to do work of a place; nothing where it is fit for it.

    Parameters
    ----------
    probe
        A file in the folder that the one that asks has just written.
    """
    if not Path(place.folder, probe).exists():
        return f"does not see the files in {place.folder}"
    own = dict(_software())
    for name, version in place.software:
        if own[name] != version:
            return f"has {name} {own[name]}, not {version}"
    return ""


@cache
def _software() -> tuple[tuple[str, str], ...]:
    """Return the versions of what computes, and of this library what its files hold."""
    folder, digest = Path(smallsight.__file__).parent, hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    found = {"smallsight": digest.hexdigest()[:12], "Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return tuple(found.items())


def _threads(client: Any, needed: Mapping[str, float]) -> int:
    """Count the threads of the workers that have some resources."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return sum(
        one["nthreads"]
        for one in workers
        if all(one["resources"].get(name, 0) >= least for name, least in needed.items())
    )
