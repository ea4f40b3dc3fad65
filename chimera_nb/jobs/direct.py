"""`--runner direct`: the job in a process of its own on this machine, which outlives whoever started it.

The process writes its own record while it runs. When it is killed, nobody does; so whoever looks at the record
looks whether the process lives, and brings the record to its end (`settle`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

from chimera_nb.jobs import process
from chimera_nb.jobs.change import Change
from chimera_nb.jobs.log import JobLog
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.settings import Settings
from pipeline.errors import JobError, StorageError
from pipeline.spec import JobSpec
from pipeline.target import abandon_target, read_summary, release_target

_STARTS_WITHIN = timedelta(seconds=60)
# A job of another machine is given up when its record, which it renews every few seconds, is so old.
_SILENT_FOR = timedelta(minutes=10)


def launch(record: JobRecord, log: JobLog, settings: Settings) -> JobRecord:
    """Start the process of a job that is on record; the record with the process in it.

    What it prints goes to <data folder>/jobs/<job id>.log. Raises JobError when no process can be started.
    """
    output = settings.folder / "jobs" / f"{record.job_id}.log"
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-P", "-m", "chimera_nb.jobs.direct_run", record.job_id]
    try:
        with output.open("ab") as sink:
            started = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
                env={**os.environ, **settings.to_environment()},
            )
    except OSError as e:
        raise JobError(f"job {record.job_id}: no process can be started for it ({e})") from e
    # Whoever lives as long as the job takes note of its end, so that no dead process is left in the table.
    threading.Thread(target=started.wait, name=f"await-{record.job_id}", daemon=True).start()
    return log.update(record.job_id, Change(worker=process.describe(started.pid)))


def settle(record: JobRecord, log: JobLog) -> JobRecord:
    """Bring the record of a job whose process is gone to its end; any other is given back as it is.

    Its summary decides: a job that wrote it is complete, whatever became of its process afterwards.
    """
    why = _ended(record)
    if why is None:
        return record
    # Once more from the log: the process may have ended well between the two looks.
    record = log.get(record.job_id)
    if record.status.is_final:
        return record
    spec = JobSpec.from_json(record.spec)
    try:
        summary = read_summary(spec.target)
        if summary and summary.get("jobId") == record.job_id:
            release_target(spec)
            return log.update(record.job_id, Change(status=Status.COMPLETE, summary=summary))
        abandon_target(spec)
    except StorageError as e:
        # The store is away: the job stays as it is, and the next look settles it.
        return log.update(record.job_id, Change(logs=(f"{why}, and its target cannot be looked at: {e}",)))
    text = f"{why}; submit it again with --overwrite"
    return log.update(record.job_id, Change(status=Status.FAILED, error=text, logs=(text,)))


def _ended(record: JobRecord) -> str | None:
    """Why a job that is not final in the log has ended all the same; None while it may be running."""
    if record.status.is_final or record.runner != "direct":
        return None
    now = datetime.now(UTC)
    silent = now - datetime.fromisoformat(record.updated_at)
    if record.worker is None:
        return "the job's process was never started" if silent > _STARTS_WITHIN else None
    alive = process.is_alive(record.worker)
    if alive is None and silent > _SILENT_FOR:
        return (
            f"there was no sign of the job's process on {record.worker.get('host')} since {record.updated_at}"
        )
    if alive is False:
        return f"the job's process (pid {record.worker.get('pid')}) ended before the job did: it was killed or crashed"
    return None
