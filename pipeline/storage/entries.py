"""What a listing gives, and what a stream is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Self

import msgspec

from pipeline.closes import Closes
from pipeline.errors import StorageError, TransferError
from pipeline.storage.checksum import Crc32c
from pipeline.uri import Uri

_REST_BYTES = 1 << 20


class Entry(msgspec.Struct, frozen=True, order=True):  # a dataclass takes eight times as long to make
    """One object or file as it is listed. Size in bytes; updated in RFC 3339; a local file has no generation."""

    uri: str
    size: int
    generation: int | None = None
    crc32c: str | None = None
    updated: str | None = None


def in_pages(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Entries as they come, some at a time."""
    entries = iter(entries)
    while page := list(islice(entries, 1000)):
        yield page


@dataclass(frozen=True)
class ListingPage:
    """Some of what stands in a folder: URIs of folders, each ending in "/", and objects."""

    folders: tuple[str, ...]
    objects: tuple[Entry, ...]


@dataclass(frozen=True, order=True)
class Version:
    """An object as it stands at one moment: what a change can be made to depend on.

    Its generation is another after each change, also for a local file, and never 0: that stands for no object. Of a
    local file neither the CRC-32C is known, nor the owner: the job that wrote it.
    """

    uri: str
    generation: int
    size: int  # bytes
    crc32c: str | None = None
    owner: str | None = None


class ReadStream(Closes):
    """An object's stored bytes in order, with the checksum of what has been read.

    Attributes: uri; generation (None for a local file); size (bytes read so far); crc32c (of those bytes).
    """

    def __init__(self, uri: Uri, generation: int | None = None) -> None:
        self.uri = uri
        self.generation = generation
        self.size = 0
        self._crc = Crc32c()

    @property
    def crc32c(self) -> str:
        return str(self._crc)

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, none at the end only. Raises StorageError."""
        data = self._next(size)
        self.size += len(data)
        self._crc.update(data)
        return data

    def verify(self) -> None:
        """Compare what was read, to its end, with what the store says it holds. Raises StorageError."""
        if self.read(1):
            raise StorageError(self.uri, "was not read to its end")
        size, crc32c = self._expected()
        if size is not None and size != self.size:
            raise StorageError(
                self.uri,
                f"{self.size:,} bytes were read of {size:,}: it changed or the transfer failed; try again",
            )
        if crc32c is not None and crc32c != self.crc32c:
            raise TransferError(
                self.uri,
                f"its CRC-32C is {self.crc32c} as read and {crc32c} in the bucket: the transfer failed; try again",
            )

    def read_whole(self) -> bytes:
        """All that is left of a small object, verified. Raises StorageError."""
        data = b"".join(iter(lambda: self.read(1 << 20), b""))
        self.verify()
        return data

    def prove(self) -> None:
        """Read to the end and `verify`, where the store keeps a checksum: a fault found in the bytes is then real."""
        if self._expected()[1] is not None:
            while self.read(_REST_BYTES):
                pass
            self.verify()

    @abstractmethod
    def length(self) -> int:
        """How many bytes the store holds, of the version that is read. May ask it. Raises StorageError."""

    def stored_bytes(self) -> int:
        """How many bytes the store keeps for it: fewer than its length where it is packed in an archive."""
        return self.length()

    def check_unchanged(self) -> None:
        """Raise StorageError for a local file that was changed while it was read."""
        self._expected()

    @abstractmethod
    def read_at(self, start: int, size: int) -> bytes:
        """Bytes of the same version at any place, fewer where it ends; they count in neither size nor crc32c."""

    @abstractmethod
    def again(self) -> ReadStream:
        """The same version from its first byte on, also after `close`.

        Raises StorageError when the store has another version by now.
        """

    @abstractmethod
    def _next(self, size: int) -> bytes: ...

    @abstractmethod
    def _expected(self) -> tuple[int | None, str | None]:
        """Size and CRC-32C by the store, where it says."""


class WriteStream(ABC):
    """An object being written; it is there, whole, once `close` has returned.

    Attributes: uri; size (bytes written so far); crc32c (of those bytes); generation (once a bucket has told it,
    else 0). As a context manager it closes, or aborts when there was an error.
    """

    def __init__(self, uri: Uri) -> None:
        self.uri = uri
        self.generation = 0
        self.size = 0
        self._crc = Crc32c()

    @property
    def crc32c(self) -> str:
        return str(self._crc)

    def write(self, data: bytes, /) -> None:
        """Append. Raises StorageError."""
        self._put(data)
        self._crc.update(data)
        self.size += len(data)

    @abstractmethod
    def close(self) -> None:
        """Complete the object. Raises StorageError when it is not what was written."""

    @abstractmethod
    def abort(self) -> None:
        """Leave nothing behind; may be repeated."""

    @abstractmethod
    def _put(self, data: bytes) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()
