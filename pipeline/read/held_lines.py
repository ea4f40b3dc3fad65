"""A file's lines, held back until the file has proved good.

They wait in memory as long as this process has room for them, beyond that on the worker's temporary disk within a
budget, and beyond that nowhere: then the file is read a second time. So neither memory nor disk bounds a file's size.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from typing import IO, Any

from pipeline.errors import StorageError
from pipeline.read.lines import BLOCK_BYTES, LineCount, line_blocks
from pipeline.read.stopwatch import Stopwatch
from pipeline.read.text_format import HEAD_BYTES, text_format
from pipeline.storage.checksum import Crc32c

_JOINED_BYTES = 64 * 1024  # smaller chunks are joined: a zip may hold millions of tiny files
_log = logging.getLogger(__name__)

HELD_BYTES = 32 << 20  # raw bytes that all files being read may hold in this process's memory together

Chunks = Generator[bytes, None, None]


class Room:
    """Bytes that may be held in memory, shared by the threads of a process."""

    def __init__(self, total: int) -> None:
        self._free = total
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Whether there was room; never waits, so that two files cannot wait for each other."""
        with self._lock:
            if size > self._free:
                return False
            self._free -= size
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self._free += size


class DiskRoom:
    """Bytes that may be held on the temporary disk, shared by the threads of a process.

    Without a limit of its own a process takes as much as it leaves free. Others use the disk too, so what is free is
    looked at each time: of processes that do so none fills the disk up, however many there are.
    """

    def __init__(self, free: Callable[[], int] | None = None) -> None:
        self._free = free or (lambda: shutil.disk_usage(tempfile.gettempdir()).free)
        self._taken = 0
        self._lock = threading.Lock()

    def take(self, size: int, limit: int | None = None) -> bool:
        """Whether there was room, of `limit` bytes where that is given; never waits."""
        with self._lock:
            taken = self._taken + size
            if taken > (self._free() - size if limit is None else limit):
                return False
            self._taken = taken
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self._taken -= size


memory_room = Room(HELD_BYTES)
disk_room = DiskRoom()


