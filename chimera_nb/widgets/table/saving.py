"""A file that a page saves: made in a thread piece by piece, each when the page asks for it, so that few are held.

Neither Jupyter nor a notebook's page can fetch a file from a kernel, so the pieces go as messages.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Protocol

from chimera_nb.jobs.limits import storable
from chimera_nb.widgets.table.requests import ChunkMessage, SavingMessage
from pipeline.errors import RefusedError
from pipeline.storage import Store


class Making(Protocol):
    """A file in the making."""

    def chunks(self) -> Iterator[bytes]:
        """Its pieces, of no more than a megabyte or so. Raises RefusedError and StorageError."""

    def told(self) -> str:
        """How far it is."""


Make = Callable[[Store, Callable[[], bool]], Making]  # of a store, and whether it is still wanted


class Saving:
    """One file, for one front end.

    Attributes: place (by which its store is found), view, number, is_wanted, is_busy (a piece is being made).
    """

    def __init__(self, place: str, view: str, number: int, name: str, make: Make) -> None:
        self.place, self.view, self.number, self.name = place, view, number, storable(name)
        self.is_wanted, self.is_busy = True, False
        self._make = make
        self._making: Making | None = None
        self._chunks: Iterator[bytes] | None = None

    def advance(self, store: Store) -> ChunkMessage:
        """The next piece. Blocks; one call at a time."""
        if self._chunks is None:
            self._making = self._make(store, lambda: self.is_wanted)
            self._chunks = self._making.chunks()
        data = next(self._chunks, b"")
        note = self._making.told() if self._making and not data else ""
        return ChunkMessage(self.view, self.number, self.name, base64.b64encode(data).decode(), note)

    def progress(self) -> SavingMessage:
        told = self._making.told() if self._making else ""
        return SavingMessage(self.view, self.number, told, "")

    def failed(self, error: str) -> SavingMessage:
        return SavingMessage(self.view, self.number, "", storable(error))

    def close(self) -> None:
        """Give back what it holds. Blocks."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()


class StoredFile:
    """A file as it is stored."""

    _READ_BYTES = 512 << 10

    def __init__(self, store: Store, uri: str, is_wanted: Callable[[], bool]) -> None:
        self._store, self._uri, self._is_wanted = store, uri, is_wanted
        self._bytes = 0

    def chunks(self) -> Iterator[bytes]:
        with self._store.open_read(self._uri) as stream:
            while data := stream.read(self._READ_BYTES):
                if not self._is_wanted():
                    raise RefusedError("saving was stopped")
                self._bytes += len(data)
                yield data
            stream.verify()

    def told(self) -> str:
        return f"{self._bytes / 1e6:,.1f} MB"
