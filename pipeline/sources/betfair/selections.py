"""One runner as it stands while the view `runners` reads a market: ladders as plain sums, put in order when asked."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from operator import lt
from typing import TypeAlias

from pipeline.sources.betfair.messages import StartingPriceRunner, WholeRunner

Sizes: TypeAlias = dict[
    float, float
]  # by price; 0 is a price that is gone, which is cheaper to keep than to delete
_Levels: TypeAlias = list[
    tuple[float, float, float]
]  # position, price and size as they came: the last word counts


class Selection:
    """Attributes: ltp, traded, back (atb), lay (atl), sp_back (spb), sp_lay (spl); last_sp (see `keep_sp`).

    ticks                    times and prices of each ltp since `pack`
    back_levels, lay_levels  best prices by position (batb, batl); what is displayed of them is told by `display`

    Whoever adds to ticks and levels calls `pack` from time to time: what they hold is then not more than what counts.
    """

    __slots__ = (
        *("_back_displayed", "_in_order", "_lay_displayed", "_prices", "_times", "back", "back_levels"),
        *("last_sp", "lay", "lay_levels", "ltp", "sp_back", "sp_lay", "ticks", "traded"),
    )

    def __init__(self) -> None:
        self.ticks: list[tuple[int, float]] = []
        self._times, self._prices = array("q"), array("d")  # of those before, all through the file
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
        self.back_levels: _Levels = []
        self.lay_levels: _Levels = []
        self._back_displayed: _Levels = []
        self._lay_displayed: _Levels = []

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

    def match(self, ltp: float | str, pt: int) -> None:
        """A last price."""
        if isinstance(ltp, str):  # "NaN" or "Infinity"
            self.ltp = None
        elif ltp != self.ltp:
            self.ltp = ltp
            self.ticks.append((pt, ltp))

    def display(self, change: WholeRunner) -> None:
        """The best prices as displayed (bdatb, bdatl), which are shown before those as they are."""
        self._back_displayed += change.bdatb or ()
        self._lay_displayed += change.bdatl or ()

    def pack(self) -> None:
        """Keep of the levels the last word on each position, and ticks as plain numbers."""
        self.back_levels, self.lay_levels = _last(self.back_levels), _last(self.lay_levels)
        self._back_displayed, self._lay_displayed = _last(self._back_displayed), _last(self._lay_displayed)
        self._pack_ticks()

    def _pack_ticks(self) -> None:
        if self.ticks:
            times, prices = zip(*self.ticks, strict=True)
            self._in_order = (
                self._in_order
                and not (self._times and times[0] < self._times[-1])
                and not any(map(lt, times[1:], times))
            )
            self._times.extend(times)
            self._prices.extend(prices)
            self.ticks = []

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
        return max(self.back, default=_best(self._back_displayed, self.back_levels))

    @property
    def best_lay(self) -> float | None:
        return min(self.lay, default=_best(self._lay_displayed, self.lay_levels))

    def ltp_at(self, moment: int) -> float | None:
        """The last price that was matched at or before a moment."""
        self._pack_ticks()
        times = self._times
        if self._in_order:
            place = bisect_right(times, moment) - 1
        else:
            place = next((i for i in range(len(times) - 1, -1, -1) if times[i] <= moment), -1)
        return self._prices[place] if place >= 0 else None


def _last(levels: _Levels) -> _Levels:
    """The last word on each position."""
    return list({level[0]: level for level in levels}.values())


def _best(*books: _Levels) -> float | None:
    """The price of the first position that has one, in the first of the books that has any."""
    for book in books:
        held = [(position, price) for position, price, size in _last(book) if size]
        if held:
            return min(held)[1]
    return None
