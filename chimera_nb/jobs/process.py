"""A process on record: which one it is, and whether it still lives.

A process id is given again after a while, so its start time goes with it; another machine's cannot be asked.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import psutil


def describe(pid: int) -> dict[str, Any]:
    """What tells this process from every other: {host, pid, started (seconds since 1970)}."""
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        started = 0.0  # it has ended already
    return {"host": socket.gethostname(), "pid": pid, "started": started}


def is_alive(described: Mapping[str, Any]) -> bool | None:
    """Whether that process still runs; None when it is on another machine."""
    if described.get("host") != socket.gethostname():
        return None
    try:
        process = psutil.Process(int(described["pid"]))
        # To the second: the kernel's clock ticks may be told a little differently from one process to another.
        same = abs(process.create_time() - float(described["started"])) < 1
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
