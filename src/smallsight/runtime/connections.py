"""Connections that a server cannot hold open by the head of an answer that never ends."""

import socket
import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager
from urllib3.response import HTTPResponse

HEAD_TIMEOUT = 60
"""Seconds in which the head of an answer has to be whole, however its bytes come."""


class _PromptConnection(HTTPConnection):
    """Ends where the head of an answer is late: a timeout of sockets is one between two bytes."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own
        is_late = threading.Event()
        due = threading.Timer(HEAD_TIMEOUT, _end, (self.sock, is_late))
        due.daemon = True
        due.start()
        try:
            response = super().getresponse()
        except Exception:
            if is_late.is_set():
                raise _late() from None
            raise
        finally:
            due.cancel()
        if is_late.is_set():  # what had come was taken for a whole head
            raise _late()
        return response


def _late() -> TimeoutError:
    return TimeoutError(f"no answer in {HEAD_TIMEOUT} seconds")


def _end(sock: socket.socket, is_late: threading.Event) -> None:
    is_late.set()
    sock.shutdown(socket.SHUT_RDWR)


class _PromptHTTPSConnection(_PromptConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _PromptConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PromptHTTPSConnection


class _PromptAdapter(HTTPAdapter):
    """Through a proxy, which is the user's own, connections are the usual ones."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _HTTPSPool}


def open_session() -> requests.Session:
    """Return a session whose answers begin within `HEAD_TIMEOUT` or fail with a timeout."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _PromptAdapter())
    return session
