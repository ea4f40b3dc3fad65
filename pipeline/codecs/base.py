"""What a codec is, and the rules that hold for all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from typing import ClassVar

from pipeline.codecs.documents import HEAD_BYTES, document_of
from pipeline.codecs.formats import compression_of, refused_format_of
from pipeline.codecs.stream import BufferedStream, Readable
from pipeline.codecs.tar_header import is_tar
from pipeline.codecs.transcode import as_utf8, encoding_of
from pipeline.errors import BadFileError, HoldsFilesError

CHUNK_BYTES = 1 << 20  # the most raw bytes that are held at once, whatever the ratio


class Codec(ABC):
    """One way to turn a stream into raw bytes. A subclass gives the class attributes and `chunks`.

    Codecs keep no state: one instance may decode many streams, in many threads.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()  # lower case, with the dot
    magic: ClassVar[tuple[bytes, ...]] = ()  # none: the codec takes whatever it is given

    @abstractmethod
    def chunks(self, stream: Readable) -> Iterator[bytes]:
        """The raw bytes in pieces of at most CHUNK_BYTES. Raises BadFileError where the stream is at fault.

        What could be decoded before a fault is given first, to within one chunk. Errors of `stream.read`
        pass through.
        """

    def decode(self, stream: Readable) -> Generator[bytes, None, None]:
        """The raw bytes of a whole file, in pieces of at most CHUNK_BYTES, none of them empty.

        Reads to the end of the stream unless the stream is at fault. Text in UTF-16 or UTF-32 comes as UTF-8. Raises
        BadFileError, with a reason that says where, also for a file that decodes to nothing, for one that holds a
        further layer (a .bz2.gz) and for one that holds a document, such as an HTML page; HoldsFilesError for a
        compressed tar. What is worth a note of a good one is in the `notes` of a stream that is a BufferedStream, at
        the end.
        """
        chunks = filter(None, self.chunks(stream))
        fault = None
        head: list[bytes] = []  # a member of a few bytes may come first: not enough to tell what they begin
        try:
            while sum(map(len, head)) < HEAD_BYTES:
                head.append(next(chunks))
        except StopIteration:
            pass
        except BadFileError as e:
            fault = e
        start = b"".join(head)[:HEAD_BYTES]
        if is_tar(start):
            raise HoldsFilesError(f"tar in {self.name}")
        if document := document_of(start):
            raise BadFileError(f"the {self.name} data holds {document.name}; {document.remedy}")
        if found := compression_of(start):
            raise BadFileError(
                f"the {self.name} data holds {found}, not text; unpack one layer and upload it again"
            )
        if refused := refused_format_of(start):
            raise BadFileError(
                f"the {self.name} data holds {refused.name}, not text; {refused.within(self.name)}"
            )
        rest = _after(head, fault, chunks)
        encoding = encoding_of(start)
        if encoding and isinstance(stream, BufferedStream):
            stream.notes.append(encoding.note)
        yield from as_utf8(rest, encoding) if encoding else rest
        if not start:
            raise BadFileError(f"the {self.name} file decompresses to nothing")


def _after(head: list[bytes], fault: BadFileError | None, rest: Iterator[bytes]) -> Iterator[bytes]:
    """What was looked at, then its fault, if it had one, or what follows it."""
    while head:
        yield head.pop(0)
    if fault:
        raise fault
    yield from rest


def padding_note(size: int, of: str) -> str:
    """What to note of bytes that say nothing and stand where a format has none."""
    what = "a byte" if size == 1 else f"{size:,} bytes"
    return f"left out {what} of padding (zeros, line ends, blanks) behind the {of}"


class PlainCodec(Codec):
    """Text that is not compressed: passes through as it is."""

    name = "plain"

    def chunks(self, stream: Readable) -> Iterator[bytes]:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
