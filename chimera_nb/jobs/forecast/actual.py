"""What a job came to, beside its forecast; and what the jobs of this machine teach the next forecast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from chimera_nb.jobs.record import JobRecord, Status

LEARNT_FROM = 5  # jobs, the newest ones
# Of actual to foretold core-seconds, beyond which a job says more of its own than of the machine.
_BOUNDS = (0.2, 5.0)


def actual_of(record: JobRecord) -> dict[str, Any] | None:
    """What a complete job came to, by the names of its forecast; None for others."""
    if record.status is not Status.COMPLETE:
        return None
    numbers = record.progress
    seconds = _number(numbers.get("seconds"))
    workers = _number(numbers.get("workers")) or 1.0
    core = _number(numbers.get("coreSeconds"))
    files = (record.summary or {}).get("files")
    told: dict[str, Any] = {
        "files": files.get("listed") if isinstance(files, Mapping) else None,
        "compressedBytes": numbers.get("compressedBytes"),
        "rawBytes": numbers.get("rawBytes"),
        "seconds": seconds,
        "workerHours": None if seconds is None else round(seconds * workers / 3600, 5),
        "coreSeconds": core,
    }
    return told


def error_of(record: JobRecord, name: str) -> float | None:
    """How far a job's forecast was off, of what it came to: 0.25 where it foretold a quarter too much."""
    foretold = _number((record.forecast or {}).get(name))
    came_to = _number((actual_of(record) or {}).get(name))
    return None if not foretold or not came_to else foretold / came_to - 1


def learnt(records: Iterable[JobRecord], host_id: str) -> float:
    """How much slower this machine is than the model has it: the median of its last direct jobs; 1 without any."""
    found: list[float] = []
    for record in records:
        told = record.forecast or {}
        plain = _number(told.get("plainCoreSeconds"))
        took = _number(record.progress.get("coreSeconds"))
        is_of_here = record.runner == "direct" and (record.worker or {}).get("hostId") == host_id
        if is_of_here and record.status is Status.COMPLETE and plain and took:
            found.append(min(max(took / plain, _BOUNDS[0]), _BOUNDS[1]))
        if len(found) == LEARNT_FROM:
            break
    return median(found) if found else 1.0


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
