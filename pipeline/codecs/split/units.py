"""Formats of units that begin at a byte and say how long they are: zstd's frames, and the members of a BGZF gzip.

Each unit is decoded by the codec itself, with all its checks. BGZF is the gzip of genomics, which says the length of
each member in its header: https://samtools.github.io/hts-specs/SAMv1.pdf, section 4.1.
"""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Generator
from typing import ClassVar

import zstandard

from pipeline.codecs.base import Codec
from pipeline.codecs.formats import ZSTD_FRAME, ZSTD_SKIPPABLE
from pipeline.codecs.members import GzipCodec
from pipeline.codecs.split.base import LARGEST_BLOCK, Block, NoProof, Splitter
from pipeline.codecs.split.window import Window
from pipeline.codecs.stream import RandomAccess
from pipeline.codecs.zstd import ZstdCodec
from pipeline.errors import BadFileError

_TOGETHER_BYTES = 1 << 20  # stored bytes of units that are decoded together
_PROBED_BYTES = 16 << 20  # of a file's beginning, in which its first unit has to end


class UnitSplitter(Splitter):
    """A format of units. A subclass tells where a unit ends."""

    decoder: ClassVar[Codec]
    magic: ClassVar[tuple[bytes, ...]]  # what units begin with

    @abstractmethod
    def end_of(self, window: Window, at: int) -> int | None:
        """The byte behind the unit that begins at a byte of the file, by its headers; None where none does."""

    def first(self, source: RandomAccess) -> int | None:
        """The file's first byte, where it begins with a unit, and another follows it within a few megabytes."""
        window = Window(source, 0)
        end = self._end_within(window, 0, _PROBED_BYTES)
        return 0 if end is not None and end < window.size and self._may_begin(window, end) else None

    def blocks(
        self, source: RandomAccess, start: int, until: int, *, singly: bool = False
    ) -> Generator[Block, None, None]:
        window = Window(source, start)
        at = self._find(window)
        while at is not None and at < window.size:
            window.drop(at)
            last, end = at, self._end_within(window, at, LARGEST_BLOCK)
            while end is not None and not singly and end < until and end - at < _TOGETHER_BYTES:
                following = self._end_within(window, end, LARGEST_BLOCK)
                if following is None or following - at > LARGEST_BLOCK:
                    break  # told when it is its turn
                last, end = end, following
            if end is None:
                raise BadFileError(
                    f"the {self.codec} data has no unit at byte {at:,} that is whole, and not too large"
                )
            stored = window.bytes(at, end)
            yield Block(at * 8, last * 8, end * 8, self._decoded(stored), NoProof(), stored)
            at = end

    def _decoded(self, stored: bytes) -> tuple[bytes, ...]:
        chunks, held = [], 0
        for chunk in self.decoder.chunks(io.BytesIO(stored)):
            chunks.append(chunk)
            held += len(chunk)
            if held > LARGEST_BLOCK:
                raise BadFileError(f"the {self.codec} data has a unit of more than {LARGEST_BLOCK >> 20} MiB")
        return tuple(chunks)

    def _find(self, window: Window) -> int | None:
        """The first byte of the window, or behind, at which a unit begins, with another or the file's end behind it."""
        at = self._next_magic(window, window.at)
        while at is not None:
            end = self._end_within(window, at, LARGEST_BLOCK)
            if end is not None and (end == window.size or self._may_begin(window, end)):
                return at
            at = self._next_magic(window, at + 1)
        return None

    def _next_magic(self, window: Window, at: int) -> int | None:
        while True:
            found = [window.data.find(magic, at - window.at) for magic in self.magic]
            places = [place for place in found if place >= 0]
            if places:
                return window.at + min(places)
            at = max(at, window.stop - 3)  # one may have begun
            window.drop(at)
            if not window.fill():
                return None

    def _end_within(self, window: Window, at: int, most: int) -> int | None:
        end = self.end_of(window, at)
        return end if end is not None and end - at <= most and window.need(end) else None

    def _may_begin(self, window: Window, at: int) -> bool:
        window.need(at + 4)
        return window.bytes(at, at + 4).startswith(self.magic)


class BgzfSplitter(UnitSplitter):
    """gzip whose members tell their length, as bgzip writes it; any other gzip is read in order."""

    codec = "gzip"
    decoder = GzipCodec()
    magic = (b"\x1f\x8b\x08\x04",)

    def end_of(self, window: Window, at: int) -> int | None:
        if not window.need(at + 18):
            return None
        head = window.bytes(at, at + 18)
        fields = int.from_bytes(head[10:12], "little")
        if not head.startswith(self.magic) or fields != 6 or head[12:16] != b"BC\x02\x00":
            return None
        return at + int.from_bytes(head[16:18], "little") + 1


class ZstdSplitter(UnitSplitter):
    """zstd of several frames, as pzstd writes it; one large frame is read in order."""

    codec = "zstd"
    decoder = ZstdCodec()
    magic = (ZSTD_FRAME, *ZSTD_SKIPPABLE)

    def end_of(self, window: Window, at: int) -> int | None:
        window.need(at + 18)
        head = window.bytes(at, at + 18)
        if head.startswith(tuple(ZSTD_SKIPPABLE)):
            return at + 8 + int.from_bytes(head[4:8], "little") if len(head) >= 8 else None
        try:
            place = at + zstandard.frame_header_size(head) if head.startswith(ZSTD_FRAME) else None
        except zstandard.ZstdError:
            return None
        last = False
        while place is not None and not last:
            if place - at > LARGEST_BLOCK or not window.need(place + 3):
                return None
            bits = int.from_bytes(window.bytes(place, place + 3), "little")
            last, kind, size = bool(bits & 1), bits >> 1 & 3, bits >> 3
            place = None if kind == 3 or size > 128 * 1024 else place + 3 + (1 if kind == 1 else size)
        return None if place is None else place + (4 if head[4] & 4 else 0)
