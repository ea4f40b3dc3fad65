"""bzip2 from any place on: blocks are found by their marks, and proved by their CRCs and the streams'.

The decoder is given a few blocks as a stream of their own, from one mark to another. It checks their CRCs and that the
end stands right behind the last, and so that the mark there is where the block ends. Where it fails, a mark may be
compressed bits that look like one: then the first block is tried alone, up to the next mark and to the one behind it.
"""

from __future__ import annotations

import bz2
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from pipeline.codecs.base import CHUNK_BYTES
from pipeline.codecs.bz2_bits import (
    BLOCK,
    CRC_BITS,
    HEADER_BITS,
    MAGIC,
    MARK_BITS,
    crc_behind,
    marks,
    stream_of,
)
from pipeline.codecs.split.base import Block, Splitter
from pipeline.codecs.split.window import Window
from pipeline.codecs.stream import RandomAccess
from pipeline.cores import usable_cores
from pipeline.errors import BadFileError

_HEADER_BYTES, _MARK_BYTES = HEADER_BITS // 8, 7
_LEVELS = frozenset(b"123456789")
_FALSE_MARKS = 8  # behind each other that may stand in one block: each has odds of 2^-48 a bit
_TOGETHER = 8  # blocks that are decoded as one stream: a decoder for each costs a tenth more
_MOST_TOGETHER = 32 << 20  # raw bytes of them: a block may hold 46 MB
_FAULTS = (OSError, EOFError, ValueError)


@dataclass(frozen=True)
class Bz2Proof:
    """What the CRCs of a row of blocks and streams' ends make. Streams that are wholly within it have been checked.

    blocks, crc  of the blocks up to the first stream's end, or all
    end          the CRC that this end has; None for a row without one
    rest_blocks, rest_crc  of the blocks behind the last end
    """

    blocks: int = 0
    crc: int = 0
    end: int | None = None
    rest_blocks: int = 0
    rest_crc: int = 0

    def then(self, following: Bz2Proof, /) -> Bz2Proof:
        if self.end is None:
            crc = _folded(self.crc, following.blocks, following.crc)
            blocks = self.blocks + following.blocks
            return Bz2Proof(blocks, crc, following.end, following.rest_blocks, following.rest_crc)
        crc = _folded(self.rest_crc, following.blocks, following.crc)
        if following.end is None:
            return Bz2Proof(self.blocks, self.crc, self.end, self.rest_blocks + following.blocks, crc)
        _check_crc(crc, following.end)
        return Bz2Proof(self.blocks, self.crc, self.end, following.rest_blocks, following.rest_crc)

    def check_whole(self) -> None:
        if self.end is None or self.rest_blocks:
            raise BadFileError("the bz2 data has a stream without an end")
        _check_crc(self.crc, self.end)


def _folded(crc: int, blocks: int, following: int) -> int:
    """A stream's CRC once so many blocks follow, whose own, from 0 on, is known: it is rotated by a bit a block."""
    by = blocks % 32
    return ((crc << by | crc >> (32 - by)) & 0xFFFFFFFF) ^ following


def _check_crc(made: int, told: int) -> None:
    if made != told:
        raise BadFileError(f"the bz2 data is corrupt (a stream's CRC is {told:08x}, its blocks' {made:08x})")


class Bz2Splitter(Splitter):
    """bzip2, also of several streams."""

    codec = "bz2"

    def first(self, source: RandomAccess) -> int | None:
        """The bit behind the header."""
        head = source.read_at(0, _HEADER_BYTES)
        return HEADER_BITS if head[:3] == MAGIC and head[3:4] and head[3] in _LEVELS else None

    def blocks(
        self, source: RandomAccess, start: int, until: int, *, singly: bool = False
    ) -> Generator[Block, None, None]:
        """As of any splitter; what stands between two streams or behind the last is for who reads in order."""
        found = _Marks(Window(source, start), until, 1 if singly else _TOGETHER)
        try:
            yield from _contiguous(found)
        finally:
            found.close()


def _contiguous(found: _Marks) -> Iterator[Block]:
    """The blocks and ends, each where the one before ends. The first is the first that decodes."""
    due: int | None = None
    while due is None or due < found.size * 8:
        at = found.next(due)
        if at is None and due is None:
            return  # none begins behind `start`
        if at is None:
            raise BadFileError(f"the bz2 data has no block at bit {due}")
        block = found.end_of(at) if found.is_end else found.block_of()
        if block is not None:
            due = block.end
            yield block
        elif due is not None:
            raise BadFileError(f"the bz2 data is corrupt (no block at bit {due} decodes)")


