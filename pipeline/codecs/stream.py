"""A stream that can be looked into, read exactly, and given bytes back."""

from __future__ import annotations

import time
from typing import Protocol, runtime_checkable

from pipeline.errors import BadFileError

PIECE_BYTES = 256 * 1024  # compressed bytes asked for at a time: most market files come whole
PADDING = b"\0\r\n\t \x1a"  # what disks, mails and editors leave behind a file's end


class Readable(Protocol):
    """What a codec needs of a stream: up to `size` bytes, and none at the end only."""

    def read(self, size: int, /) -> bytes: ...


@runtime_checkable
class RandomAccess(Protocol):
    """What a codec needs of a stream to look at any place in it, beside reading it in order."""

    def length(self) -> int: ...
    def read_at(self, start: int, size: int, /) -> bytes: ...


def random_access_of(stream: Readable) -> RandomAccess | None:
    """Any place of a stream that is read in order, where its source can be asked for one."""
    source = stream.source if isinstance(stream, BufferedStream) else stream
    return source if isinstance(source, RandomAccess) else None


class BufferedStream:
    """Buffers a stream that may give fewer bytes than were asked for.

    Attributes: source (that stream); waited (seconds that its reads took); notes (what codecs found worth saying of a
    good file, shared with an intake that is the source).
    """

    def __init__(self, stream: Readable) -> None:
        self.source = stream
        self.waited = 0.0
        self.notes: list[str] = stream.notes if isinstance(stream, BufferedStream) else []
        self._held = b""
        self._at = 0
        self._ended = False
        self._fault: BadFileError | None = None

    def peek(self, size: int) -> bytes:
        """The next `size` bytes without taking them; fewer at the end of the stream only."""
        self._fill(size)
        return self._held[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        """The next `size` bytes; fewer at the end of the stream only."""
        piece = self.peek(size)
        self._at += len(piece)
        return piece

    def read(self, size: int, /) -> bytes:
        """What is at hand, or else what the stream gives next, up to `size`; nothing at the end only."""
        if self._at == len(self._held):
            self._held, self._at = self._read(), 0
        piece = self._held[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def give_back(self, size: int) -> None:
        """Untake the last `size` bytes of what `take` or `read` gave last."""
        self._at -= size

    def skip(self, padding: bytes) -> int:
        """Step over these bytes, in any order; how many there were."""
        skipped = 0
        while piece := self.take(PIECE_BYTES):
            rest = len(piece.lstrip(padding))
            skipped += len(piece) - rest
            if rest:
                self.give_back(rest)
                break
        return skipped

    def count_rest(self) -> int:
        """How many bytes are left. Reads them all, so that a checksum over the stream can be finished."""
        left = 0
        while piece := self.read(PIECE_BYTES):
            left += len(piece)
        return left

    def _fill(self, size: int) -> None:
        have = len(self._held) - self._at
        if have >= size or self._ended:
            return
        pieces = [self._held[self._at :]] if have else []
        try:
            while have < size and (piece := self._read()):
                pieces.append(piece)
                have += len(piece)
        except BadFileError as e:
            self._fault = e  # what came before it is taken first
            if not have:
                raise
        self._held, self._at = b"".join(pieces), 0

    def _read(self) -> bytes:
        if self._fault:
            raise self._fault
        began = time.monotonic()
        piece = b"" if self._ended else self.source.read(PIECE_BYTES)
        self.waited += time.monotonic() - began
        self._ended = not piece
        return piece
