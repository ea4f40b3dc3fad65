"""The headers of a tar: how it begins, told by the checksum in its first, whatever format that is of; and the usual
header of a file, read with little CPU.
"""

from __future__ import annotations

import re
import tarfile
from zlib import adler32

HEADER_BYTES = 512
_SUM_AT, _SUM_END = 148, 156
_OCTAL = re.compile(rb"[ 0]*[0-7]+[ \0]*")
_DIGITS = re.compile(rb"0*[0-7]+[ \0]{1,2}")
_FORMATS = frozenset((b"ustar\x0000", tarfile.GNU_MAGIC))
_FILE = b"0"


def usual_file(header: bytes, encoding: str, errors: str) -> tuple[str, int] | None:
    """Name and size of the file that a header begins, as `tarfile` reads them; None where it is not in the form that
    all write.

    It takes a tenth of the time: one worker goes through a tar of small files while the others wait.
    """
    size, told = header[124:136], header[_SUM_AT:_SUM_END]
    if (
        len(header) != HEADER_BYTES
        or header[156:157] != _FILE
        or header[257:265] not in _FORMATS
        or not (_DIGITS.fullmatch(size) and _DIGITS.fullmatch(told))
        or _sum(header) - sum(told) + len(told) * ord(" ") != int(told.rstrip(b" \0"), 8)
    ):
        return None
    name = header[:100].partition(b"\0")[0].decode(encoding, errors)
    if prefix := header[345:500].partition(b"\0")[0]:
        name = f"{prefix.decode(encoding, errors)}/{name}"
    return name, int(size.rstrip(b" \0"), 8)


def _sum(header: bytes) -> int:
    """Of its bytes. Those of ASCII come to less than the number at which the half of Adler-32 that adds begins anew."""
    return (adler32(header) & 0xFFFF) - 1 if header.isascii() else sum(header)


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
