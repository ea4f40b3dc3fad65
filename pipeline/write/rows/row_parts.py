"""The parts of rows that a bundle writes, and where each file's rows are in them.

Memory does not grow with the files nor with the folders: what waits to be written is bounded, and so are the parts that
are open at a time. Where rows are divided into many folders, row groups and parts are smaller for it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from pipeline.errors import ReconciliationError
from pipeline.ledger import FileRecord, Part, Piece
from pipeline.rows.checksum import RowsChecksum
from pipeline.rows.partitions import split, stored
from pipeline.storage import Store, join
from pipeline.storage.checksum import Crc32c
from pipeline.write.parts import PART_BYTES
from pipeline.write.rows.part_files import RowPart, open_part, part_suffix

OPEN_PARTS = 16  # each holds up to 8 MiB of what a bucket is sent
HELD_BYTES = 64 << 20  # of rows that wait, in all parts together


@dataclass
class _Begun:
    """The rows of one file in one part, as they come."""

    part: str
    offset: int
    rows: int = 0
    size: int = 0
    crc: Crc32c = field(default_factory=Crc32c)  # of their bytes, where they have bytes of their own
    checksum: RowsChecksum = field(default_factory=RowsChecksum)

    def add(self, batch: pa.RecordBatch, data: bytes | None) -> None:
        self.rows += batch.num_rows
        if data is None:
            self.checksum.update(batch)
        else:
            self.crc.update(data)
            self.size += len(data)

    @property
    def crc32c(self) -> str:
        return str(self.crc if self.size else self.checksum)


class RowWriter:
    """Writes files' rows into parts, and says of each file where its rows are. `owner` is the job's id.

    A part ends with the file that fills it; only where more folders than OPEN_PARTS are written to at once does one end
    before, and then the rows of a file may be in several parts of a folder.
    """

    def __init__(
        self,
        store: Store,
        folder: str,
        schema: pa.Schema,
        form: str,
        *,
        owner: str,
        partition_by: Sequence[str] = (),
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._store, self._folder, self._owner = store, folder, owner
        self._form, self._columns = form, tuple(partition_by)
        self._schema = stored(schema, self._columns)
        self._part_bytes = part_bytes
        self._name = uuid.uuid4().hex
        self._opened = 0
        self._open: dict[str, RowPart] = {}  # by folder, the one that was written to last at the end
        self._done: list[Part] = []
        self._pieces: dict[str, _Begun] = {}  # of the file that is being written, by part

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows of the file that is being written."""
        for folder, rows in split(batch, self._columns):
            part = self._part(folder)
            begun = self._pieces.get(part.stream.uri)
            if begun is None:
                begun = self._pieces[part.stream.uri] = _Begun(part.stream.uri, part.position)
            begun.add(rows, part.write(rows))
        while sum(part.held for part in self._open.values()) > HELD_BYTES:
            max(self._open.values(), key=lambda part: part.held).flush()

    def end_file(self, record: FileRecord) -> FileRecord:
        """The record with the places of its rows, once all of them have come.

        Raises ReconciliationError when what came since the file before is not what the record tells of.
        """
        pieces, self._pieces = list(self._pieces.values()), {}
        rows = sum(piece.rows for piece in pieces)
        if rows != record.rows:
            raise _mixed_up(
                f"{rows:,} rows came before the record of {record.uri}, which tells of {record.rows}"
            )
        placed = replace(record, job_id=self._owner)
        if pieces:
            first = pieces[0]
            placed = replace(
                placed,
                shard=first.part,
                offset=first.offset,
                output_bytes=sum(piece.size for piece in pieces),
                output_crc32c=first.crc32c,
            )
        if len(pieces) > 1:
            several = tuple(Piece(p.part, p.offset, p.rows, p.crc32c) for p in pieces)
            placed = replace(placed, pieces=several, output_crc32c=None)
        for folder, part in list(self._open.items()):
            if part.stream.size >= self._part_bytes:
                self._finish(folder)
        return placed

    def take(self) -> Iterator[Part]:
        """The parts that are complete by now, each once."""
        done, self._done = self._done, []
        yield from done

    def finish(self) -> Iterator[Part]:
        """Complete what is open. Raises ReconciliationError when a file's record has not come."""
        if self._pieces:
            rows = sum(piece.rows for piece in self._pieces.values())
            raise _mixed_up(f"{rows:,} rows came, and then no record")
        for folder in list(self._open):
            self._finish(folder)
        yield from self.take()

    def abort(self) -> None:
        """Leave nothing of the parts that are open."""
        parts, self._open = list(self._open.values()), {}
        for part in parts:
            part.abort()

    def _part(self, folder: str) -> RowPart:
        part = self._open.pop(folder, None)
        if part is None:
            if len(self._open) >= OPEN_PARTS:
                self._finish(next(iter(self._open)))
            name = f"part-{self._name}-{self._opened:05d}.{part_suffix(self._form)}"
            stream = self._store.open_write(join(self._folder, f"{folder}{name}"), owner=self._owner)
            self._opened += 1
            try:
                part = open_part(self._form, stream, folder, self._schema)
            except BaseException:
                stream.abort()
                raise
        self._open[folder] = part
        return part

    def _finish(self, folder: str) -> None:
        self._done.append(self._open.pop(folder).finish())


def _mixed_up(what: str) -> ReconciliationError:
    return ReconciliationError(
        f"{what}: the runner has taken the rows of a file from its record, or mixed up the files. "
        "Nothing was published; run the job again, and report this"
    )
