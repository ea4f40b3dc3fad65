"""A service's port: on loopback, free, and the same as last time if it can be."""

from __future__ import annotations

import socket
from pathlib import Path

from pipeline.errors import StackError
from pipeline.proxies import is_loopback


def listen(last_port: Path) -> socket.socket:
    """A bound socket where `localhost` leads: on the port this data had before, so that old exports go on working,
    else on a free one. Raises StackError where that name leads nowhere.
    """
    host, family = _localhost()
    try:
        listening = socket.create_server((host, int(last_port.read_text())), family=family)
    except (OSError, ValueError, OverflowError):
        listening = socket.create_server((host, 0), family=family)
    last_port.write_text(str(listening.getsockname()[1]))
    return listening


def _localhost() -> tuple[str, socket.AddressFamily]:
    """The address that clients find by `localhost`, the name that they are told: 127.0.0.1, or else ::1."""
    try:
        found = socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)
    except OSError:
        found = []
    own = [(str(address[0]), family) for family, *_, address in found if is_loopback(str(address[0]))]
    if not own:
        leads = f"to {found[0][4][0]}" if found else "nowhere"
        raise StackError(
            f"the name localhost leads {leads} on this machine, and the local stack is reached by it: "
            "add the line `127.0.0.1 localhost` to /etc/hosts"
        )
    return next((each for each in own if each[1] == socket.AF_INET), own[0])
