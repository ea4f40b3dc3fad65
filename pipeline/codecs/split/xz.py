"""xz of several blocks, as `xz -T` writes it: each stream's index says where they are.

https://tukaani.org/xz/xz-file-format.txt. A block is decoded as a stream of its own, with the header of its stream and
an index of it alone: so its check is made, and its sizes are held against those that the index tells.
"""

from __future__ import annotations

import lzma
from collections.abc import Generator
from dataclasses import dataclass
from zlib import crc32

from pipeline.codecs.base import CHUNK_BYTES
from pipeline.codecs.formats import MAGIC
from pipeline.codecs.members import XZ_MEMORY_BYTES
from pipeline.codecs.split.base import LARGEST_BLOCK, Block, NoProof, Splitter
from pipeline.codecs.stream import RandomAccess
from pipeline.codecs.xz_outline import read_number
from pipeline.errors import BadFileError

_HEADER = _FOOTER = 12  # bytes
_FOOTER_MAGIC = b"YZ"
_LARGEST_INDEX = 16 << 20  # of half a million blocks
_FAULTS = (lzma.LZMAError, EOFError, ValueError)


@dataclass(frozen=True)
class _XzBlock:
    """Where a block is, and what follows its stream's blocks if it is the last: `end` is where the next one begins."""

    at: int
    unpadded: int
    raw: int
    flags: bytes
    end: int


class XzSplitter(Splitter):
    """xz of several blocks, in one stream or more."""

    codec = "xz"

    def first(self, source: RandomAccess) -> int | None:
        """The bit behind the header; None for a file of one block, of one that is too large, or with padding."""
        try:
            blocks = _blocks_of(source)
        except BadFileError:
            return None
        large = any(block.raw > LARGEST_BLOCK or block.end - block.at > LARGEST_BLOCK for block in blocks)
        return _HEADER * 8 if len(blocks) > 1 and blocks[0].at == _HEADER and not large else None

    def blocks(
        self,
        source: RandomAccess,
        start: int,
        until: int,  # noqa: ARG002 - none is decoded before it is asked for
        *,
        singly: bool = False,  # noqa: ARG002 - all are
    ) -> Generator[Block, None, None]:
        for block in _blocks_of(source):
            if block.at >= start:
                stored = _read(source, block.at, block.end)
                bit = block.at * 8
                yield Block(bit, bit, block.end * 8, _decoded(block, stored), NoProof(), stored)


def _decoded(block: _XzBlock, stored: bytes) -> tuple[bytes, ...]:
    header = MAGIC["xz"][0] + block.flags + crc32(block.flags).to_bytes(4, "little")
    index = b"\0\x01" + _number(block.unpadded) + _number(block.raw)
    index += bytes(-len(index) % 4)
    index += crc32(index).to_bytes(4, "little")
    tail = (len(index) // 4 - 1).to_bytes(4, "little") + block.flags
    footer = crc32(tail).to_bytes(4, "little") + tail + _FOOTER_MAGIC
    data = header + stored[: block.unpadded + -block.unpadded % 4] + index + footer
    decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)
    chunks = []
    try:
        chunks.append(decoder.decompress(data, CHUNK_BYTES))
        while not decoder.eof:
            if decoder.needs_input:
                raise EOFError
            chunks.append(decoder.decompress(b"", CHUNK_BYTES))
    except _FAULTS as e:
        raise BadFileError(f"the xz data is corrupt in the block at byte {block.at:,} ({e})") from e
    return tuple(filter(None, chunks))


def _blocks_of(source: RandomAccess) -> list[_XzBlock]:
    """The blocks of all streams, by their indexes, from the last to the first. Raises BadFileError."""
    found: list[_XzBlock] = []
    end = following = source.length()
    while end:
        footer = _read(source, end - _FOOTER, end)
        size = (int.from_bytes(footer[4:8], "little") + 1) * 4
        at = end - _FOOTER - size
        if footer[10:] != _FOOTER_MAGIC or crc32(footer[4:10]) != int.from_bytes(footer[:4], "little"):
            raise _unclear("a stream's end")
        records = _records(_read(source, at, at + size) if at >= 0 and size <= _LARGEST_INDEX else b"")
        start = at - sum(unpadded + -unpadded % 4 for unpadded, _ in records)
        header = _read(source, start - _HEADER, start)
        if header[:6] != MAGIC["xz"][0] or header[6:8] != footer[8:10]:
            raise _unclear("a stream's beginning")
        if crc32(header[6:8]) != int.from_bytes(header[8:], "little"):
            raise _unclear("a stream's header")
        places, place = [], start
        for unpadded, raw in records:
            places.append((place, unpadded, raw))
            place += unpadded + -unpadded % 4
        ends = [*(place for place, _, _ in places[1:]), following]
        found[:0] = (
            [_XzBlock(*of, footer[8:10], end) for of, end in zip(places, ends, strict=True)] if places else []
        )
        following = start if places else following
        end = start - _HEADER
    return found


def _records(index: bytes) -> list[tuple[int, int]]:
    """(unpadded, raw) bytes of each block in an index."""
    if len(index) < 8 or index[0] or crc32(index[:-4]) != int.from_bytes(index[-4:], "little"):
        raise _unclear("an index")
    try:
        count, at = read_number(index, 1)
        if count > len(index):
            raise _unclear("an index")
        found = []
        for _ in range(count):
            unpadded, at = read_number(index, at)
            raw, at = read_number(index, at)
            found.append((unpadded, raw))
    except IndexError:
        raise _unclear("an index") from None
    if any(index[at:-4]) or len(index) - 4 - at > 3:
        raise _unclear("an index")
    return found


def _read(source: RandomAccess, start: int, stop: int) -> bytes:
    data = source.read_at(start, stop - start) if 0 <= start <= stop else b""
    if start < 0 or len(data) < stop - start:
        raise _unclear("its outline")
    return data


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*made, value))


def _unclear(what: str) -> BadFileError:
    return BadFileError(f"the xz data is not clear: {what}")
