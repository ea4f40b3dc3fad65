"""Any archive -> its members: from a zip's directory, a tar's headers, or the headers in a decompressed stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.archives.members import NO_DATA, Member, Outline
from pipeline.archives.tar import tar_members
from pipeline.archives.tar_files import ForwardFile, WindowedFile
from pipeline.codecs import HEAD_BYTES, choose_codec
from pipeline.codecs.documents import is_clutter
from pipeline.codecs.formats import compression_of
from pipeline.codecs.stream import BufferedStream, RandomAccess, Readable
from pipeline.codecs.tar_header import HEADER_BYTES, is_tar
from pipeline.codecs.zip_directory import find_directory
from pipeline.codecs.zip_directory import members as zip_entries
from pipeline.errors import BadFileError

ZIP, TAR = "zip", "tar"


@dataclass
class Scan:
    """The members of one archive, as they are found. Iterate once.

    kind      "zip", "tar", or the codec that the tar is compressed with
    outline   what is told of the archive; whole when the iteration has ended
    forward   of a compressed tar: what its bytes are read from; after each member it stands at that one's first byte
    """

    kind: str
    members: Iterator[Member]
    outline: Outline = field(default_factory=Outline)
    forward: ForwardFile | None = None

    def __iter__(self) -> Iterator[Member]:
        return self.members

    @property
    def is_in_order(self) -> bool:
        """Whether its members can only be read one after another."""
        return self.forward is not None


def scan(stream: Readable, archive: RandomAccess, name: str) -> Scan | None:
    """The members of a file that is an archive by its bytes; None for one that is not.

    `stream` gives its bytes in order, and `archive` any of them. Raises BadFileError where a compressed file is at
    fault before it is known what it holds.
    """
    intake = stream if isinstance(stream, BufferedStream) else BufferedStream(stream)
    head = intake.peek(HEAD_BYTES)
    outline = Outline()
    if is_tar(head):
        return Scan(TAR, tar_members(WindowedFile(archive), outline), outline)
    found = compression_of(head)
    if found == ZIP:
        return Scan(ZIP, _of_zip(archive, outline), outline)
    if found is None:
        return None
    raw = BufferedStream(Chunks(choose_codec(head, name).chunks(intake)))
    if not is_tar(raw.peek(HEADER_BYTES)):
        return None
    forward = ForwardFile(raw)
    return Scan(found, tar_members(forward, outline), outline, forward)


def scan_in_order(stream: Readable, name: str) -> Scan | None:
    """The same of a tar, compressed or not, of which nothing is asked but in order; None for a zip too."""
    intake = stream if isinstance(stream, BufferedStream) else BufferedStream(stream)
    head = intake.peek(HEAD_BYTES)
    found = compression_of(head)
    if found == ZIP or (found is None and not is_tar(head)):
        return None
    raw = intake if found is None else BufferedStream(Chunks(choose_codec(head, name).chunks(intake)))
    if not is_tar(raw.peek(HEADER_BYTES)):
        return None
    outline = Outline()
    forward = ForwardFile(raw)
    return Scan(found or TAR, tar_members(forward, outline), outline, forward)


class Chunks:
    """Pieces that a codec gives, as a stream."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = filter(None, chunks)  # of a stream an empty piece is the end
        self._held = b""

    def read(self, size: int, /) -> bytes:
        held = self._held or next(self._chunks, b"")
        self._held = held[size:]
        return held[:size] if self._held else held


def _of_zip(archive: RandomAccess, outline: Outline) -> Iterator[Member]:
    found = 0
    try:
        directory = find_directory(archive)
        for entry in zip_entries(archive, directory):
            if entry.is_folder:
                continue
            if is_clutter(entry.name):
                outline.told.pass_over(NO_DATA, entry.name)
                continue
            found += 1
            yield Member(entry.name, entry.at, entry.size, entry.packed, entry)
        if directory.padding:
            outline.notes.append(f"has {directory.padding:,} bytes of padding behind its end")
    except BadFileError as e:
        outline.fault = str(e)
    if not found and not outline.fault:
        outline.fault = "the zip archive holds no files"
