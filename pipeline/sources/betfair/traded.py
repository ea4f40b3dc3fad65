"""What a runner has traded: its ladder by price, and its volume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pipeline.sources.betfair.messages import Number, number

Sizes = Mapping[float, float]  # by price; 0 is a price that is gone


class Traded(NamedTuple):
    """A ladder in four numbers. All are None where nothing was traded."""

    low: float | None
    high: float | None
    average: float | None  # price, weighted by size
    volume: float | None


_NOTHING = Traded(None, None, None, None)


def summed(ladder: Sizes) -> Traded:
    # Prices and sizes have two decimals: as hundredths they add up exactly.
    prices = {round(price * 100): round(size * 100) for price, size in ladder.items() if size}
    volume = sum(prices.values())
    if volume <= 0:
        return _NOTHING
    average = sum([price * size for price, size in prices.items()]) / volume
    return Traded(min(prices) / 100, max(prices) / 100, average / 100, volume / 100)


def since(before: Sizes, after: Sizes) -> dict[float, float]:
    """What was added to a ladder, price by price; what was taken away is left out."""
    added = {price: size - before.get(price, 0.0) for price, size in after.items()}
    return {price: size for price, size in added.items() if size > 0}


class Volume:
    """What was traded on a runner: of its ladder where one was sent since the last image, or else what `tv` says.

    In the official files `tv` is what this one update adds, in recordings it is the sum of the ladder.
    """

    __slots__ = ("ladder", "laddered", "told")

    def __init__(self) -> None:
        self.ladder: dict[float, float] = {}
        self.laddered = False
        self.told: float | None = None

    def update(self, trd: list[tuple[float, float]] | None, tv: Number) -> None:
        if trd is not None:
            self.laddered = True
            if trd:
                self.ladder.update(trd)
            else:
                self.ladder.clear()
        elif tv is not None:
            self.told = number(tv)

    @property
    def total(self) -> float | None:
        if not self.laddered:
            return self.told
        # In hundredths, which add up exactly: sizes have two decimals.
        return sum([round(size * 100) for size in self.ladder.values()]) / 100