class _Marks:
    """The marks of a file in order, and the blocks between them, some of which are decoded ahead."""

    def __init__(self, window: Window, until: int, most: int) -> None:
        self._window = window
        self._most = most
        self._until = until * 8
        self._known: deque[tuple[int, int]] = deque()  # marks from the one that is looked at on
        self._searched = window.at  # no mark begins before this byte that is not known
        # Times as many that are decoded at once, before they are asked for: on one core, two take turns at its cache.
        self._threads = len(usable_cores())
        self._ahead: dict[int, Future[Block | None]] = {}  # by the mark they begin with
        self._pool: ThreadPoolExecutor | None = None
        self.size = window.size
        self.is_end = False

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def next(self, due: int | None) -> int | None:
        """The next mark, where it is to be at a place that one; None where there is none."""
        if due is None:
            if self._known:
                self._known.popleft()  # it was none
        else:
            while self._know(1) and self._known[0][0] < due:
                self._ahead.pop(self._known.popleft()[0], None)
        if not self._know(1) or (due is not None and self._known[0][0] != due):
            return None
        at, mark = self._known[0]
        self._window.drop(at >> 3)
        self.is_end = mark != BLOCK
        return at

    def block_of(self) -> Block | None:
        """The block that begins with the mark that is looked at, or several; None where it is no block."""
        at = self._known[0][0]
        if at < self._until:
            self._decode_ahead()
        count = self._together(0)
        future = self._ahead.pop(at, None)
        block = future.result() if future else self._decoded(count, count) if count else None
        if block is None and count > 1:
            block = self._decoded(1, 1)
        for stop in range(2, _FALSE_MARKS + 1):
            if block is not None or not self._know(stop + 1):
                break
            block = self._decoded(1, stop)
        return block

    def end_of(self, at: int) -> Block | None:
        """The stream's end at a mark; None where it is none."""
        window = self._window
        byte = (at + MARK_BITS + CRC_BITS + 7) // 8
        if not window.need(min(byte + _HEADER_BYTES, self.size)) or byte > self.size:
            return None
        header = window.bytes(byte, byte + _HEADER_BYTES)
        opens = header[:3] == MAGIC and header[3:4] != b"" and header[3] in _LEVELS
        if byte != self.size and not opens:
            return None
        stop = byte + _HEADER_BYTES if opens else byte
        if opens and stop == self.size:
            return None  # cut off behind a header
        crc = crc_behind(window.bytes(at >> 3, byte), at & 7)
        return Block(at, at, stop * 8, (), Bz2Proof(end=crc), window.bytes(at >> 3, stop))

    def _know(self, count: int) -> bool:
        """Whether so many marks are known, from the one that is looked at on."""
        window = self._window
        while len(self._known) < count:
            if not window.fill() and self._searched >= window.size - _MARK_BYTES + 1:
                return False
            # A mark that begins in the last bytes may not be wholly there yet.
            sure = window.size if window.at_end else window.stop - _MARK_BYTES + 1
            for bit, mark in marks(window.data, from_byte=self._searched - window.at):
                if window.at + (bit >> 3) < sure:
                    self._known.append((window.at * 8 + bit, mark))
            self._searched = max(self._searched, sure)
        return True

    def _together(self, i: int) -> int:
        """How many blocks from a mark on are decoded as one stream; 0 where none begins there, or ends."""
        count = 0
        while count < self._most and self._know(i + count + 2):
            at, mark = self._known[i + count]
            if mark != BLOCK or (count and at >= self._until):
                break
            count += 1
        return count

    def _decode_ahead(self) -> None:
        """Begin to decode the next blocks, up to the first one behind `until`, in which a range's last line ends: those
        asked for, and as many behind them as there are threads, so that none has to wait while what it made is written.
        """
        i = at = 0
        for _ in range(self._threads + 1):
            if at >= self._until or not self._know(i + 1):
                return
            count = self._together(i)
            at = self._known[i][0]
            if count and at not in self._ahead:
                if self._pool is None:
                    self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="bz2-block")
                self._ahead[at] = self._pool.submit(_decode, *self._cut(i, count, count))
            i += count or 1

    def _decoded(self, count: int, stop: int) -> Block | None:
        """So many blocks from the mark that is looked at, up to another; None where they are none."""
        return _decode(*self._cut(0, count, stop)) if self._know(stop + 1) else None

    def _cut(self, i: int, count: int, stop: int) -> tuple[bytes, list[int], int]:
        """The bytes of blocks, the bits at which they begin, and that at which they end."""
        starts = [at for at, _ in islice(self._known, i, i + count)]
        end = self._known[i + stop][0]
        return self._window.bytes(starts[0] >> 3, (end + 7) >> 3), starts, end


def _decode(data: bytes, starts: list[int], end: int) -> Block | None:
    """The blocks that begin at these bits of a file and go up to another, which `data` holds; None if they do not."""
    first = starts[0] & 7
    base = starts[0] - first
    if end - starts[-1] < MARK_BITS + CRC_BITS:
        return None
    crc = 0
    for start in starts:
        crc = _folded(crc, 1, crc_behind(data, start - base))
    try:
        raw = _decompressed(stream_of(data, first, end - base, crc), len(starts))
    except _FAULTS:
        return None
    stored = data[: (end >> 3) - (starts[0] >> 3)]
    return None if raw is None else Block(starts[0], starts[-1], end, raw, Bz2Proof(len(starts), crc), stored)


def _decompressed(stream: bytes, blocks: int) -> tuple[bytes, ...] | None:
    """Its raw bytes in chunks; None where several blocks hold more than is good to be held together."""
    decoder = bz2.BZ2Decompressor()
    chunks = [decoder.decompress(stream, CHUNK_BYTES)]
    held = 0
    while not decoder.eof:
        if decoder.needs_input:
            raise EOFError
        chunks.append(decoder.decompress(b"", CHUNK_BYTES))
        held += len(chunks[-1])
        if blocks > 1 and held > _MOST_TOGETHER:
            return None
    if decoder.unused_data:
        raise ValueError
    return tuple(filter(None, chunks))
