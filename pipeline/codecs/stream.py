"""A stream that can be looked into, read exactly, and given bytes back."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

PIECE_BYTES = 256 * 1024  # compressed bytes asked for at a time: most market files come whole


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
    source = stream.source if isinstance(stream, Intake) else stream
    return source if isinstance(source, RandomAccess) else None


class Intake:
    """Buffers a stream that may give fewer bytes than were asked for. Attribute: source (that stream)."""

    def __init__(self, stream: Readable) -> None:
        self.source = stream
        self._held = b""
        self._at = 0
        self._ended = False

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

    def skip_nuls(self) -> int:
        """Step over NUL bytes; how many there were."""
        skipped = 0
        while piece := self.take(PIECE_BYTES):
            rest = len(piece.lstrip(b"\0"))
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
        while have < size and (piece := self._read()):
            pieces.append(piece)
            have += len(piece)
        self._held, self._at = b"".join(pieces), 0

    def _read(self) -> bytes:
        piece = b"" if self._ended else self.source.read(PIECE_BYTES)
        self._ended = not piece
        return piece
