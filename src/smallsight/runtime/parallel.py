"""One map over work items: processes or threads here, a Dask cluster elsewhere.

Where the work runs is no parameter of the study, and no result depends on it. It is read from the
environment: `SMALLSIGHT_WORKERS` (default: the cores this process may use) and `SMALLSIGHT_DASK`
(the address of a Dask scheduler whose workers see the same files).
"""

import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, TypeVar

import joblib
from tqdm import tqdm

from smallsight.runtime.errors import ParameterError

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 4
"""Items per thread that are begun before the first of their results is taken: these are large."""


def workers() -> int:
    """Return how many processes or threads share the work.

    Raises
    ------
    ParameterError
        Where `SMALLSIGHT_WORKERS` is no whole number above 0.
    """
    text = os.environ.get("SMALLSIGHT_WORKERS", "")
    if not text:
        return joblib.cpu_count()
    if not text.isdecimal() or int(text) < 1:
        raise ParameterError("SMALLSIGHT_WORKERS", repr(text), "a whole number above 0")
    return int(text)


def progress(items: Iterator[T], *, total: int, description: str) -> Iterator[T]:
    """Pass items on, with a progress bar once that has taken two seconds."""
    # A terminal's bar moves; a log gets a line now and then.
    interval = 0.1 if sys.stderr.isatty() else 10
    return iter(tqdm(items, total=total, desc=description, delay=2, mininterval=interval))


def map_items(
    function: Callable[[T], R],
    items: Collection[T],
    *,
    description: str,
    prefer: Literal["processes", "threads"] = "processes",
    at_most: int | None = None,
) -> list[R]:
    """Apply a function to every item, in parallel, with a progress bar.

    Parameters
    ----------
    function
        Pure, and picklable where `prefer` is "processes".
    items
        The work; results come in its order.
    description
        What the progress bar says.
    prefer
        "threads" where the work waits or releases the interpreter's lock.
    at_most
        How many of this machine's threads share it, where they shall not be as many as there are
        workers.
    """
    return list(
        _iterate(
            function,
            items,
            description=description,
            prefer=prefer,
            at_most=at_most,
            ahead=len(items),
        )
    )


def iterate_items(
    function: Callable[[T], R],
    items: Collection[T],
    *,
    description: str,
    prefer: Literal["processes", "threads"] = "processes",
) -> Iterator[R]:
    """Yield what `map_items` returns one by one, so that results need not fit into memory."""
    return _iterate(function, items, description=description, prefer=prefer)


def _iterate(
    function: Callable[[T], R],
    items: Collection[T],
    *,
    description: str,
    prefer: Literal["processes", "threads"],
    at_most: int | None = None,
    ahead: int | None = None,
) -> Iterator[R]:
    address = _cluster()
    if address:
        results = _map_on_cluster(address, function, items, is_network=False)
    elif prefer == "threads":
        threads = min(workers(), at_most or workers())
        yield from _map_in_threads(
            function, items, threads=threads, description=description, ahead=ahead
        )
        return
    else:
        results = _map_in_processes(function, items)
    yield from progress(results, total=len(items), description=description)


def map_batches(
    function: Callable[[T], R], batches: Sequence[T], *, threads: int, description: str
) -> Iterator[R]:
    """Run the examined network over batches; yield results in their order, as they are done.

    One batch is computed by one thread, so that no result depends on their number. Where results
    are taken slowly, threads wait: few are in memory at a time.

    Parameters
    ----------
    function
        Pure. On a cluster, other processes are sent it, and workers with a GPU compute it where
        there are any.
    threads
        How many take a batch each, on this machine.
    description
        What the progress bar says.
    """
    address = _cluster()
    if address:
        results = _map_on_cluster(address, function, batches, is_network=True)
        yield from progress(results, total=len(batches), description=description)
        return
    yield from _map_in_threads(function, batches, threads=threads, description=description)


def map_here(
    function: Callable[[T], R],
    items: Sequence[T],
    *,
    threads: int | None = None,
    description: str,
) -> list[R]:
    """Apply a function to every item in threads of this process, wherever other work is done.

    Parameters
    ----------
    threads
        How many take an item each; as many as there are workers where nothing is said.
    description
        What the progress bar says.
    """
    count = threads or workers()
    ahead = len(items)
    return list(
        _map_in_threads(function, items, threads=count, description=description, ahead=ahead)
    )


def _map_in_processes(function: Callable[[T], R], items: Collection[T]) -> Iterator[R]:
    """Yield results in the order of items; Ctrl-C reaches this process alone, which ends them."""
    with joblib.parallel_config("loky", initializer=end_with, initargs=(os.getpid(),)):
        pool = joblib.Parallel(n_jobs=workers(), return_as="generator")
        with _interrupts_ignored():  # what starts now inherits it
            return pool(joblib.delayed(function)(item) for item in items)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def end_with(parent: int) -> None:
    """Make this process end soon after its parent, even where that is killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _map_in_threads(
    function: Callable[[T], R],
    items: Collection[T],
    *,
    threads: int,
    description: str,
    ahead: int | None = None,
) -> Iterator[R]:
    """Yield results in the order of items; after an error, begin with no further item.

    Parameters
    ----------
    ahead
        How many items are begun before the first of their results is taken; `AHEAD` per thread
        where nothing is said.
    """
    is_over = threading.Event()

    def apply(item: T) -> R:
        if is_over.is_set():
            raise CancelledError  # an error of an item before this one is raised first
        try:
            return function(item)
        except BaseException:
            is_over.set()
            raise

    with ThreadPoolExecutor(threads) as pool:
        results = _in_turn(pool, apply, items, ahead=ahead or AHEAD * threads)
        try:
            yield from progress(results, total=len(items), description=description)
        finally:
            is_over.set()


def _in_turn(
    pool: ThreadPoolExecutor, function: Callable[[T], R], items: Collection[T], *, ahead: int
) -> Iterator[R]:
    """Yield results in the order of items, of which so many are begun ahead."""
    begun: deque[Future[R]] = deque()
    for item in items:
        begun.append(pool.submit(function, item))
        if len(begun) == ahead:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


@contextmanager
def here() -> Iterator[None]:
    """Keep work on this machine: what times it or checks it, or cannot be sent."""
    token = _IS_HERE.set(True)
    try:
        yield
    finally:
        _IS_HERE.reset(token)


_IS_HERE = ContextVar("_IS_HERE", default=False)


def _cluster() -> str:
    """Return the address of the cluster that does the work; empty where this machine does."""
    return "" if _IS_HERE.get() else os.environ.get("SMALLSIGHT_DASK", "")


def _map_on_cluster(
    address: str, function: Callable[[T], R], items: Collection[T], *, is_network: bool
) -> Iterator[R]:
    try:
        from smallsight.runtime.cluster import map_on_cluster
    except ImportError:
        raise ParameterError(
            "SMALLSIGHT_DASK", "no package distributed", "smallsight[cluster]"
        ) from None
    return map_on_cluster(address, function, items, is_network=is_network)
