"""A process on a job's record: which one it is, and whether it still lives. Another host's cannot be asked."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from chimera_nb.machine.host_id import host_id
from chimera_nb.machine.process_id import ProcessId, boot_id, namespace
from pipeline.cores import usable_cores


def describe(pid: int, data_dir: Path) -> dict[str, Any]:
    """The fields of a record that identify this process.

    `host` and `started` (seconds since 1970) are for people: names repeat, and clocks are set.
    """
    started = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        started = psutil.Process(pid).create_time()
    try:
        found = ProcessId.of(pid)
    except ProcessLookupError:  # it has ended already, and nothing is like it
        found = ProcessId(pid, -1, boot_id(), namespace())
    return {
        "host": socket.gethostname(),
        "pid": pid,
        "started": started,
        "hostId": host_id(data_dir),
        "bootId": found.boot_id,
        "pidNamespace": found.namespace,
        "startTicks": found.start_ticks,
        "cores": len(usable_cores()),
    }


def identity(described: Mapping[str, Any], data_dir: Path) -> ProcessId | None:
    """The process, if it is one that can be seen from here; None for another host's, container's or start's."""
    if not is_of_this_host(described, data_dir):
        return None
    with contextlib.suppress(KeyError, TypeError, ValueError):
        found = ProcessId(
            int(described["pid"]),
            int(described["startTicks"]),
            str(described["bootId"]),
            str(described["pidNamespace"]),
        )
        return found if found.can_be_seen else None
    return None


def is_alive(described: Mapping[str, Any], data_dir: Path) -> bool | None:
    """Whether that process still runs; None when it cannot be seen from here."""
    found = identity(described, data_dir)
    return None if found is None else found.living()


def is_of_this_host(described: Mapping[str, Any], data_dir: Path) -> bool:
    """Whether it ran on this host, perhaps before the last start, or in another container."""
    return described.get("hostId") == host_id(data_dir)
