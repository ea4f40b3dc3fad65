"""What a codec is, and the rules that hold for all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from pipeline.codecs.formats import MAGIC_BYTES, compression_of, refused_format_of
from pipeline.codecs.stream import Readable
from pipeline.errors import BadFileError

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

    def decode(self, stream: Readable) -> Iterator[bytes]:
        """The raw bytes of a whole file, in pieces of at most CHUNK_BYTES, none of them empty.

        Reads to the end of the stream unless the stream is at fault. Raises BadFileError, with a reason that
        says where, also for a file that decodes to nothing and for one that holds a further layer (a .tar.gz,
        a .bz2.gz).
        """
        chunks = filter(None, self.chunks(stream))
        fault = None
        head: list[bytes] = []  # a member of a few bytes may come first: not enough to tell what they begin
        try:
            while sum(map(len, head)) < MAGIC_BYTES:
                head.append(next(chunks))
        except StopIteration:
            pass
        except BadFileError as e:
            fault = e
        start = b"".join(head)[:MAGIC_BYTES]
        if layer := compression_of(start) or refused_format_of(start):
            raise BadFileError(
                f"the {self.name} data holds {layer}, not text; unpack one layer and upload it again"
            )
        while head:
            yield head.pop(0)
        if fault:
            raise fault
        if not start:
            raise BadFileError(f"the {self.name} file decompresses to nothing")
        yield from chunks


class PlainCodec(Codec):
    """Text that is not compressed: passes through as it is."""

    name = "plain"

    def chunks(self, stream: Readable) -> Iterator[bytes]:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
