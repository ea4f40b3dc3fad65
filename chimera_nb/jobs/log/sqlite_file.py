"""The file of the embedded job log: made, opened, and exchanged for another when its name is taken away."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from chimera_nb.jobs.log.entries import read_record
from chimera_nb.machine.private import private_data_dir, private_file
from pipeline.errors import JobLogError, UnreadableRecordError

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
# Numbers alone, and not at the end of their range: a row put in by hand may have anything there.
COUNTED = "changed < 0x4000000000000000"
NEXT = f"(SELECT coalesce((SELECT changed FROM jobs WHERE {COUNTED} ORDER BY changed DESC LIMIT 1), 0) + 1)"  # noqa: S608
INSERT = (
    "INSERT INTO jobs (job_id, created_at, status, source_type, changed, search, document) VALUES"  # noqa: S608
    f" (:job_id, :created_at, :status, :source_type, {NEXT}, :search, :document)"
)
UPDATE = (
    "UPDATE jobs SET status = :status, search = :search, document = :document,"  # noqa: S608
    f" changed = {NEXT} WHERE job_id = :job_id"
)
BUSY_SECONDS = 20.0  # how long a call waits for other processes to finish their writes
_BESIDE = ("-wal", "-shm")  # what SQLite keeps beside the file, by its name

_Identity = tuple[int, int]


class LogFile:
    """A job log as it was opened: it stays the same file when its name is removed, or given to another.

    Attributes: writer, and reader, a connection of its own, so that a read never waits for a writer. Raises
    JobLogError when the file is something else or comes from a later version, and errors of SQLite and the system.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        private_data_dir(path.parent)
        if _identity(path) is None:
            with _alone_in(path.parent):
                if _identity(path) is None:
                    # Of a file that was removed. Who has it open still shares them, and would spoil a new one.
                    _remove(path, _BESIDE)
                self._open()
        else:
            self._open()

    @property
    def stands(self) -> bool | None:
        """Whether the name is still this file's; None when no file has it."""
        found = _identity(self.path)
        return None if found is None else found == self._known

    def close(self) -> None:
        self.reader.close()
        self.writer.close()

    def leave(self) -> LogFile:
        """The file that has the name now, made if there is none, after all of this file's jobs were copied into it.

        Other writers of this file wait meanwhile, and then leave it in the same way.
        """
        with contextlib.suppress(sqlite3.Error):  # so that it is whole wherever it was moved to
            self.writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        with transaction(self.writer):
            with _alone_in(self.path.parent):
                _remove(
                    self.path, [name for name in _BESIDE if self._beside[name] == _beside(self.path, name)]
                )
            found = LogFile(self.path)
            try:
                _take_over(self.writer, found.writer)
            except BaseException:
                found.close()
                raise
        return found

    def _open(self) -> None:
        while True:  # until both connections are to the file that has the name
            private_file(self.path)  # SQLite gives the files beside it the same rights
            known = _identity(self.path)
            self.writer = _connect(self.path)
            try:
                _prepare(self.writer, self.path)
                self.reader = _connect(self.path)
                self.reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except BaseException:
                self.writer.close()
                raise
            if known is not None and known == _identity(self.path):
                break
            self.close()
        self._known = known
        self._beside = {name: _beside(self.path, name) for name in _BESIDE}


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One writer at a time, of all processes: what is read in it stands until its end."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def remedy(error: Exception) -> str:
    """What to do about an error of SQLite or the system, for the end of a message."""
    if isinstance(error, sqlite3.ProgrammingError):
        return "the log was closed: open it again"
    return _REMEDIES.get(_code(error) or 0, "name a file in a folder on a local disk that can be written")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    # Text that is no UTF-8 would end a whole list.
    connection.text_factory = lambda data: data.decode(errors="backslashreplace")
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Switch the file to WAL and make its table, once, whoever comes first.

    The switch does not wait for others as a transaction does: it raises "database is locked" at once when
    several processes open a new file together, so it is tried again.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            _check_owner(connection, path)
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            break
        except sqlite3.OperationalError as e:
            if _code(e) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.005, 0.05))  # noqa: S311 - spreads the processes
    if mode != "wal":
        raise JobLogError(f"{path}: its disk does not take WAL mode; put the job log on a local disk")
    if _check_owner(connection, path):
        return
    with transaction(connection):
        if _check_owner(connection, path) == 0:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")


def _check_owner(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the file's schema, 0 when it is new. Raises JobLogError unless it is ours to use."""
    # In this order: whoever makes the file commits all three at once, so who sees the tables sees the mark.
    tables, version, application = (
        connection.execute(sql).fetchone()[0]
        for sql in ("SELECT count(*) FROM sqlite_master", "PRAGMA user_version", "PRAGMA application_id")
    )
    if application != _APPLICATION_ID and (application or version or tables):
        raise JobLogError(f"{path}: another program's SQLite database; name another file")
    if version > _SCHEMA_VERSION:
        raise JobLogError(
            f"{path}: written by a later chimera-nb (schema {version}, this one knows {_SCHEMA_VERSION});"
            " upgrade chimera-nb, or name another file"
        )
    return int(version)


def _take_over(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Bring the jobs of one log into another: those it lacks, and those that it knows an earlier state of."""
    columns = ("job_id", "created_at", "status", "source_type", "search", "document")
    with transaction(new):
        for row in old.execute(f"SELECT {', '.join(columns)} FROM jobs ORDER BY changed"):  # noqa: S608
            values = dict(zip(columns, row, strict=True))
            known = new.execute("SELECT document FROM jobs WHERE job_id IS :job_id", values).fetchone()
            if known is None:
                new.execute(INSERT, values)
            elif _is_later(values["job_id"], values["document"], known[0]):
                new.execute(UPDATE, values)


def _is_later(job_id: Any, document: Any, known: Any) -> bool:
    try:
        one, other = (read_record(job_id, partial(json.loads, text)) for text in (document, known))
    except UnreadableRecordError:
        return False
    return (one.status.rank, one.updated_at) > (other.status.rank, other.updated_at)


def _identity(path: Path) -> _Identity | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _beside(path: Path, suffix: str) -> _Identity | None:
    return _identity(path.with_name(path.name + suffix))


def _remove(path: Path, suffixes: list[str] | tuple[str, ...]) -> None:
    for suffix in suffixes:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One process at a time makes a file in this folder. Raises JobLogError when another takes too long for it."""
    private_data_dir(folder)
    held = os.open(folder, os.O_RDONLY)
    deadline = time.monotonic() + BUSY_SECONDS
    try:
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as e:
                if time.monotonic() > deadline:
                    raise JobLogError(
                        f"{folder}: another process is making a job log there: try again"
                    ) from e
                time.sleep(0.01)
            except OSError:
                break  # some shared folders of virtual machines know no locks
        yield
    finally:
        os.close(held)


def _code(error: Exception) -> int | None:
    """SQLite's primary result code, where the error has one."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


_REMEDIES = {
    sqlite3.SQLITE_BUSY: f"another process held it for over {BUSY_SECONDS:.0f} s: try again, or end that one",
    sqlite3.SQLITE_NOTADB: "it is no job log: name another file",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: move it away, or name another",
    sqlite3.SQLITE_FULL: "make room on its disk",
    sqlite3.SQLITE_IOERR: "its disk is full or does not work: make room on it, or name a file on another",
}
