"""The ledger's records in a table on disk: looked up by file, or gone through in the order of the output.

A ledger comes in no order, and may tell of millions of files; memory stays small whatever their number. The table is a
temporary SQLite file of this process alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.disk_table import DiskTable
from pipeline.ledger import FileRecord
from pipeline.uri import SEPARATOR

_TABLE = """
CREATE TABLE record (uri BLOB PRIMARY KEY, status TEXT, generation INTEGER, size INTEGER, crc32c TEXT, lines INTEGER,
                     bytes INTEGER, output_crc32c TEXT, position INTEGER, seen INTEGER DEFAULT 0) WITHOUT ROWID;
CREATE TABLE piece (uri BLOB, position INTEGER, rows INTEGER, crc32c TEXT, folder TEXT);
CREATE INDEX piece_position ON piece (position);
CREATE INDEX piece_uri ON piece (uri);
CREATE TABLE newcomer (uri BLOB PRIMARY KEY) WITHOUT ROWID;
"""
_BY_BYTES = "CREATE VIEW placed AS SELECT * FROM record WHERE position IS NOT NULL;"
_BY_ROWS = """
CREATE VIEW placed AS SELECT record.uri, status, generation, size, record.crc32c, lines, piece.rows AS bytes,
                             piece.crc32c AS output_crc32c, piece.position, seen FROM piece JOIN record USING (uri);
"""
_GIVEN = "uri, status, generation, size, crc32c, lines, bytes, output_crc32c, position"
_COLUMNS = f"{_GIVEN}, seen"
_ROWS_AT_A_TIME = 256


@dataclass(frozen=True)
class Known:
    """What the ledger says of a file, as far as it can be held against something."""

    uri: str
    status: str
    generation: int | None
    size: int
    crc32c: str | None
    lines: int
    output_bytes: int
    output_crc32c: str | None
    position: int | None  # of its first line in the output, laid end to end
    seen: bool  # it has been found before

    @property
    def complete(self) -> bool:
        return self.status == "complete"


@dataclass(frozen=True)
class KnownPiece:
    """Rows of a file that are in one place: how many, their checksum, and the folder of their shard."""

    rows: int
    crc32c: str | None
    folder: str


class Records(DiskTable):
    """The table. Use it in a `with`, from one thread.

    by_rows  positions count rows, and a file's are in pieces (`add_piece`); output_bytes of a Known one are rows then
    """

    def __init__(self, *, by_rows: bool = False) -> None:
        super().__init__("verify", f"{_TABLE} {_BY_ROWS if by_rows else _BY_BYTES}")

    def add(self, record: FileRecord, position: int | None) -> bool:
        """Take a record in; False for a second one of the same file."""
        values = (
            *(_key(record.uri), record.status, record.generation, record.size, record.crc32c),
            *(record.lines, record.output_bytes, record.output_crc32c, position),
        )
        done = self._db.execute(
            f"INSERT OR IGNORE INTO record ({_GIVEN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own names
            values,
        )
        return done.rowcount == 1

    def add_piece(self, uri: str, position: int, piece: KnownPiece) -> None:
        """Rows of a file, whose records was taken in."""
        values = (_key(uri), position, piece.rows, piece.crc32c, piece.folder)
        self._db.execute("INSERT INTO piece VALUES (?, ?, ?, ?, ?)", values)

    def with_pieces(self) -> Iterator[tuple[Known, tuple[KnownPiece, ...]]]:
        """The records of files that have rows in the output, each with its pieces in their order."""
        for record in self._rows("WHERE lines > 0 ORDER BY uri"):
            found = self._db.execute(
                "SELECT rows, crc32c, folder FROM piece WHERE uri = ? ORDER BY rowid", (_key(record.uri),)
            )
            yield record, tuple(KnownPiece(*row) for row in found)

    def find(self, uri: str) -> Known | None:
        """The record of a file, which counts as seen from now on."""
        key = (_key(uri),)
        row = self._db.execute(f"SELECT {_COLUMNS} FROM record WHERE uri = ?", key).fetchone()  # noqa: S608
        self._db.execute("UPDATE record SET seen = 1 WHERE uri = ?", key)
        return _known(row) if row else None

    def is_newcomer(self, uri: str) -> bool:
        """Whether a file that has no record comes for the first time: patterns overlap."""
        return self._db.execute("INSERT OR IGNORE INTO newcomer VALUES (?)", (_key(uri),)).rowcount == 1

    def has_members_of(self, uri: str) -> bool:
        """Whether there is a record of something in this file, as an archive."""
        start = _key(uri + SEPARATOR)
        found = self._db.execute(
            "SELECT 1 FROM record WHERE uri > ? AND uri < ? LIMIT 1", (start, start[:-1] + b"0")
        )
        return found.fetchone() is not None

    def unseen(self) -> Iterator[Known]:
        return self._rows("WHERE seen = 0 ORDER BY uri")

    def in_order(self) -> Iterator[Known]:
        """The records of files that have lines in the output, in the order of those."""
        return self._rows("ORDER BY position, bytes", table="placed")

    def between(self, begin: int, end: int) -> Iterator[Known]:
        """The same, of files whose lines are in those bytes of the output, in part at least."""
        which = "WHERE position < ? AND position + bytes > ? ORDER BY position, bytes"
        return self._rows(which, (end, begin), table="placed")

    def _rows(self, which: str, values: tuple[int, ...] = (), *, table: str = "record") -> Iterator[Known]:
        found = self._db.execute(f"SELECT {_COLUMNS} FROM {table} {which}", values)  # noqa: S608
        while rows := found.fetchmany(_ROWS_AT_A_TIME):
            yield from map(_known, rows)


def _key(uri: str) -> bytes:
    return uri.encode("utf-8", "surrogateescape")  # a local name may be no text


def _known(row: tuple[Any, ...]) -> Known:
    uri, status, *_ = row
    return Known(uri.decode("utf-8", "surrogateescape"), status, *row[2:])
