"""The output as one run of bytes: its shards laid end to end. Each file's lines are one piece of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from pipeline.ledger import FileRecord
from pipeline.storage import Store, join
from pipeline.write.shard_list import PublishedFile

WINDOW_BYTES = 4 << 20


class Layout:
    """Where shards begin in that run, by the sizes that they were published with."""

    def __init__(self, target: str, published: Iterable[PublishedFile]) -> None:
        self.target = target
        self.shards: Sequence[PublishedFile] = [file for file in published if file.kind == "output"]
        self._begins = list(accumulate((shard.size for shard in self.shards), initial=0))
        self._numbers = {shard.name.rpartition("/")[2]: i for i, shard in enumerate(self.shards)}

    @property
    def size(self) -> int:
        return self._begins[-1]

    def begin(self, number: int) -> int:
        """The position at which a shard begins; that of the end for the number after the last."""
        return self._begins[number]

    def position(self, record: FileRecord) -> int | None:
        """The position of the first of a file's lines; None where the record has none, or one that cannot be."""
        number = self._numbers.get(record.shard or "")
        if number is None or record.offset is None or not 0 <= record.offset < self.shards[number].size:
            return None
        return self._begins[number] + record.offset

    def at(self, position: int) -> tuple[int, int]:
        """The number of the shard, and the byte in it, of a position below `size`."""
        number = bisect_right(self._begins, position) - 1
        return number, position - self._begins[number]

    def uri(self, number: int) -> str:
        return join(self.target, self.shards[number].name)

    def shown(self, position: int) -> str:
        """A position for a person: shard and byte."""
        number, offset = self.at(min(position, max(0, self.size - 1)))
        return f"{self.shards[number].name} from byte {offset:,} on"


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
