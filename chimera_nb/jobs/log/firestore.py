"""The shared job log: one Firestore document for each job, in the collection `dataflow-jobs`.

The composite indexes that a filtered list needs are in docs/firestore.indexes.json.
"""

from __future__ import annotations

import contextlib
import queue
import random
import threading
import time
from collections.abc import Generator
from dataclasses import replace
from typing import Any

from chimera_nb.jobs.document import fields_to_write
from chimera_nb.jobs.limits import MAX_DOCUMENT_BYTES, cut, weigh
from chimera_nb.jobs.log import firestore_client
from chimera_nb.jobs.log.entries import Entries, Entry, read_entry, read_record
from chimera_nb.jobs.log.firestore_client import explained, open_client, patience
from chimera_nb.jobs.log.firestore_pages import count_dated, read_page
from chimera_nb.jobs.log.firestore_words import FIELD, Words, with_tokens
from chimera_nb.jobs.log.ids import check_id, check_new_id
from chimera_nb.jobs.log.protocol import JobLog, RecordPage
from chimera_nb.jobs.log.query import Query, checked_limit, search_text
from chimera_nb.jobs.log.watch import Callback, Watch
from chimera_nb.jobs.record import JobRecord, timestamp
from chimera_nb.jobs.transitions import Change, advance
from pipeline.errors import JobExistsError, JobLogError, JobNotFoundError, SettingsError

_SHORT_BYTES = 200  # of an error, in a document that others have filled
_POLL_SECONDS = 0.25  # how soon a watch sees that it is closed


