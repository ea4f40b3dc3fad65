"""Where files' lines stand in the output, once its shards have their names: the last word of the ledger.

A worker knows which part it wrote a file's lines to. Parts are numbered at the end of a job, and may be laid out anew
into a wanted number of shards (`pipeline.write.shards`): so the ledger's files are written again then, line by line,
and as fewer of them.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from pipeline.errors import ReconciliationError
from pipeline.read.lines import joined
from pipeline.storage import Store
from pipeline.target.results import lines_of
from pipeline.write.groups import GroupIndex, Numbering, group_of
from pipeline.write.parts_in_order import Before, PartsInOrder


class Places(Protocol):
    """Where what is written in parts stands in the output."""

    def find(self, part: str, offset: int) -> tuple[str, int]:
        """The name of the shard below output/, and the byte or row in it. Raises ReconciliationError."""


class PartNumbers:
    """Parts that are published as they are, numbered in the order of their names."""

    def __init__(self, indexes: Iterable[GroupIndex]) -> None:
        self._indexes = {index.totals.key: index for index in indexes}
        self._numbering = Numbering.of("output", (index.totals for index in self._indexes.values()))
        self._names: dict[str, list[str]] = {}  # of the parts of those groups that were asked for

    def find(self, part: str, offset: int) -> tuple[str, int]:
        folder, slash, name = part.rpartition("/output/")[2].rpartition("/")
        key = group_of(folder + slash, name)
        if key not in self._names:
            self._names[key] = self._indexes[key].names() if key in self._indexes else []
        at = bisect_left(names := self._names[key], name)
        if names[at : at + 1] != [name]:
            raise _in_no_shard(part, offset)
        shard = self._numbering.name(key, self._numbering.numbers(key)[at])
        return shard.removeprefix("output/"), offset


class CopiedPlaces:
    """Parts that were copied into shards, end to end; `starts` has the byte of all at which each shard begins."""

    def __init__(self, parts: PartsInOrder, starts: Sequence[int], names: Sequence[str]) -> None:
        self._parts, self._starts, self._names = parts, starts, names

    def find(self, part: str, offset: int) -> tuple[str, int]:
        at = _before(self._parts, part, offset).size + offset
        shard = bisect_right(self._starts, at) - 1
        return self._names[shard], at - self._starts[shard]


class RowsInOne:
    """Parts whose rows were copied into one file."""

    def __init__(self, parts: PartsInOrder, name: str) -> None:
        self._parts, self._name = parts, name

    def find(self, part: str, offset: int) -> tuple[str, int]:
        return self._name, _before(self._parts, part, offset).lines + offset


def _before(parts: PartsInOrder, part: str, offset: int) -> Before:
    before = parts.before(part)
    if before is None:
        raise _in_no_shard(part, offset)
    return before


def _in_no_shard(part: str, offset: int) -> ReconciliationError:
    return ReconciliationError(
        f"{part}: the ledger tells of lines in it at byte {offset:,}, but it went into no shard. "
        "Nothing was published; run the job again, and report this"
    )


def resolved(store: Store, uri: str, places: Places) -> Iterator[bytes]:
    """The lines of a ledger file, in blocks, with shards in its records where parts were."""
    return joined(_resolved(store, uri, places))


def _resolved(store: Store, uri: str, places: Places) -> Iterator[bytes]:
    for line in lines_of(store, uri):
        document = json.loads(line)
        if document["shard"] is not None:
            for piece in (document, *(document.get("pieces") or ())):
                piece["shard"], piece["offset"] = places.find(piece["shard"], piece["offset"])
        yield json.dumps(document, separators=(",", ":")).encode() + b"\n"
