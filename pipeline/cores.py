"""The cores that this process may run on."""

from __future__ import annotations

import os


def usable_cores() -> list[int]:
    """Their numbers, in order; all of the machine's where the system does not tell (macOS)."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
