"""Under which plan a file was bought: what its runner changes carry tells, and is found without decoding them."""

from __future__ import annotations

import re

import numpy as np

_LADDERS = re.compile(rb'"(?:(?:bd?)?at[bl]|sp[blnf])"')
_LEVELS = re.compile(rb'"bd?at[bl]"')
_SOME = (b'atb"', b'atl"', b'"sp')  # each of them has one of these, which are found sooner
_TRADED, _VOLUME = b'"trd"', b'"tv"'
_LAST = b'"ltp"'
# Each of these keys has one of these letters, lines of last prices have none, and one byte is found soonest.
_LETTERS = (b"v", b"a", b"s")
_WINDOW = 8 << 10  # bytes
_KEY = 7  # bytes of the longest in quotes


class Plan:
    """What a file is made of, from its blocks of whole lines in order: the first line with ladders tells their kind.

    A key in quotes is found where it is a key: within a text JSON has a backslash before the second quote.
    """

    def __init__(self) -> None:
        self.recorded = False
        self._kind: str | None = None
        self._traded = False

    def add(self, block: bytes) -> None:
        begin = 0
        while self._kind not in {"ADVANCED", "PRO"}:
            if self._kind == "BASIC":
                begin = max(begin, _next_letter(block, begin) - _KEY)
            if begin >= len(block):
                self._traded = self._traded or _has_traded(block)
                return
            self._look(block, begin)
            begin += _WINDOW

    def _look(self, block: bytes, begin: int) -> None:
        window = block[begin : begin + _WINDOW + _KEY]
        found = _LADDERS.search(window) if any(part in window for part in _SOME) else None
        if found:
            at = begin + found.start()
            line = block[block.rfind(b"\n", 0, at) + 1 : block.index(b"\n", at)]
            self._kind = "ADVANCED" if _LEVELS.search(line) else "PRO"
            return
        self._traded = self._traded or _VOLUME in window
        if self._kind is None and _LAST in window:
            self._kind = "BASIC"

    @property
    def name(self) -> str | None:
        """RECORDED, ADVANCED, PRO or BASIC; None where no runner has changed."""
        if self.recorded:
            return "RECORDED"
        return "PRO" if self._traded and self._kind == "BASIC" else self._kind

    @property
    def has_ladders(self) -> bool:
        """Whether the file says what was traded and offered, and not only the last price."""
        return self._traded or self._kind in {"ADVANCED", "PRO"}

    @property
    def has_starting_prices(self) -> bool:
        """Whether the file would say what is taken at the starting price; a recording may have it or not."""
        return self._kind == "PRO" and not self.recorded


def _next_letter(block: bytes, begin: int) -> int:
    """Where the next of the letters stands; the block's end where none does."""
    end = len(block)
    for letter in _LETTERS:
        at = block.find(letter, begin, end)
        end = at if at >= 0 else end
    return end


def _has_traded(block: bytes) -> bool:
    """Whether a block says what was traded at a price. By array: its letters are in each line, and a search is slow."""
    letters = np.frombuffer(block, np.uint8)
    middle = np.flatnonzero(letters[1:-1] == ord("r")) + 1
    around = (letters[middle - 1] == ord("t")) & (letters[middle + 1] == ord("d"))
    return bool(around.any()) and _TRADED in block
