"""A stream that can be looked into, read exactly, and given bytes back."""

from __future__ import annotations

from typing import Protocol

PIECE_BYTES = 256 * 1024  # compressed bytes asked for at a time: most market files come whole


class Readable(Protocol):
    """What a codec needs of a stream: up to `size` bytes, and none at the end only."""

    def read(self, size: int, /) -> bytes: ...


class Intake:
    """Buffers a stream that may give fewer bytes than were asked for."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
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
        piece = b"" if self._ended else self._stream.read(PIECE_BYTES)
        self._ended = not piece
        return piece
