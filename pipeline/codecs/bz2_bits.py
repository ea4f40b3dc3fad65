"""A bzip2 file as bits: where its blocks begin, and a stream of its own made of some of them.

A file is "BZh1" to "BZh9", blocks that each begin with 48 bits of pi and the block's CRC-32, then 48 bits of the square
root of pi, the stream's CRC-32, and zeros up to a byte; then perhaps a further stream. Only a header and a stream's end
are sure to end at a byte. Blocks do not depend on each other, so that any of them is a stream once it has a header and
an end: the decoder then checks its CRC, and that the end follows it.

Positions are bits, from the beginning of the bytes that a function is given.
"""

from __future__ import annotations

from collections.abc import Iterator

MAGIC = b"BZh"
HEADER_BITS, MARK_BITS, CRC_BITS = 32, 48, 32
BLOCK, END = 0x314159265359, 0x177245385090
# Raw bytes of a block are 900 kB at the most, which bzip2 makes no larger than this.
LONGEST_BLOCK = 920_000
_MARK_BYTES = 7  # that hold a mark, wherever it begins in the first of them


def _needle(mark: int, shift: int) -> tuple[int, bytes]:
    """Whole bytes of a mark that begins so many bits into a byte, and how far behind its first they are."""
    held = (mark << (8 - shift)).to_bytes(_MARK_BYTES, "big")
    return (1, held[1:6]) if shift else (0, held[:6])


_NEEDLES = {mark: tuple(_needle(mark, shift) for shift in range(8)) for mark in (BLOCK, END)}


def bits(data: bytes, start: int, stop: int) -> int:
    """The bits [start, stop) as a number."""
    first, last = start >> 3, (stop + 7) >> 3
    return int.from_bytes(data[first:last], "big") >> (last * 8 - stop) & ((1 << (stop - start)) - 1)


def marks(data: bytes, *, from_byte: int = 0) -> list[tuple[int, int]]:
    """(position, BLOCK or END) of each mark that is wholly in the data and begins at or behind a byte, in order.

    What looks like one need not be one: compressed bits may say the same.
    """
    return sorted((at, mark) for mark in _NEEDLES for at in _marks(data, mark, from_byte))


def _marks(data: bytes, mark: int, from_byte: int) -> Iterator[int]:
    for shift, (behind, needle) in enumerate(_NEEDLES[mark]):
        at = from_byte + behind - 1
        while (at := data.find(needle, at + 1)) >= 0:
            bit = (at - behind) * 8 + shift
            if bit + MARK_BITS <= len(data) * 8 and bits(data, bit, bit + MARK_BITS) == mark:
                yield bit


def last_mark(data: bytes, stop: int) -> int | None:
    """The position of the last block that begins before `stop`."""
    found = -1
    for shift, (behind, needle) in enumerate(_NEEDLES[BLOCK]):
        at = len(data)
        while (at := data.rfind(needle, max(0, found // 8), at)) >= 0:
            bit = (at - behind) * 8 + shift
            if 0 <= bit < stop and bits(data, bit, bit + MARK_BITS) == BLOCK:
                found = max(found, bit)
                break
    return found if found >= 0 else None


def end_mark(data: bytes) -> int | None:
    """The position of the stream's end with which the data ends."""
    size = (MARK_BITS + CRC_BITS) // 8 + 1
    if len(data) < size:
        return None
    last = int.from_bytes(data[-size:], "big")
    for padding in range(8):
        if last >> (padding + CRC_BITS) & ((1 << MARK_BITS) - 1) == END:
            return len(data) * 8 - padding - CRC_BITS - MARK_BITS
    return None


def crc_behind(data: bytes, mark: int) -> int:
    """The CRC-32 that follows a mark: a block's, or a stream's."""
    return bits(data, mark + MARK_BITS, mark + MARK_BITS + CRC_BITS)


def stream_of(data: bytes, start: int, stop: int, crc: int) -> bytes:
    """A whole stream of the blocks in the bits [start, stop), whose CRC is given: of one block it is the block's."""
    size = stop - start + MARK_BITS + CRC_BITS
    padding = -size % 8
    body = (((bits(data, start, stop) << MARK_BITS | END) << CRC_BITS) | crc) << padding
    return MAGIC + b"9" + body.to_bytes((size + padding) // 8, "big")
