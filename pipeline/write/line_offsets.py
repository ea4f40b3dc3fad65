"""Where files' lines stand in the output, once its shards have their names: the last word of the ledger.

A worker knows which part it wrote a file's lines to. Parts are numbered at the end of a job, and may be laid out anew
into a wanted number of shards (`pipeline.write.shards`): so each ledger file is written again then, line by line.
"""

from __future__ import annotations

import json
import uuid
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from pipeline.errors import ReconciliationError
from pipeline.ledger import Part
from pipeline.read.lines import joined
from pipeline.storage import Store, join
from pipeline.target.layout import shard_name
from pipeline.target.results import lines_of
from pipeline.write.shard_list import published_names
from pipeline.write.shards import Shard


@dataclass(frozen=True, order=True)
class Stretch:
    """Bytes or rows of a part from `start` on, and where they stand: in the shard of this number, from `offset` on."""

    part: str
    start: int
    shard: int
    offset: int


def stretches_of_parts(parts: Sequence[Part]) -> list[Stretch]:
    """Parts that are published as they are, numbered in the order of their names."""
    return [Stretch(part.uri, 0, index, 0) for index, part in enumerate(sorted(parts))]


def stretches_of_shards(shards: Sequence[Shard]) -> list[Stretch]:
    """Parts of which slices were copied into shards."""
    found = []
    for shard in shards:
        offsets = accumulate((piece.end - piece.start for piece in shard.slices), initial=0)
        for piece, offset in zip(shard.slices, offsets, strict=False):
            found.append(Stretch(piece.uri, piece.start, shard.index, offset))
    return found


def shard_names(layout: Sequence[Part | Shard]) -> list[str]:
    """The names of shards below output/, of parts that are published as they are, or of shards made of slices."""
    parts = sorted(part for part in layout if isinstance(part, Part))
    if parts:
        return [name.removeprefix("output/") for name in published_names("output", parts)]
    return [shard_name("output", index, len(layout)) for index in range(len(layout))]


class OffsetMap:
    """Bytes or rows of parts -> those of shards, by the `names` of these in the order of their numbers."""

    def __init__(self, stretches: Iterable[Stretch], names: Sequence[str]) -> None:
        self._names = names
        self._of: dict[str, list[Stretch]] = {}
        for stretch in sorted(stretches):
            self._of.setdefault(stretch.part, []).append(stretch)

    def find(self, part: str, offset: int) -> tuple[str, int]:
        """The name of the shard, and the byte in it, for a byte of a part. Raises ReconciliationError."""
        among = self._of.get(part, [])
        at = bisect_right(among, offset, key=lambda stretch: stretch.start)
        if not at:
            raise ReconciliationError(
                f"{part}: the ledger tells of lines in it at byte {offset:,}, but it went into no shard. "
                "Nothing was published; run the job again, and report this"
            )
        stretch = among[at - 1]
        return self._names[stretch.shard], stretch.offset + offset - stretch.start


def resolve_offsets(
    store: Store, ledger: Part, places: OffsetMap, folder: str, owner: str | None = None
) -> Part:
    """Write a ledger file again in `folder`, with shards in its records where parts were."""
    lines = 0
    with store.open_write(join(folder, f"ledger-{uuid.uuid4().hex}.ndjson"), owner=owner) as out:
        for block in joined(_resolved(store, ledger.uri, places)):
            out.write(block)
            lines += block.count(b"\n")
    return Part(out.uri, out.size, lines, out.crc32c, out.generation)


def _resolved(store: Store, uri: str, places: OffsetMap) -> Iterator[bytes]:
    for line in lines_of(store, uri):
        document = json.loads(line)
        if document["shard"] is not None:
            for piece in (document, *(document.get("pieces") or ())):
                piece["shard"], piece["offset"] = places.find(piece["shard"], piece["offset"])
        yield json.dumps(document, separators=(",", ":")).encode() + b"\n"
