"""A long listing by ranges of names, several at once: the ranges are cut where names are found to be.

Whoever lists a range gives the far half of what is left of it away whenever somebody has nothing to do. The cut is
looked for with one request for one name: from half-way between the last name and the range's end on; the name that
comes is the cut. Where none comes there is nothing, and the range ends half-way.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

_PROBES = 4  # for one cut
_LOW, _HIGH = 0x20, 0x7F  # code points of what cuts are made of: single bytes of UTF-8, in its order
_BASE, _DIGITS = _HIGH - _LOW + 1, 12
_WAIT = 0.2  # seconds between two looks whether anybody still wants the pages


class Named(Protocol):
    @property
    def name(self) -> str: ...


_Item = TypeVar("_Item", bound=Named)
_Range = tuple[
    str, str, bool
]  # names from the first on, before the second ("": all); whether the first was given
# (from, before, most) -> the names in order, and whether there are more
Ask = Callable[[str, str, int], tuple[Sequence[_Item], bool]]


def between(low: str, high: str, prefix: str) -> str | None:
    """A short name above `low` and below `high`, which begin with the prefix; None where there is no room to speak of.

    A `high` of "" is the end of the prefix.
    """
    start = len(prefix)
    if high:
        while start < min(len(low), len(high)) and low[start] == high[start]:
            start += 1
    first = _number(low[start:])
    last = _number(high[start:]) if high else _BASE**_DIGITS
    if last - first < 2:
        return None
    middle = (first + last) // 2
    digits = [middle // _BASE**power % _BASE for power in reversed(range(_DIGITS))]
    name = low[:start]
    for digit in digits:
        name += chr(_LOW + digit)
        if name > low and (not high or name < high):
            return name
    return None


def _number(text: str) -> int:
    """The first characters as digits of a number, those outside of the range as the nearest within it."""
    number = 0
    for char in text[:_DIGITS].ljust(_DIGITS, chr(_LOW)):
        number = number * _BASE + min(max(ord(char), _LOW), _HIGH) - _LOW
    return number


class RangedListing(Generic[_Item]):
    """All names with a prefix: pages of them, each name once, in any order. Of each range one page is held.

    ask     one request; may be called from several threads
    prefix  of all names
    page    how many names a request may bring
    """

    def __init__(self, ask: Ask[_Item], prefix: str, *, page: int = 1000, threads: int = 16) -> None:
        self._ask, self._prefix, self._page, self._threads = ask, prefix, page, threads
        self._changed = threading.Condition()
        self._ranges: deque[_Range] = deque()
        self._idle = 0
        self._busy = 0
        self._cutting = 0
        self._error: BaseException | None = None
        self._left = False  # nobody wants the pages any more
        self._pages: queue.Queue[Sequence[_Item] | None] = queue.Queue(threads)

    def pages(self) -> Iterator[Sequence[_Item]]:
        """Raises what a request raised. Whoever stops before the end stops the others too."""
        first, more = self._ask("", "", self._page)  # most listings are this page, and need no threads
        yield first
        if not more:
            return
        self._ranges.append((first[-1].name, "", True))
        threads = [
            threading.Thread(target=self._work, name="list-range", daemon=True) for _ in range(self._threads)
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in threads:
                while (page := self._pages.get()) is not None:
                    yield page
            if self._error is not None:
                raise self._error
        finally:
            with self._changed:
                self._left = True
                self._changed.notify_all()

    def _work(self) -> None:
        try:
            while (taken := self._take()) is not None:
                try:
                    self._list(*taken)
                finally:
                    with self._changed:
                        self._busy -= 1
                        self._changed.notify_all()
        except BaseException as e:  # noqa: BLE001 - raised where the pages are taken
            with self._changed:
                self._error = self._error or e
                self._changed.notify_all()
        self._give(None)

    def _take(self) -> _Range | None:
        with self._changed:
            self._idle += 1
            while not self._ranges and self._busy and not self._is_over():
                self._changed.wait()
            self._idle -= 1
            if self._is_over() or not self._ranges:
                return None
            self._busy += 1
            return self._ranges.popleft()

    def _is_over(self) -> bool:
        return self._left or self._error is not None

    def _list(self, start: str, end: str, given: bool) -> None:
        """The names of a range. Each page is asked for by a name: a token's range may have been cut by now."""
        more = True
        while more and not self._is_over():
            found, more = self._ask(start, end, self._page)
            names = found[1:] if given and found and found[0].name == start else found
            if (names and not start <= names[0].name <= names[-1].name) or (more and not names):
                raise ValueError(f"the listing does not go on from {start!r}")
            if names:
                start, given = names[-1].name, True
                self._give(names)
            if more and self._is_wanted():
                try:
                    end = self._cut(start, end)
                finally:
                    with self._changed:
                        self._cutting -= 1

    def _is_wanted(self) -> bool:
        """Whether a range is to be cut: somebody has nothing to do for whom there is none, and nobody cuts one yet."""
        with self._changed:
            wanted = self._idle > len(self._ranges) + self._cutting
            self._cutting += wanted
            return wanted

    def _cut(self, last: str, end: str) -> str:
        """Give the far half away; the end of what is kept."""
        for _ in range(_PROBES):
            middle = between(last, end, self._prefix)
            if middle is None:
                return end
            found, _ = self._ask(middle, end, 1)
            if found:
                with self._changed:
                    self._ranges.append((found[0].name, end, False))
                    self._changed.notify()
                return found[0].name
            end = middle
        return end

    def _give(self, page: Sequence[_Item] | None) -> None:
        while not self._left:
            with suppress(queue.Full):
                self._pages.put(page, timeout=_WAIT)
                return
