"""A zip archive's directory, one entry after another: it stands at the archive's end, and may be larger than memory.

APPNOTE.TXT 4.3.12 to 4.3.16 and 4.5.3; what `zipfile` refuses of it is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from pipeline.codecs.documents import may_be_package, package_of
from pipeline.codecs.stream import PADDING, RandomAccess
from pipeline.errors import BadFileError, CutOffError

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_END_SIGN, _END64_SIGN, _LOCATOR64_SIGN, _ENTRY_SIGN = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2"
_MOST_COMMENT = 0xFFFF
_IN_EXTRA_FIELD = 0xFFFFFFFF
_ZIP64_FIELD = 1
_NEWEST_VERSION = 63
_UTF8 = 1 << 11
_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True)
class Directory:
    """Where the entries stand. `base` is where the archive begins: other bytes may stand before it.

    `padding` is how many zeros and line ends follow its end.
    """

    start: int
    size: int
    base: int
    padding: int = 0


@dataclass(frozen=True)
class Member:
    """One entry: sizes in bytes, `at` the place of its local header."""

    stored_name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    at: int

    @property
    def name(self) -> str:
        return self.stored_name.partition("\0")[0]

    @property
    def is_encrypted(self) -> bool:
        return bool(self.flags & 1)

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")


def find_directory(archive: RandomAccess) -> Directory:
    """Read the archive's end. Raises BadFileError, also for bytes that follow it and are no padding."""
    length = archive.length()
    window = min(length, _END.size + _MOST_COMMENT)
    tail = archive.read_at(length - window, window)
    at = tail.rfind(_END_SIGN)
    if at < 0 or len(tail) - at < _END.size:
        raise corrupt("it has no end record")
    *_, size, offset, comment = _END.unpack_from(tail, at)
    extra = len(tail) - at - _END.size - comment
    if extra > 0 and tail[-extra:].strip(PADDING):
        raise BadFileError(f"{extra:,} bytes of something else follow the end of the zip archive")
    if extra < 0:
        raise CutOffError("the zip archive is cut off in the comment at its end")
    end = length - window + at
    if large := _end64(archive, end):
        end, size, offset = large
    start = end - size
    if start < 0 or start < offset:
        raise corrupt("its directory is not where its end record says")
    return Directory(start, size, start - offset, extra)


def members(archive: RandomAccess, directory: Directory) -> Iterator[Member]:
    """The entries, each as it is read. Raises BadFileError, also for the package of an office file."""
    at, end = directory.start, directory.start + directory.size
    held = b""
    while held or at < end:
        piece = archive.read_at(at, min(end - at, _PIECE_BYTES))
        if not piece:
            raise corrupt("its directory is cut off")
        held += piece
        at += len(piece)
        if may_be_package(held):
            _refuse_package(held)
        taken = yield from _members_in(held, directory.base)
        held = held[taken:]


def corrupt(reason: str) -> BadFileError:
    return CutOffError(f"the zip archive is cut off or corrupt ({reason})")


def _refuse_package(held: bytes) -> None:
    if document := package_of(member.name for member in _members_in(held, 0)):
        raise BadFileError(f"is {document.name}; {document.remedy}", of_the_file=True)


def _members_in(held: bytes, base: int) -> Generator[Member, None, int]:
    """The entries that these bytes hold whole; returns the place after the last of them."""
    at = 0
    while at + _ENTRY.size <= len(held):
        (
            sign,
            _,
            version,
            flags,
            method,
            _,
            _,
            crc,
            packed,
            size,
            name_size,
            extra_size,
            comment_size,
            *_,
            where,
        ) = _ENTRY.unpack_from(held, at)
        if sign != _ENTRY_SIGN:
            raise corrupt("an entry of its directory does not begin as one")
        if version & 0xFF > _NEWEST_VERSION:
            raise corrupt(f"it needs version {(version & 0xFF) / 10} of zip")
        start = at + _ENTRY.size
        extra_at = start + name_size
        end = extra_at + extra_size + comment_size
        if end > len(held):
            break
        at = end
        if extra_size:
            size, packed, where = _large(held[extra_at : extra_at + extra_size], size, packed, where)
        name = decode_name(held[start:extra_at], flags)
        yield Member(name, flags, method, crc, packed, size, base + where)
    return at


def decode_name(stored: bytes, flags: int) -> str:
    """A name of the directory or of a local header. Raises BadFileError."""
    try:
        return stored.decode("utf-8" if flags & _UTF8 else "cp437")
    except UnicodeDecodeError as e:
        raise corrupt(f"the name {stored!r} is no UTF-8, which it is said to be") from e


def _end64(archive: RandomAccess, end: int) -> tuple[int, int, int] | None:
    """Where the directory ends, its size and its offset, for an archive too large for the common end record."""
    at = end - _LOCATOR64.size - _END64.size
    records = archive.read_at(at, _END64.size + _LOCATOR64.size) if at >= 0 else b""
    if (
        records[_END64.size : _END64.size + 4] != _LOCATOR64_SIGN
        or len(records) < _END64.size + _LOCATOR64.size
    ):
        return None
    _, disk, _, disks = _LOCATOR64.unpack_from(records, _END64.size)
    if disk or disks > 1:
        raise corrupt("it is one of several; join them")
    sign, *_, size, offset = _END64.unpack_from(records)
    return (at, size, offset) if sign == _END64_SIGN else None


def _large(extra: bytes, size: int, packed: int, where: int) -> tuple[int, int, int]:
    """Sizes and offset, of which the extra field holds those that 32 bits do not."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        if length + 4 > len(extra):
            raise corrupt("an extra field is longer than its entry")
        if kind == _ZIP64_FIELD:
            values = iter(struct.unpack_from(f"<{length // 8}Q", extra, 4))
            try:
                size = next(values) if size == _IN_EXTRA_FIELD else size
                packed = next(values) if packed == _IN_EXTRA_FIELD else packed
                where = next(values) if where == _IN_EXTRA_FIELD else where
            except StopIteration:
                raise corrupt("an extra field lacks a size") from None
        extra = extra[length + 4 :]
    return size, packed, where
