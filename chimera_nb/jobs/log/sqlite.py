"""The embedded job log: one SQLite file, in WAL mode, for any number of threads and processes of one machine."""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from chimera_nb.jobs.document import fields_to_write
from chimera_nb.jobs.log.entries import Entries, Entry, read_entry, read_record
from chimera_nb.jobs.log.ids import check_id, check_new_id
from chimera_nb.jobs.log.protocol import JobLog, RecordPage
from chimera_nb.jobs.log.query import Query, checked_limit, search_text, token_after, unknown_token
from chimera_nb.jobs.log.sqlite_file import COUNTED, INSERT, UPDATE, LogFile, remedy, transaction
from chimera_nb.jobs.log.watch import Callback, Watch
from chimera_nb.jobs.record import JobRecord, timestamp
from chimera_nb.jobs.transitions import Change, advance
from pipeline.errors import JobExistsError, JobLogError, JobNotFoundError

_log = logging.getLogger(__name__)

_POLL_SECONDS = 1.0  # a look takes well under a millisecond; what is new has to show within two seconds


class SqliteJobLog(JobLog):
    """A JobLog (`chimera_nb.jobs.log.protocol`) in one file on a local disk; its folder is made if need be.

    When the file is removed or replaced while it is open, nothing is lost: the next write goes to the file that has
    the name then (made if there is none), after the jobs that it lacks have been copied into it. Reads come from the
    removed file until then. To begin an empty log, first end all processes that have it open.

    Raises JobLogError when the file is something else, comes from a later version, or cannot be written. Do not
    carry a log through a fork: open it again in the new process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()  # of who writes
        self._looking = threading.Lock()
        self._watches: list[Watch] = []
        with self._errors():
            self._file = LogFile(path)

    def create(self, record: JobRecord) -> None:
        check_new_id(record.job_id)
        document = record.to_document()
        try:
            with self._transaction() as connection:
                connection.execute(INSERT, _row(record, document))
        except sqlite3.IntegrityError as e:
            raise JobExistsError(f"{self.path}: job {record.job_id!r} exists; take another id") from e

    def get(self, job_id: str) -> JobRecord:
        check_id(job_id)
        with self._look() as connection:
            text = _document(connection, job_id)
        return read_record(job_id, lambda: json.loads(text))

    def update(self, job_id: str, change: Change) -> JobRecord:
        check_id(job_id)
        with self._transaction() as connection:
            text = _document(connection, job_id)
            record = read_record(job_id, lambda: json.loads(text))
            moved = advance(record, change, timestamp())
            if moved is not record:
                document = json.loads(text)
                document |= fields_to_write(document, record.fields(), moved.fields())
                connection.execute(UPDATE, _row(moved, document))
            return moved

    def page(self, query: Query) -> RecordPage:
        sql, values = _select(query)
        with self._look() as connection:
            rows = connection.execute(sql, values).fetchall()
            if not rows and query.after and query.after[0] is None:
                row = connection.execute("SELECT 1 FROM jobs WHERE rowid = ?", query.after[1:]).fetchone()
                if row is None:
                    raise unknown_token(token_after(*query.after))
        entries = tuple(self._entry(*row) for _, *row in rows[: query.limit])
        if len(rows) <= query.limit:
            return RecordPage(entries)
        row, job_id, created_at, _ = rows[query.limit - 1]
        return RecordPage(entries, token_after(created_at, job_id, str(row)))

    def count(self, query: Query) -> int:
        where, values = _where(replace(query, after=None))
        with self._look() as connection:
            found = connection.execute(f"SELECT count(*) FROM jobs WHERE {where}", values).fetchone()  # noqa: S608
            return int(found[0])

    def watch(self, callback: Callback, *, job_id: str | None = None, limit: int = 100) -> Watch:
        if job_id is not None:
            check_id(job_id)
        limit = 1 if job_id is not None else checked_limit(limit)
        watch = Watch(callback, lambda closed: self._changes(closed, job_id, limit), limit)
        with self._lock:
            self._watches = [w for w in self._watches if w.is_open] + [watch]
        return watch

    def close(self) -> None:
        for watch in self._watches:
            watch.close()
        for watch in self._watches:
            watch.join()
        with self._lock, self._looking:
            self._file.close()

    def _changes(
        self, closed: threading.Event, job_id: str | None, limit: int
    ) -> Generator[Entries, None, None]:
        """What stands, and then each time what has been written since."""
        sql = _CHANGES_OF_ONE if job_id else _CHANGES
        values: dict[str, Any] = {"job_id": job_id, "limit": limit, "last": 0}
        known: tuple[LogFile, int] | None = None
        while not closed.is_set():
            rows = None
            with self._look() as connection:
                # Changes whenever another connection has committed (sqlite.org/pragma.html#pragma_data_version).
                seen = self._file, connection.execute("PRAGMA data_version").fetchone()[0]
                if known is None or known[0] is not self._file:
                    values["last"] = 0
                if seen != known:
                    rows = connection.execute(sql, values).fetchall()
            known = seen
            if rows:
                values["last"] = rows[-1][0]
            if rows is not None:
                yield tuple(self._entry(*row) for _, *row in rows)
            closed.wait(_POLL_SECONDS)

    def _entry(self, job_id: object, created_at: object, document: str) -> Entry:
        return read_entry(str(self.path), _name(job_id), created_at, lambda: json.loads(document))

    @contextlib.contextmanager
    def _look(self) -> Iterator[sqlite3.Connection]:
        """A connection to read by, for one thread at a time; it waits for nobody who writes."""
        with self._errors():
            if self._file.stands is False:
                with self._lock:
                    self._go_along()
            with self._looking:
                yield self._file.reader

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One writer at a time, of all threads and processes, in the file that has the name."""
        with self._errors(), self._lock:
            written = False
            while not written:
                self._go_along()
                with transaction(self._file.writer) as connection:
                    if self._file.stands:  # else another process has left it while this one waited
                        yield connection
                        written = True
            self._go_along()  # its name may have been taken away in that moment: this is not lost either

    def _go_along(self) -> None:
        """Go on in the file that has the name, if that is another one, or none."""
        if self._file.stands:
            return
        left = self._file
        found = left.leave()
        with self._looking:
            self._file = found
            left.close()
        _log.warning(
            "%s was removed or replaced while it was open: all jobs that were in it are in the file that stands"
            " there now; to begin an empty log, end whoever has it open first",
            self.path,
        )

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.Error, OSError) as e:
            raise JobLogError(f"{self.path}: {e}; {remedy(e)}") from e


