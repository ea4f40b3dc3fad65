"""bz2, gzip and xz: a file is one or more compressed streams ("members") one after another.

Each member carries its own end marker and checksum. A file is good when every member has come to its end and
nothing else follows: the standard library's file readers are silent about both. Zeros, line ends and blanks, which
disks, mails and editors leave behind a member, hold nothing that could be lost: they are stepped over, and noted.
"""

from __future__ import annotations

import bz2
import lzma
from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Protocol

from isal import igzip_lib

from pipeline.codecs.base import CHUNK_BYTES, Codec, padding_note
from pipeline.codecs.formats import EXCERPT_BYTES, MAGIC, begins_with
from pipeline.codecs.stream import PADDING, PIECE_BYTES, BufferedStream, Readable
from pipeline.codecs.xz_outline import dictionary_bytes
from pipeline.errors import BadFileError, CutOffError

# What a member is begun with. Members may be tiny, and each gives back what it did not use: a small first
# piece keeps a file of a million members linear. Not smaller than a gzip header (64 KiB of extra field and a
# name), because ISA-L, as of python-isal 1.9.1, misreads a header of several fields that comes in pieces.
_FIRST_BYTES = 128 * 1024
_ISAL_ERROR: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # its stub says an instance
XZ_MEMORY_BYTES = 256 << 20  # xz -9 needs 65 MiB; a hostile header can ask for 4 GiB


class Decoder(Protocol):
    """The decoder of one member, as bz2, lzma and isal.igzip_lib have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class MemberCodec(Codec):
    """Decodes members until the stream ends. A subclass gives the decoder of one."""

    faults: ClassVar[tuple[type[Exception], ...]]  # what the decoder raises when the data is wrong

    @abstractmethod
    def open(self) -> Decoder:
        """A decoder for the next member."""

    def fault(self, error: Exception, head: bytes, raw: int) -> BadFileError:  # noqa: ARG002 - xz looks at it
        """What the decoder's complaint means: `head` is how the member begins, `raw` the bytes before the fault."""
        return BadFileError(f"the {self.name} data is corrupt after {raw:,} unpacked bytes ({error})")

    def skip_padding(self, buffered: BufferedStream) -> int:
        """Step over what may stand after a member; how many bytes of it are worth a note."""
        return buffered.skip(PADDING)

    def chunks(self, stream: Readable) -> Iterator[bytes]:
        buffered = BufferedStream(stream)
        raw = padding = padded = 0
        first = True
        while head := buffered.peek(len(self.magic[0])):
            # A head shorter than the magic is the beginning of a member that was cut off.
            if not any(head.startswith(magic) or magic.startswith(head) for magic in self.magic):
                if first:
                    raise BadFileError(
                        f"is not {self.name}: {begins_with(buffered.peek(EXCERPT_BYTES))}", of_the_file=True
                    )
                raise BadFileError(
                    f"{padding + buffered.count_rest():,} bytes of something else follow the end of the {self.name}"
                )
            for chunk in self._member(buffered, raw):
                raw += len(chunk)
                yield chunk
            padding = self.skip_padding(buffered)
            padded += padding
            first = False
        if padded:
            buffered.notes.append(padding_note(padded, f"{self.name} data"))

    def _member(self, buffered: BufferedStream, raw: int) -> Iterator[bytes]:
        decoder = self.open()
        data = head = buffered.take(_FIRST_BYTES)
        while True:
            try:
                chunk = decoder.decompress(data, CHUNK_BYTES)
            except self.faults as e:
                raise self.fault(e, head, raw) from e
            raw += len(chunk)
            if chunk:
                yield chunk
            if decoder.eof:
                buffered.give_back(len(decoder.unused_data))
                return
            data = b""
            if decoder.needs_input:
                data = buffered.read(PIECE_BYTES)
                if not data:
                    raise CutOffError(f"the {self.name} data is cut off after {raw:,} unpacked bytes")


class Bz2Codec(MemberCodec):
    """bzip2, also of several streams (pbzip2, lbzip2, `cat a.bz2 b.bz2`).

    The standard library's decoder: as fast as others, right on every bad input tried, and free of the GIL.
    """

    name = "bz2"
    suffixes = (".bz2", ".bz", ".bzip2")
    magic = MAGIC["bz2"]
    faults = (OSError, EOFError, ValueError)

    def open(self) -> Decoder:
        return bz2.BZ2Decompressor()


class GzipCodec(MemberCodec):
    """gzip, also of several members. CRC and length are checked."""

    name = "gzip"
    suffixes = (".gz", ".gzip", ".tgz")
    magic = MAGIC["gzip"]
    faults = (_ISAL_ERROR, EOFError, ValueError)

    def open(self) -> Decoder:
        decoder: Decoder = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
        return decoder


class XzCodec(MemberCodec):
    """xz, also of several streams; NULs in fours between and after them are the format's own."""

    name = "xz"
    suffixes = (".xz", ".txz")
    magic = MAGIC["xz"]
    faults = (lzma.LZMAError, EOFError, ValueError)

    def open(self) -> Decoder:
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)

    def fault(self, error: Exception, head: bytes, raw: int) -> BadFileError:
        if "memory" not in str(error).lower():
            return super().fault(error, head, raw)
        limit, dictionary = XZ_MEMORY_BYTES >> 20, dictionary_bytes(head) or 0
        needs = max(dictionary >> 20, limit) + 1  # the decoder's own part is less than a MiB
        return BadFileError(
            f"the xz data needs {'' if dictionary else 'at least '}{needs:,} MiB of memory, for its dictionary, and "
            f"{limit} MiB is the most that is given; compress it again with a smaller one: xz -dc FILE | xz -9 > NEW.xz"
        )

    def skip_padding(self, buffered: BufferedStream) -> int:
        nuls = buffered.skip(b"\0")
        return (nuls if nuls % 4 else 0) + buffered.skip(PADDING)
