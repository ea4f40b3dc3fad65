"""The output as one run of bytes, or of rows: its shards laid end to end. Each file's lines are one piece of it.

In Parquet and in a workbook no byte is one file's alone, and positions count rows; the rows of a file may be several
pieces where they are divided into folders.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from pipeline.ledger import FileRecord
from pipeline.storage import Store, join
from pipeline.write.shard_list import PublishedFile

WINDOW_BYTES = 4 << 20


class Layout:
    """Where shards begin in that run, by the sizes that they were published with, or `by_rows`.

    What a shard begins with that is no file's, the header of a CSV, is not in the run.
    """

    def __init__(self, target: str, published: Iterable[PublishedFile], *, by_rows: bool = False) -> None:
        self.target, self.by_rows = target, by_rows
        self.shards: Sequence[PublishedFile] = [file for file in published if file.kind == "output"]
        self._begins = list(accumulate(map(self._extent, self.shards), initial=0))
        self._numbers = {shard.name.removeprefix("output/"): i for i, shard in enumerate(self.shards)}

    @property
    def unit(self) -> str:
        """What positions count."""
        return "rows" if self.by_rows else "bytes"

    @property
    def size(self) -> int:
        return self._begins[-1]

    @property
    def stored(self) -> int:
        """Bytes of all shards."""
        return sum(shard.size for shard in self.shards)

    def begin(self, number: int) -> int:
        """The position at which a shard begins; that of the end for the number after the last."""
        return self._begins[number]

    def position(self, record: FileRecord) -> int | None:
        """The position of the first of a file's lines; None where the record has none, or one that cannot be."""
        return self.place(record.shard, record.offset)

    def place(self, shard: str | None, offset: int | None) -> int | None:
        """The position of a byte or row of a shard; None for one that cannot be."""
        number = self._numbers.get(shard or "")
        if number is None or offset is None:
            return None
        within = offset - self._header(number)
        return self._begins[number] + within if 0 <= within < self._extent(self.shards[number]) else None

    def at(self, position: int) -> tuple[int, int]:
        """The number of the shard, and the byte or row in it, of a position below `size`."""
        number = bisect_right(self._begins, position) - 1
        return number, position - self._begins[number] + self._header(number)

    def uri(self, number: int) -> str:
        return join(self.target, self.shards[number].name)

    def shown(self, position: int) -> str:
        """A position for a person: shard and byte, or row."""
        number, offset = self.at(min(position, max(0, self.size - 1)))
        return f"{self.shards[number].name} from {self.unit[:-1]} {offset:,} on"

    def _header(self, number: int) -> int:
        return 0 if self.by_rows else self.shards[number].header

    def _extent(self, shard: PublishedFile) -> int:
        return shard.lines if self.by_rows else shard.size - shard.header


class OutputReader:
    """Reads pieces of the run, a window a request; `ahead` bytes at least, for pieces that follow each other."""

    def __init__(self, store: Store, layout: Layout, *, ahead: int = 0) -> None:
        self._store = store
        self._layout = layout
        self._ahead = ahead
        self._window = b""
        self._from = 0

    def read(self, position: int, size: int) -> Iterator[bytes]:
        """That many bytes from a position on; fewer where a shard is shorter than it was."""
        end = min(position + size, self._layout.size)
        while position < end:
            if not self._from <= position < self._from + len(self._window):
                self._fetch(position, end)
                if not self._window:
                    return
            start = position - self._from
            piece = self._window[start : start + end - position]
            yield piece
            position += len(piece)

    def _fetch(self, position: int, end: int) -> None:
        number, offset = self._layout.at(position)
        left = self._layout.shards[number].size - offset
        wanted = min(left, max(end - position, self._ahead), WINDOW_BYTES)
        self._window = self._store.read_range(self._layout.uri(number), offset, offset + wanted)
        self._from = position
