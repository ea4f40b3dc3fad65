"""Zip archives: the files in them one after another, each one's lines complete."""

from __future__ import annotations

import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import IO, Any, TypeVar, cast

from pipeline.codecs.base import CHUNK_BYTES, Codec
from pipeline.codecs.formats import MAGIC
from pipeline.codecs.stream import Intake, RandomAccess, Readable, random_access_of
from pipeline.codecs.zip_directory import Member, decode_name, find_directory, members
from pipeline.errors import BadFileError, ChimeraError, CutOffError

_SPOOL_BYTES = 16 << 20  # of a stream that cannot be read at any place, what is held in memory
_HEADER = struct.Struct("<4s5H3L2H")
_HEADER_SIGN = b"PK\3\4"
_ENCRYPTED, _PATCHED, _STRONGLY_ENCRYPTED = 1, 1 << 5, 1 << 6
# zipfile decodes bzip2 and lzma members without a bound: a few kilobytes of them can fill the memory.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
_T = TypeVar("_T")


class ZipCodec(Codec):
    """zip: members in the order of the directory; folders, empty members and macOS's own left out.

    A member may itself be compressed, one layer deep. A member whose last line has no end is given one, so
    that the next does not run into it.
    """

    name = "zip"
    suffixes = (".zip",)
    magic = MAGIC["zip"]

    def chunks(self, stream: Readable) -> Iterator[bytes]:
        with _readable_anywhere(stream) as (intake, archive):
            places = _Places(intake, archive)
            last = b"\n"
            found = members(archive, find_directory(archive))
            first = next(found, None)
            if first is None:
                raise BadFileError("the zip archive holds no files")
            for member in chain((first,), found):
                if member.name.endswith("/") or not member.size or member.name.startswith("__MACOSX/"):
                    continue
                if not last.endswith(b"\n"):
                    yield b"\n"
                for last in _member(places, member):
                    yield last
            intake.count_rest()


@contextmanager
def _readable_anywhere(stream: Readable) -> Generator[tuple[Intake, RandomAccess], None, None]:
    """The stream, to be read in order, and the same bytes to be read at any place."""
    if archive := random_access_of(stream):
        yield stream if isinstance(stream, Intake) else Intake(stream), archive
        return
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
        while piece := stream.read(CHUNK_BYTES):
            spool.write(piece)
        copy = _Copy(cast("IO[bytes]", spool))
        yield Intake(copy), copy


class _Copy:
    """A stream's bytes in a temporary file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._length = file.seek(0, 2)
        self._at = 0

    def length(self) -> int:
        return self._length

    def read_at(self, start: int, size: int, /) -> bytes:
        self._file.seek(start)
        return self._file.read(size)

    def read(self, size: int, /) -> bytes:
        piece = self.read_at(self._at, size)
        self._at += len(piece)
        return piece


class _Places:
    """The bytes from a place on: of the stream that is read in order, as long as that has not passed the place.

    Members mostly stand in the order of the directory. Then each byte is asked for once, and counts in the
    checksum of the whole.
    """

    def __init__(self, intake: Intake, archive: RandomAccess) -> None:
        self._intake = intake
        self._archive = archive
        self._passed = 0

    def read(self, size: int, /) -> bytes:
        piece = self._intake.read(size)
        self._passed += len(piece)
        return piece

    def take(self, size: int) -> bytes:
        piece = self._intake.take(size)
        self._passed += len(piece)
        return piece

    def at(self, place: int) -> _Places | Intake:
        if place < self._passed:
            return Intake(_From(self._archive, place))
        while self._passed < place and self.read(min(place - self._passed, CHUNK_BYTES)):
            pass
        return self


class _From:
    """An archive's bytes from a place on."""

    def __init__(self, archive: RandomAccess, at: int) -> None:
        self._archive = archive
        self._at = at

    def read(self, size: int, /) -> bytes:
        piece = self._archive.read_at(self._at, size)
        self._at += len(piece)
        return piece


def _member(places: _Places, member: Member) -> Iterator[bytes]:
    what = f"the zip's member {member.name!r}"
    if member.flags & _ENCRYPTED:
        raise BadFileError(f"{what} is encrypted; upload it without a password")
    if member.method not in _METHODS:
        raise BadFileError(f"{what} uses compression method {member.method}; zip it again with deflate")
    with _faults(what, lambda: _open(places.at(member.at), member)) as file:
        try:
            yield from _decoded(Intake(_MemberStream(file, what)), member.name)
        except BadFileError as e:
            text = str(e)
            raise BadFileError(text if text.startswith(what) else f"{what}: {text}") from e


def _open(archive: _Places | Intake, member: Member) -> IO[bytes]:
    """The member's raw bytes, once what stands before them agrees with the directory."""
    header = archive.take(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(_HEADER_SIGN):
        raise zipfile.BadZipFile("it does not begin where the directory says")
    _, _, flags, *_, name_size, extra_size = _HEADER.unpack(header)
    name = decode_name(archive.take(name_size), flags)
    archive.take(extra_size)
    if name != member.stored_name:
        raise zipfile.BadZipFile(f"it is named {name!r} where it begins")
    if member.flags & (_PATCHED | _STRONGLY_ENCRYPTED):
        raise NotImplementedError("it is patched data or strongly encrypted")
    info = zipfile.ZipInfo(member.stored_name)
    info.compress_type, info.compress_size = member.method, member.packed
    info.file_size, info.CRC = member.size, member.crc
    return cast("IO[bytes]", zipfile.ZipExtFile(cast("Any", archive), "r", info))


def _decoded(intake: Intake, name: str) -> Iterator[bytes]:
    from pipeline.codecs.detect import HEAD_BYTES, choose_codec  # choose.py knows of zip: a circle otherwise

    codec = choose_codec(intake.peek(HEAD_BYTES), name)
    if codec.name == ZipCodec.name:
        raise BadFileError("is a zip within a zip; unpack one layer and upload it again", of_the_file=True)
    return codec.decode(intake)


class _MemberStream:
    """One member's bytes; zipfile checks the CRC as the last of them are read."""

    def __init__(self, file: IO[bytes], what: str) -> None:
        self._file = file
        self._what = what

    def read(self, size: int, /) -> bytes:
        return _faults(self._what, lambda: self._file.read(size))


def _faults(what: str, read: Callable[[], _T]) -> _T:
    """What `read` gives, with zipfile's many kinds of complaint made one."""
    try:
        return read()
    except ChimeraError:
        raise  # the store's, or one that says what is wrong already
    except _FAULTS as e:
        raise CutOffError(f"{what} is cut off or corrupt ({e})") from e