class HeldLines:
    """The raw bytes of one file, added by a reading thread and taken as blocks of lines by the bundle's.

    again     reads the file from its beginning, the same version of it; needed once neither memory nor disk does
    on_disk   bytes that all files of this process may hold on disk; None for as many as it leaves free

    Attributes: size, lines and crc32c, of what `blocks` gives; writing (what the disk took of the time).
    """

    def __init__(
        self,
        uri: str = "",
        again: Callable[[], Chunks] | None = None,
        *,
        on_disk: int | None = None,
        room: Room = memory_room,
        disk: DiskRoom = disk_room,
    ) -> None:
        self._uri, self._again = uri, again
        self._room, self._disk, self._on_disk = room, disk, on_disk
        self._chunks: list[bytes] = []
        self._small = bytearray()
        self._in_memory = self._spooled = 0
        self._spool: IO[bytes] | None = None
        self._nowhere = False
        self._count = LineCount()
        self._crc = Crc32c()
        self._crc_of_raw = self._crc_of_whole = str(self._crc)
        self._complete = False
        self._head = bytearray()
        self.writing = Stopwatch()

    @property
    def size(self) -> int:
        return self._count.size + self._ends_open if self._complete else self._count.whole

    @property
    def lines(self) -> int:
        return self._count.lines + (self._ends_open if self._complete else 0)

    @property
    def crc32c(self) -> str:
        return str(self._crc) if self._complete else self._crc_of_whole

    @property
    def _ends_open(self) -> bool:
        return self._count.size > self._count.whole

    @property
    def fields(self) -> dict[str, Any]:
        """What a file's record says of them."""
        crc32c = self.crc32c if self.size else None
        return {"lines": self.lines, "output_bytes": self.size, "output_crc32c": crc32c}

    @property
    def notes(self) -> list[str]:
        """What is worth saying of them, by how they begin."""
        looks = text_format(bytes(self._head))
        return [looks.note] if looks else []

    def fill(self, chunks: Iterable[bytes]) -> None:
        """Hold a file's raw bytes. Raises as `add`, and an error of `chunks` passes through."""
        for chunk in chunks:
            if len(self._head) < HEAD_BYTES:
                self._head += chunk[:HEAD_BYTES]
            self.add(chunk)

    def add(self, chunk: bytes) -> None:
        """Hold the next raw bytes. Raises BadFileError for a line that is too long."""
        ends = self._count.add(chunk)
        if ends:
            self._crc.update(chunk[:ends])
            self._crc_of_whole = str(self._crc)
        self._crc.update(chunk[ends:])
        if len(chunk) >= _JOINED_BYTES and not self._small:
            self._hold(chunk)
            return
        self._small += chunk
        if len(self._small) >= _JOINED_BYTES:
            self._hold_small()

    def _hold_small(self) -> None:
        chunk = bytes(self._small)
        self._small.clear()
        self._hold(chunk)

    def _hold(self, chunk: bytes) -> None:
        if self._nowhere:
            return
        if self._spool is None and self._room.take(len(chunk)):
            self._chunks.append(chunk)
            self._in_memory += len(chunk)
        elif not self._to_disk(chunk):
            self._let_go()
            self._nowhere = True
            _log.info("%s: neither memory nor temporary disk holds its lines; it is read twice", self._uri)

    def complete(self) -> None:
        """The file has proved good: a last line without an end is one of it. Without this call it is left out."""
        self._complete = True
        self._crc_of_raw = str(self._crc)
        if self._ends_open:
            self._crc.update(b"\n")

    def blocks(self) -> Iterator[bytes]:
        """The lines as `line_blocks` cuts them. All is let go of at the end, also when the taker stops early.

        Raises StorageError when the disk or the store does not give the bytes that were added: blocks that
        were taken until then are no good.
        """
        try:
            if self._small:
                self._hold_small()
            if self.size:
                chunks = self._again() if self._nowhere and self._again else self._waiting()
                yield from line_blocks(self._checked(chunks))
        finally:
            self.drop()

    def drop(self) -> None:
        """Let go of everything; may be repeated."""
        self._let_go()
        self._again = None

    def _waiting(self) -> Chunks:
        for i, chunk in enumerate(self._chunks):
            self._chunks[i] = b""
            yield chunk
            self._give_back(len(chunk))
        self._chunks.clear()
        if self._spool is not None:
            self._spool.seek(0)
            yield from iter(partial(self._spool.read, BLOCK_BYTES), b"")

    def _checked(self, chunks: Chunks) -> Chunks:
        """The chunks up to where the lines end that are to be given, once they are known to be those of before."""
        crc, left = Crc32c(), self._count.size if self._complete else self._count.whole
        expected = self._crc_of_raw if self._complete else self._crc_of_whole
        with closing(chunks):
            for chunk in chunks:
                piece = chunk if self._complete else chunk[:left]
                left -= len(piece)
                crc.update(piece)
                yield piece
                if left < 0 or not (left or self._complete):
                    break
        if left or str(crc) != expected:
            raise StorageError(
                self._uri,
                "gave other bytes when it was read again, or the temporary disk did; run the job again",
            )

    def _to_disk(self, chunk: bytes) -> bool:
        """Whether the disk took it. One that is full, or fails, is no fault of the file's nor of the job's."""
        try:
            if not self._disk.take(len(chunk), self._on_disk):
                return False
            self._spooled += len(chunk)
            if self._spool is None:
                # Not buffered: what does not fit shows at once.
                self._spool = tempfile.TemporaryFile(prefix="chimera-", buffering=0)  # noqa: SIM115 - closed by `drop`
            rest = memoryview(chunk)
            with self.writing:
                while rest:
                    rest = rest[self._spool.write(rest) :]
        except OSError:
            return False
        return True

    def _let_go(self) -> None:
        self._chunks.clear()
        self._small.clear()
        self._give_back(self._in_memory)
        if self._spool is not None:
            self._spool.close()
            self._spool = None
        self._disk.give_back(self._spooled)
        self._spooled = 0

    def _give_back(self, size: int) -> None:
        self._in_memory -= size
        self._room.give_back(size)
