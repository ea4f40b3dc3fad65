"""The rows that a view made of one file, held back until the file has proved good.

They wait as a file's lines do (`pipeline.read.held_lines`): in memory, then on the temporary disk, and where neither
has room the file is read a second time.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import IO, Any

import pyarrow as pa

from pipeline.errors import BadFileError, StorageError
from pipeline.read.held_lines import Chunks, DiskRoom, Room, disk_room, memory_room
from pipeline.read.row_makers import made_rows
from pipeline.read.stopwatch import Stopwatch
from pipeline.read.view_rows import LookedAt, view_rows
from pipeline.rows.checksum import RowsChecksum
from pipeline.rows.memory import batch_bytes
from pipeline.sources.view import View

_MESSAGE_BYTES = 4096  # what Arrow's stream takes for a batch beside its values, in round figures
_log = logging.getLogger(__name__)


class HeldRows:
    """The rows of one file, made by a reading thread and taken as batches by the bundle's.

    again         reads the file's raw bytes from the beginning, the same version of it
    keep_partial  whether rows of the lines before a fault are kept
    on_disk       bytes that all files of this process may hold on disk; None for as many as it leaves free

    Attribute: said, what the view said of the file.
    """

    def __init__(
        self,
        uri: str,
        view: View,
        again: Callable[[], Chunks] | None = None,
        *,
        max_bad_lines: int = 0,
        keep_partial: bool = False,
        on_disk: int | None = None,
        room: Room = memory_room,
        disk: DiskRoom = disk_room,
    ) -> None:
        self._uri, self._view, self._again = uri, view, again
        self._max_bad_lines, self._keep_partial = max_bad_lines, keep_partial
        self._room, self._disk, self._on_disk = room, disk, on_disk
        self._batches: list[tuple[pa.RecordBatch, int]] = []  # and what each takes of memory
        self._in_memory = self._spooled = 0
        self._spool: IO[bytes] | None = None
        self._stream: Any = None  # writes batches to the spool
        self._nowhere = False
        self._rows = 0
        self._checksum: RowsChecksum | None = None  # once not all rows are in memory
        self.said = self._looked_at()
        self.writing = Stopwatch()

    @property
    def fields(self) -> dict[str, Any]:
        """What a file's record says of them; their place and checksum come when they are written."""
        return {"lines": self._rows, "rows": self._rows, "bad_lines": self.said.bad_lines}

    @property
    def notes(self) -> list[str]:
        return self.said.told()

    def fill(self, chunks: Iterable[bytes]) -> None:
        """Make the rows of a file's raw bytes and hold them. Raises as `made_rows`."""
        for batch in made_rows(self._view, chunks, self.said, keep_partial=self._keep_partial):
            self._rows += batch.num_rows
            if self._checksum is not None:
                self._checksum.update(batch)
            self._hold(batch)

    def complete(self) -> None:
        """The file has proved good."""

    def blocks(self) -> Iterator[pa.RecordBatch]:
        """The rows. All is let go of at the end, also when the taker stops early.

        Raises StorageError when the disk or the store does not give what was there before: what was taken until then is
        no good.
        """
        try:
            if self._checksum is None:  # what has not left memory is what was made
                yield from self._waiting()
                return
            seen = RowsChecksum()
            for batch in self._made_again() if self._nowhere else self._waiting():
                seen.update(batch)
                yield batch
            if (seen.rows, str(seen)) != (self._checksum.rows, str(self._checksum)):
                raise self._others()
        finally:
            self.drop()

    def drop(self) -> None:
        """Let go of everything; may be repeated."""
        self._let_go()
        self._again = None

    def _looked_at(self) -> LookedAt:
        return LookedAt(self._uri, self._max_bad_lines)

    def _hold(self, batch: pa.RecordBatch) -> None:
        if self._nowhere:
            return
        if self._spool is None and self._room.take(size := batch_bytes(batch)):
            self._batches.append((batch, size))
            self._in_memory += size
            return
        if self._checksum is None:
            self._checksum = RowsChecksum()
            for one in (*[held for held, _ in self._batches], batch):
                self._checksum.update(one)
        if not self._to_disk(batch):
            self._let_go()
            self._nowhere = True
            _log.info("%s: neither memory nor temporary disk holds its rows; it is read twice", self._uri)

    def _waiting(self) -> Iterator[pa.RecordBatch]:
        while self._batches:
            batch, size = self._batches.pop(0)
            yield batch
            self._give_back(size)
        if self._spool is None:
            return
        try:
            self._stream.close()
            self._spool.seek(0)
            with pa.ipc.open_stream(self._spool) as batches:
                yield from batches
        except (OSError, pa.ArrowException) as e:
            raise self._others() from e

    def _made_again(self) -> Iterator[pa.RecordBatch]:
        if self._again is None:
            return
        with closing(self._again()) as chunks:
            try:
                yield from view_rows(self._view, chunks, self._looked_at(), keep_partial=self._keep_partial)
            except (BadFileError, StorageError):
                if not self._keep_partial:
                    raise

    def _to_disk(self, batch: pa.RecordBatch) -> bool:
        """Whether the disk took it. One that is full, or fails, is no fault of the file's nor of the job's."""
        size = batch.nbytes + _MESSAGE_BYTES
        try:
            if not self._disk.take(size, self._on_disk):
                return False
            self._spooled += size
            if self._spool is None:
                # Not buffered: what does not fit shows at once.
                self._spool = tempfile.TemporaryFile(prefix="chimera-", buffering=0)  # noqa: SIM115 - closed by `drop`
                self._stream = pa.ipc.new_stream(self._spool, self._view.schema)
            with self.writing:
                self._stream.write_batch(batch)
        except (OSError, pa.ArrowException):
            return False
        return True

    def _let_go(self) -> None:
        self._batches.clear()
        self._give_back(self._in_memory)
        self._stream = None
        if self._spool is not None:
            self._spool.close()
            self._spool = None
        self._disk.give_back(self._spooled)
        self._spooled = 0

    def _give_back(self, size: int) -> None:
        self._in_memory -= size
        self._room.give_back(size)

    def _others(self) -> StorageError:
        return StorageError(
            self._uri,
            "gave other rows when it was read again, or the temporary disk did; run the job again",
        )
