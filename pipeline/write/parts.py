"""Files that a bundle writes under temporary names: `parts`, each of whole lines, rolled over at a size.

The names of one writer's parts follow each other, so that the lines of a file which did not fit into one part go on
at the beginning of the next, and still do when the parts are numbered in the order of their names.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

from pipeline.errors import ReconciliationError
from pipeline.ledger import FileRecord, Part
from pipeline.storage import Store, WriteStream, join
from pipeline.storage.checksum import Crc32c

PART_BYTES = 1 << 30


class PartWriter:
    """Writes blocks of whole lines into one part after another, in one folder. `owner` is the job's id.

    `name` is what the names of the parts have in common, for lines that go on in another writer's; else it is new.

    A part ends with the file that fills it, or within a file at twice its size: so the lines of a file of up to
    `part_bytes` are in one part.
    """

    def __init__(
        self,
        store: Store,
        folder: str,
        *,
        owner: str | None = None,
        part_bytes: int = PART_BYTES,
        name: str | None = None,
    ) -> None:
        self._store = store
        self._folder = folder
        self._owner = owner
        self._part_bytes = part_bytes
        self._name = name or uuid.uuid4().hex
        self._opened = 0
        self._stream: WriteStream | None = None
        self._lines = 0

    def write(self, block: bytes) -> Iterator[Part]:
        """Append a block; gives the part that it completed, if it did."""
        stream = self._open()
        stream.write(block)
        self._lines += block.count(b"\n")
        if stream.size >= 2 * self._part_bytes and block.endswith(b"\n"):
            yield from self.finish()

    def end_file(self) -> Iterator[Part]:
        """What comes now is another file's; gives the part that is full by now, if it is."""
        if self._stream is not None and self._stream.size >= self._part_bytes:
            yield from self.finish()

    def position(self) -> tuple[str, int]:
        """Where the next block goes: the part's URI, and the byte within it."""
        stream = self._open()
        return stream.uri, stream.size

    def finish(self) -> Iterator[Part]:
        """Complete the part that is open, if there is one."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
            yield Part(stream.uri, stream.size, self._lines, stream.crc32c, stream.generation)

    def abort(self) -> None:
        """Leave nothing of the part that is open."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort()

    def _open(self) -> WriteStream:
        if self._stream is None:
            name = f"part-{self._name}-{self._opened:05d}.ndjson"
            self._stream = self._store.open_write(join(self._folder, name), owner=self._owner)
            self._opened += 1
            self._lines = 0
        return self._stream


class FileWriter:
    """Writes files' lines into parts, and says of each file where its lines begin and what their checksum is."""

    def __init__(self, parts: PartWriter, job_id: str) -> None:
        self._parts = parts
        self._job_id = job_id
        # Of the file that is being written:
        self._at: tuple[str, int] | None = None
        self._size = 0
        self._crc = Crc32c()

    def write(self, block: bytes) -> Iterator[Part]:
        """Append a block of the file that is being written; gives a part that it completed."""
        if self._at is None:
            self._at = self._parts.position()
        self._size += len(block)
        self._crc.update(block)
        yield from self._parts.write(block)

    def end_file(self, record: FileRecord) -> tuple[FileRecord, list[Part]]:
        """The record with the place of its lines, once all of them have come, and the part that is full by now.

        Raises ReconciliationError when what came since the file before is not what the record tells of.
        """
        at, size, crc32c = self._at, self._size, str(self._crc)
        self._at, self._size, self._crc = None, 0, Crc32c()
        if size != record.output_bytes or record.output_crc32c not in {None, crc32c}:
            raise _mixed_up(f"{size:,} bytes of lines came before the record of", record)
        placed = replace(record, job_id=self._job_id)
        if at is not None:
            placed = replace(placed, shard=at[0], offset=at[1], output_crc32c=crc32c)
        return placed, list(self._parts.end_file())

    def finish(self) -> list[Part]:
        """Complete the part that is open. Raises ReconciliationError when a file's record has not come."""
        if self._size:
            raise _mixed_up(f"{self._size:,} bytes of lines came, and then no record", None)
        return list(self._parts.finish())

    def abort(self) -> None:
        self._parts.abort()


def _mixed_up(what: str, record: FileRecord | None) -> ReconciliationError:
    of = f" {record.uri}, which tells of {record.output_bytes:,}, or of others" if record else ""
    return ReconciliationError(
        f"{what}{of}: the runner has taken the lines of a file from its record, or mixed up the files. "
        "Nothing was published; run the job again, and report this"
    )
