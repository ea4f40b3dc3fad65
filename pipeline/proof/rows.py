"""The rows of a view: read back from Parquet, and made again of their files."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipeline.errors import ChimeraError, StorageError
from pipeline.job_options import TEXT_FORMATS, JobOptions
from pipeline.ledger import FileRecord, Piece
from pipeline.proof.findings import Findings
from pipeline.proof.output import Layout
from pipeline.proof.records import Known, KnownPiece, Records
from pipeline.read.view_rows import LookedAt, view_rows
from pipeline.rows.checksum import RowsChecksum
from pipeline.rows.parquet_file import parquet_batches, parquet_rows
from pipeline.rows.partitions import split
from pipeline.rows.text import csv_blocks, ndjson_blocks
from pipeline.sources.view import View
from pipeline.sources.views import find_view, partition_columns
from pipeline.storage import Store


def pieces_of(record: FileRecord) -> tuple[Piece, ...]:
    """Where a file's rows are, by its record."""
    if record.pieces is not None:
        return record.pieces
    if record.shard is None or record.offset is None:
        return ()
    return (Piece(record.shard, record.offset, record.lines, record.output_crc32c or ""),)


def place_pieces(record: FileRecord, layout: Layout, records: Records) -> bool:
    """Take in where a file's rows are; False where one of the places is not there, or they are not all of its rows."""
    pieces = pieces_of(record)
    positions = [layout.place(piece.shard, piece.offset) for piece in pieces]
    for piece, position in zip(pieces, positions, strict=True):
        if position is not None:
            folder = piece.shard[: piece.shard.rfind("/") + 1]
            records.add_piece(record.uri, position, KnownPiece(piece.rows, piece.crc32c or None, folder))
    return None not in positions and sum(piece.rows for piece in pieces) == record.lines


def rows_that_differ(store: Store, layout: Layout, number: int, pieces: Iterable[Known]) -> Iterator[Known]:
    """The pieces of a shard, in their order, whose rows are not what was written; none where it cannot be read."""
    shard = layout.shards[number]
    if shard.suffix != "parquet":
        return
    begin = layout.begin(number)
    rows = _Rows(parquet_batches(store, layout.uri(number), shard.size))
    try:
        for piece in pieces:
            start = max((piece.position or 0) - begin, rows.at)  # of two that overlap, which has been told
            found = rows.checksum(start, (piece.position or 0) - begin + piece.output_bytes)
            if piece.output_crc32c is not None and str(found) != piece.output_crc32c:
                yield piece
    except StorageError:
        return  # it is missing or is no Parquet any more, which has been told


class _Rows:
    """Batches that are gone through once. Attribute: at, the row that comes next."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._rest: pa.RecordBatch | None = None
        self.at = 0

    def checksum(self, start: int, end: int) -> RowsChecksum:
        """That of the rows [start, end), or of as many as there are."""
        found = RowsChecksum()
        while self.at < end and (batch := self._rest or next(self._batches, None)) is not None:
            upto = start if self.at < start else end
            piece = batch.slice(0, upto - self.at)
            rest = batch.slice(piece.num_rows)
            self._rest = rest if rest.num_rows else None
            if self.at >= start:
                found.update(piece)
            self.at += piece.num_rows
        return found


def extract_rows(store: Store, layout: Layout, record: FileRecord) -> Iterator[bytes]:
    """The rows of a file as they stand in Parquet, as lines of NDJSON, but for the columns that name folders.

    Raises StorageError behind the last row when they are not those that were written.
    """
    for piece in pieces_of(record):
        position = layout.place(piece.shard, piece.offset)
        if position is None:
            raise StorageError(record.uri, f"has rows in {piece.shard} by the ledger, where they are not")
        number, start = layout.at(position)
        shard = layout.shards[number]
        found = RowsChecksum()
        for batch in parquet_rows(store, layout.uri(number), shard.size, start, start + piece.rows):
            found.update(batch)
            yield from ndjson_blocks(batch)
        if (found.rows, str(found)) != (piece.rows, piece.crc32c):
            raise StorageError(
                layout.uri(number),
                f"the rows of {record.uri} are not those that were written; see what else is wrong with: "
                f"chimera verify {layout.target}",
            )


@dataclass(frozen=True)
class Remade:
    """Makes the rows of files again, as their job did."""

    view: View
    form: str
    partition_by: tuple[str, ...]
    max_bad_lines: int

    def difference(
        self,
        record: Known,
        pieces: tuple[KnownPiece, ...],
        of_text: Callable[[Iterator[bytes]], str | None],
        decoded: Iterator[bytes],
    ) -> str | None:
        """How a file's rows differ from those in the output; `of_text` compares lines."""
        looked_at = LookedAt(record.uri, self.max_bad_lines)
        rows = view_rows(self.view, decoded, looked_at, keep_partial=not record.complete)
        if self.form in TEXT_FORMATS:
            blocks = csv_blocks if self.form == "csv" else ndjson_blocks
            return of_text(block for batch in rows for block in blocks(batch))
        if not record.complete:
            return None  # its rows up to a fault, which are held against their checksum alone
        return self._by_checksum(rows, pieces)

    def _by_checksum(self, rows: Iterator[pa.RecordBatch], pieces: tuple[KnownPiece, ...]) -> str | None:
        left: dict[str, deque[KnownPiece]] = {}
        for piece in pieces:
            left.setdefault(piece.folder, deque()).append(piece)
        seen = {folder: RowsChecksum() for folder in left}
        for batch in rows:
            for folder, some in split(batch, self.partition_by):
                at = 0
                while at < some.num_rows:
                    if not left.get(folder):
                        return f"has more rows than the output has of it{_in(folder)}"
                    piece = left[folder][0]
                    taken = some.slice(at, piece.rows - seen[folder].rows)
                    at += taken.num_rows
                    seen[folder].update(taken)
                    if seen[folder].rows == piece.rows:
                        if piece.crc32c not in (None, str(seen[folder])):
                            return f"makes other rows than the output has of it{_in(folder)}"
                        left[folder].popleft()
                        seen[folder] = RowsChecksum()
        missing = next((folder for folder, rest in left.items() if rest), None)
        return None if missing is None else f"makes fewer rows than the output has of it{_in(missing)}"


def remade_of(summary: Mapping[str, Any], findings: Findings) -> Remade | None:
    """What makes the rows of a job again; None for one without a view, and where it is not to be had, which is told."""
    if summary.get("view") is None:
        return None
    named: dict[str, str] = {
        "source": "source",
        "view": "view",
        "view_options": "viewOptions",
        "format": "format",
    }
    named |= {"partition_by": "partitionBy", "max_bad_lines": "maxBadLines"}
    said: dict[str, Any] = {name: summary.get(field) for name, field in named.items()}
    options = JobOptions(**said)
    try:
        view = find_view(options)
    except (ChimeraError, TypeError, AttributeError) as e:
        findings.add("not-checked", str(summary.get("view")), f"rows cannot be made again: {e}")
        return None
    if view is None:
        return None
    return Remade(view, options.format, partition_columns(options), options.max_bad_lines)


def _in(folder: str) -> str:
    return f" in {folder}" if folder else ""
