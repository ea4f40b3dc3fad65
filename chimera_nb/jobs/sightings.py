"""For how long a record has not changed, by when it was seen here and by a clock that nobody sets.

A record has times of whoever wrote it. Compared with this host's clock they say that a job is silent where one of the
two is wrong: by a step of 3 s, by the hour of a zone that was set wrong, by years after a battery was empty. So a
record has to be seen as it is, and again after that long; in between a counter runs that only goes forward.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from pathlib import Path
from typing import NamedTuple

from chimera_nb.jobs.record import JobRecord
from chimera_nb.machine.process_id import boot_id

_KEPT_SECONDS = 7 * 86_400


class _Sighting(NamedTuple):
    version: str  # its updatedAt, which is another for each state of a record
    at: float  # time.monotonic(), which all processes of one start of a kernel share


class Sightings:
    """When this user's processes saw a record change last, in a file, so that it outlives a command that looks once.

    In memory where no folder can be written. Threads may share it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[str, _Sighting] = {}
        self._lock = threading.Lock()

    def unchanged_for(self, record: JobRecord) -> float:
        """Seconds for which the record is known to be as it is: 0 when it is seen so for the first time."""
        now = time.monotonic()
        with self._lock:
            seen = self._seen.get(record.job_id)
            if seen is None:  # the file is for those who come after: one who stays has no need of it
                seen = self._kept(record, now)
            elif seen.version != record.updated_at:
                seen = _Sighting(record.updated_at, now)
            self._seen[record.job_id] = seen
            return now - seen.at

    def _kept(self, record: JobRecord, now: float) -> _Sighting:
        seen = self._read(now)
        known = seen.get(record.job_id)
        if known is not None and known.version == record.updated_at:
            return known
        seen[record.job_id] = new = _Sighting(record.updated_at, now)
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            scratch = self._path.with_name(f".{self._path.name}.{os.getpid()}.{threading.get_ident()}")
            scratch.write_text(json.dumps({"bootId": boot_id(), "seen": seen}), "utf-8")
            scratch.replace(self._path)
        return new

    def _read(self, now: float) -> dict[str, _Sighting]:
        """What the file has of this start of the kernel: another's seconds count from somewhere else."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            document = json.loads(self._path.read_text("utf-8"))
            if document["bootId"] == boot_id():
                found = {job: _Sighting(str(v), float(at)) for job, (v, at) in document["seen"].items()}
                return {job: seen for job, seen in found.items() if 0 <= now - seen.at < _KEPT_SECONDS}
        return {}
