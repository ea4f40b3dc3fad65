"""The first files of a zip archive in a few ranges of it: its first bytes, its directory, and where that leads.

They are found and decoded as a job does it. Reads beyond the limits give nothing, as if the archive ended there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline.codecs.stream import BufferedStream, Readable
from pipeline.codecs.zip import ZipCodec, read_members
from pipeline.codecs.zip_directory import Member
from pipeline.codecs.zip_members import Source

_STEP_BYTES = 16 * 1024  # of data given at a time, so that it is known what the raw bytes came of
_JUMP_BYTES = 64 * 1024  # first asked for at a place, where it is not known yet whether it is to be shown
_DIRECTORY_BYTES = 512 * 1024
_REQUESTS = 8

ReadAt = Callable[[int, int], bytes]


class Glimpse:
    """What is read of an archive.

    front      its first bytes, which are at hand
    read_at    gives others of the same archive: `size` bytes from a place on
    most       bytes of the files that are shown

    Attributes: read_bytes (in all, with the front); used (bytes that the shown files were decoded from); data_bytes (of
    the archive, without the files before the first shown one); first (the name of that); asked_beyond (whether a read
    went beyond the limits).
    """

    def __init__(self, front: bytes, length: int, read_at: ReadAt, most: int) -> None:
        self.read_bytes = len(front)
        self.used = 0
        self.data_bytes = length
        self.first: str | None = None
        self.asked_beyond = False
        self._length = length
        self._read_at = read_at
        self._most = most
        self._ranges = [(0, front)]
        self._opened: Member | None = None
        self._reached = self._requests = 0
        self._directory_left = _DIRECTORY_BYTES

    def length(self) -> int:
        return self._length

    def read_at(self, start: int, size: int, /) -> bytes:
        """Bytes of the directory, or of what leads to it."""
        size = min(size, self._length - start)
        data = self._held(start, size)
        if len(data) < size <= self._directory_left:
            self._directory_left -= size
            data = self._ask(start, size)
        self.asked_beyond = self.asked_beyond or len(data) < size
        return data

    def source_at(self, member: Member) -> Source:
        """The bytes of a member. Those that come to nothing before the first that is shown do not count."""
        if self.first is None:
            self.data_bytes -= self._opened.packed if self._opened else 0
            self.used, self._reached = 0, member.at
        self._opened = member
        return BufferedStream(_Data(self, member.at))

    def show(self) -> None:
        """Count the member that was opened last, and those after it, as shown."""
        if self.first is None and self._opened:
            self.first = self._opened.name

    def data(self, at: int, size: int) -> bytes:
        """Bytes of a member; none beyond the limits."""
        piece = b""
        if self.used < self._most:
            piece = self._held(at, min(size, _STEP_BYTES)) or self._more(at)[:_STEP_BYTES]
        self.asked_beyond = self.asked_beyond or (not piece and at < self._length)
        self.used += max(0, at + len(piece) - max(at, self._reached))
        self._reached = max(self._reached, at + len(piece))
        return piece

    def _more(self, at: int) -> bytes:
        left = min(self._most - self.used, self._length - at)
        goes_on = any(start + len(data) == at for start, data in self._ranges)
        if left <= 0 or self._requests == _REQUESTS or (goes_on and self.used > self._most * 3 // 4):
            return b""
        self._requests += 1
        return self._ask(at, left if goes_on else min(left, _JUMP_BYTES))

    def _ask(self, start: int, size: int) -> bytes:
        data = self._read_at(start, size)
        self.read_bytes += len(data)
        self._ranges.append((start, data))
        return data

    def _held(self, at: int, size: int) -> bytes:
        found = (data[at - start : at - start + size] for start, data in self._ranges if start <= at)
        return max(found, key=len, default=b"")


class _Data:
    """An archive's bytes from a place on, as far as they are given."""

    def __init__(self, glimpse: Glimpse, at: int) -> None:
        self._glimpse = glimpse
        self._at = at

    def read(self, size: int, /) -> bytes:
        piece = self._glimpse.data(self._at, size)
        self._at += len(piece)
        return piece


class GlimpsedZip(ZipCodec):
    """The codec of zip, over what a glimpse gives."""

    def __init__(self, glimpse: Glimpse) -> None:
        self._glimpse = glimpse

    def chunks(self, stream: Readable) -> Iterator[bytes]:
        for chunk in read_members(self._glimpse, self._glimpse.source_at, BufferedStream(stream).notes):
            self._glimpse.show()
            yield chunk
