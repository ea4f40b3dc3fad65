"""The process of a direct job: `python -m chimera_nb.jobs.runners.direct_worker JOB_ID`.

Runs the pipeline in this process and keeps the job's record up to date. All it needs is in the record and in
the environment. Exit 0 done, 1 the job came to nothing. SIGTERM and SIGINT cancel the job, as does a request on its
record, from whatever host it came.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time

from chimera_nb.jobs import process
from chimera_nb.jobs.forecast.budget import OVER_BUDGET, passed_budget
from chimera_nb.jobs.log.patience import until_log_answers
from chimera_nb.jobs.log.protocol import JobLog
from chimera_nb.jobs.open_log import open_log
from chimera_nb.jobs.outcome import end, last_word
from chimera_nb.jobs.progress import Numbers, numbers, stages
from chimera_nb.jobs.record import JobRecord, Stage, Status, timestamp
from chimera_nb.jobs.runners.direct_outcome import come_to_nothing
from chimera_nb.jobs.transitions import Change
from chimera_nb.settings import Settings, load_settings
from pipeline import progress
from pipeline.errors import JobLogError
from pipeline.failure_cause import cause_of
from pipeline.inputs.manifest import read_patterns
from pipeline.interruption import Interrupted, interruptions
from pipeline.spec import JobSpec

_log = logging.getLogger(__name__)
_EVERY = 1.0  # seconds between two changes of the record: Firestore takes one write a second to a document
_LOOK_EVERY = 0.1  # and between two looks at the tally


def main(job_id: str) -> int:
    settings = load_settings()
    log, store = open_log(settings), settings.job_store
    reporter = _Reporter(log, job_id, settings.prices.currency)
    with interruptions() as signals:
        try:
            signals.heed()
            record = until_log_answers(lambda: _begun(log, job_id, settings), store.patience.seconds)
            if record is None:
                return 1
            reporter.begin()
            from pipeline.__main__ import run

            spec = JobSpec.from_json(record.spec)
            store = store.billed_to(spec.user_project)
            run(store, spec, read_patterns(store, spec))
            signals.hold()
        except BaseException as e:  # noqa: BLE001 - whatever the job raises, its record says so
            signals.hold()
            reporter.stop()
            if isinstance(e, Interrupted) or signals.number:  # Beam may have made another exception of ours
                come_to_nothing(job_id, Status.CANCELLED, "cancelled", reporter.numbers())
            _log.exception("job %s failed", job_id)
            come_to_nothing(job_id, Status.FAILED, cause_of(e), reporter.numbers())
        reporter.stop()
        last_word(store, log, job_id, Status.COMPLETE, "complete", change=Change(progress=reporter.numbers()))
    return 0


def _begun(log: JobLog, job_id: str, settings: Settings) -> JobRecord | None:
    """The record of the job that runs from here on; None when it has ended, or was asked to, before it began."""
    if log.get(job_id).status.is_final:
        return None
    record = log.update(
        job_id,
        Change(
            status=Status.RUNNING,
            stages={"read": Stage.RUNNING},
            worker=process.describe(os.getpid(), settings.folder),
            logs=("started on this machine, in one process",),
        ),
    )
    if record.is_cancelling:
        end(settings.store, record, log, Status.CANCELLED, "cancelled before it was started")
        return None
    return None if record.status.is_final else record


class _Reporter:
    """Brings this process's tally into the job's record, from a thread of its own."""

    def __init__(self, log: JobLog, job_id: str, currency: str) -> None:
        self._log = log
        self._currency = currency
        self._job_id = job_id
        self._ended = threading.Event()
        self._since = time.monotonic()
        self._points: Numbers = {}
        self._thread = threading.Thread(target=self._report, name="report-progress", daemon=True)

    def begin(self) -> None:
        progress.reset()
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def numbers(self) -> Numbers:
        counted = progress.snapshot()
        # The speed is over the whole time, but when a point was reached is known from before.
        told = numbers(counted, time.monotonic() - self._since, self._points)
        self._points = {name: told[name] for name in ("listSeconds", "readSeconds")}
        others = counted.get(progress.OTHER_CPU, 0) / 1e6
        return told | {"coreSeconds": round(time.process_time() + others, 2)}

    def _report(self) -> None:
        told = 0.0
        while not self._ended.wait(_LOOK_EVERY):
            found = self.numbers()
            if time.monotonic() - told < _EVERY:
                continue
            told = time.monotonic()
            try:
                change = Change(stages=stages(progress.snapshot()), progress=found)
                record = self._log.update(self._job_id, change)
            except JobLogError as e:  # the job goes on without: the next look brings all of it
                _log.warning("job %s: %s", self._job_id, e)
                continue
            if why := passed_budget(record, self._currency):
                change = Change(logs=(f"{OVER_BUDGET}: {why}",), cancel_requested_at=timestamp())
                record = self._log.update(self._job_id, change)
            if (
                record.is_cancelling or record.status.is_final
            ):  # or it was thought dead, and its target is lost
                os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.exit(main(sys.argv[1]))
