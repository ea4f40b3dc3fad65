"""A long listing by ranges of names, several at once: the ranges are cut where names are found to be.

Whoever lists a range gives what is left of it away behind a cut, whenever somebody has nothing to do. What all names of
a page begin with tells where there may be many more: at each of its characters others may go on. So a cut is looked
for at the first of these characters, with one request for one name that is beyond it; the name that comes is the cut,
and where none comes the next character is tried, and the range is known to end there.

One worker may be told to list so many pages at the most (a `Share`): the ranges that it has not listed by then are
elements for others, who cut theirs as well.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

_LAST = 0x10FFFF  # code point: names are in their order
_WAIT = 0.2  # seconds between two looks whether anybody still wants the pages


class Named(Protocol):
    @property
    def name(self) -> str: ...


_Item = TypeVar("_Item", bound=Named)
# (from, before, most) -> the names in order, and whether there are more
Ask = Callable[[str, str, int], tuple[Sequence[_Item], bool]]


class NameRange(NamedTuple):
    """Names from `start` on and before `end` ("": all); where `given`, `start` itself is another's."""

    start: str = ""
    end: str = ""
    given: bool = False


WHOLE = NameRange()


@dataclass
class Share:
    """What one worker lists of all names with a prefix.

    within   the ranges of names; several are listed side by side
    pages    how many at least before others are given ranges; None for all of it
    left     the ranges that are not listed, once all pages have come
    """

    within: Sequence[NameRange] = (WHOLE,)
    pages: int | None = None
    left: list[NameRange] = field(default_factory=list)


def beyond(name: str, at: int) -> str | None:
    """What comes first behind all names that begin with the first `at` + 1 characters of this one; None for nothing."""
    code = ord(name[at]) + 1
    if 0xD800 <= code <= 0xDFFF:  # which are in no name
        code = 0xE000
    return None if code > _LAST else name[:at] + chr(code)


def common(names: Sequence[Named]) -> int:
    """How many characters names that are in order have in common."""
    first, last = names[0].name, names[-1].name
    pairs = enumerate(zip(first, last, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(first), len(last)))


class RangedListing(Generic[_Item]):
    """All names with a prefix: pages of them, each name once, in any order. Of each range one page is held.

    ask     one request; may be called from several threads
    prefix  of all names
    share   which of them; what is left of it is in it when the pages have come
    page    how many names a request may bring
    """

    def __init__(
        self,
        ask: Ask[_Item],
        prefix: str,
        share: Share | None = None,
        *,
        page: int = 1000,
        threads: int = 16,
    ) -> None:
        self._ask, self._prefix, self._page, self._threads = ask, prefix, page, threads
        self._share = share or Share()
        self._listed = 0  # pages
        self._for_others = False  # what is left, once the share is listed
        self._changed = threading.Condition()
        self._ranges: deque[NameRange] = deque()
        self._idle = 0
        self._busy = 0
        self._cutting = 0
        self._error: BaseException | None = None
        self._left = False  # nobody wants the pages any more
        self._pages: queue.Queue[Sequence[_Item] | None] = queue.Queue(threads)

    def pages(self) -> Iterator[Sequence[_Item]]:
        """Raises what a request raised. Whoever stops before the end stops the others too."""
        if len(self._share.within) == 1:
            [within] = self._share.within
            first, more = self._ask(within.start, within.end, self._page)
            self._listed = 1
            yield self._new(first, within)
            if not more:  # as of most listings: they need no threads
                return
            self._ranges.append(NameRange(first[-1].name, within.end, True))
        else:
            self._ranges.extend(self._share.within)
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
            self._share.left += self._ranges
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

    def _take(self) -> NameRange | None:
        with self._changed:
            self._idle += 1
            while not self._ranges and self._busy and not self._is_over():
                self._changed.wait()
            self._idle -= 1
            if self._is_over() or not self._ranges or self._is_for_others():
                return None
            self._busy += 1
            return self._ranges.popleft()

    def _is_over(self) -> bool:
        return self._left or self._error is not None

    def _is_for_others(self) -> bool:
        """Whether the share is listed. One range that cannot be cut stays here: others would be no quicker."""
        if self._share.pages is not None and self._listed >= self._share.pages:
            self._for_others = self._for_others or self._busy + len(self._ranges) > 1
        return self._for_others

    def _is_given_up(self, rest: NameRange) -> bool:
        with self._changed:
            if not self._is_for_others():
                return False
            self._ranges.append(rest)
            return True

    @staticmethod
    def _new(found: Sequence[_Item], of: NameRange) -> Sequence[_Item]:
        return found[1:] if of.given and found and found[0].name == of.start else found

    def _list(self, start: str, end: str, given: bool) -> None:
        """The names of a range. Each page is asked for by a name: a token's range may have been cut by now."""
        more = True
        while more and not self._is_over():
            found, more = self._ask(start, end, self._page)
            names = self._new(found, NameRange(start, end, given))
            if (names and not start <= names[0].name <= names[-1].name) or (more and not names):
                raise ValueError(f"the listing does not go on from {start!r}")
            if names:
                start, given = names[-1].name, True
                self._give(names)
                with self._changed:
                    self._listed += 1
            if more and len(names) > 1 and self._is_wanted():
                try:
                    end = self._cut(common(names), start, end)
                finally:
                    with self._changed:
                        self._cutting -= 1
            if more and self._is_given_up(NameRange(start, end, given)):
                return

    def _is_wanted(self) -> bool:
        """Whether a range is to be cut: somebody has nothing to do for whom there is none, and nobody cuts one yet."""
        with self._changed:
            wanted = self._idle > len(self._ranges) + self._cutting
            self._cutting += wanted
            return wanted

    def _cut(self, shared: int, last: str, end: str) -> str:
        """Give away what is behind a cut; the end of what is kept. `shared` characters are all names' of a page."""
        for at in range(len(self._prefix), shared):
            start = beyond(last, at)
            if start is None or (end and start >= end):
                continue
            found, _ = self._ask(start, end, 1)
            if found:
                with self._changed:
                    self._ranges.append(NameRange(found[0].name, end))
                    self._changed.notify()
                return found[0].name
            end = start
        return end

    def _give(self, page: Sequence[_Item] | None) -> None:
        while not self._left:
            with suppress(queue.Full):
                self._pages.put(page, timeout=_WAIT)
                return
