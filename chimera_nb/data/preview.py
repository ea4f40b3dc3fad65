"""Look inside a file: its first records from one ranged request, whatever its size.

    found = preview("gs://history/ADVANCED/2016/Jan/1/29614797/1.167210123.bz2")
    found.lines             the whole lines that could be decoded
    found.estimated_lines   of the whole file, from the ratio of what was read

The tree of a line is in `chimera_nb.data.json_tree`, the table of all in `chimera_nb.data.frames`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice

from chimera_nb.arguments import AnyPath, path_text, whole_number
from chimera_nb.data.no_file import file_wanted
from chimera_nb.session import Session
from pipeline.archives.scan import ZIP
from pipeline.codecs import HEAD_BYTES, Codec, choose_codec, mismatch
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import BadFileError, ChimeraError, CutOffError, HoldsFilesError
from pipeline.read.text_format import text_format
from pipeline.storage import ReadStream, Store
from pipeline.uri import Uri

MAX_BYTES = 256_000
_PIECE_BYTES = 1 << 20  # what is asked for at once is allocated at once
_RAW_BYTES = 32 << 20  # the most that is decoded: few bytes may hold very many
_FILES_TRIED = 20  # of an archive, for one that can be shown
_OF_SEVERAL = "the first file of data in the archive:"
_BZ2_BLOCK = bytes.fromhex("314159265359")


@dataclass(frozen=True)
class Preview:
    """What the first bytes of one file tell.

    size                 bytes, as stored
    codec                None when it cannot be told
    lines                the whole lines that could be decoded, without their ends
    read_bytes           stored bytes that were read; raw_bytes came of them
    estimated_raw_bytes, estimated_lines
                         of the whole file: exact where `complete`, None where nothing can be said
    complete             all of the file was read, and it is good
    problem              why the file, or what was read of it, is broken or not what its name says; the last
                         lines may then be garbage, for a format's checksum comes after what it is of
    problem_sentence     the same as a sentence of its own
    note                 what is worth saying of a good one
    holds_files          it is an archive, of which no file of data could be shown
    """

    uri: str
    size: int
    codec: str | None
    lines: tuple[bytes, ...]
    read_bytes: int
    raw_bytes: int
    estimated_raw_bytes: int | None
    estimated_lines: int | None
    complete: bool
    problem: str | None = None
    problem_sentence: str | None = None
    note: str | None = None
    holds_files: bool = False


def preview(
    uri: AnyPath, *, max_bytes: int = MAX_BYTES, store: Store | None = None, session: Session | None = None
) -> Preview:
    """Read the first bytes of the object or file `uri`, at most `max_bytes` of them, in one request.

    A file that ends beyond what was read is not broken for that; a fault within it is a `problem`, never an
    exception. Of an archive the first file of data is shown, under its own URI and with a note; that takes further
    requests. The others are looked into by their own names, which `list_folder` gives of `ARCHIVE!/`.
    `store` is that of the session where it is left out, and the session one of its own. Raises RefusedError for a
    folder and for a glob, StorageError for what cannot be read at all, and StackError without a stack.
    """
    uri, max_bytes = path_text(uri), min(whole_number(max_bytes, "max_bytes", 1), sys.maxsize)
    store = store or (session or Session()).store_for(uri)
    with file_wanted(store, uri), store.open_read(uri, first_bytes=max_bytes) as stream:
        data = _first_bytes(stream, max_bytes)
        shown = preview_bytes(uri, data, max(stream.length(), len(data)))
    if shown.holds_files and (first := _first_in(store, uri, max_bytes)):
        return first
    return shown


def _first_in(store: Store, uri: str, max_bytes: int) -> Preview | None:
    """The preview of an archive's first file of data; None where there is none to be shown."""
    folder = Uri.parse(uri).of("")
    try:
        for entry in islice(store.list_objects(folder), _FILES_TRIED):
            with store.open_read(entry.uri, first_bytes=max_bytes) as stream:
                data = _first_bytes(stream, max_bytes)
                found = preview_bytes(entry.uri, data, max(stream.length(), len(data)))
            if found.lines and not found.problem:
                name = entry.uri.removeprefix(folder)
                return replace(found, note="; ".join(filter(None, (f"{_OF_SEVERAL} {name}", found.note))))
    except ChimeraError:
        pass  # what is wrong with the archive is told by whoever opens it
    return None


def _first_bytes(stream: ReadStream, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := stream.read(min(size - len(data), _PIECE_BYTES))):
        data += piece
    return data


