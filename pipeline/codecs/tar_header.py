"""The headers of a tar: how it begins, told by the checksum in its first, whatever format that is of; and the usual
header of a file, read with little CPU.
"""

from __future__ import annotations

import re
import tarfile
from typing import Self

HEADER_BYTES = 512
_SUM_AT, _SUM_END = 148, 156
_OCTAL = re.compile(rb"[ 0]*[0-7]+[ \0]*")
_DIGITS = re.compile(rb"0*[0-7]+[ \0]{1,2}")
_FORMATS = frozenset((b"ustar\x0000", tarfile.GNU_MAGIC))
_FILE = b"0"


class Header(tarfile.TarInfo):
    """A header, read as `tarfile` does, in a third of the time where it is a file's in the form that all write.

    Of such a one only name and size are read. One worker goes through a tar of small files while the others wait.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        size, told = buf[124:136], buf[_SUM_AT:_SUM_END]
        if (
            len(buf) != HEADER_BYTES
            or buf[156:157] != _FILE
            or buf[257:265] not in _FORMATS
            or not (_DIGITS.fullmatch(size) and _DIGITS.fullmatch(told))
            or sum(buf) - sum(told) + len(told) * ord(" ") != int(told.rstrip(b" \0"), 8)
        ):
            return super().frombuf(buf, encoding, errors)
        header = cls(buf[:100].partition(b"\0")[0].decode(encoding, errors))
        header.size = int(size.rstrip(b" \0"), 8)
        header.type = _FILE
        if prefix := buf[345:500].partition(b"\0")[0]:
            header.name = f"{prefix.decode(encoding, errors)}/{header.name}"
        return header


def is_tar(head: bytes) -> bool:
    """Whether a file's first HEADER_BYTES are a header of tar whose checksum is right."""
    header = head[:HEADER_BYTES]
    if len(header) < HEADER_BYTES or not _OCTAL.fullmatch(header[_SUM_AT:_SUM_END]):
        return False
    try:
        tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True
