"""The sockets that the dashboard listens on, and whom it answers where neither token nor proxy is required."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Awaitable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError

from chimera_nb.machine.peers import is_own
from chimera_nb.server.options import DEFAULT_PORT
from pipeline.errors import SettingsError

_REFUSED = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"This dashboard is its owner's alone: other users of this machine are refused. "
    b"Whoever runs it can let them in with `chimera dash --token`.\n"
)
_REFUSED_WITHIN = 5.0  # seconds
_LARGEST_HEAD = 64 << 10
_OTHER_PORTS = 50
_BACKLOG = 128
_log = logging.getLogger(__name__)


class OwnersServer(HTTPServer):
    """Answers programs of this process's user and of root, and no other user of the machine."""

    def handle_stream(self, stream: IOStream, address: Any) -> Awaitable[None] | None:  # type: ignore[override]
        if _is_own(stream.socket):
            super().handle_stream(stream, address)
            return None
        _log.warning("Refused a connection of another user of this machine")
        return _refuse(stream)


async def _refuse(stream: IOStream) -> None:
    """Say so once the request has come: an answer to one that is unread is lost with the connection."""
    with contextlib.suppress(StreamClosedError, UnsatisfiableReadError, TimeoutError):
        async with asyncio.timeout(_REFUSED_WITHIN):
            await stream.read_until(b"\r\n\r\n", max_bytes=_LARGEST_HEAD)
            await stream.write(_REFUSED)
    stream.close()


def _is_own(connection: socket.socket) -> bool:
    try:
        return is_own(connection.getsockname(), connection.getpeername())
    except OSError:  # it has ended
        return False


def listen(host: str, port: int | None) -> list[socket.socket]:
    """Sockets for every address of a host, all on one port. Raises SettingsError.

    A port that is asked for is taken or refused; of None, the default one or the first after it that is free.
    """
    ports = [port] if port is not None else [DEFAULT_PORT + n for n in range(_OTHER_PORTS)]
    for each in ports[:-1]:
        try:
            return _bound(host, each)
        except OSError as e:
            if e.errno != errno.EADDRINUSE:
                raise _refused(host, each, e) from e
    try:
        return _bound(host, ports[-1])
    except OSError as e:
        raise _refused(host, ports[-1], e) from e


def _bound(host: str, port: int) -> list[socket.socket]:
    # tornado.netutil.bind_sockets leaves a socket open where the port is taken.
    made: list[socket.socket] = []
    addresses = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    try:
        for family, _, _, _, address in dict.fromkeys(addresses):
            port = port or (made[0].getsockname()[1] if made else 0)
            where = (str(address[0]), port)
            try:
                made.append(socket.create_server(where, family=family, backlog=_BACKLOG))
            except OSError as e:
                if e.errno not in (
                    errno.EADDRNOTAVAIL,
                    errno.EAFNOSUPPORT,
                ):  # a name may have an address we lack
                    raise
            else:
                made[-1].setblocking(False)
    except OSError:
        for each in made:
            each.close()
        raise
    if not made:
        raise OSError(errno.EADDRNOTAVAIL, "this machine has no such address")
    return made


def _refused(host: str, port: int, e: OSError) -> SettingsError:
    remedy = "pass another --port" if e.errno == errno.EADDRINUSE else "pass another --host or --port"
    return SettingsError(f"cannot listen on {host}:{port}: {e.strerror}; {remedy}")
