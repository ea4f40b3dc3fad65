"""Parts in groups by the first digits of their names: each group is numbered without the parts of the others at hand.

The groups in the order of their keys are all parts in the order of their names. So a group's parts have the numbers
that they would have in one list of all, and what is needed to tell them is how many parts each group has.
"""

from __future__ import annotations

import json
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from pipeline.ledger import Part
from pipeline.storage import join
from pipeline.target.layout import shard_name, shard_number

_DIGITS = 3  # of a name: 4,096 groups of hexadecimal ones
_DIGITS_IN_FOLDER = 1  # where rows are divided into folders, of which there may be thousands


def group_of(folder: str, name: str) -> str:
    """The key of the group of a part by its folder below output/ and its name: `part-4f1...` is of `4f1`."""
    return folder + name.partition("-")[2][: _DIGITS_IN_FOLDER if folder else _DIGITS]


def pack_part(part: Part, folder: str) -> bytes:
    """A part of a folder as an element on its way to its group, short: a runner of one machine holds them all."""
    uri, *rest = vars(part).values()
    return json.dumps([uri.removeprefix(join(folder, "")), *rest], separators=(",", ":")).encode()


def unpack_part(packed: bytes, folder: str) -> Part:
    uri, *rest = json.loads(packed)
    return Part(uri if uri.startswith(("/", "gs://")) else join(folder, uri), *rest)


@dataclass(frozen=True, order=True)
class GroupTotals:
    """How many parts a group has, and the sums over them; `header` as `pipeline.ledger.Part` has it."""

    key: str
    count: int
    lines: int
    size: int
    header: int
    suffix: str


class ListedPart(NamedTuple):
    """A part of a group as its index has it: what is told of it where it is not at hand."""

    name: str
    size: int
    lines: int
    crc32c: str | None
    header: int


@dataclass(frozen=True, order=True)
class GroupIndex:
    """The parts of a group in their order, in few bytes (about 50 a part)."""

    totals: GroupTotals
    packed: bytes

    def parts(self) -> Iterator[ListedPart]:
        for values in json.loads(zlib.decompress(self.packed)):
            yield ListedPart(*values)

    def names(self) -> list[str]:
        return [part.name for part in self.parts()]


def index_of(key: str, parts: Iterable[Part]) -> GroupIndex:
    """The index of a group of parts, whatever their order."""
    parts = sorted(parts)
    totals = GroupTotals(
        key,
        len(parts),
        sum(part.lines for part in parts),
        sum(part.size for part in parts),
        sum(part.header for part in parts),
        parts[0].suffix,
    )
    listed = [ListedPart(part.name, part.size, part.lines, part.crc32c, part.header) for part in parts]
    return GroupIndex(totals, zlib.compress(json.dumps(listed, separators=(",", ":")).encode(), 1))


@dataclass(frozen=True)
class Numbering:
    """The numbers of all parts of a kind ("output" or "ledger"), and the sums over them.

    keys  of the groups, in order
    ends  how many parts there are up to the end of each
    """

    kind: str
    keys: tuple[str, ...] = ()
    ends: tuple[int, ...] = ()
    suffix: str = "ndjson"
    lines: int = 0
    size: int = 0

    @classmethod
    def of(cls, kind: str, groups: Iterable[GroupTotals]) -> Numbering:
        groups = sorted(groups)
        return cls(
            kind,
            tuple(group.key for group in groups),
            tuple(accumulate(group.count for group in groups)),
            groups[0].suffix if groups else "ndjson",
            sum(group.lines for group in groups),
            sum(group.size for group in groups),
        )

    @property
    def total(self) -> int:
        return self.ends[-1] if self.ends else 0

    def numbers(self, key: str) -> range:
        """The numbers of the parts of a group, in their order."""
        at = bisect_left(self.keys, key)
        return range(self.ends[at - 1] if at else 0, self.ends[at])

    def name(self, key: str, number: int) -> str:
        """The name below the target of the part of this number, which is in this group."""
        folder = key[: key.rfind("/") + 1]
        return f"{self.kind}/{folder}{shard_name(self.kind, number, self.total, self.suffix)}"

    def name_of(self, number: int) -> str:
        """The same of any part."""
        return self.name(self.keys[bisect_left(self.ends, number + 1)], number)

    def number_of(self, name: str) -> int | None:
        """The number of the part that has this name below the target; None for a name of none."""
        number = shard_number(name)
        known = number is not None and number < self.total and self.name_of(number) == name
        return number if known else None


def published_parts(kind: str, indexes: Iterable[GroupIndex]) -> Iterator[tuple[str, ListedPart]]:
    """Each part of a kind with its name below the target, in the order of the numbers."""
    indexes = sorted(indexes)
    numbering = Numbering.of(kind, (index.totals for index in indexes))
    for index in indexes:
        key = index.totals.key
        for number, part in zip(numbering.numbers(key), index.parts(), strict=True):
            yield numbering.name(key, number), part
