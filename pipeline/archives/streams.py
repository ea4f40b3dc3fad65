"""A member's bytes as a ReadStream: of one version of the archive, as an object's are of one version of it.

The store's checksum is of the whole archive, so that it proves no member by itself. A fault that is found in a member's
bytes is believed once they have been asked for a second time, and came the same.
"""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from collections.abc import Callable
from typing import cast

from pipeline.archives.members import Member
from pipeline.archives.scan import Scan
from pipeline.codecs.stream import BufferedStream, Readable
from pipeline.codecs.zip_directory import Member as ZipEntry
from pipeline.codecs.zip_members import MemberStream as ZipMemberStream
from pipeline.errors import BadFileError, CutOffError, StorageError, TransferError
from pipeline.storage import ReadStream
from pipeline.uri import Uri

_WINDOW_BYTES = 4 << 20  # one request brings so much
_LOCAL_HEADER_BYTES = 4096  # more than nearly all have
_COPIED_BYTES = 16 << 20  # of a member that is read at any place, what is held in memory

Reopen = Callable[[], ReadStream]


class MemberReader(ReadStream):
    """The bytes of one member. `archive` is the stream of what it is in, and closed with this one."""

    def __init__(self, uri: Uri, member: Member, archive: ReadStream) -> None:
        super().__init__(uri, archive.generation)
        self._member = member
        self._archive = archive
        if member.problem:
            raise BadFileError(member.problem, of_the_file=True)

    def length(self) -> int:
        return self._member.size

    def stored_bytes(self) -> int:
        return self._member.packed

    def prove(self) -> None:
        size, crc = self.size, self.crc32c
        with self.again() as stream:
            try:
                while stream.size < size and stream.read(size - stream.size):
                    pass
            except BadFileError:
                pass  # the same fault, or it shows in the size
            if (stream.size, stream.crc32c) != (size, crc):
                raise TransferError(self.uri, "gave other bytes when they were asked for again; try again")

    def close(self) -> None:
        self._archive.close()

    def _expected(self) -> tuple[int | None, str | None]:
        self._archive.check_unchanged()
        return self._member.size, None


class RangeReader(MemberReader):
    """A member whose bytes stand as they are in the archive. `first_bytes` is how many the first request brings."""

    def __init__(
        self, uri: Uri, member: Member, archive: ReadStream, *, first_bytes: int = _WINDOW_BYTES
    ) -> None:
        super().__init__(uri, member, archive)
        self._window = b""
        self._at = 0
        self._due = first_bytes

    def read_at(self, start: int, size: int) -> bytes:
        size = min(size, self._member.size - start)
        return self._archive.read_at(self._member.at + start, size) if size > 0 else b""

    def again(self) -> ReadStream:
        return RangeReader(self.uri, self._member, self._archive.again())

    def _next(self, size: int) -> bytes:
        if self._at == len(self._window):
            self._window, self._at = self.read_at(self.size, self._due), 0
            self._due = _WINDOW_BYTES
        piece = self._window[self._at : self._at + size]
        self._at += len(piece)
        return piece


class CopiedReader(MemberReader):
    """A member that can only be read from its beginning. Where other places are asked for, it is copied first."""

    _copy: tempfile.SpooledTemporaryFile[bytes] | None = None

    def read_at(self, start: int, size: int) -> bytes:
        if self._copy is None:
            self._copy = tempfile.SpooledTemporaryFile(max_size=_COPIED_BYTES, prefix="chimera-")  # noqa: SIM115
            with self.again() as stream:
                while block := stream.read(1 << 20):
                    self._copy.write(block)
        self._copy.seek(start)
        return self._copy.read(max(0, size))

    def close(self) -> None:
        super().close()
        if self._copy is not None:
            self._copy.close()
            self._copy = None

    @abstractmethod
    def again(self) -> ReadStream: ...


class ZipReader(CopiedReader):
    """A member of a zip, unpacked. Its end is proved by the directory's CRC-32."""

    def __init__(self, uri: Uri, member: Member, archive: ReadStream) -> None:
        super().__init__(uri, member, archive)
        source = BufferedStream(_Places(archive, member.at, member.packed + _LOCAL_HEADER_BYTES))
        self._raw = ZipMemberStream(source, cast("ZipEntry", member.entry))

    def again(self) -> ReadStream:
        return ZipReader(self.uri, self._member, self._archive.again())

    def _next(self, size: int) -> bytes:
        return self._raw.read(size)


