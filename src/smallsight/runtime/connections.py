"""Connections that a server cannot hold open by bytes that come one by one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager
from urllib3.response import BaseHTTPResponse, HTTPResponse

HEAD_TIMEOUT = 60
"""Seconds in which the head of an answer has to be whole, however its bytes come."""

_SOCKETS: WeakKeyDictionary[BaseHTTPResponse, socket.socket] = WeakKeyDictionary()
"""By answer, where the rest of it comes from."""


def open_session() -> requests.Session:
    """Return a session of limited connections, which reads nothing that is not asked for.

    The head of an answer comes within `HEAD_TIMEOUT`, or there is a timeout. The body of a redirect
    is left alone.
    """
    session = _Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _LimitedAdapter())
    return session


def time_limit(response: requests.Response, seconds: float) -> AbstractContextManager[None]:
    """Hang up on a server where what is read of its answer takes longer.

    Raises
    ------
    TimeoutError
        Where it does.
    """
    return _time_limit(_SOCKETS.get(response.raw), seconds)


@contextmanager
def _time_limit(connected: socket.socket | None, seconds: float) -> Iterator[None]:
    """Shut a connection where something takes longer: a timeout of its own is one for each byte."""
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        if connected is not None:
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        if not is_late.is_set():
            raise
    finally:
        timer.cancel()
    if is_late.is_set():  # also where what had come was taken for a whole answer
        raise TimeoutError(f"no whole answer in {seconds:g} seconds") from None


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return none: to look for the next request, a session would read the answer's body."""


class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own
        connected = self.sock
        with _time_limit(connected, HEAD_TIMEOUT):
            response = super().getresponse()
        _SOCKETS[response] = connected
        return response


class _HTTPSConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _LimitedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _limit(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        _limit(manager)
        return manager


def _limit(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _HTTPSPool}
