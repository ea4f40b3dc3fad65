"""A catalogue without totals: only the lines that have a definition are decoded, and the first and last of a block.

What is counted of the other lines is found in their bytes. That is so only where they look as Betfair writes them:
each line a message about one known market. Any other block is decoded line by line.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.sources.betfair.entries import Entry
from pipeline.sources.betfair.lines import DEFINITION, Changes, looks_whole
from pipeline.sources.betfair.messages import DEFINED, ChangesWithOrigin, DefinedMarket, is_recorded
from pipeline.sources.betfair.plan import Plan
from pipeline.sources.view import ViewedFile

_ID = b'"id":"'  # a market's: those of runners are numbers, and eventId ends otherwise


def skim(blocks: Iterable[bytes], file: ViewedFile) -> tuple[dict[str, Entry], Plan]:
    """The markets of a file, and its plan. Raises BadFileError as `Changes`."""
    reading = _Skim(file)
    for block in blocks:
        reading.add(block)
    reading.changes.end()
    return reading.entries, reading.changes.plan


class _Skim:
    def __init__(self, file: ViewedFile) -> None:
        self.entries: dict[str, Entry] = {}
        self.changes: Changes[ChangesWithOrigin[DefinedMarket]] = Changes((), file, DEFINED)
        self._before = 0  # lines before what is looked at
        self._only = b""  # how the market's id stands in a line, while there is one market

    def add(self, block: bytes) -> None:
        self.changes.plan.add(block)
        if not self._only:  # the first line tells the market
            cut = block.find(b"\n") + 1
            self._take_all(block[:cut])
            block = block[cut:]
        lines = block.count(b"\n")
        if self._uniform(block, lines):
            self._take_defined(block, lines)
        else:
            self._take_all(block)

    def _uniform(self, block: bytes, lines: int) -> bool:
        """Whether each line is one message about the one known market, and looks whole from outside."""
        return (
            bool(self._only)
            and looks_whole(block, lines)
            and block.count(_ID) == block.count(self._only) == lines
        )

    def _take_all(self, block: bytes) -> None:
        for number, line in enumerate(block.split(b"\n"), self._before + 1):
            self._take(line, number)
        self._before += block.count(b"\n")

    def _take_defined(self, block: bytes, lines: int) -> None:
        taken = done = 0  # lines; bytes
        while (found := block.find(DEFINITION, done)) >= 0:
            begin, done = block.rfind(b"\n", 0, found) + 1, block.index(b"\n", found) + 1
            self._take(block[begin : done - 1], self._before + 1 + block.count(b"\n", 0, begin))
            taken += 1
        if done < len(block):
            begin = block.rfind(b"\n", 0, len(block) - 1) + 1
            self._take(block[begin:-1], self._before + lines)
            taken += 1
        (entry,) = (entry for market_id, entry in self.entries.items() if _quoted(market_id) == self._only)
        entry.updates += lines - taken
        self._before += lines

    def _take(self, line: bytes, number: int) -> None:
        message = self.changes.take(line, number)
        if message is None:
            return
        pt, plan = message.pt, self.changes.plan
        plan.recorded = plan.recorded or is_recorded(message)
        for change in message.mc:
            if not change.id:
                continue
            entry = self.entries.get(change.id)
            if entry is None:
                entry = self.entries[change.id] = Entry(change, pt, recorded=plan.recorded)
                self._only = self._only or _quoted(change.id)
            entry.updates += 1
            entry.last_pt = pt
            if change.marketDefinition is not None:
                entry.definitions.take(change.marketDefinition, pt)


def _quoted(market_id: str) -> bytes:
    return b'"id":"' + market_id.encode() + b'"'
