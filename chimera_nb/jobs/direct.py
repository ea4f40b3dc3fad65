"""`--runner direct`: the job in a process of its own on this machine, which outlives whoever started it.

The process writes its own record while it runs. When it is killed, nobody does; so whoever looks at the record
looks whether the process lives, and brings the record to its end (`settle`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chimera_nb.jobs import process
from chimera_nb.jobs.change import Change
from chimera_nb.jobs.ending import end
from chimera_nb.jobs.log import JobLog
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.spawn import spawn, terminate
from chimera_nb.settings import Settings

_STARTS_WITHIN = timedelta(seconds=60)
# A job of another machine is given up when its record, which it renews every second, is so old. Long, since the
# clocks of two machines may differ by minutes.
_SILENT_FOR = timedelta(hours=1)


def launch(record: JobRecord, log: JobLog, settings: Settings) -> JobRecord:
    """Start the process of a job that is on record; the record with the process in it. Raises JobError."""
    return spawn("chimera_nb.jobs.direct_run", record, log, settings)


def settle(record: JobRecord, log: JobLog, settings: Settings) -> JobRecord:
    """Bring the record of a job whose process is gone to its end; any other is given back as it is."""
    why = _ended(record)
    if why is None:
        return record
    # Once more from the log: the process may have ended well between the two looks.
    record = log.get(record.job_id)
    if record.status.is_final:
        return record
    return end(settings.store, record, log, Status.FAILED, f"{why}; submit it again with --overwrite")


def cancel(record: JobRecord, log: JobLog, settings: Settings) -> JobRecord:
    """End the job's process, which puts its own end on record; if it cannot, that is done here."""
    log.update(record.job_id, Change(logs=("asked to cancel",)))
    terminate(record)
    record = log.get(record.job_id)
    return (
        record if record.status.is_final else end(settings.store, record, log, Status.CANCELLED, "cancelled")
    )


def _ended(record: JobRecord) -> str | None:
    """Why a job that is not final in the log has ended all the same; None while it may be running."""
    silent = datetime.now(UTC) - datetime.fromisoformat(record.updated_at)
    if record.worker is None:
        return "the job's process was never started" if silent > _STARTS_WITHIN else None
    alive = process.is_alive(record.worker)
    host, pid = record.worker.get("host"), record.worker.get("pid")
    if alive is None and silent > _SILENT_FOR:
        return f"there was no sign of the job's process on {host} since {record.updated_at}"
    if alive is False:
        return f"the job's process (pid {pid}) ended before the job did: it was killed or crashed"
    return None
