"""Whether a job still has a process: the one on its record, or, before that, the one that is to start it.

What each clock that is wrong does here:

    a step of 3 s, an hour, a year   nothing: a process is known by its kernel's ticks, silence is what was seen
    two hosts that differ by hours   nothing: no time of one is compared with a time of the other
    a host that was asleep           its processes live on; what it has seen of others counts from when it wakes
"""

from __future__ import annotations

from pathlib import Path

from chimera_nb.jobs import process
from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.sightings import Sightings

STARTS_WITHIN = 60.0  # seconds from a job's record to its process
# The process of a job renews the record every second. One that ran here before this host was started again, or in a
# container that is no more, is given up after minutes: the host may as well share its folder with another that lives.
SILENT_FOR = 300.0
# One of another host, which may have lost its way to the job log for a time.
SILENT_ELSEWHERE_FOR = 3600.0


class Liveness:
    """The processes on record, seen from this host. Threads may share it."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._sightings = Sightings(data_dir / "jobs" / "sightings.json")

    def is_alive(self, record: JobRecord) -> bool | None:
        """Whether the process on record runs; None where there is none, or it cannot be seen from here."""
        return None if record.worker is None else process.is_alive(record.worker, self._data_dir)

    def gone(self, record: JobRecord) -> str | None:
        """Why no process works on the job any more, for a person; None while one may."""
        worker = record.worker
        if worker is None:
            return (
                "the job's process was never started" if self.unchanged_for(record) > STARTS_WITHIN else None
            )
        alive = self.is_alive(record)
        if alive is False:
            return f"the job's process (pid {worker.get('pid')}) ended before the job did: it was killed or crashed"
        here = process.is_of_this_host(worker, self._data_dir)
        if alive is None and self.unchanged_for(record) > (SILENT_FOR if here else SILENT_ELSEWHERE_FOR):
            return f"there was no sign of the job's process on {worker.get('host')} since {record.updated_at}"
        return None

    def unchanged_for(self, record: JobRecord) -> float:
        """Seconds for which the record was seen to be as it is."""
        return self._sightings.unchanged_for(record)

    def terminate(self, record: JobRecord, seconds: float) -> None:
        """End the job's process: SIGTERM, and after so long SIGKILL. One that cannot be seen is left alone."""
        found = None if record.worker is None else process.identity(record.worker, self._data_dir)
        if found is not None:
            found.end(seconds)
