"""One member of a zip: its raw bytes, from the archive's bytes at its local header on.

What is said here of names, sizes and checksums is the directory's word: a local header may leave sizes to what follows
the data, or have none (streamed archives, zip64).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Protocol

from pipeline.codecs.stream import PIECE_BYTES, Readable
from pipeline.codecs.zip_directory import Member, decode_name
from pipeline.codecs.zip_methods import check_method, decompressed
from pipeline.errors import BadFileError, CutOffError

_HEADER = struct.Struct("<4s5H3L2H")
_HEADER_SIGN = b"PK\3\4"
_PATCHED, _STRONGLY_ENCRYPTED = 1 << 5, 1 << 6


class Source(Readable, Protocol):
    """An archive's bytes from one place on."""

    def take(self, size: int) -> bytes:
        """So many of the next bytes; fewer at the end only."""


class MemberStream:
    """A member's raw bytes, as a stream. Nothing is read before the first `read`.

    `source` stands at the member's local header. `read` raises BadFileError, whose text goes on from the member's
    name; at the end, too, where the bytes have not the directory's CRC-32.
    """

    def __init__(self, source: Source, member: Member) -> None:
        # Codecs may give empty pieces; of a stream an empty one is the end.
        self._raw = filter(None, _proved(source, member))
        self._held = b""

    def read(self, size: int, /) -> bytes:
        if not self._held:
            self._held = next(self._raw, b"")
        if len(self._held) <= size:
            piece, self._held = self._held, b""
        else:
            piece, self._held = self._held[:size], self._held[size:]
        return piece


def _proved(source: Source, member: Member) -> Iterator[bytes]:
    _check(member)
    _pass_header(source, member)
    packed = _Packed(source, member.packed)
    crc = size = 0
    for raw in decompressed(packed, member.method, member.size):
        crc = zlib.crc32(raw, crc)
        size += len(raw)
        yield raw
    if packed.ended_early or (size < member.size and (crc != member.crc or not size)):
        raise CutOffError(
            f"is cut off or corrupt (it ends after {size:,} of {member.size:,} unpacked bytes)",
            of_the_file=True,
        )
    if crc != member.crc:
        raise CutOffError("is cut off or corrupt (Bad CRC-32: not that of the directory)", of_the_file=True)


def _check(member: Member) -> None:
    if member.is_encrypted:
        raise BadFileError("is encrypted; upload it without a password", of_the_file=True)
    check_method(member.method)
    if member.flags & (_PATCHED | _STRONGLY_ENCRYPTED):
        raise CutOffError(
            "is cut off or corrupt (it is patched data or strongly encrypted)", of_the_file=True
        )


def _pass_header(source: Source, member: Member) -> None:
    """Step over what stands before a member's data, once it agrees with the directory."""
    header = source.take(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(_HEADER_SIGN):
        raise CutOffError(
            "is cut off or corrupt (it does not begin where the directory says)", of_the_file=True
        )
    _, _, flags, *_, name_size, extra_size = _HEADER.unpack(header)
    name = decode_name(source.take(name_size), flags)
    source.take(extra_size)
    if name != member.stored_name:
        raise CutOffError(f"is cut off or corrupt (it is named {name!r} where it begins)", of_the_file=True)


class _Packed:
    """A member's data as it is stored. Attribute: ended_early (the archive ended within it)."""

    def __init__(self, source: Readable, size: int) -> None:
        self._source = source
        self._left = size
        self.ended_early = False

    def read(self, size: int, /) -> bytes:
        wanted = min(size, self._left, PIECE_BYTES)
        piece = self._source.read(wanted) if wanted else b""
        self._left -= len(piece)
        self.ended_early = self.ended_early or (bool(wanted) and not piece)
        return piece
