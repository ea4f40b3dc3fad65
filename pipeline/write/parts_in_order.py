"""All parts of an output laid end to end, in the order of their names, from the indexes of their groups.

A million of them are some fifty megabytes so; those of one group at a time are unpacked.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from pipeline.ledger import Part
from pipeline.storage import join
from pipeline.write.groups import GroupIndex, ListedPart, group_of

_UNPACKED = 8  # groups, whose parts are held as they are


class Slice(NamedTuple):
    """The bytes [start, end) of a part; and from which byte of all parts on. With the CRC-32C of the whole part."""

    uri: str
    start: int
    end: int
    at: int
    crc32c: str | None

    @property
    def size(self) -> int:
        return self.end - self.start


class Before(NamedTuple):
    """What all parts before one have together."""

    size: int
    lines: int


class PartsInOrder:
    """The parts of these indexes, which are in `folder`: iterated over as often as is wanted, each time anew."""

    def __init__(self, indexes: Iterable[GroupIndex], folder: str) -> None:
        self._indexes = sorted(indexes)
        self._folder = folder
        self._keys = [index.totals.key for index in self._indexes]
        self._sizes = [0, *accumulate(index.totals.size for index in self._indexes)]
        self._lines = [0, *accumulate(index.totals.lines for index in self._indexes)]
        self._placed: dict[
            int, tuple[list[str], array[int], array[int]]
        ] = {}  # of groups that were asked for
        self._unpacked = lru_cache(maxsize=_UNPACKED)(self._unpack)

    @property
    def size(self) -> int:
        return self._sizes[-1]

    @property
    def lines(self) -> int:
        return self._lines[-1]

    def __iter__(self) -> Iterator[Part]:
        for number in range(len(self._indexes)):
            for part in self._unpack(number):
                yield Part(
                    self._uri(number, part.name), part.size, part.lines, part.crc32c, header=part.header
                )

    def between(self, start: int, end: int) -> Iterator[Slice]:
        """The slices of parts that the bytes [start, end) of all are."""
        number = max(0, bisect_right(self._sizes, start) - 1)
        while start < end and number < len(self._indexes):
            at = self._sizes[number]
            for part in self._unpacked(number):
                first, last = max(start, at), min(end, at + part.size)
                if first < last:
                    yield Slice(self._uri(number, part.name), first - at, last - at, first, part.crc32c)
                at += part.size
            start, number = max(start, at), number + 1

    def before(self, uri: str) -> Before | None:
        """None for a part that is none of these."""
        folder, slash, name = uri.removeprefix(join(self._folder, "")).rpartition("/")
        key = group_of(folder + slash, name)
        number = bisect_left(self._keys, key)
        if self._keys[number : number + 1] != [key]:
            return None
        if number not in self._placed:
            parts = self._unpack(number)
            sizes = accumulate((part.size for part in parts), initial=self._sizes[number])
            lines = accumulate((part.lines for part in parts), initial=self._lines[number])
            self._placed[number] = ([part.name for part in parts], array("q", sizes), array("q", lines))
        names, sizes_before, lines_before = self._placed[number]
        at = bisect_left(names, name)
        return Before(sizes_before[at], lines_before[at]) if names[at : at + 1] == [name] else None

    def _unpack(self, number: int) -> list[ListedPart]:
        return list(self._indexes[number].parts())

    def _uri(self, number: int, name: str) -> str:
        key = self._keys[number]
        return join(self._folder, key[: key.rfind("/") + 1] + name)