class FirestoreJobLog(JobLog):
    """A JobLog (`chimera_nb.jobs.log.protocol`) in a Firestore collection.

    `emulator` is the host:port of one, which asks for no credentials; left out, FIRESTORE_EMULATOR_HOST may name it.
    Raises JobLogError when there are no credentials. Each error names the collection or document.
    """

    def __init__(
        self,
        project: str,
        *,
        database: str = "(default)",
        collection: str = "dataflow-jobs",
        emulator: str | None = None,
    ) -> None:
        if not project:
            raise SettingsError("the Firestore job log has no project; name the project that keeps it")
        self.where = f"Firestore {project}/{database}, collection {collection!r}"
        self._watches: list[Watch] = []
        with self._errors():
            self._client = open_client(project, database, emulator)
            self._collection = self._client.collection(collection)
            self._words = Words(self._collection)

    def create(self, record: JobRecord) -> None:
        from google.api_core.exceptions import AlreadyExists

        check_new_id(record.job_id)
        document = record.to_document()
        document |= with_tokens(document, search_text(record))
        unsure: list[Exception] = []
        with self._errors(record.job_id):
            try:
                self._collection.document(record.job_id).create(document, **patience(unsure.append))
            except AlreadyExists as e:
                # After a lost answer it may be what the call before has made.
                if not (unsure and self._read(record.job_id).to_dict() == document):
                    raise JobExistsError(
                        f"{self.where}: job {record.job_id!r} exists; take another id"
                    ) from e

    def get(self, job_id: str) -> JobRecord:
        return read_record(job_id, self._read(job_id).to_dict)

    def update(self, job_id: str, change: Change) -> JobRecord:
        """See JobLog. A write has the version that was read as its precondition, and is repeated when that fails.

        The client's transactions do the same with locks, but 20 threads that append to one job at once took
        100 s on the emulator and 19 of them failed; this takes 1 s. They have no timeouts either.
        """
        from google.api_core.exceptions import Aborted, FailedPrecondition, NotFound

        deadline = time.monotonic() + firestore_client.SECONDS
        attempts = 0
        unsure: list[Exception] = []
        written: set[str] = set()
        while True:
            snapshot = self._read(job_id)
            document = snapshot.to_dict()
            record = read_record(job_id, lambda document=document: document)  # type: ignore[misc]
            if unsure and written <= set(record.logs):
                change = replace(change, logs=())  # they came in with the write whose answer was lost
            moved, fields = _fitted(document, record, change)
            if moved is record:
                return record
            text = search_text(moved)
            if FIELD not in document or text != search_text(record):
                fields |= with_tokens(
                    {name: value for name, value in (document | fields).items() if name != FIELD}, text
                )
            unchanged = self._client.write_option(last_update_time=snapshot.update_time)
            written = set(moved.logs) - set(record.logs)
            with self._errors(job_id):
                try:
                    snapshot.reference.update(fields, option=unchanged, **patience(unsure.append))
                except (FailedPrecondition, Aborted, NotFound):
                    if time.monotonic() > deadline:
                        raise
                else:
                    return moved
            attempts += 1
            time.sleep(random.uniform(0, 0.02 * min(attempts, 10)))  # noqa: S311 - spreads the writers

    def page(self, query: Query) -> RecordPage:
        """Firestore has no search in text: `firestore_words` has what is asked instead, and pages read 2,000 at most.

        Documents without a createdAt cannot be ordered by it: they come last, in lists with no filter but `text`.
        """
        with self._errors():
            return read_page(self._collection, query, self._entry, self._words)

    def count(self, query: Query) -> int | None:
        """Counted by the index, at the price of one read for a thousand; what has a text is not."""
        if query.text is not None:
            return None
        with self._errors():
            return count_dated(self._collection, query)

    def check_search(self) -> None:
        """Raise JobLogError where the index is missing that a search in text has to have to be quick."""
        with self._errors():
            self._words.check()

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
            snapshot = self._collection.document(job_id).get(**patience())
        if not snapshot.exists:
            raise JobNotFoundError(job_id)
        return snapshot

    def _entry(self, snapshot: Any) -> Entry:
        document = snapshot.to_dict()
        return read_entry(self.where, snapshot.id, document.get("createdAt"), lambda: document)

    def _changes(self, closed: threading.Event, target: Any) -> Generator[Entries, None, None]:
        """What stands, and then each time what has changed, as Firestore sends it."""
        arrived: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()

        def on_snapshot(_documents: Any, changes: Any, _read_time: Any) -> None:
            # On the client's own thread, which an exception would end: so it only hands over.
            arrived.put([change.document for change in changes if change.type.name != "REMOVED"])

        with self._errors():
            stream = target.on_snapshot(on_snapshot)
        firestore_client.throttle(stream)
        try:
            while not closed.is_set():
                try:
                    snapshots = arrived.get(timeout=_POLL_SECONDS)
                except queue.Empty:
                    if not stream.is_active:
                        raise JobLogError(f"{self.where}: the stream of changes has ended") from None
                    continue
                yield tuple(map(self._entry, snapshots))
        finally:
            stream.close()

    def _errors(self, job_id: str | None = None) -> contextlib.AbstractContextManager[None]:
        return explained(self.where if job_id is None else f"{self.where}, document {job_id!r}")


def _fitted(document: dict[str, Any], record: JobRecord, change: Change) -> tuple[JobRecord, dict[str, Any]]:
    """The record with the change in it, and what that writes into the document.

    What a later version or another program keeps in it counts as well. So that a job's end is not refused for want of
    room, the log gives way, oldest lines first; then the summary, which stands at the target too; then most of the
    error.
    """
    now = timestamp()
    short = replace(change, summary=None)
    shortest = replace(short, error=change.error and cut(change.error, _SHORT_BYTES))
    for asked in (change, short, shortest):
        moved = advance(record, asked, now)
        fields = fields_to_write(document, record.fields(), moved.fields())
        over = weigh(document | fields) - MAX_DOCUMENT_BYTES
        if over > 0:
            moved = advance(record, asked, now, log_bytes=max(0, weigh(moved.logs) - over))
            fields = fields_to_write(document, record.fields(), moved.fields())
            over = weigh(document | fields) - MAX_DOCUMENT_BYTES
        if over <= 0:
            break
    return moved, fields
