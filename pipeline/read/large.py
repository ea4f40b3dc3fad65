"""A large file that several workers decode: what all of them have to know of it, one range of it, and its record.

Whatever does not add up is no verdict on the file: it is then read in order, as any other, and that says what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from pipeline.codecs import HEAD_BYTES, choose_codec, mismatch
from pipeline.codecs.split import splitter_of
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import BadFileError, StorageError
from pipeline.ledger import FileRecord
from pipeline.progress import tally
from pipeline.read.ranges import Bytes, RangeRead, join_ranges, read_range
from pipeline.read.ratio import is_bomb
from pipeline.read.stopwatch import Stopwatch
from pipeline.read.text_format import text_format
from pipeline.storage import ReadStream, Store
from pipeline.storage.checksum import Crc32c

_FIRST_BYTES = 1  # of a range's stream: it asks for its own


@dataclass(frozen=True)
class LargeFile:
    """What was found out about a file that is decoded by ranges.

    version  which one is read, also of a local file; 0 for none
    size     bytes
    first    the bit at which its first block begins
    head     the bytes before that
    crc32c   of all its bytes, as the store tells; None where it does not
    note     for its record
    """

    uri: str
    version: int
    generation: int | None
    size: int
    codec: str
    first: int
    head: bytes
    crc32c: str | None
    note: str | None


class _Head:
    """A stream from its beginning on, which is left where it is."""

    def __init__(self, stream: ReadStream, size: int) -> None:
        self._stream, self._size, self._at = stream, size, 0

    def read(self, size: int, /) -> bytes:
        piece = self._stream.read_at(self._at, min(size, self._size - self._at))
        self._at += len(piece)
        return piece


class _Timed:
    """Any place of a stream, with a watch on the waiting for it."""

    def __init__(self, stream: ReadStream) -> None:
        self._stream, self.waiting = stream, Stopwatch()

    def length(self) -> int:
        return self._stream.length()

    def read_at(self, start: int, size: int, /) -> bytes:
        with self.waiting:
            return self._stream.read_at(start, size)


class RangeFaultError(Exception):
    """A range cannot be read this way."""


def look_at_large(store: Store, stream: ReadStream, wanted: str = "auto") -> LargeFile | None:
    """What is to be known of a file, which is open, so that it can be decoded by ranges; None if that is no way.

    So it is with another format, with UTF-16, or with anything that is worth an error. The stream stays where it is.
    """
    try:
        return _look(store, stream, wanted)
    except (BadFileError, StorageError):
        return None  # reading it in order says what it is, and waits for the store


def _look(store: Store, stream: ReadStream, wanted: str) -> LargeFile | None:
    size, version = stream.length(), store.look(stream.uri)
    intake = BufferedStream(_Head(stream, size))
    start = intake.peek(HEAD_BYTES)
    codec = choose_codec(start, stream.uri, wanted)
    splitter = splitter_of(codec.name)
    first = splitter.first(stream) if splitter else None
    if first is None or version.size != size or stream.generation not in {None, version.generation}:
        return None
    with closing(codec.decode(intake)) as chunks:
        raw = next(chunks)
    if intake.notes:
        return None
    looks = text_format(raw[:HEAD_BYTES])
    notes = [note for note in (mismatch(codec, stream.uri), looks and looks.note) if note]
    return LargeFile(
        stream.uri,
        version.generation,
        stream.generation,
        size,
        codec.name,
        first,
        start[: first // 8],
        version.crc32c,
        "; ".join(notes) or None,
    )


class RangeReader:
    """Reads one range of a large file into lines.

    write     is given them in pieces
    told      is given the stored and raw bytes of each piece that was read; both below 0 where they are taken back
    """

    def __init__(
        self,
        store: Store,
        file: LargeFile,
        write: Callable[[bytes], Any],
        max_ratio: int,
        told: Callable[[int, int], Any] = lambda _stored, _raw: None,
    ) -> None:
        self._store, self._file, self._max_ratio = store, file, max_ratio
        self._write, self._told = write, told
        self._stored = self._raw = 0  # bytes that were counted

    def read(self, start: int, stop: int, claim: Callable[[int], int]) -> RangeRead | None:
        """The bytes [start, stop), or as many of them as `claim` gives; None where no block begins there.

        Raises RangeFaultError where the file cannot be read this way; an error of `write` passes through.
        """
        file = self._file
        splitter = splitter_of(file.codec)
        if splitter is None:
            raise RangeFaultError(f"{file.codec} has no blocks that are known")
        try:
            with self._store.open_read(file.uri, first_bytes=_FIRST_BYTES) as stream:
                self._check_version(stream)
                source = _Timed(stream)
                found = read_range(
                    splitter,
                    source,
                    (start, stop),
                    claim,
                    self._written,
                    first=file.first,
                    max_ratio=self._max_ratio,
                    progress=self._count,
                )
                self._check_version(stream)
        except (BadFileError, StorageError) as e:
            self._count_nothing()
            raise RangeFaultError(str(e)) from e
        except _WriteError as e:
            self._count_nothing()
            raise e.error from None
        return found and replace(found, wire_seconds=source.waiting.seconds)

    def _written(self, piece: bytes) -> None:
        try:
            self._write(piece)
        except StorageError as e:
            raise _WriteError(e) from e

    def _count(self, stored: int, raw: int) -> None:
        self._stored, self._raw = self._stored + stored, self._raw + raw
        tally("read-bytes", stored)
        tally("raw-bytes", raw)
        self._told(stored, raw)

    def _count_nothing(self) -> None:
        """What follows counts the same bytes again."""
        self._count(-self._stored, -self._raw)

    def _check_version(self, stream: ReadStream) -> None:
        file = self._file
        if stream.length() != file.size or self._store.look(file.uri).generation != file.version:
            raise BadFileError("is another by now", of_the_file=True)


class _WriteError(Exception):
    """The target's error, which is not the file's."""

    def __init__(self, error: StorageError) -> None:
        self.error = error


def record_of(file: LargeFile, ranges: Iterable[RangeRead], max_ratio: int) -> tuple[FileRecord, RangeRead]:
    """The record of a file whose ranges are all of it, but for where its lines are, and what they make together.

    Raises BadFileError where they are not.
    """
    whole = join_ranges(ranges, file.first, file.size)
    head = Crc32c()
    head.update(file.head)
    stored = Bytes(len(file.head), str(head)).then(whole.stored)
    if stored.size != file.size or file.crc32c not in {None, stored.crc32c}:
        raise BadFileError("its bytes are not those that the store tells of")
    if not whole.raw:
        raise BadFileError("decompresses to nothing")
    if is_bomb(whole.raw, file.size, max_ratio):
        raise BadFileError("holds more than it may for its size", of_the_file=True)
    record = FileRecord(
        file.uri,
        "complete",
        generation=file.generation,
        size=file.size,
        codec=file.codec,
        raw_bytes=whole.raw,
        lines=whole.lines,
        output_bytes=whole.output.size,
        crc32c=stored.crc32c,
        note=file.note,
        seconds=round(whole.seconds, 3),
        wire_seconds=round(whole.wire_seconds, 3),
        output_crc32c=whole.output.crc32c,
    )
    return record, whole
