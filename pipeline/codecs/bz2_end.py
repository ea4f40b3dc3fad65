"""The last block of a bzip2 file, decoded alone: what a file ends with costs the same however large it is."""

from __future__ import annotations

import bz2

from pipeline.codecs.bz2_bits import HEADER_BITS, MAGIC, crc_behind, end_mark, last_mark, stream_of


def last_block(end: bytes, *, is_whole: bool) -> bytes | None:
    """The raw bytes of the last block of a file, by how it ends; all of it where there is no other block.

    `end` is the end of the file, `is_whole` says that it is all of it. None where that does not do: there is no bzip2's
    end, as in a file that is cut off, no block's beginning, or a block that is at fault. Reading it whole says why.
    """
    stop = end_mark(end)
    if stop is None:
        return None
    start = last_mark(end, stop)
    if start is None:
        return None
    try:
        if is_whole and start == HEADER_BITS and end.startswith(MAGIC):
            return bz2.decompress(end)
        return bz2.decompress(stream_of(end, start, stop, crc_behind(end, start)))
    except (OSError, ValueError, EOFError):
        return None
