"""The last block of a bzip2 file, decoded alone: what a file ends with costs the same however large it is.

A bzip2 file is a stream of bits: "BZh1" to "BZh9", blocks that each begin with 48 bits of pi and the block's CRC-32,
then 48 bits of the square root of pi, the stream's CRC-32, and zeros up to a byte. Blocks do not depend on each other.
One is decoded as a stream of its own, made of a header, its bits, and an end: so its CRC is checked, and no other's.
"""

from __future__ import annotations

import bz2

# Raw bytes of a block are 900 kB at the most, which bzip2 makes no larger than this.
LONGEST_BLOCK = 920_000
_BLOCK, _END = 0x314159265359, 0x177245385090
_MARK_BITS, _CRC_BITS, _HEADER_BITS = 48, 32, 32
_MAGIC = b"BZh"


def _needle(shift: int) -> tuple[int, bytes]:
    """Whole bytes of a block's mark that begins so many bits into a byte, and how far behind its first they are."""
    mark = (_BLOCK << (8 - shift)).to_bytes(7, "big")
    return (1, mark[1:6]) if shift else (0, mark[:6])


_NEEDLES = tuple(_needle(shift) for shift in range(8))


def last_block(end: bytes, *, is_whole: bool) -> bytes | None:
    """The raw bytes of the last block of a file, by how it ends; all of it where there is no other block.

    `end` is the end of the file, `is_whole` says that it is all of it. None where that does not do: there is no bzip2's
    end, as in a file that is cut off, no block's beginning, or a block that is at fault. Reading it whole says why.
    """
    stop = _end_mark(end)
    if stop is None:
        return None
    start = _last_mark(end, stop)
    if start is None:
        return None
    try:
        if is_whole and start == _HEADER_BITS and end.startswith(_MAGIC):
            return bz2.decompress(end)
        return bz2.decompress(_stream_of(end, start, stop))
    except (OSError, ValueError, EOFError):
        return None


def _end_mark(end: bytes) -> int | None:
    """The bit at which the mark of the stream's end begins."""
    size = (_MARK_BITS + _CRC_BITS) // 8 + 1
    if len(end) < size:
        return None
    last = int.from_bytes(end[-size:], "big")
    for padding in range(8):
        if last >> (padding + _CRC_BITS) & ((1 << _MARK_BITS) - 1) == _END:
            return len(end) * 8 - padding - _CRC_BITS - _MARK_BITS
    return None


def _last_mark(end: bytes, stop: int) -> int | None:
    """The bit at which the last block begins."""
    found = -1
    for shift, (behind, needle) in enumerate(_NEEDLES):
        at = len(end)
        while (at := end.rfind(needle, max(0, found // 8), at)) >= 0:
            bit = (at - behind) * 8 + shift
            if 0 <= bit < stop and _bits(end, bit, bit + _MARK_BITS) == _BLOCK:
                found = max(found, bit)
                break
    return found if found >= 0 else None


def _stream_of(end: bytes, start: int, stop: int) -> bytes:
    """A whole stream of the one block in the bits [start, stop)."""
    crc = _bits(end, start + _MARK_BITS, start + _MARK_BITS + _CRC_BITS)
    size = stop - start + _MARK_BITS + _CRC_BITS
    padding = -size % 8
    bits = (((_bits(end, start, stop) << _MARK_BITS | _END) << _CRC_BITS) | crc) << padding
    return b"BZh9" + bits.to_bytes((size + padding) // 8, "big")


def _bits(data: bytes, start: int, stop: int) -> int:
    """The bits [start, stop) as a number."""
    first, last = start >> 3, (stop + 7) >> 3
    return int.from_bytes(data[first:last], "big") >> (last * 8 - stop) & ((1 << (stop - start)) - 1)
