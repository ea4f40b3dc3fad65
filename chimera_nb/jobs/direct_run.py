"""The process of a direct job: `python -m chimera_nb.jobs.direct_run JOB_ID`.

Runs the pipeline in this process and keeps the job's record up to date. All it needs is in the record and in
the environment. Exit 0 done, 1 the job failed.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from types import FrameType

from chimera_nb.jobs import process
from chimera_nb.jobs.change import Change
from chimera_nb.jobs.ending import end
from chimera_nb.jobs.log import JobLog
from chimera_nb.jobs.progress import numbers, stages
from chimera_nb.jobs.record import Stage, Status
from chimera_nb.jobs.service import open_log
from chimera_nb.settings import load_settings
from pipeline import progress
from pipeline.causes import cause_of
from pipeline.errors import JobLogError
from pipeline.manifest import read_patterns
from pipeline.spec import JobSpec
from pipeline.storage import Store

_log = logging.getLogger(__name__)
_EVERY = 1.0  # seconds between two looks at the tally: Firestore takes one write a second to a document
_PATIENCE = 120  # seconds for which the last word is tried again when the job log is away


_cancelled = threading.Event()


class _CancelledError(BaseException):
    """SIGTERM: whoever sent it wants the job to end."""


def main(job_id: str) -> int:
    settings = load_settings()
    log, store = open_log(settings), settings.store
    record = log.get(job_id)
    if record.status.is_final:
        return 1
    spec = JobSpec.from_json(record.spec)
    signal.signal(signal.SIGTERM, _cancel)
    reporter = _Reporter(store, log, job_id)
    try:
        reporter.begin()
        from pipeline.__main__ import run

        run(store, spec, read_patterns(store, spec))
    except BaseException as e:  # noqa: BLE001 - whatever the job raises, its record says so
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if _cancelled.is_set():  # Beam may have made another exception of ours
            reporter.end(Status.CANCELLED, "cancelled")
        else:
            _log.exception("job %s failed", job_id)
            reporter.end(Status.FAILED, cause_of(e))
        # Threads that wait for the store would hold the process back, and what they bring is not wanted.
        os._exit(1)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    reporter.end(Status.COMPLETE, "complete")
    return 0


class _Reporter:
    """Brings this process's tally into the job's record, from a thread of its own."""

    def __init__(self, store: Store, log: JobLog, job_id: str) -> None:
        self._store = store
        self._log = log
        self._job_id = job_id
        self._ended = threading.Event()
        self._since = time.monotonic()
        self._thread = threading.Thread(target=self._report, name="report-progress", daemon=True)

    def begin(self) -> None:
        progress.reset()
        self._log.update(
            self._job_id,
            Change(
                status=Status.RUNNING,
                stages={"read": Stage.RUNNING},
                worker=process.describe(os.getpid()),
                logs=("started on this machine, in one process",),
            ),
        )
        self._thread.start()

    def end(self, status: Status, why: str) -> None:
        """The last word. Tried for two minutes: after that, whoever looks at the record finds it out."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        give_up = time.monotonic() + _PATIENCE
        while True:
            try:
                record, change = self._log.get(self._job_id), Change(progress=self._numbers())
                end(self._store, record, self._log, status, why, change=change)
            except JobLogError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(1)
            else:
                return

    def _report(self) -> None:
        while not self._ended.wait(_EVERY):
            try:
                self._log.update(
                    self._job_id, Change(stages=stages(progress.snapshot()), progress=self._numbers())
                )
            except JobLogError as e:  # the job goes on without: the next look brings all of it
                _log.warning("job %s: %s", self._job_id, e)

    def _numbers(self) -> dict[str, int | float | None]:
        return numbers(progress.snapshot(), time.monotonic() - self._since)


def _cancel(_signal: int, _frame: FrameType | None) -> None:
    _cancelled.set()
    raise _CancelledError


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.exit(main(sys.argv[1]))
