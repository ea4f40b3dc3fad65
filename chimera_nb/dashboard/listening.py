"""The sockets that the dashboard listens on."""

from __future__ import annotations

import errno
import socket

from chimera_nb.dashboard.options import DEFAULT_PORT
from pipeline.errors import SettingsError

_OTHER_PORTS = 50
_BACKLOG = 128


def listen(host: str, port: int | None) -> list[socket.socket]:
    """Sockets for every address of a host, all on one port. Raises SettingsError.

    A port that is asked for is taken or refused; of None, the default one or the first after it that is free.
    """
    wanted = [port] if port is not None else [DEFAULT_PORT + n for n in range(_OTHER_PORTS)]
    for each in wanted[:-1]:
        try:
            return _bound(host, each)
        except OSError as e:
            if e.errno != errno.EADDRINUSE:
                raise _refused(host, each, e) from e
    try:
        return _bound(host, wanted[-1])
    except OSError as e:
        raise _refused(host, wanted[-1], e) from e


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
