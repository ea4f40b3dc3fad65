"""A process on a job's record: which one it is, and whether it still lives. Another machine's cannot be asked."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import psutil

from chimera_nb.process_id import ProcessId


def describe(pid: int) -> dict[str, Any]:
    """What tells this process from every other: {host, pid, started (seconds since 1970)}."""
    try:
        started = ProcessId.of(pid).created
    except psutil.NoSuchProcess:
        started = 0.0  # it has ended already
    return {"host": socket.gethostname(), "pid": pid, "started": started}


def is_alive(described: Mapping[str, Any]) -> bool | None:
    """Whether that process still runs; None when it is on another machine."""
    if described.get("host") != socket.gethostname():
        return None
    return ProcessId(int(described["pid"]), float(described["started"])).living() is not None
