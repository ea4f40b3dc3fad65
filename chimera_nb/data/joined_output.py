"""The outputs that together are one (`pipeline.target.joined`), each without the lines of it that count no more."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import RefusedError
from pipeline.job_options import TEXT_FORMATS
from pipeline.proof.output import Layout
from pipeline.storage import Store
from pipeline.target.joined import Superseded, read_joined, superseded_of
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import check_summary_of
from pipeline.write.shard_list import read_shard_list

Span = tuple[int, int]  # from, to: bytes of a shard, or rows of one of Parquet


@dataclass(frozen=True)
class Dropped:
    """What of an output counts no more: spans of each shard, in their order, by name; and how many lines that is."""

    spans: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    lines: int = 0


@dataclass(frozen=True)
class OutputPart:
    """One output to be read, and what of it counts no more."""

    target: str
    summary: Mapping[str, Any]
    dropped: Dropped


def output_parts(store: Store, target: str, summary: Mapping[str, Any]) -> list[OutputPart]:
    """The outputs that a job's output adds to, earliest first, and then its own.

    Raises RefusedError where one of them is not there any more, and StorageError.
    """
    own = OutputPart(target, summary, Dropped())
    if not summary.get("since"):
        return [own]
    joined = read_joined(store, target, str(summary.get("jobId")))
    parts = []
    for number, part in enumerate(joined.parts):
        found = read_summary(store, part.target)
        if found is None:
            raise RefusedError(f"{part.target} holds no output any more, which {target} adds to")
        check_summary_of(found, part.target, part.job_id)
        dropped = dropped_of(store, part.target, found, list(superseded_of(joined, number)))
        parts.append(OutputPart(part.target, found, dropped))
    return [*parts, own]


def dropped_of(store: Store, target: str, summary: Mapping[str, Any], old: Sequence[Superseded]) -> Dropped:
    """Where the lines of an output are that count no more."""
    if not old:
        return Dropped()
    by_rows = summary.get("format", "ndjson") not in TEXT_FORMATS
    layout = Layout(target, read_shard_list(store, target), by_rows=by_rows)
    spans: dict[str, list[Span]] = {}
    for one in old:
        for shard, offset, extent in one.places:
            position = layout.place(shard, offset)
            left = extent
            while left and position is not None and position < layout.size:
                number, begin = layout.at(position)
                taken = min(left, layout.begin(number + 1) - position)
                spans.setdefault(layout.shards[number].name, []).append((begin, begin + taken))
                left, position = left - taken, position + taken
    return Dropped({name: sorted(found) for name, found in spans.items()}, sum(one.lines for one in old))


def without(blocks: Iterable[bytes], spans: Sequence[Span]) -> Iterator[bytes]:
    """The bytes of a shard that are in none of the spans."""
    at = 0
    for block in blocks:
        end, begin = at + len(block), at
        for first, last in spans:
            if first >= end:
                break
            if last > begin:
                if first > begin:
                    yield block[begin - at : first - at]
                begin = min(end, last)
        if begin < end:
            yield block[begin - at :]
        at = end


class Stream(io.RawIOBase):
    """Blocks of bytes as a file that is read in order."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = block
        taken = self._rest[: len(into)]
        into[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)
