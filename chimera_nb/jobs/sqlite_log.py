"""The embedded job log: one SQLite file, in WAL mode, for any number of threads and processes of one machine."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from datetime import datetime
from pathlib import Path
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
from pipeline.errors import JobExistsError, JobLogError, JobNotFoundError

_APPLICATION_ID = 0x4348494D  # "CHIM", at byte 68 of the file: tells it from another program's database
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE jobs (
    job_id      TEXT PRIMARY KEY,
    created_at  TEXT NOT NULL,
    status      TEXT NOT NULL,
    source_type TEXT NOT NULL,
    changed     INTEGER NOT NULL UNIQUE,  -- one more at each write: a watch asks for what is above its last
    search      TEXT NOT NULL,
    document    TEXT NOT NULL
);
CREATE INDEX jobs_by_age ON jobs (created_at, job_id);
"""
_BUSY_SECONDS = 20.0  # how long a call waits for other processes to finish their writes
_POLL_SECONDS = 1.0  # a look takes well under a millisecond; what is new has to show within two seconds


class SqliteJobLog:
    """A JobLog (`chimera_nb.jobs.log`) in one file on a local disk; its folder is made if need be.

    Raises JobLogError when the file is something else, comes from a later version, or cannot be written. Do not
    carry a log through a fork: open it again in the new process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._watches: list[Watch] = []
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._connect()
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def create(self, record: JobRecord) -> None:
        check_new_id(record.job_id)
        document = record.to_document()
        try:
            with self._transaction() as connection:
                connection.execute(
                    "INSERT INTO jobs (job_id, created_at, status, source_type, changed, search, document)"
                    " VALUES (:job_id, :created_at, :status, :source_type,"
                    " (SELECT coalesce(max(changed), 0) + 1 FROM jobs), :search, :document)",
                    _row(record, document),
                )
        except sqlite3.IntegrityError as e:
            raise JobExistsError(f"{self.path}: job {record.job_id!r} exists; take another id") from e

    def get(self, job_id: str) -> JobRecord:
        check_id(job_id)
        with self._errors(), self._lock:
            return JobRecord.from_document(_document(self._connection, job_id))

    def update(self, job_id: str, change: Change) -> JobRecord:
        check_id(job_id)
        with self._transaction() as connection:
            document = _document(connection, job_id)
            record = JobRecord.from_document(document)
            moved = advance(record, change, timestamp())
            if moved is not record:
                # What a later version has added to the document stays in it.
                connection.execute(
                    "UPDATE jobs SET status = :status, search = :search, document = :document,"
                    " changed = (SELECT max(changed) + 1 FROM jobs) WHERE job_id = :job_id",
                    _row(moved, document | moved.to_document()),
                )
            return moved

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
        query = Query.of(
            statuses=statuses,
            source=source,
            created_after=created_after,
            created_before=created_before,
            text=text,
            limit=limit,
            page_token=page_token,
        )
        sql, values = _select(query)
        with self._errors(), self._lock:
            rows = self._connection.execute(sql, values).fetchall()
        return _page([_record(document) for (document,) in rows], query.limit)

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
        with self._lock:
            self._connection.close()

    def _changes(
        self, closed: threading.Event, job_id: str | None, limit: int
    ) -> Generator[Records, None, None]:
        """What stands, and then each time what has been written since, on a connection of its own."""
        sql = _CHANGES_OF_ONE if job_id else _CHANGES
        values: dict[str, Any] = {"job_id": job_id, "limit": limit, "last": 0}
        version = None
        with self._errors(), contextlib.closing(self._connect()) as connection:
            while not closed.is_set():
                # Changes whenever another connection has committed (sqlite.org/pragma.html#pragma_data_version).
                seen = connection.execute("PRAGMA data_version").fetchone()
                if seen != version:
                    rows = connection.execute(sql, values).fetchall()
                    if rows:
                        values["last"] = rows[-1][0]
                    version = seen
                    yield tuple(_record(document) for _, document in rows)
                closed.wait(_POLL_SECONDS)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )

    def _prepare(self) -> None:
        """Switch the file to WAL and make its table, once, whoever comes first.

        The switch does not wait for others as a transaction does: it raises "database is locked" at once when
        several processes open a new file together, so it is tried again.
        """
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._check_owner()
                mode = self._connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
                break
            except sqlite3.OperationalError as e:
                if not _is_busy(e) or time.monotonic() > deadline:
                    raise
                time.sleep(random.uniform(0.005, 0.05))  # noqa: S311 - spreads the processes
        if mode != "wal":
            raise JobLogError(
                f"{self.path}: its disk does not take WAL mode; put the job log on a local disk"
            )
        with self._transaction() as connection:
            if self._check_owner() == 0:
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")

    def _check_owner(self) -> int:
        """The version of the file's schema, 0 when it is new. Raises JobLogError unless it is ours to use."""
        # In this order: whoever makes the file commits all three at once, so who sees the tables sees the mark.
        tables, version, application = (
            self._connection.execute(sql).fetchone()[0]
            for sql in ("SELECT count(*) FROM sqlite_master", "PRAGMA user_version", "PRAGMA application_id")
        )
        if application != _APPLICATION_ID and (application or version or tables):
            raise JobLogError(f"{self.path}: another program's SQLite database; name another file")
        if version > _SCHEMA_VERSION:
            raise JobLogError(
                f"{self.path}: written by a later chimera-nb (schema {version}, this one knows {_SCHEMA_VERSION});"
                " upgrade chimera-nb, or name another file"
            )
        return int(version)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One writer at a time, of all threads and processes: what is read in it stands until its end."""
        with self._errors(), self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.Error, OSError) as e:
            raise JobLogError(f"{self.path}: {e}; {_remedy(e)}") from e


_NEWEST = "ORDER BY created_at DESC, job_id DESC"
_CHANGES_OF_ONE = "SELECT changed, document FROM jobs WHERE changed > :last AND job_id = :job_id"
_CHANGES = f"""
SELECT changed, document FROM jobs
WHERE changed > :last AND job_id IN (SELECT job_id FROM jobs {_NEWEST} LIMIT :limit) ORDER BY changed
"""  # noqa: S608 - made of constants


def _select(query: Query) -> tuple[str, dict[str, Any]]:
    """The statement that reads one page and a row more, which tells whether there is another page."""
    created_at, job_id = query.after or (None, None)
    values: dict[str, Any] = {
        "source": query.source,
        "after": query.created_after,
        "before": query.created_before,
        "text": query.text,
        "created_at": created_at,
        "job_id": job_id,
        "limit": query.limit + 1,
    }
    statuses = {f"status{i}": status.value for i, status in enumerate(query.statuses)}
    conditions = {
        f"status IN ({', '.join(':' + name for name in statuses)})": query.statuses,
        "source_type = :source": query.source is not None,
        "created_at >= :after": query.created_after,
        "created_at < :before": query.created_before,
        "instr(search, :text) > 0": query.text,
        "(created_at, job_id) < (:created_at, :job_id)": query.after,
    }
    where = " AND ".join(["1", *(sql for sql, applies in conditions.items() if applies)])
    sql = f"SELECT document FROM jobs WHERE {where} {_NEWEST} LIMIT :limit"  # noqa: S608 - names only
    return sql, values | statuses


def _page(records: Sequence[JobRecord], limit: int) -> Page:
    kept = tuple(records[:limit])
    more = len(records) > limit
    return Page(kept, token_after(kept[-1].created_at, kept[-1].job_id) if more else None)


def _row(record: JobRecord, document: dict[str, Any]) -> dict[str, Any]:
    return {
        "job_id": record.job_id,
        "created_at": record.created_at,
        "status": record.status.value,
        "source_type": record.source_type,
        "search": search_text(record),
        "document": json.dumps(document, ensure_ascii=False),
    }


def _document(connection: sqlite3.Connection, job_id: str) -> dict[str, Any]:
    row = connection.execute("SELECT document FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        raise JobNotFoundError(job_id)
    document: dict[str, Any] = json.loads(row[0])
    return document


def _record(document: str) -> JobRecord:
    return JobRecord.from_document(json.loads(document))


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: Exception) -> int | None:
    """SQLite's primary result code, where the error has one."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


_REMEDIES = {
    sqlite3.SQLITE_BUSY: f"another process held it for over {_BUSY_SECONDS:.0f} s: try again, or end that one",
    sqlite3.SQLITE_NOTADB: "it is no job log: name another file",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: move it away, or name another",
    sqlite3.SQLITE_FULL: "make room on its disk",
}


def _remedy(error: Exception) -> str:
    """What to do about it, for the end of a message."""
    if isinstance(error, sqlite3.ProgrammingError):
        return "the log was closed: open it again"
    return _REMEDIES.get(_code(error) or 0, "name a file in a folder on a local disk that can be written")
