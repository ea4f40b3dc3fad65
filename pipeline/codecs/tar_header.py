"""How a tar begins, told by its first header: by the checksum in it, whatever format it is of."""

from __future__ import annotations

import re
import tarfile

HEADER_BYTES = 512
_SUM_AT, _SUM_END = 148, 156
_OCTAL = re.compile(rb"[ 0]*[0-7]+[ \0]*")


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
