"""One side of a runner's book, and its three best prices after each change."""

from __future__ import annotations

from bisect import bisect_left, insort
from math import inf, nan

NAN = nan  # null, in columns of float64: one object, so that tuples of it are equal to each other
NO_PRICES = (NAN,) * 6


class Side:
    """What is on offer to back or to lay. Attribute: best (price, size, three times, the best first; NAN for none).

    Of three books the first that is not empty is shown: the whole ladder (atb, atl), the best prices as displayed
    (bdatb, bdatl), the best prices (batb, batl). These are not the same: the last two roll small sizes together.
    """

    __slots__ = ("_displayed", "_keys", "_levels", "_sign", "_sizes", "_third", "best")

    def __init__(self, *, back: bool) -> None:
        # The best price to back is the highest: prices are kept by a key of which the least is the best.
        self._sign = -1.0 if back else 1.0
        self.clear()

    def clear(self) -> None:
        self.best = NO_PRICES
        self._keys: list[float] = []  # of the ladder, sorted
        self._sizes: dict[float, float] = {}  # of the ladder, by key
        self._third = inf  # the third best key: what is behind it changes nothing that is shown
        self._displayed: dict[float, tuple[float, float]] = {}  # price and size by position
        self._levels: dict[float, tuple[float, float]] = {}

    def update(self, changes: list[tuple[float, float]]) -> bool:
        """Of the ladder: price and size, of which 0 takes the price away. Whether the best may have changed."""
        keys, sizes, sign, third = self._keys, self._sizes, self._sign, self._third
        changed = False
        for price, size in changes:
            key = price * sign
            if size:
                if key not in sizes:
                    insort(keys, key)
                sizes[key] = size
            elif sizes.pop(key, None) is None:
                continue
            else:
                del keys[bisect_left(keys, key)]
            if key <= third:
                changed = True
        if changed:
            self._show()
        return changed

    def update_displayed(self, changes: list[tuple[float, float, float]]) -> None:
        _update_levels(self._displayed, changes)
        if not self._keys:
            self._show()

    def update_levels(self, changes: list[tuple[float, float, float]]) -> None:
        _update_levels(self._levels, changes)
        if not self._keys:
            self._show()

    def _show(self) -> None:
        keys, sizes, sign = self._keys, self._sizes, self._sign
        if len(keys) > 2:
            one, two, three = keys[:3]
            self.best = (one * sign, sizes[one], two * sign, sizes[two], three * sign, sizes[three])
            self._third = three
            return
        self._third = inf
        if keys:
            shown = [(key * sign, sizes[key]) for key in keys]
        else:
            levels = self._displayed or self._levels
            shown = [levels[position] for position in sorted(levels)[:3]]
        flat = [number for pair in shown for number in pair]
        self.best = (*flat, *NO_PRICES[len(flat) :])  # type: ignore[assignment]  # six of them


def _update_levels(
    levels: dict[float, tuple[float, float]], changes: list[tuple[float, float, float]]
) -> None:
    """The position, price and size of each level; a size of 0 takes the position away."""
    for position, price, size in changes:
        if size:
            levels[position] = (price, size)
        else:
            levels.pop(position, None)
