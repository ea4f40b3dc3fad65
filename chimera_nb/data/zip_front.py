"""The first file of a zip archive, from the archive's beginning.

A zip's directory is at its end. What stands before each file says enough to decode it in order (APPNOTE.TXT
4.3.7, the local file header).
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

from pipeline.errors import BadFileError

_HEADER = struct.Struct("<4sHHHHHLLLHH")
_FILE = b"PK\x03\x04"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZE_FOLLOWS, _UTF8 = 1, 1 << 3, 1 << 11
_IN_EXTRA_FIELD = 0xFFFFFFFF
_PIECE_BYTES = 16 * 1024


class ZipMember:
    """One file's bytes, as a stream that ends where the file or what was read of the archive does.

    Attributes: name; at (the place in the archive that has been read to); asked_beyond (more was asked for than
    was read of the archive).
    """

    def __init__(self, name: str, data: bytes, start: int, size: int | None, method: int) -> None:
        self.name = name
        self.at = start
        self.asked_beyond = False
        self._data = data
        self._end = None if size is None else start + size
        self._inflate: Any = zlib.decompressobj(-zlib.MAX_WBITS) if method == _DEFLATED else None

    def read(self, size: int, /) -> bytes:
        """Up to `size` raw bytes, none at the end only. Raises BadFileError for data that is corrupt."""
        if self._inflate is None:
            return self._stored(size)
        raw = b""
        while not (raw or self._inflate.eof):
            piece = self._inflate.unconsumed_tail or self._stored(_PIECE_BYTES)
            if not piece:
                break
            raw = self._inflated(piece, size)
        return raw

    def _inflated(self, piece: bytes, size: int) -> bytes:
        try:
            raw = self._inflate.decompress(piece, size)
        except zlib.error as e:
            raise BadFileError(f"is corrupt ({e})", of_the_file=True) from e
        self.at -= len(self._inflate.unused_data)
        return raw

    def _stored(self, size: int) -> bytes:
        limit = len(self._data) if self._end is None else min(self._end, len(self._data))
        piece = self._data[self.at : min(self.at + size, limit)]
        self.at += len(piece)
        if not piece and (self._end is None or self._end > len(self._data)):
            self.asked_beyond = True
        return piece


def first_member(data: bytes) -> ZipMember:
    """The first file that holds something, by the first bytes of an archive.

    Folders, empty files and macOS's own are passed over, as a job does. Raises BadFileError, with a reason for
    a person, when there is none within these bytes or it cannot be decoded.
    """
    at = 0
    while data[at : at + 4] == _FILE and at + _HEADER.size <= len(data):
        _, _, flags, method, _, _, _, packed, raw, name_size, extra_size = _HEADER.unpack_from(data, at)
        start = at + _HEADER.size
        name = data[start : start + name_size].decode("utf-8" if flags & _UTF8 else "cp437", "replace")
        start += name_size + extra_size
        known = not flags & _SIZE_FOLLOWS and packed != _IN_EXTRA_FIELD
        passed_over = name.endswith("/") or name.startswith("__MACOSX/") or (known and not raw)
        if passed_over and known:
            at = start + packed
            continue
        if passed_over:
            break
        if flags & _ENCRYPTED:
            raise BadFileError(f"the zip's file {name!r} is encrypted; upload it without a password")
        if method not in (_STORED, _DEFLATED):
            raise BadFileError(
                f"the zip's file {name!r} uses compression method {method}; zip it again with deflate"
            )
        return ZipMember(name, data, start, packed if known else None, method)
    raise BadFileError(f"the first {len(data):,} bytes of the zip archive show no file in it that holds data")
