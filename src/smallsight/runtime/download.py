"""Files from an address: whole, checked, within limits of time and size, or one line of error."""

import functools
import http.client
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from filelock import FileLock, Timeout
from tqdm import tqdm

from smallsight.runtime.connections import open_session, time_limit
from smallsight.runtime.errors import DownloadError, SmallsightError

CONNECT_TIMEOUT, READ_TIMEOUT = 10, 30
"""Seconds to be connected in, and without a further byte, after which an attempt fails."""

SLOWEST, WINDOW = 1000, 30
"""Bytes a second, over so many seconds, below which an attempt fails."""

WAITS = (1, 4)
"""Seconds before each further attempt, where the server does not ask for more."""

LONGEST_WAIT = 120
"""Seconds that a server may ask to wait."""

TOLD = 2
"""Seconds to wait for another process's download before that is said."""

REDIRECTS = 5
"""How often an address may send to another one."""

PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses after which a further attempt may succeed."""

LONGEST_WORDS = 200
"""Letters of a server's that are told."""

_PIECE = 2**16

_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, TimeoutError)
"""What fails below; ValueError where an answer is malformed, or the address."""


class LastingDownloadError(DownloadError):
    """The server answers, but this file cannot be had from it: others may."""


class _PassingError(Exception):
    """An attempt failed by what may pass.

    Parameters
    ----------
    error
        What is raised where no further attempt is made.
    wait
        Seconds that the server asks to wait.
    """

    def __init__(self, error: DownloadError, wait: float = 0) -> None:
        super().__init__(error)
        self.error, self.wait = error, wait


def download(
    url: str,
    path: Path,
    check: Callable[[Path], object],
    *,
    at_most: int,
    redirects: Collection[str] = (),
    is_large: bool = False,
) -> None:
    """Download a file; try again after errors that may pass, from where the last attempt ended.

    Parameters
    ----------
    path
        Where the file appears once it is whole and has been checked.
    check
        Raises where the file is not what it should be: an error that may pass, or a
        `DownloadError`, after which a file that came in one piece is given up.
    at_most
        Bytes that it may have.
    redirects
        Schemes and hosts, such as `https://example.org`, to which an address may send beside its
        own.
    is_large
        Whether what has come stays after an error, and the next call goes on from there, while
        others wait, of this process and of others; and whether a terminal shows progress.

    Raises
    ------
    LastingDownloadError
        Where this file cannot be had.
    DownloadError
        Where the server gives no answer.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.download")
    bring = functools.partial(
        _bring, url, partial, path, check, at_most=at_most, redirects=redirects, is_large=is_large
    )
    if not is_large:
        partial.unlink(missing_ok=True)
        try:
            bring()
        finally:
            partial.unlink(missing_ok=True)
        return
    with _turn(path):
        if not _is_there(path, check):
            bring()


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Wait until nobody else downloads a file; where the file system has no locks, do not wait."""
    # Its file stays: others may have it open, and wait for it.
    lock = FileLock(path.with_name(f".{path.name}.lock"), mode=0o666)
    try:
        try:
            lock.acquire(timeout=TOLD)
        except Timeout:
            print(f"waiting for another process that downloads {path.name}", file=sys.stderr)
            lock.acquire()
    except OSError:
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _is_there(path: Path, check: Callable[[Path], object]) -> bool:
    """Return whether a file is there, such as one that others brought meanwhile."""
    if not path.is_file():
        return False
    try:
        check(path)
    except SmallsightError:
        return False
    return True


def _bring(
    url: str,
    partial: Path,
    path: Path,
    check: Callable[[Path], object],
    *,
    at_most: int,
    redirects: Collection[str],
    is_large: bool,
) -> None:
    """Bring a file, or what is missing of it, and check it; try again after what may pass."""
    waits = [*WAITS]
    while True:
        is_resumed = partial.exists()
        try:
            _attempt(url, partial, at_most=at_most, redirects=redirects, is_shown=is_large)
            _check(check, partial, url, is_resumed=is_resumed)
            partial.replace(path)
            return
        except _PassingError as failure:
            if not waits:
                raise failure.error from None
            if failure.wait > LONGEST_WAIT:
                found = f"{failure.error.found}, in {failure.wait:,.0f} seconds again"
                raise DownloadError(url, found, failure.error.expected) from None
            time.sleep(max(waits.pop(0), failure.wait))


def _check(check: Callable[[Path], object], partial: Path, url: str, *, is_resumed: bool) -> None:
    """Check a file that has come; remove it where it is not what it should be."""
    try:
        check(partial)
    except SmallsightError as error:
        partial.unlink()
        lasting = LastingDownloadError(url, error.found, error.expected)
        if isinstance(error, DownloadError) and not is_resumed:
            raise lasting from None
        raise _PassingError(lasting) from None


