"""What the first block of an xz stream asks for, by its header.

https://tukaani.org/xz/xz-file-format.txt
"""

from __future__ import annotations

_STREAM_HEADER = 12  # bytes
_LZMA2 = 0x21
_LARGEST = 40  # of the numbers that stand for a dictionary's size: 4 GiB - 1


def dictionary_bytes(head: bytes) -> int | None:
    """The size of the dictionary of the first block in a stream; None where its header does not tell."""
    flags = head[_STREAM_HEADER + 1 : _STREAM_HEADER + 2]
    if not flags:
        return None
    at = _STREAM_HEADER + 2
    try:
        for bit in (0x40, 0x80):  # the sizes of the block, packed and not
            if flags[0] & bit:
                _, at = read_number(head, at)
        for _ in range((flags[0] & 3) + 1):
            kind, at = read_number(head, at)
            size, at = read_number(head, at)
            if kind == _LZMA2 and head[at] <= _LARGEST:
                bits = head[at]
                return (1 << 32) - 1 if bits == _LARGEST else (2 | bits & 1) << (bits // 2 + 11)
            at += size
    except IndexError:
        pass
    return None


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at
