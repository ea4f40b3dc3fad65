"""A job's own process on this machine: it outlives whoever starts it, and can be told to end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

import psutil

from chimera_nb.jobs import process
from chimera_nb.jobs.change import Change
from chimera_nb.jobs.log import JobLog
from chimera_nb.jobs.record import JobRecord
from chimera_nb.settings import Settings
from pipeline.errors import JobError, RefusedError

_GRACE_SECONDS = 8.0


def spawn(module: str, record: JobRecord, log: JobLog, settings: Settings) -> JobRecord:
    """Run a module with the job's id as its argument; the record with the process in it.

    What it prints goes to <data folder>/jobs/<job id>.log. Raises JobError when no process can be started.
    """
    output = settings.folder / "jobs" / f"{record.job_id}.log"
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("ab") as sink:
            started = subprocess.Popen(
                [sys.executable, "-P", "-m", module, record.job_id],
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


def terminate(record: JobRecord) -> None:
    """End the job's process: SIGTERM, and after a while SIGKILL. One that is gone already is fine.

    Raises RefusedError when it is on another machine.
    """
    if record.worker is None:
        return
    alive = process.is_alive(record.worker)
    if alive is None:
        raise RefusedError(
            f"job {record.job_id} has its process on {record.worker.get('host')}; cancel it there"
        )
    if not alive:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        running = psutil.Process(int(record.worker["pid"]))
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(_GRACE_SECONDS)
        except psutil.TimeoutExpired:
            for one in [running, *running.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            running.wait(_GRACE_SECONDS)
