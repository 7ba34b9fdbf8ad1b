"""One map over work items: processes or threads here, a Dask cluster elsewhere.

Where the work runs is no parameter of the study, and no result depends on it. It is read from the
environment: `SMALLSIGHT_WORKERS` (default: the cores this process may use) and `SMALLSIGHT_DASK`
(the address of a Dask scheduler whose workers see the same files).
"""

import os
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Literal, TypeVar

import joblib
from tqdm import tqdm

import smallsight
from smallsight.runtime.errors import ParameterError

T = TypeVar("T")
R = TypeVar("R")


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
    """
    return list(iterate_items(function, items, description=description, prefer=prefer))


def iterate_items(
    function: Callable[[T], R],
    items: Collection[T],
    *,
    description: str,
    prefer: Literal["processes", "threads"] = "processes",
) -> Iterator[R]:
    """Yield what `map_items` returns one by one, so that results need not fit into memory."""
    with _cluster():
        pool = joblib.Parallel(n_jobs=workers(), prefer=prefer, return_as="generator")
        results = pool(joblib.delayed(function)(item) for item in items)
        yield from progress(results, total=len(items), description=description)


def map_batches(
    function: Callable[[T], R], batches: Sequence[T], *, threads: int, description: str
) -> Iterator[R]:
    """Apply a function to batches in threads; yield results in their order, as they are done.

    One batch is computed by one thread, so that no result depends on their number.
    """
    with ThreadPoolExecutor(threads) as pool:
        yield from progress(
            pool.map(function, batches), total=len(batches), description=description
        )


def _cluster() -> AbstractContextManager[object]:
    address = os.environ.get("SMALLSIGHT_DASK")
    return _dask(address) if address else nullcontext()


@contextmanager
def _dask(address: str) -> Iterator[None]:
    try:
        from distributed import Client

        client = Client(address)
    except ImportError:
        raise ParameterError(
            "SMALLSIGHT_DASK", "no package distributed", "smallsight[cluster]"
        ) from None
    except (OSError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ParameterError(
            "SMALLSIGHT_DASK", f"{address!r} ({reason})", "the address of a Dask scheduler"
        ) from None
    with client, joblib.parallel_config(backend="dask"):
        own = _library()
        others = set(client.run(_library).values()) - {own}
        if others:
            found = f"workers with the library at {sorted(others)[0]}"
            raise ParameterError("SMALLSIGHT_DASK", found, f"workers with this one, at {own}")
        yield


def _library() -> str:
    return str(Path(smallsight.__file__).resolve().parent)
