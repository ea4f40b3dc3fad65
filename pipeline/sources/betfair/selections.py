"""One runner as it stands while the view `runners` reads a market: ladders as plain sums, put in order when asked."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import TypeAlias

from pipeline.sources.betfair.messages import Levels, Number, StartingPriceRunner, WholeRunner, number

Sizes: TypeAlias = dict[
    float, float
]  # by price; 0 is a price that is gone, which is cheaper to keep than to delete
_Book: TypeAlias = dict[float, tuple[float, float]]  # price and size by position; a size of 0 as above


class Selection:
    """Attributes: ltp, traded, back (atb), lay (atl), sp_back (spb), sp_lay (spl); last_sp (see `keep_sp`)."""

    __slots__ = (
        *("_back_levels", "_in_order", "_lay_levels", "_prices", "_times"),
        *("back", "last_sp", "lay", "ltp", "sp_back", "sp_lay", "traded"),
    )

    def __init__(self) -> None:
        self._times, self._prices = array("q"), array("d")  # of each ltp, all through the file
        self._in_order = True  # the times, which may go back
        self.last_sp: tuple[float, float] = (0.0, 0.0)
        self.clear()

    def clear(self) -> None:
        """What an image does."""
        self.ltp: float | None = None
        self.traded: Sizes = {}
        self.sp_back: Sizes = {}
        self.sp_lay: Sizes = {}
        self.back: set[float] = set()  # prices alone
        self.lay: set[float] = set()
        # As displayed, and as they are: the first that is not empty is shown where there is no whole ladder.
        self._back_levels: tuple[_Book, _Book] | None = None
        self._lay_levels: tuple[_Book, _Book] | None = None

    def take(self, change: WholeRunner | StartingPriceRunner, pt: int) -> bool:
        """What was traded, and what is taken at SP. Returns whether the change tells the second."""
        if (sizes := change.trd) is not None:
            ladder = self.traded
            if not sizes:
                ladder.clear()
            for price, size in sizes:  # one or two: a loop takes less time than a call of `update`
                ladder[price] = size
        if (ltp := change.ltp) is not None and ltp != self.ltp:
            self.match(ltp, pt)
        if change.spb is not None:
            self.sp_back.update(change.spb)
        if change.spl is not None:
            self.sp_lay.update(change.spl)
        return change.spb is not None or change.spl is not None

    def match(self, ltp: Number, pt: int) -> None:
        price = number(ltp)
        if price != self.ltp:
            self.ltp = price
            if price is not None:
                if self._times and pt < self._times[-1]:
                    self._in_order = False
                self._times.append(pt)
                self._prices.append(price)

    def offer_levels(self, change: WholeRunner) -> None:
        """What is on offer to back and to lay, of a file that has no whole ladders."""
        if change.bdatb or change.batb:
            self._back_levels = _levels(self._back_levels, change.bdatb, change.batb)
        if change.bdatl or change.batl:
            self._lay_levels = _levels(self._lay_levels, change.bdatl, change.batl)

    def keep_sp(self) -> None:
        """Keep, as `last_sp`, the stake and the liability that are taken at SP, unless both are gone.

        After the reconciliation each ladder has one price. The settlement takes them away before the market closes.
        """
        stake, liability = self.stake, self.liability
        if stake or liability:
            self.last_sp = (stake, liability)

    @property
    def stake(self) -> float:
        """What is backed at SP: of several prices at the lowest."""
        return self.sp_lay[min(held)] if (held := [p for p, size in self.sp_lay.items() if size]) else 0.0

    @property
    def liability(self) -> float:
        """What is laid at SP: of several prices at the highest."""
        return self.sp_back[max(held)] if (held := [p for p, size in self.sp_back.items() if size]) else 0.0

    @property
    def best_back(self) -> float | None:
        return max(self.back, default=_best(self._back_levels))

    @property
    def best_lay(self) -> float | None:
        return min(self.lay, default=_best(self._lay_levels))

    def ltp_at(self, moment: int) -> float | None:
        """The last price that was matched at or before a moment."""
        times = self._times
        if self._in_order:
            place = bisect_right(times, moment) - 1
        else:
            place = next((i for i in range(len(times) - 1, -1, -1) if times[i] <= moment), -1)
        return self._prices[place] if place >= 0 else None


def _levels(books: tuple[_Book, _Book] | None, displayed: Levels, best: Levels) -> tuple[_Book, _Book]:
    books = books or ({}, {})
    for book, changes in zip(books, (displayed, best), strict=True):
        for position, price, size in changes or ():
            book[position] = (price, size)
    return books


def _best(books: tuple[_Book, _Book] | None) -> float | None:
    for book in books or ():
        held = [position for position, (_, size) in book.items() if size]
        if held:
            return book[min(held)][0]
    return None
