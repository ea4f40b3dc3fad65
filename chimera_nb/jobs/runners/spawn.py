"""A job's own process on this machine: it outlives whoever starts it."""

from __future__ import annotations

import subprocess
import sys
import threading

from chimera_nb.environment import job_environment
from chimera_nb.jobs import process
from chimera_nb.jobs.log.protocol import JobLog
from chimera_nb.jobs.outcome import end
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.transitions import Change
from chimera_nb.machine.private import open_private, private_data_dir, private_folder
from chimera_nb.settings import Settings
from pipeline.errors import JobError


def spawn(module: str, record: JobRecord, log: JobLog, settings: Settings) -> JobRecord:
    """Run a module with the job's id as its argument; the record with the process in it.

    What it prints goes to <data folder>/jobs/<job id>.log. Raises JobError when no process can be started: then the
    job has failed.
    """
    output = settings.folder / "jobs" / f"{record.job_id}.log"
    try:
        private_folder(private_data_dir(settings.folder) / "jobs")
        with open_private(output, "ab") as sink:
            started = subprocess.Popen(
                [sys.executable, "-P", "-m", module, record.job_id],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
                env=job_environment(settings),
            )
    except OSError as e:
        why = f"no process can be started for it ({e})"
        end(settings.store, record, log, Status.FAILED, why)
        raise JobError(f"job {record.job_id}: {why}") from e
    # Whoever lives as long as the job takes note of its end, so that no dead process is left in the table.
    threading.Thread(target=started.wait, name=f"await-{record.job_id}", daemon=True).start()
    return log.update(record.job_id, Change(worker=process.describe(started.pid, settings.folder)))