class StreamedReader(CopiedReader):
    """A member of a compressed tar, as it comes out of the stream that `scan` goes through.

    `reopen` gives the same member again, from the archive's beginning. With `owned` the archive is closed with it.
    """

    def __init__(
        self, uri: Uri, member: Member, archive: ReadStream, scan: Scan, reopen: Reopen, *, owned: bool = True
    ) -> None:
        super().__init__(uri, member, archive)
        self._scan, self._reopen, self._owned = scan, reopen, owned
        self._left = member.size

    def stored_bytes(self) -> int:
        return self._archive.length()  # there is no telling which of them are the member's

    def again(self) -> ReadStream:
        return self._reopen()

    def prove(self) -> None:
        """The archive is read to its end, and proves all of it."""
        if self._owned:
            self._archive.prove()

    def close(self) -> None:
        if self._owned:
            super().close()
        elif self._copy is not None:
            self._copy.close()
            self._copy = None

    def _expected(self) -> tuple[int | None, str | None]:
        return self._member.size, None

    def _next(self, size: int) -> bytes:
        if not self._left or self._scan.forward is None:
            return b""
        piece = self._scan.forward.read_some(min(size, self._left))
        if not piece and size:
            there = self._member.size - self._left
            raise CutOffError(
                f"is cut off: {there:,} of its {self._member.size:,} bytes are in the archive",
                of_the_file=True,
            )
        self._left -= len(piece)
        return piece


class Spooled(ReadStream):
    """A member that is an archive itself, copied to the temporary disk, so that any place of it can be read.

    `content` gives all bytes of the stream, of which some may have been looked at.
    """

    def __init__(self, stream: ReadStream, content: Readable) -> None:
        super().__init__(stream.uri, stream.generation)
        self._again = stream.again
        self._copy = tempfile.SpooledTemporaryFile(max_size=_COPIED_BYTES, prefix="chimera-")  # noqa: SIM115
        try:
            while block := content.read(1 << 20):
                self._copy.write(block)
        except BaseException:
            self._copy.close()
            raise
        self._length = self._copy.tell()

    def length(self) -> int:
        return self._length

    def read_at(self, start: int, size: int) -> bytes:
        self._copy.seek(start)
        return self._copy.read(max(0, size))

    def again(self) -> ReadStream:
        with self._again() as stream:
            return Spooled(stream, stream)

    def close(self) -> None:
        self._copy.close()

    def _next(self, size: int) -> bytes:
        return self.read_at(self.size, size)

    def _expected(self) -> tuple[int | None, str | None]:
        return self._length, None


class Ahead(ReadStream):
    """An archive of which one stretch is at hand; the rest of it is asked for."""

    def __init__(self, archive: ReadStream, start: int, data: bytes) -> None:
        super().__init__(archive.uri, archive.generation)
        self._archive, self._start, self._data = archive, start, data

    def length(self) -> int:
        return self._archive.length()

    def read_at(self, start: int, size: int) -> bytes:
        at = start - self._start
        if at >= 0 and at + size <= len(self._data):
            return self._data[at : at + size]
        if 0 <= at < len(self._data):
            return self._data[at:]
        return self._archive.read_at(start, size)

    def again(self) -> ReadStream:
        return self._archive.again()

    def close(self) -> None:
        """The stretch is shared: whoever opened the archive closes it."""

    def check_unchanged(self) -> None:
        self._archive.check_unchanged()

    def _next(self, size: int) -> bytes:
        return self.read_at(self.size, size)

    def _expected(self) -> tuple[int | None, str | None]:
        raise StorageError(self.uri, "is read in pieces")


class _Places:
    """An archive's bytes from a place on, as a stream; `due` of them are asked for at first."""

    def __init__(self, archive: ReadStream, at: int, due: int) -> None:
        self._archive, self._at = archive, at
        self._due = min(due, _WINDOW_BYTES)
        self._window = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        if not self._window:
            window = self._archive.read_at(self._at, self._due)
            self._at += len(window)
            self._window, self._due = memoryview(window), _WINDOW_BYTES
        piece = bytes(self._window[:size])
        self._window = self._window[size:]
        return piece
