"""Jobs, for whoever wants to have one run or to see one: the command line, the widgets, the dashboard.

Importing this imports no Beam: a job runs in another process.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Sequence
from typing import Any

from chimera_nb.jobs import direct
from chimera_nb.jobs.log import JobLog, Page
from chimera_nb.jobs.record import JobRecord, Status, new_job_id
from chimera_nb.settings import Settings
from pipeline.admission import admit
from pipeline.errors import JobNotFoundError, RefusedError, UnknownNameError
from pipeline.spec import JobSpec
from pipeline.target import release_target

_LOOK_EVERY = 0.3  # seconds
RUNNERS = ("direct",)


def open_log(settings: Settings) -> JobLog:
    """The job log that the settings name: one SQLite file in the data folder, or Firestore.

    Raises JobLogError when it cannot be opened.
    """
    if settings.job_log == "firestore":
        from chimera_nb.jobs.firestore_log import FirestoreJobLog

        return FirestoreJobLog(
            str(settings.project),
            database=settings.firestore_database,
            collection=settings.firestore_collection,
        )
    from chimera_nb.jobs.sqlite_log import SqliteJobLog

    return SqliteJobLog(settings.folder / "jobs.sqlite")


class JobService:
    """Submits jobs and tells how they stand. One for each process; its methods may be called from any thread."""

    def __init__(self, settings: Settings, log: JobLog | None = None) -> None:
        self.settings = settings
        self.log = log or open_log(settings)

    def submit(
        self, inputs: Sequence[str], target: str, *, runner: str = "direct", **options: Any
    ) -> JobRecord:
        """Check a job, put it on record and have it run; its record, pending or running.

        Options are the fields of JobSpec: source, shards, keep_partial, max_failures, overwrite. Raises
        RefusedError, with nothing on record, when the request is wrong; then no file has been touched.
        """
        if runner not in RUNNERS:
            raise UnknownNameError("runner", runner, list(RUNNERS))
        spec = JobSpec(inputs=tuple(inputs), target=target, job_id=new_job_id(), **options)
        record = JobRecord.from_spec(spec, runner=runner, created_by=getpass.getuser())
        record.to_document()  # refused here rather than when the target is taken already
        admit(spec, self._may_be_running)
        try:
            self.log.create(record)
        except BaseException:
            release_target(spec)
            raise
        return direct.launch(record, self.log, self.settings)

    def get(self, job_id: str) -> JobRecord:
        """The record as it stands, brought to its end if its process is gone. Raises JobNotFoundError."""
        return self._settled(self.log.get(job_id))

    def list(self, **filters: Any) -> Page:
        """One page of records, newest first; the filters are those of JobLog.list."""
        page = self.log.list(**filters)
        return Page(tuple(self._settled(record) for record in page.records), page.next_page_token)

    def wait(self, job_id: str, on_change: Callable[[JobRecord], None] | None = None) -> JobRecord:
        """The record once it is final; `on_change` sees every one that differs from the one before."""
        seen: JobRecord | None = None
        while True:
            record = self.get(job_id)
            if on_change and record != seen:
                on_change(record)
            if record.status.is_final:
                return record
            seen = record
            time.sleep(_LOOK_EVERY)

    def sync(self) -> tuple[JobRecord, ...]:
        """Bring every job that is not final up to date; the records of those that ended thereby."""
        ended = []
        token = None
        while True:
            page = self.log.list(statuses=(Status.PENDING, Status.RUNNING), page_token=token)
            ended += [r for record in page.records if (r := self._settled(record)).status.is_final]
            token = page.next_page_token
            if token is None:
                return tuple(ended)

    def _settled(self, record: JobRecord) -> JobRecord:
        return record if record.status.is_final else direct.settle(record, self.log)

    def _may_be_running(self, job_id: str) -> bool | None:
        try:
            return not self.get(job_id).status.is_final
        except (JobNotFoundError, RefusedError):
            return None