_CREATED_BY = "CASE WHEN json_valid(document) THEN json_extract(document, '$.createdBy') END"
_NEWEST = "ORDER BY created_at DESC, job_id DESC"
_CHANGES_OF_ONE = f"""
SELECT changed, job_id, created_at, document FROM jobs
WHERE changed > :last AND {COUNTED} AND job_id = :job_id
"""  # noqa: S608 - made of constants
_CHANGES = f"""
SELECT changed, job_id, created_at, document FROM jobs
WHERE changed > :last AND {COUNTED} AND rowid IN (SELECT rowid FROM jobs {_NEWEST} LIMIT :limit) ORDER BY changed
"""  # noqa: S608 - made of constants


def _select(query: Query) -> tuple[str, dict[str, Any]]:
    """The statement that reads one page and a row more, which tells whether there is another page."""
    where, values = _where(query)
    sql = f"SELECT rowid, job_id, created_at, document FROM jobs WHERE {where} {_NEWEST} LIMIT :limit"  # noqa: S608
    return sql, values


def _where(query: Query) -> tuple[str, dict[str, Any]]:
    """The condition that a query's jobs meet, and its values."""
    created_at, job_id = query.after or (None, None)
    values: dict[str, Any] = {
        "source": query.source,
        "after": query.created_after,
        "before": query.created_before,
        "text": query.text,
        "created_by": query.created_by,
        "created_at": created_at,
        "job_id": job_id,
        "limit": query.limit + 1,
    }
    statuses = {f"status{i}": status.value for i, status in enumerate(query.statuses)}
    clauses = {
        f"status IN ({', '.join(':' + name for name in statuses)})": query.statuses,
        "source_type = :source": query.source is not None,
        "created_at >= :after": query.created_after,
        "created_at < :before": query.created_before,
        # Of jobs that an earlier version put on record, the text to search does not say who made them.
        f"(instr(search, :text) > 0 OR instr(lower({_CREATED_BY}), :text) > 0)": query.text,
        f"{_CREATED_BY} = :created_by": query.created_by is not None,
        "(created_at, job_id) < (:created_at, :job_id)": created_at is not None,
        "(created_at, job_id) < (SELECT created_at, job_id FROM jobs WHERE rowid = :job_id)": query.after
        and created_at is None,
    }
    return " AND ".join(["1", *(sql for sql, applies in clauses.items() if applies)]), values | statuses


def _name(job_id: object) -> str:
    """An id as text: another program may have put in bytes, or nothing."""
    return job_id if isinstance(job_id, str) else repr(job_id)


def _row(record: JobRecord, document: dict[str, Any]) -> dict[str, Any]:
    return {
        "job_id": record.job_id,
        "created_at": record.created_at,
        "status": record.status.value,
        "source_type": record.source_type,
        "search": search_text(record),
        "document": json.dumps(document, ensure_ascii=False),
    }


def _document(connection: sqlite3.Connection, job_id: str) -> str:
    row = connection.execute("SELECT document FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        raise JobNotFoundError(job_id)
    return str(row[0]) if not isinstance(row[0], bytes) else row[0].decode(errors="backslashreplace")
