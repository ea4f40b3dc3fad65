"""Files on their way from the listing to who reads them: in packets, so that a million files are thousands of elements.

A packet is what is repeated when reading fails: small enough to be repeated, and for all workers to have some.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Sequence

import msgspec

from pipeline.uri import Uri

UNKNOWN_SIZE = -1  # of a file that was not listed
PACKET_FILES = 256
PACKET_BYTES = 8 << 20  # of files as they are stored


class ListedFile(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was listed; of a local one, and of one that was not listed, nobody knows more than the size."""

    uri: str
    size: int = UNKNOWN_SIZE
    generation: int | None = None
    crc32c: str | None = None


_decode = msgspec.json.Decoder(tuple[str, list[ListedFile]]).decode


def pack(files: Sequence[ListedFile]) -> bytes:
    """Some files in few bytes: about 35 a file of a bucket."""
    common = os.path.commonprefix([file.uri for file in files])  # noqa: RUF071 - characters are meant
    beyond = len(common)
    rest = [(file.uri[beyond:], file.size, file.generation, file.crc32c) for file in files]
    try:
        text = msgspec.json.encode((str(common), rest))
    except UnicodeEncodeError:  # of a local name that is no text
        text = json.dumps([common, rest], separators=(",", ":")).encode()
    return zlib.compress(text, 1)


def unpack(packet: bytes) -> Iterator[ListedFile]:
    """The files, by URIs of which what they begin with is parsed once."""
    text = zlib.decompress(packet)
    try:
        common, rest = _decode(text)
    except msgspec.DecodeError:  # of a local name that is no text
        common, others = json.loads(text)
        rest = [ListedFile(*values) for values in others]
    start = Uri.parse(common)
    for file in rest:
        yield ListedFile(start.continued(file.uri), file.size, file.generation, file.crc32c)


class Packer:
    """Puts files into packets, in their order; a large one, and one of which nobody knows how large, is by itself."""

    def __init__(self) -> None:
        self._files: list[ListedFile] = []
        self._bytes = 0

    def add(self, file: ListedFile) -> Sequence[bytes]:
        """Take a file; gives the packets that are full by now."""
        size = file.size
        if size == UNKNOWN_SIZE or size >= PACKET_BYTES:
            return (pack([file]),)
        full: Sequence[bytes] = self.rest() if self._bytes + size > PACKET_BYTES else ()
        self._files.append(file)
        self._bytes += size
        return full if len(self._files) < PACKET_FILES else (*full, *self.rest())

    def rest(self) -> Sequence[bytes]:
        """The packet that is not full."""
        files, self._files, self._bytes = self._files, [], 0
        return (pack(files),) if files else ()
