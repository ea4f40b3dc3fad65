"""Zip archives: the files in them one after another, each one's lines complete."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, cast

from pipeline.codecs.base import CHUNK_BYTES, Codec, padding_note
from pipeline.codecs.documents import HEAD_BYTES as DOCUMENT_BYTES
from pipeline.codecs.documents import is_clutter, lies_beside
from pipeline.codecs.formats import MAGIC
from pipeline.codecs.stream import BufferedStream, RandomAccess, Readable, random_access_of
from pipeline.codecs.zip_directory import Member, find_directory, members
from pipeline.codecs.zip_members import MemberStream, Source
from pipeline.errors import BadFileError

_SPOOL_BYTES = 16 << 20  # of a stream that cannot be read at any place, what is held in memory
_TOLD = 3  # names, and notes
_NAME_CHARS = 100


class ZipCodec(Codec):
    """zip: members in the order of the directory; folders and empty members left out, and what is no data noted.

    A member may itself be compressed, one layer deep. A member whose last line has no end is given one, so
    that the next does not run into it.
    """

    name = "zip"
    suffixes = (".zip",)
    magic = MAGIC["zip"]

    def chunks(self, stream: Readable) -> Iterator[bytes]:
        with _readable_anywhere(stream) as (buffered, archive):
            yield from read_members(archive, _Places(buffered, archive).at, buffered.notes)
            buffered.count_rest()


def read_members(
    archive: RandomAccess, source_at: Callable[[Member], Source], notes: list[str]
) -> Iterator[bytes]:
    """The raw bytes of all members that hold data, and what is to be noted of the archive.

    `source_at` gives the archive's bytes from a member's local header on; it is asked for one member after another,
    and what it gave before is not used any more. Raises BadFileError.
    """
    directory = find_directory(archive)
    told = _Told()
    try:
        yield from _all_data(members(archive, directory), source_at, told)
    finally:
        notes += told.notes()
    if directory.padding:
        notes.append(padding_note(directory.padding, "zip archive"))


def _all_data(found: Iterator[Member], source_at: Callable[[Member], Source], told: _Told) -> Iterator[bytes]:
    last = b"\n"
    given = False
    member = None
    for member in found:
        if member.is_folder or not member.size:
            continue
        begins = True
        for chunk in _data_of(source_at, member, told):
            if begins and not last.endswith(b"\n"):
                yield b"\n"
            yield chunk
            begins, given, last = False, True, chunk
    if member is None:
        raise BadFileError("the zip archive holds no files")
    if told.passed_over and not given:
        raise BadFileError(f"the zip archive holds no data, only {told.shown()}")


def _data_of(source_at: Callable[[Member], Source], member: Member, told: _Told) -> Iterator[bytes]:
    """A member's bytes as they go out; none of one that is passed over."""
    from pipeline.codecs.detect import HEAD_BYTES, choose_codec  # choose.py knows of zip: a circle otherwise

    if is_clutter(member.name):
        told.pass_over(member.name)
        return
    buffered = BufferedStream(MemberStream(source_at(member), member))
    try:
        if lies_beside(member.name, buffered.peek(DOCUMENT_BYTES)):
            told.pass_over(member.name)
            return
        yield from _one_layer(choose_codec(buffered.peek(HEAD_BYTES), member.name)).decode(buffered)
    except BadFileError as e:
        raise e.within(f"the zip's member {member.name!r}") from e
    told.noted(member.name, buffered.notes)


def _one_layer(codec: Codec) -> Codec:
    if codec.name == ZipCodec.name:
        raise BadFileError("is a zip within a zip; unpack one layer and upload it again", of_the_file=True)
    return codec


@dataclass
class _Told:
    """What is to be told of an archive's members; of many, the first few."""

    passed_over: int = 0
    noted_members: int = 0
    _names: list[str] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)

    def pass_over(self, name: str) -> None:
        self.passed_over += 1
        if len(self._names) < _TOLD:
            self._names.append(_shortened(name))

    def noted(self, name: str, notes: list[str]) -> None:
        self.noted_members += bool(notes)
        if notes and len(self._notes) < _TOLD:
            self._notes.append(f"{_shortened(name)}: {', '.join(notes)}")

    def shown(self) -> str:
        more = self.passed_over - len(self._names)
        return ", ".join(self._names) + (f" and {more:,} more" if more else "")

    def notes(self) -> Iterator[str]:
        if self.passed_over:
            what = "a file that is" if self.passed_over == 1 else f"{self.passed_over:,} files that are"
            yield f"passed over {what} no data: {self.shown()}"
        yield from self._notes
        if more := self.noted_members - len(self._notes):
            yield f"{more:,} more members have such notes"


def _shortened(name: str) -> str:
    return repr(name if len(name) <= _NAME_CHARS else f"{name[:_NAME_CHARS]}…")


@contextmanager
def _readable_anywhere(stream: Readable) -> Generator[tuple[BufferedStream, RandomAccess], None, None]:
    """The stream, to be read in order, and the same bytes to be read at any place."""
    buffered = BufferedStream(stream)
    if archive := random_access_of(stream):
        yield stream if isinstance(stream, BufferedStream) else buffered, archive
        return
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
        while piece := stream.read(CHUNK_BYTES):
            spool.write(piece)
        copy = _Copy(cast("IO[bytes]", spool))
        whole = BufferedStream(copy)
        whole.notes = buffered.notes
        yield whole, copy


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

    def __init__(self, buffered: BufferedStream, archive: RandomAccess) -> None:
        self._buffered = buffered
        self._archive = archive
        self._passed = 0

    def read(self, size: int, /) -> bytes:
        piece = self._buffered.read(size)
        self._passed += len(piece)
        return piece

    def take(self, size: int) -> bytes:
        piece = self._buffered.take(size)
        self._passed += len(piece)
        return piece

    def at(self, member: Member) -> Source:
        if member.at < self._passed:
            return BufferedStream(_From(self._archive, member.at))
        while self._passed < member.at and self.read(min(member.at - self._passed, CHUNK_BYTES)):
            pass
        return self


class _From:
    """An archive's bytes from a place on, as a stream."""

    def __init__(self, archive: RandomAccess, at: int) -> None:
        self._archive = archive
        self._at = at

    def read(self, size: int, /) -> bytes:
        piece = self._archive.read_at(self._at, size)
        self._at += len(piece)
        return piece
