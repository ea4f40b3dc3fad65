"""The shared job log: one Firestore document for each job, in the collection `dataflow-jobs`.

The composite indexes that a filtered list needs are in docs/firestore.indexes.json. With FIRESTORE_EMULATOR_HOST
set, the client talks to the emulator.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import random
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from chimera_nb.jobs.change import Change, advance
from chimera_nb.jobs.log import (
    Callback,
    Page,
    Query,
    Records,
    Watch,
    check_id,
    check_new_id,
    checked_limit,
    search_text,
    token_after,
)
from chimera_nb.jobs.record import JobRecord, Status, timestamp
from pipeline.errors import JobExistsError, JobLogError, JobNotFoundError, SettingsError

_log = logging.getLogger(__name__)

_SECONDS = 20.0  # for one call, its repetitions included; the client's own limits go up to 5 minutes
_POLL_SECONDS = 0.25  # how soon a watch sees that it is closed
_MOST_READ = 2000  # documents read for one page when most do not have the text that is looked for
_READ_AT_ONCE = 200


class FirestoreJobLog:
    """A JobLog (`chimera_nb.jobs.log`) in a Firestore collection.

    Raises JobLogError when there are no credentials. Each error names the collection or document.
    """

    def __init__(
        self, project: str, *, database: str = "(default)", collection: str = "dataflow-jobs"
    ) -> None:
        # On first need: the import takes 0.4 s, and the embedded log does without it.
        from google.api_core.retry import Retry, if_exception_type
        from google.cloud import firestore

        if not project:
            raise SettingsError("the Firestore job log has no project; name the project that keeps it")
        self.where = f"Firestore {project}/{database}, collection {collection!r}"
        transient = if_exception_type(*_transient())
        # Both are taken by every call but create, which repeated after a lost answer would find its own document.
        self._patience: dict[str, Any] = {
            "retry": Retry(transient, initial=0.1, maximum=2.0, timeout=_SECONDS),
            "timeout": _SECONDS,
        }
        self._watches: list[Watch] = []
        with self._errors():
            self._client = firestore.Client(project=project, database=database)
            self._collection = self._client.collection(collection)

    def create(self, record: JobRecord) -> None:
        from google.api_core.exceptions import AlreadyExists

        check_new_id(record.job_id)
        document = record.to_document()
        with self._errors(record.job_id):
            try:
                self._collection.document(record.job_id).create(document, retry=None, timeout=_SECONDS)
            except AlreadyExists as e:
                raise JobExistsError(f"{self.where}: job {record.job_id!r} exists; take another id") from e

    def get(self, job_id: str) -> JobRecord:
        return JobRecord.from_document(self._read(job_id).to_dict())

    def update(self, job_id: str, change: Change) -> JobRecord:
        """See JobLog. A write is bound to the version of the document that was read, and begun anew when it lost.

        The client's transactions do the same with locks, but 20 threads that append to one job at once took
        100 s on the emulator and 19 of them failed; this takes 1 s. They have no timeouts either.
        """
        from google.api_core.exceptions import Aborted, FailedPrecondition, NotFound

        deadline = time.monotonic() + _SECONDS
        attempts = 0
        while True:
            snapshot = self._read(job_id)
            document = snapshot.to_dict()
            record = JobRecord.from_document(document)
            moved = advance(record, change, timestamp())
            if moved is record:
                return record
            # Only what has changed: what a later version has added to the document stays in it.
            fields = {n: value for n, value in moved.to_document().items() if document.get(n) != value}
            unchanged = self._client.write_option(last_update_time=snapshot.update_time)
            with self._errors(job_id):
                try:
                    snapshot.reference.update(fields, option=unchanged, **self._patience)
                except (FailedPrecondition, Aborted, NotFound):
                    if time.monotonic() > deadline:
                        raise
                else:
                    return moved
            attempts += 1
            time.sleep(random.uniform(0, 0.02 * min(attempts, 10)))  # noqa: S311 - spreads the writers

    def list(
        self,
        *,
        statuses: Sequence[Status] = (),
        source: str | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        text: str | None = None,
        limit: int = 50,
        page_token: str | None = None,
    ) -> Page:
        """See JobLog. Firestore has no search in text: documents are read, 2,000 at most, and filtered here."""
        wanted = Query.of(
            statuses=statuses,
            source=source,
            created_after=created_after,
            created_before=created_before,
            text=text,
            limit=limit,
            page_token=page_token,
        )
        found: list[tuple[JobRecord, str]] = []  # with the token of the page after it
        last, read = wanted.after, 0
        query = self._filtered(wanted)
        while True:
            size = wanted.limit + 1 if wanted.text is None else max(wanted.limit + 1, _READ_AT_ONCE)
            snapshots = self._run(query, last, size)
            for snapshot in snapshots:
                last = snapshot.get("createdAt"), snapshot.id
                found += [
                    (record, token_after(*last))
                    for record in self._records([snapshot])
                    if wanted.text is None or wanted.text in search_text(record)
                ]
            read += len(snapshots)
            if len(found) > wanted.limit:
                kept = found[: wanted.limit]
                return Page(tuple(record for record, _ in kept), kept[-1][1])
            if len(snapshots) < size:
                return Page(tuple(record for record, _ in found))
            if last is not None and read >= _MOST_READ:
                return Page(tuple(record for record, _ in found), token_after(*last))

    def watch(self, callback: Callback, *, job_id: str | None = None, limit: int = 100) -> Watch:
        if job_id is not None:
            check_id(job_id)
            target, limit = self._collection.document(job_id), 1
        else:
            # No more than this order: the client's watch cannot compare by "__name__", which Firestore adds itself.
            target = self._collection.order_by("createdAt", direction="DESCENDING").limit(
                checked_limit(limit)
            )
        watch = Watch(callback, lambda closed: self._changes(closed, target), limit)
        self._watches = [w for w in self._watches if w.is_open] + [watch]
        return watch

    def close(self) -> None:
        for watch in self._watches:
            watch.close()
        self._client.close()
        ended = [watch.join() for watch in self._watches]
        if all(ended):  # else Firestore is away, and they end when they can
            self._client._firestore_api.transport.close()  # noqa: SLF001 - the client leaves its channel open

    def _read(self, job_id: str) -> Any:
        check_id(job_id)
        with self._errors(job_id):
            snapshot = self._collection.document(job_id).get(**self._patience)
        if not snapshot.exists:
            raise JobNotFoundError(job_id)
        return snapshot

    def _filtered(self, wanted: Query) -> Any:
        from google.cloud.firestore import FieldFilter

        conditions = [
            ("status", "in", [status.value for status in wanted.statuses]),
            ("sourceType", "==", wanted.source),
            ("createdAt", ">=", wanted.created_after),
            ("createdAt", "<", wanted.created_before),
        ]
        query = self._collection
        for field, operator, value in conditions:
            if value:
                query = query.where(filter=FieldFilter(field, operator, value))
        return query.order_by("createdAt", direction="DESCENDING").order_by(
            "__name__", direction="DESCENDING"
        )

    def _run(self, query: Any, after: tuple[str, str] | None, size: int) -> Sequence[Any]:
        if after is not None:
            created_at, job_id = after
            query = query.start_after(
                {"createdAt": created_at, "__name__": self._collection.document(job_id)}
            )
        with self._errors():
            return list(query.limit(size).get(**self._patience))

    def _records(self, snapshots: Iterable[Any]) -> Iterator[JobRecord]:
        """The records of the documents. One that cannot be read does not hide the others: it is logged."""
        for snapshot in snapshots:
            try:
                yield JobRecord.from_document(snapshot.to_dict())
            except JobLogError as e:
                _log.warning("%s: document %r is left out: %s", self.where, snapshot.id, e)

    def _changes(self, closed: threading.Event, target: Any) -> Generator[Records, None, None]:
        """What stands, and then each time what has changed, as Firestore sends it."""
        arrived: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()

        def on_snapshot(_documents: Any, changes: Any, _read_time: Any) -> None:
            # On the client's own thread, which an exception would end: so it only hands over.
            arrived.put([change.document for change in changes if change.type.name != "REMOVED"])

        with self._errors():
            stream = target.on_snapshot(on_snapshot)
        _throttle(stream)
        try:
            while not closed.is_set():
                try:
                    snapshots = arrived.get(timeout=_POLL_SECONDS)
                except queue.Empty:
                    if not stream.is_active:
                        raise JobLogError(f"{self.where}: the stream of changes has ended") from None
                    continue
                yield tuple(self._records(snapshots))
        finally:
            stream.close()

    @contextlib.contextmanager
    def _errors(self, job_id: str | None = None) -> Iterator[None]:
        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError

        try:
            yield
        except (GoogleAPIError, GoogleAuthError) as e:
            where = self.where if job_id is None else f"{self.where}, document {job_id!r}"
            raise JobLogError(f"{where}: {_first_line(e)}; {_remedy(e)}") from e


def _throttle(stream: Any) -> None:
    """Let the client open a broken stream again 5 times in 10 s, no more.

    It knows how to, but does not for watches, and takes two thirds of a core for as long as Firestore is away.
    """
    from google.api_core import bidi

    stream._rpc._reopen_throttle = bidi._Throttle(access_limit=5, time_window=timedelta(seconds=10))  # noqa: SLF001


def _transient() -> tuple[type[Exception], ...]:
    from google.api_core import exceptions

    return exceptions.ServiceUnavailable, exceptions.InternalServerError, exceptions.ResourceExhausted


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _remedy(error: Exception) -> str:
    """What to do about it, for the end of a message."""
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    remedies: list[tuple[type[Exception], str]] = [
        (GoogleAuthError, "run `gcloud auth application-default login`, or set FIRESTORE_EMULATOR_HOST"),
        (exceptions.Unauthenticated, "run `gcloud auth application-default login`"),
        (exceptions.PermissionDenied, "ask for the role roles/datastore.user in the project"),
        (exceptions.NotFound, "make the database: `gcloud firestore databases create`"),
        (exceptions.FailedPrecondition, "if an index is missing, deploy docs/firestore.indexes.json"),
        (exceptions.Aborted, "too many writers at once: try again"),
        (exceptions.InvalidArgument, "the document or the query is not what Firestore takes: report this"),
    ]
    default = "Firestore cannot be reached or is overloaded: check the network and FIRESTORE_EMULATOR_HOST, try again"
    return next((remedy for kind, remedy in remedies if isinstance(error, kind)), default)
