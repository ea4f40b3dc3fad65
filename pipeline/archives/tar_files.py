"""An archive's bytes as the file that `tarfile` reads headers from: in windows, or in the order of a stream."""

from __future__ import annotations

from typing import Protocol

from pipeline.codecs.stream import BufferedStream, RandomAccess
from pipeline.errors import BadFileError

WINDOW_BYTES = 8 << 20
_FIRST_BYTES, _LEAST_BYTES = 1 << 20, 64 << 10
_HEADER_LIMIT = 8 << 20  # a name or the fields of a pax header; tarfile reads one at once
_KEPT = 512
_BLOCK = 1 << 18


class TarBytes(Protocol):
    """What is read of a tar beside the data of its members."""

    def read(self, size: int = -1, /) -> bytes: ...
    def seek(self, place: int, /) -> int: ...
    def tell(self) -> int: ...

    @property
    def end(self) -> int | None:
        """Where the bytes end, once that is known; before, None."""


class WindowedFile:
    """Any place of an archive, read in windows that grow while headers lie close together, and shrink when they do not.

    22,000 members of 5 kB cost a dozen requests, and members of a gigabyte a small one each.
    """

    def __init__(self, archive: RandomAccess) -> None:
        self._archive = archive
        self._place = self._start = 0
        self._window = b""
        self._size, self._reads = _FIRST_BYTES, 0
        self.end: int | None = archive.length()

    def tell(self) -> int:
        return self._place

    def seek(self, place: int, /) -> int:
        self._place = place
        return place

    def read(self, size: int = -1, /) -> bytes:
        _check_header(size)
        at = self._place - self._start
        if at < 0 or at + size > len(self._window):
            self._fetch(size)
            at = 0
        data = self._window[at : at + size]
        self._place += len(data)
        self._reads += 1
        return data

    def _fetch(self, size: int) -> None:
        if self._reads > 8:
            self._size = min(2 * self._size, WINDOW_BYTES)
        elif self._window and self._reads <= 2:
            self._size = max(self._size // 2, _LEAST_BYTES)
        self._start, self._reads, self._window = self._place, 0, b""
        self._window = read_stretch(self._archive, self._start, max(self._size, size))


class ForwardFile:
    """An archive's bytes in the order in which they come, once; the last few can be gone back to.

    Errors of the stream pass through.
    """

    def __init__(self, stream: BufferedStream) -> None:
        self._stream = stream
        self._place = self._passed = 0
        self._last = b""
        self._fault: BadFileError | None = None
        self.end: int | None = None

    def tell(self) -> int:
        return self._place

    def seek(self, place: int, /) -> int:
        """Beyond the end, this is the end."""
        while self._passed < place and self._next(min(place - self._passed, _BLOCK)):
            pass
        if place < self._passed - len(self._last):
            raise ValueError("a stream cannot be gone back in")
        self._place = min(place, self._passed)
        return self._place

    def read(self, size: int = -1, /) -> bytes:
        """Headers, as tarfile asks for them: all of it, but at the end."""
        _check_header(size)
        pieces = []
        while size > 0 and (piece := self.read_some(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def read_some(self, size: int) -> bytes:
        """Up to so many bytes; none at the end only."""
        back = self._passed - self._place
        piece = self._last[len(self._last) - back :][:size] if back else self._next(size)
        self._place += len(piece)
        return piece

    def _next(self, size: int) -> bytes:
        if self._fault:
            raise self._fault
        try:
            piece = self._stream.read(size)
        except BadFileError as e:  # what decompresses it gives nothing after that, as if it had ended
            self._fault = e
            raise
        self._passed += len(piece)
        self._last = piece[-_KEPT:] if len(piece) >= _KEPT else (self._last + piece)[-_KEPT:]
        if not piece:
            self.end = self._passed
        return piece


def read_stretch(archive: RandomAccess, start: int, size: int) -> bytes:
    """So many bytes from a place on; fewer at the archive's end only."""
    pieces: list[bytes] = []
    end = min(start + size, archive.length())
    while start < end and (piece := archive.read_at(start, end - start)):
        pieces.append(piece)
        start += len(piece)
    return b"".join(pieces)


def _check_header(size: int) -> None:
    if not 0 <= size <= _HEADER_LIMIT:
        raise BadFileError(
            f"holds a header of {size:,} bytes, and {_HEADER_LIMIT:,} is the most that is read",
            of_the_file=True,
        )
