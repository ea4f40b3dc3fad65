"""Files on their way from the listing to who reads them: in packets, so that a million files are thousands of elements.

A packet is what is repeated when reading fails: small enough to be repeated, and for all workers to have some.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from pipeline.uri import Uri

UNKNOWN_SIZE = -1  # of a file that was not listed
PACKET_FILES = 256
PACKET_BYTES = 8 << 20  # of files as they are stored


class ListedFile(NamedTuple):
    """A file as it was listed; of a local one, and of one that was not listed, nobody knows more than the size."""

    uri: str
    size: int = UNKNOWN_SIZE
    generation: int | None = None
    crc32c: str | None = None


def pack(files: Sequence[ListedFile]) -> bytes:
    """Some files in few bytes: about 35 a file of a bucket."""
    common = os.path.commonprefix([file.uri for file in files])  # noqa: RUF071 - of characters is what is meant
    rest = [(file.uri[len(common) :], *file[1:]) for file in files]
    try:
        text = msgspec.json.encode((common, rest))
    except UnicodeEncodeError:  # of a local name that is no text
        text = json.dumps([common, rest], separators=(",", ":")).encode()
    return zlib.compress(text, 1)


def unpack(packet: bytes) -> Iterator[ListedFile]:
    """The files, by URIs of which what they begin with is parsed once."""
    common, rest = json.loads(zlib.decompress(packet))
    start = Uri.parse(common)
    for uri, *about in rest:
        yield ListedFile(start.continued(uri), *about)


class Packer:
    """Puts files into packets, in their order; a large one, and one of which nobody knows how large, is by itself."""

    def __init__(self) -> None:
        self._files: list[ListedFile] = []
        self._bytes = 0

    def add(self, file: ListedFile) -> Iterator[bytes]:
        """Take a file; gives the packet that is full by now, if it is."""
        if file.size == UNKNOWN_SIZE or file.size >= PACKET_BYTES:
            yield pack([file])
            return
        if self._bytes + file.size > PACKET_BYTES:
            yield from self.rest()
        self._files.append(file)
        self._bytes += file.size
        if len(self._files) == PACKET_FILES:
            yield from self.rest()

    def rest(self) -> Iterator[bytes]:
        """The packet that is not full."""
        files, self._files, self._bytes = self._files, [], 0
        if files:
            yield pack(files)
