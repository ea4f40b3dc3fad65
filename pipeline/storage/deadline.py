"""A bound on a whole request.

A socket's timeout is that of one read: a store that sends a byte now and then is waited for without end, and so is
one that takes an upload as slowly. Here a thread of the process watches the requests under way, and shuts down the
connection of one that is due, which ends it wherever it is: in its head, its body, or a TLS handshake.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import requests
import urllib3

_thread = threading.local()


class _Request:
    """One request under way: when it is due, and the connection that it uses."""

    def __init__(self, seconds: float) -> None:
        self.due = time.monotonic() + seconds
        self.expired = False
        self._connection: Any = None
        self._socket: Any = None
        self._lock = threading.Lock()

    def use(self, connection: Any) -> None:
        """Called as the connection is made, before a request and before its answer: each may bring another socket."""
        with self._lock:
            if self.expired:
                raise TimeoutError("the request is overdue")
            self._connection = connection
            self._socket = connection.sock

    def end(self) -> None:
        """Let go of the connection: it is another request's from now on."""
        with self._lock:
            self._connection = self._socket = None

    def expire(self) -> None:
        with self._lock:
            self.expired = True
            # A connection that is not kept gives its socket up to the answer, which is read from it all the same.
            used = getattr(self._connection, "sock", None) or self._socket
            if used is not None:
                used = getattr(used, "socket", used)  # of TLS within a proxy's TLS
                with suppress(OSError):  # it has been closed meanwhile
                    # The socket's own: that of a TLS socket takes its state away from who reads.
                    socket.socket.shutdown(used, socket.SHUT_RDWR)


class _Watch:
    """The requests of this process, and the thread that looks at them."""

    def __init__(self) -> None:
        self._requests: set[_Request] = set()
        self._changed = threading.Condition()
        self._next = float("inf")  # when the thread will look
        self._thread: threading.Thread | None = None

    def add(self, request: _Request) -> None:
        with self._changed:
            self._requests.add(request)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="watch-deadlines", daemon=True)
                self._thread.start()
            elif request.due < self._next:
                self._changed.notify()

    def remove(self, request: _Request) -> None:
        with self._changed:
            self._requests.discard(request)

    def _look(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                due = [request for request in self._requests if request.due <= now]
                self._requests.difference_update(due)
                self._next = min((request.due for request in self._requests), default=float("inf"))
                if not due:
                    self._changed.wait(self._next - now if self._requests else None)
            for request in due:
                request.expire()


@lru_cache(maxsize=1)
def _watch(_process: int) -> _Watch:
    """A forked child has none of its parent's threads, and perhaps a lock that one of them held."""
    return _Watch()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bound the request that this thread makes in the block, by a session with `mount` done. Raises TimeoutError."""
    watch, request = _watch(os.getpid()), _Request(seconds)
    watch.add(request)
    _thread.request = request
    try:
        yield
    except Exception as e:
        if request.expired:
            raise TimeoutError(f"it was not done within {seconds:,.0f} s") from e
        raise
    finally:
        _thread.request = None
        request.end()
        watch.remove(request)
    if request.expired:  # then an end that looks like one may be the shutdown's
        raise TimeoutError(f"it was not done within {seconds:,.0f} s")


def mount(session: requests.Session, *, connections: int, retries: int = 0) -> None:
    """Have a session's connections watched, and so many of them kept."""
    adapter = _Adapter(pool_connections=4, pool_maxsize=connections, max_retries=retries)
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)


def connection_manager(proxy: str | None, *, connections: int, **tls: Any) -> Any:
    """urllib3's manager of such connections, through a proxy if one is named; `tls` as its connections take it."""
    adapter = _Adapter(pool_connections=4, pool_maxsize=connections)
    if proxy:
        return adapter.proxy_manager_for(proxy, **tls)
    adapter.init_poolmanager(4, connections, **tls)
    return adapter.poolmanager


def _use(connection: Any) -> None:
    request = getattr(_thread, "request", None)
    if request is not None:
        request.use(connection)


class _Watched:
    """What both kinds of connection tell the request that uses them."""

    def connect(self) -> None:
        _use(self)
        super().connect()  # type: ignore[misc]

    def request(self, *arguments: Any, **options: Any) -> None:
        _use(self)
        super().request(*arguments, **options)  # type: ignore[misc]

    def getresponse(self) -> Any:
        _use(self)
        return super().getresponse()  # type: ignore[misc]


class _Connection(_Watched, urllib3.connection.HTTPConnection):
    pass


class _TlsConnection(_Watched, urllib3.connection.HTTPSConnection):
    pass


class HTTPConnectionPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class HTTPSConnectionPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}


class _Adapter(requests.adapters.HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):  # its connections are of another kind
            manager.pool_classes_by_scheme = _POOLS
        return manager
