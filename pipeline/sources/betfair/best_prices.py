"""One side of a runner's book, and its three best prices after each change."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from math import nan

NAN = nan  # null, in columns of float64: one object, so that tuples of it are equal to each other
NO_PRICES = (NAN,) * 6


class Side:
    """What is on offer to back or to lay. Attribute: best (price, size, three times, the best first; NAN for none).

    Of three books the first that is not empty is shown: the whole ladder (atb, atl), the best prices as displayed
    (bdatb, bdatl), the best prices (batb, batl). These are not the same: the last two roll small sizes together.
    """

    __slots__ = ("_displayed", "_levels", "_prices", "_sizes", "_third", "best")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.best: tuple[float, ...] = NO_PRICES
        self._prices: list[float] = []  # of the ladder, from the lowest on
        self._sizes: dict[float, float] = {}  # of the ladder, by price
        self._third: float | None = (
            None  # the third best price: what is behind it changes nothing that is shown
        )
        self._displayed: dict[float, tuple[float, float]] = {}  # price and size by position
        self._levels: dict[float, tuple[float, float]] = {}

    def update_displayed(self, changes: list[tuple[float, float, float]]) -> None:
        _update_levels(self._displayed, changes)
        if not self._prices:
            self._show()

    def update_levels(self, changes: list[tuple[float, float, float]]) -> None:
        _update_levels(self._levels, changes)
        if not self._prices:
            self._show()

    def _show(self) -> None:
        """Of fewer than three prices in the ladder, or of none, what is to be shown."""
        self._third = None
        if self._prices:
            shown = [(price, self._sizes[price]) for price in self._ladder()]
        else:
            levels = self._displayed or self._levels
            shown = [levels[position] for position in sorted(levels)[:3]]
        flat = [number for pair in shown for number in pair]
        self.best = (*flat, *NO_PRICES[len(flat) :])

    def _ladder(self) -> Iterable[float]:
        """Its prices, the best first."""
        return self._prices


# The two updates differ in no more than which end of the ladder is the best: they are most of the work of the view,
# and one for both would take a tenth more of it.


class Back(Side):
    """The best price to back is the highest."""

    __slots__ = ()

    def update(self, changes: list[tuple[float, float]]) -> None:
        """Of the ladder: price and size, of which 0 takes the price away."""
        prices, sizes, third = self._prices, self._sizes, self._third
        changed = False
        for price, size in changes:
            if size:
                if price not in sizes:
                    insort(prices, price)
                sizes[price] = size
            elif sizes.pop(price, None) is None:
                continue
            else:
                del prices[bisect_left(prices, price)]
            if third is None or price >= third:
                changed = True
        if changed:
            if len(prices) < 3:
                self._show()
            else:
                three, two, one = prices[-3:]
                self._third = three
                self.best = (one, sizes[one], two, sizes[two], three, sizes[three])

    def _ladder(self) -> Iterable[float]:
        return reversed(self._prices)


class Lay(Side):
    """The best price to lay is the lowest."""

    __slots__ = ()

    def update(self, changes: list[tuple[float, float]]) -> None:
        """Of the ladder: price and size, of which 0 takes the price away."""
        prices, sizes, third = self._prices, self._sizes, self._third
        changed = False
        for price, size in changes:
            if size:
                if price not in sizes:
                    insort(prices, price)
                sizes[price] = size
            elif sizes.pop(price, None) is None:
                continue
            else:
                del prices[bisect_left(prices, price)]
            if third is None or price <= third:
                changed = True
        if changed:
            if len(prices) < 3:
                self._show()
            else:
                one, two, three = prices[:3]
                self._third = three
                self.best = (one, sizes[one], two, sizes[two], three, sizes[three])


def _update_levels(
    levels: dict[float, tuple[float, float]], changes: list[tuple[float, float, float]]
) -> None:
    """The position, price and size of each level; a size of 0 takes the position away."""
    for position, price, size in changes:
        if size:
            levels[position] = (price, size)
        else:
            levels.pop(position, None)
