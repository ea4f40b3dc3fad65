"""What earlier jobs have on record of files, and what is there now, in a table on disk: as many files as there are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.disk_table import DiskTable
from pipeline.errors import BadFileError, StorageError
from pipeline.ledger import FileRecord
from pipeline.sources import SourcePlugin, what_it_holds
from pipeline.storage import Entry, Store
from pipeline.target.joined import Superseded, places_of

# A file system may keep times to two seconds: what was written so shortly before a job is looked into.
_COARSE = timedelta(seconds=2)
_SAME, _NEW, _REPLACED = 0, 1, 2
_TABLES = """
CREATE TABLE record (uri BLOB PRIMARY KEY, part INTEGER, status TEXT, generation INTEGER, size INTEGER, crc32c TEXT,
                     lines INTEGER, places TEXT, was_read INTEGER) WITHOUT ROWID;
CREATE TABLE found (uri BLOB PRIMARY KEY, state INTEGER, what TEXT, rank INTEGER, size INTEGER, part_of TEXT,
                    whole_of TEXT, passed_over INTEGER) WITHOUT ROWID;
"""
# Which files hold what others hold as well, as `pipeline.graph.once_stages` decides it.
_LESSER = """
CREATE TEMPORARY TABLE lesser AS SELECT uri FROM (
    SELECT uri, ROW_NUMBER() OVER (PARTITION BY what ORDER BY rank DESC, size DESC, uri) AS place
    FROM found WHERE what IS NOT NULL) WHERE place > 1;
UPDATE found SET passed_over = 1 WHERE uri IN (SELECT uri FROM lesser);
UPDATE found SET passed_over = 1 WHERE whole_of <> ''
    AND whole_of IN (SELECT part_of FROM found WHERE part_of <> '');
"""
_KNOWN = "SELECT part, status, generation, size, crc32c FROM record WHERE uri = ?"
_TO_READ = """
SELECT found.uri,
    CASE WHEN state = 2 THEN 'replaced' WHEN state = 1 OR status = 'skipped' THEN 'new'
         WHEN was_read THEN 'failed' ELSE 'unread' END,
    found.size FROM found LEFT JOIN record USING (uri)
WHERE NOT passed_over AND (state > 0 OR status = 'failed' OR (what IS NOT NULL AND status = 'skipped'))
ORDER BY found.uri
"""
_SUPERSEDED = """
SELECT part, uri, CASE WHEN state = 2 THEN 'replaced' WHEN passed_over THEN 'passed over' ELSE 'failed' END,
    lines, places
FROM found JOIN record USING (uri)
WHERE lines > 0 AND (state = 2 OR passed_over OR status = 'failed') ORDER BY uri
"""
_GONE = """
SELECT uri FROM record WHERE status <> 'skipped' AND uri NOT IN (SELECT uri FROM found) ORDER BY uri
"""


class _Known(NamedTuple):
    part: int
    status: str
    generation: int | None
    size: int
    crc32c: str | None


@dataclass(frozen=True)
class Compared:
    """What is to be read, each with why and its bytes; what counts no more; and counts.

    why         "new", "replaced", or of a file that is as it was and failed then: "failed" for its own bytes, "unread"
                for a fault of the store, so that no byte of it was read
    unchanged   as they were, and in the output
    """

    read: list[tuple[str, str, int]]
    superseded: tuple[Superseded, ...]
    gone: Iterator[str]
    unchanged: int
    skipped: int


class EarlierFiles(DiskTable):
    """The table. Use it in a `with`, from one thread: first the records, job by job, then what is there."""

    def __init__(self, store: Store, started: Sequence[str], once: SourcePlugin | None) -> None:
        """`started` says when each of the jobs began; `once` what files hold, if each record is read once."""
        self._store, self._once = store, once
        self._started = [_time(text) for text in started]
        super().__init__("since", _TABLES)

    def add_record(self, part: int, record: FileRecord) -> None:
        """Take in what a job has on record; of a file that several have read, the last counts."""
        values = (
            *(_key(record.uri), part, record.status, record.generation, record.size, record.crc32c),
            *(record.lines, json.dumps(places_of(record)) if record.lines else "[]", record.was_read),
        )
        self._db.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def add_found(self, entry: Entry) -> None:
        """Take in a file that is there; it may come several times."""
        held = what_it_holds(self._once, entry.uri) if self._once else None
        of = (
            (held.what, held.rank, entry.size, held.part_of, held.whole_of)
            if held
            else (None, 0, entry.size, "", "")
        )
        row = self._db.execute(_KNOWN, (_key(entry.uri),)).fetchone()
        state = _NEW if row is None else _SAME if self._is_same(entry, _Known(*row)) else _REPLACED
        self._db.execute(
            "INSERT OR IGNORE INTO found VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
            (_key(entry.uri), state, *of),
        )

    def compare(self) -> Compared:
        """What is to be done. Its `gone` is read while the table is there."""
        if self._once:
            self._db.executescript(_LESSER)
        read = [(_uri(key), why, size) for key, why, size in self._db.execute(_TO_READ)]
        superseded = tuple(
            Superseded(part, _uri(key), why, lines, tuple(map(tuple, json.loads(places))))
            for part, key, why, lines, places in self._db.execute(_SUPERSEDED)
        )
        gone = (_uri(key) for (key,) in self._db.execute(_GONE))
        return Compared(
            read,
            superseded,
            gone,
            unchanged=self._count("JOIN record USING (uri) WHERE state = 0 AND status <> 'failed'"),
            skipped=self._count("WHERE passed_over"),
        )

    def _count(self, which: str) -> int:
        return int(self._db.execute(f"SELECT COUNT(*) FROM found {which}").fetchone()[0])  # noqa: S608 - our own texts

    def _is_same(self, entry: Entry, known: _Known) -> bool:
        """Whether a file is still what a job has on record.

        A bucket numbers versions. Of a local file size and time are known; one that may have been written since the job
        began is read, and its checksum compared.
        """
        if known.generation is not None and entry.generation is not None:
            return known.generation == entry.generation
        if known.status == "complete" and known.size != entry.size:
            return False
        started, written = self._started[known.part], _time(entry.updated)
        if started and written and written < started - _COARSE:
            return True
        return known.crc32c is not None and known.crc32c == self._checksum(entry.uri)

    def _checksum(self, uri: str) -> str | None:
        with suppress(StorageError, BadFileError), self._store.open_read(uri) as stream:
            while stream.read(1 << 20):
                pass
            stream.verify()
            return stream.crc32c
        return None


def _key(uri: str) -> bytes:
    return uri.encode("utf-8", "surrogateescape")  # a local name may be no text


def _uri(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")


def _time(stamp: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat(stamp or "")
    except ValueError:
        return None
    return time if time.tzinfo else None
