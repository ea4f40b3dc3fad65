"""Files that a bundle writes under temporary names: `parts`, each of whole blocks, rolled over at a size."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from pipeline.ledger import Part
from pipeline.storage import Store, WriteStream, join

PART_BYTES = 1 << 30


class PartWriter:
    """Writes blocks of whole lines into one part after another, in one folder. `owner` is the job's id."""

    def __init__(
        self, store: Store, folder: str, *, owner: str | None = None, part_bytes: int = PART_BYTES
    ) -> None:
        self._store = store
        self._folder = folder
        self._owner = owner
        self._part_bytes = part_bytes
        self._stream: WriteStream | None = None
        self._lines = 0

    def write(self, block: bytes) -> Iterator[Part]:
        """Append a block; gives the part that it completed, if it did."""
        if self._stream is None:
            uri = join(self._folder, f"part-{uuid.uuid4().hex}.ndjson")
            self._stream = self._store.open_write(uri, owner=self._owner)
            self._lines = 0
        self._stream.write(block)
        self._lines += block.count(b"\n")
        if self._stream.size >= self._part_bytes:
            yield from self.finish()

    def finish(self) -> Iterator[Part]:
        """Complete the part that is open, if there is one."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
            yield Part(stream.uri, stream.size, self._lines, stream.crc32c, stream.generation)

    def abort(self) -> None:
        """Leave nothing of the part that is open."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort()