def _attempt(
    url: str, partial: Path, *, at_most: int, redirects: Collection[str], is_shown: bool
) -> None:
    """Bring what is missing of a file."""
    begun = partial.stat().st_size if partial.exists() else 0
    try:
        with _answer(url, begun, redirects) as response:
            start, total = _extent(response, url, begun, partial)
            if total is not None and total > at_most:
                raise LastingDownloadError(url, f"{total:,} bytes", f"at most {at_most:,}")
            with partial.open("r+b" if start else "wb") as file:
                file.seek(start)
                file.truncate()
                for piece in _pieces(response, url, start, total, is_shown=is_shown):
                    file.write(piece)
                    if file.tell() > at_most:
                        found = f"more than {at_most:,} bytes"
                        raise LastingDownloadError(url, found, f"at most {at_most:,}")
    except LastingDownloadError:
        partial.unlink(missing_ok=True)
        raise
    except _FAILURES as error:
        if isinstance(error, requests.RequestException) and isinstance(error, ValueError):
            raise DownloadError(url, str(error), "an address of a file") from None
        raise _PassingError(DownloadError(url, _reason(error), "the whole file")) from None


@contextmanager
def _answer(url: str, begun: int, redirects: Collection[str]) -> Iterator[requests.Response]:
    """Ask for a file from some byte on; follow the server to addresses that are allowed."""
    try:
        allowed = {_origin(each) for each in (url, *redirects)}
    except ValueError as error:
        raise DownloadError(url, str(error), "an address of a file") from None
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begun}-"} if begun else {})
    address = url
    with open_session() as session:
        for _ in range(REDIRECTS + 1):
            with session.get(
                address,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            ) as response:
                if not response.is_redirect:
                    _check_status(response, url)
                    yield response
                    return
                address = urljoin(address, response.headers["Location"])
                if _origin(address) not in allowed:
                    due = f"an address at {' or '.join(sorted(allowed))}"
                    raise DownloadError(url, f"sends to {address[:LONGEST_WORDS]}", due)
    raise DownloadError(url, f"more than {REDIRECTS} redirects", "a file")


def _origin(url: str) -> str:
    """Return an address's scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _check_status(response: requests.Response, url: str) -> None:
    """Let through what holds a file, or the rest of one."""
    status = response.status_code
    # 416: what has come is no beginning of the file; see `_extent`.
    if status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, 416):
        return
    # The server's own words may hold anything.
    known = {each.value: each.phrase for each in HTTPStatus}
    found = f"{status} {known.get(status, '')}".strip()
    if status not in PASSING_STATUSES:
        raise LastingDownloadError(url, found, "200 OK")
    raise _PassingError(DownloadError(url, found, "200 OK"), _asked_wait(response))


def _asked_wait(response: requests.Response) -> float:
    """Return the seconds that a server asks to wait; 0 where it does not say."""
    told = response.headers.get("Retry-After")
    try:
        return urllib3.Retry().parse_retry_after(told) if told else 0
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return 0


def _extent(
    response: requests.Response, url: str, begun: int, partial: Path
) -> tuple[int, int | None]:
    """Return where in the file an answer begins, and the file's length where it is told."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise LastingDownloadError(url, "a packed answer", "the file as it is")
    length = response.headers.get("Content-Length", "")
    told = int(length) if length.isdecimal() else None
    if response.status_code == HTTPStatus.OK:
        return 0, told
    span = response.headers.get("Content-Range", "")
    if told is None or not span.startswith(f"bytes {begun}-"):
        partial.unlink(missing_ok=True)
        raise _PassingError(DownloadError(url, "another range", f"the bytes from {begun:,} on"))
    return begun, begun + told


def _pieces(
    response: requests.Response, url: str, start: int, total: int | None, *, is_shown: bool
) -> Iterator[bytes]:
    """Yield what comes, as it comes, as long as it comes fast enough."""
    hidden = None if is_shown else True  # None: hidden where there is no terminal
    with tqdm(total=total, initial=start, unit="B", unit_scale=True, disable=hidden) as bar:
        while True:
            since, count, spent = time.monotonic(), 0, 0.0
            # Also where no piece comes out of what is sent, such as an endless trailer.
            with time_limit(response, WINDOW + READ_TIMEOUT):
                while spent < WINDOW:
                    piece = response.raw.read1(_PIECE)
                    if not piece:
                        return
                    yield piece
                    bar.update(len(piece))
                    count += len(piece)
                    spent = time.monotonic() - since
            if count < SLOWEST * spent:
                found = f"{count / spent:,.0f} bytes a second"
                raise _PassingError(DownloadError(url, found, f"at least {SLOWEST:,}"))


def _reason(error: BaseException) -> str:
    """Return what the operating system says, below the exceptions that wrap it.

    A server's words, of which exceptions about a malformed answer are made, are left out.
    """
    while below := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        error = below
    if isinstance(error, http.client.HTTPException | ValueError) and not isinstance(error, OSError):
        return f"a malformed answer ({type(error).__name__})"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
