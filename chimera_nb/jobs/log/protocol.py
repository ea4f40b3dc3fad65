"""JobLog: what every job log can do, whatever keeps it. `sqlite` and `firestore` are the two there are.

Both pass the same tests (tests/integration/test_job_log.py and test_job_log_watches.py). A log may be used from
several threads at once, and its store from several processes; every change goes through `transitions.advance`, so
state moves forward only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chimera_nb.jobs.log.entries import Entries
from chimera_nb.jobs.log.query import Query
from chimera_nb.jobs.log.watch import Callback, Watch
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.transitions import Change


class JobLog(Protocol):
    """Every job on record. Each method raises JobLogError when the store cannot be reached or used.

    A document that is no record of a job hides no other: it stands in pages and watches as an
    `UnreadableRecord`, and is logged once by a process. `get` and `update` of it raise UnreadableRecordError.
    """

    def create(self, record: JobRecord) -> None:
        """Put a new job on record.

        Raises JobExistsError when its id is taken, and RefusedError when the id is not YYYY-MM-DD-xxxxxxxx.
        """

    def get(self, job_id: str) -> JobRecord:
        """The record of one job. Raises JobNotFoundError."""

    def update(self, job_id: str, change: Change) -> JobRecord:
        """Bring a change into a record, in one transaction, and return what it is then.

        Nothing is written where nothing changes, and fields that are not known here stay. Raises JobNotFoundError.
        """

    def list(
        self,
        *,
        statuses: Sequence[Status] = (),
        source: str | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        text: str | None = None,
        created_by: str | None = None,
        limit: int = 50,
        page_token: str | None = None,
    ) -> RecordPage:
        """The newest jobs first: by createdAt, and by jobId where that is the same.

        `statuses` and `source` are what a job must have one of; `created_after` is within the range and
        `created_before` is not; `text` is a part, in any case, of the id, an input or the target as `gs://` shows
        them, of who made it, or of its name, note or tags; `created_by` is who made it. A page may be short, or
        even empty, before the last: only the one with no `next_page_token` ends the list. Raises RefusedError for a
        time, limit or page token that makes no sense.
        """
        return self.page(
            Query.of(
                statuses=statuses,
                source=source,
                created_after=created_after,
                created_before=created_before,
                text=text,
                created_by=created_by,
                limit=limit,
                page_token=page_token,
            )
        )

    def page(self, query: Query) -> RecordPage:
        """The page that a query asks for: what `list` gives."""

    def count(self, query: Query) -> int | None:
        """How many jobs a query has on all its pages; None where the store would have to read each to tell."""

    def watch(self, callback: Callback, *, job_id: str | None = None, limit: int = 100) -> Watch:
        """Tell, until the watch is closed, of each job that is new or has changed, newest first.

        The first call has what is on record now, which may be (). Without a job_id the newest `limit` jobs are watched.
        The calls come one at a time from one thread of the watch; several changes of a job between two calls come as
        one. What the callback raises is logged and does not end the watch; nor does a store that is away.
        """

    def close(self) -> None:
        """Close the watches and let go of the store; may be repeated. A log is not used after that."""


@dataclass(frozen=True)
class RecordPage:
    """Some of the log, newest first, and the token of the page after it if there is one."""

    entries: Entries
    next_page_token: str | None = None

    @property
    def records(self) -> tuple[JobRecord, ...]:
        """Those that can be read."""
        return tuple(entry for entry in self.entries if isinstance(entry, JobRecord))
