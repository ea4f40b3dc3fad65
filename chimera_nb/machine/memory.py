"""How much memory this process may still take: the machine's, or its container's where that has less.

A group of processes (cgroup) counts the files that it has read as used memory, and gives that back when something else
wants it: a file of 10 GB that was just written fills a container of 12, and nothing is amiss. So the pages of files are
not counted here, as the kernel does not in its own estimate for the machine (MemAvailable).
https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class _Version:
    """What the files of one version of cgroups are called."""

    limit: str
    used: str
    pages: tuple[str, str]  # of files, in memory.stat


_V2 = _Version("memory.max", "memory.current", ("inactive_file", "active_file"))
_V1 = _Version("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file"))


def available_memory(root: Path = Path("/")) -> int:
    """Bytes that this process may take. `root` is where /sys and /proc are looked for."""
    machine = int(psutil.virtual_memory().available)
    rooms = (room for folder, version in _groups(root) if (room := _room(folder, version)) is not None)
    return min((machine, *rooms))


def _groups(root: Path) -> Iterator[tuple[Path, _Version]]:
    """The groups that this process is in, and those around them: each may have a limit.

    In a container the path that the process is told may be the host's, while its own group stands at the top.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        lines = ["0::/", "1:memory:/"]
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / ("memory" if controllers else "")
        own = top / path.lstrip("/")
        yield from (
            (folder, _V1 if controllers else _V2) for folder in (own, *own.parents) if _within(folder, top)
        )


def _within(folder: Path, top: Path) -> bool:
    return folder == top or top in folder.parents


def _room(group: Path, version: _Version) -> int | None:
    """What is left of a group's limit; None for one without. In version 1 a huge number says that there is none."""
    try:
        limit = int((group / version.limit).read_text("ascii"))
        used = int((group / version.used).read_text("ascii"))
    except (OSError, ValueError):
        return None
    return max(0, limit - max(0, used - _given_back(group / "memory.stat", version)))


def _given_back(stat: Path, version: _Version) -> int:
    """Bytes of the pages of files."""
    try:
        words = [line.split() for line in stat.read_text("ascii").splitlines()]
        return sum(int(value) for name, value in words if name in version.pages)
    except (OSError, ValueError):
        return 0