def preview_bytes(uri: str, data: bytes, size: int) -> Preview:
    """The same, of bytes that are at hand: the first of a file of that size."""
    front = _Front(uri, data, size)
    front.decode()
    raw = b"".join(front.chunks)
    *lines, rest = raw.split(b"\n")
    if front.complete and rest:
        lines.append(rest)
    estimated = None
    if front.complete:
        estimated = len(raw)
    elif raw and not front.problem:
        estimated = round(len(raw) * size / front.used_bytes())
    ended = raw.count(b"\n")
    guessed = round(ended * estimated / len(raw)) if estimated and ended else None
    return Preview(
        uri=uri,
        size=size,
        codec=front.codec.name if front.codec else None,
        lines=tuple(lines),
        read_bytes=len(data),
        raw_bytes=len(raw),
        estimated_raw_bytes=estimated,
        estimated_lines=len(lines) if front.complete else guessed,
        complete=front.complete,
        problem=front.problem,
        problem_sentence=front.problem_sentence,
        note="; ".join(_notes(front, lines, raw)) or None,
        holds_files=front.holds_files,
    )


class _Prefix:
    """The first bytes of a file, as the stream that a codec reads."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0
        self.asked_beyond = False

    def read(self, size: int, /) -> bytes:
        piece = self._data[self.at : self.at + size]
        self.at += len(piece)
        self.asked_beyond = self.asked_beyond or not piece
        return piece


@dataclass
class _Front:
    """The decoding of a file's first bytes."""

    uri: str
    data: bytes
    size: int
    codec: Codec | None = None
    chunks: list[bytes] = field(default_factory=list)
    problem: str | None = None
    problem_sentence: str | None = None
    notes: list[str] = field(default_factory=list)
    holds_files: bool = False  # it is an archive
    stopped: bool = False  # at _RAW_BYTES
    _used: int | None = None  # stored bytes that `chunks` came of, where that is known

    @property
    def whole(self) -> bool:
        """Whether nothing is left that was not looked at."""
        return len(self.data) == self.size

    @property
    def complete(self) -> bool:
        return self.whole and not self.problem and not self.stopped

    def decode(self) -> None:
        """Fill in the rest, as far as the bytes go."""
        try:
            self.codec = choose_codec(self.data[:HEAD_BYTES], self.uri)
            if note := mismatch(self.codec, self.uri):
                self.notes.append(note)
            if self.codec.name == ZIP:
                raise HoldsFilesError(ZIP)
            prefix = _Prefix(self.data)
            self._take(self.codec, BufferedStream(prefix), prefix)
            if self.stopped:
                self._used = prefix.at
        except BadFileError as e:
            self.problem, self.problem_sentence = str(e), e.sentence
            self.holds_files = isinstance(e, HoldsFilesError)

    def used_bytes(self) -> int:
        """The stored bytes that the raw ones came of, for the ratio.

        A bz2 block gives nothing before it is whole, so the part of one at the end does not count.
        """
        if self._used is None and self.codec and self.codec.name == "bz2":
            self._used = _last_bz2_block(self.data)
        return self._used or len(self.data)

    def _take(self, codec: Codec, buffered: BufferedStream, source: _Prefix) -> None:
        raw = 0
        try:
            with closing(codec.decode(buffered)) as chunks:
                for chunk in chunks:
                    self.chunks.append(chunk)
                    raw += len(chunk)
                    if raw >= _RAW_BYTES:
                        self.stopped = True
                        return
        except CutOffError:
            if self.whole or not source.asked_beyond:
                raise
        finally:
            self.notes += buffered.notes


def _last_bz2_block(data: bytes) -> int:
    """Where the last block begins, to the byte; 0 if there is one block only. Blocks begin at any bit."""
    number = int.from_bytes(data, "big")
    found = (((number >> shift).to_bytes(len(data), "big")).rfind(_BZ2_BLOCK) for shift in range(8))
    last = max(found)
    return last if last > len("BZh9") else 0


def _notes(front: _Front, lines: list[bytes], raw: bytes) -> Iterator[str]:
    yield from front.notes
    if front.problem:
        return
    if found := text_format(raw):
        yield found.note
    elif not lines and (not front.notes or not raw):
        yield _nothing_whole(front, len(raw))


def _nothing_whole(front: _Front, raw_bytes: int) -> str:
    if raw_bytes:
        return f"its first line is longer than the {raw_bytes:,} unpacked bytes that were read"
    name = front.codec.name if front.codec else "file"
    return f"its first {len(front.data):,} bytes hold no whole {name} block, so nothing can be shown of it"
