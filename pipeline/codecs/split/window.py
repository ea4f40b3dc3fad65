"""Bytes of a file from one place on: read ahead of who looks at them, and let go of behind."""

from __future__ import annotations

from pipeline.codecs.stream import RandomAccess

READ_BYTES = 4 << 20  # of a request


class Window:
    """What is held of a file: `data`, whose first byte is the file's byte `at`. It ends with the file, or before."""

    def __init__(self, source: RandomAccess, at: int) -> None:
        self._source = source
        self.at = at
        self.data = b""
        self.size = source.length()

    @property
    def stop(self) -> int:
        """The byte of the file behind what is held."""
        return self.at + len(self.data)

    @property
    def at_end(self) -> bool:
        return self.stop >= self.size

    def fill(self) -> bool:
        """Read some more; False at the file's end."""
        piece = b"" if self.at_end else self._source.read_at(self.stop, READ_BYTES)
        self.data += piece
        return bool(piece)

    def need(self, stop: int) -> bool:
        """Whether all bytes up to `stop` are held, once more was read where they were not."""
        while self.stop < stop and self.fill():
            pass
        return self.stop >= stop

    def drop(self, before: int) -> None:
        """Let go of the bytes before a place."""
        if before > self.at:
            self.data = self.data[before - self.at :]
            self.at = before

    def bytes(self, start: int, stop: int) -> bytes:
        """The bytes [start, stop) of the file, of those that are held."""
        return self.data[start - self.at : stop - self.at]
