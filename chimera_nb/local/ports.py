"""A service's port: on loopback, free, and the same as last time if it can be."""

from __future__ import annotations

import socket
from pathlib import Path


def listen(last_port: Path) -> socket.socket:
    """A bound socket: on the port this data had before, so that old exports go on working, else on a free one."""
    try:
        listening = socket.create_server(("127.0.0.1", int(last_port.read_text())))
    except (OSError, ValueError, OverflowError):
        listening = socket.create_server(("127.0.0.1", 0))
    last_port.write_text(str(listening.getsockname()[1]))
    return listening
