"""What is on offer in one market, of each runner and side the steps of the price ladder, as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.sources.betfair.price_ladder import LADDER

Array = NDArray[Any]
_STEP = {price: step for step, price in enumerate(LADDER)}
_PRICES = np.array(LADDER)
WIDTH = 512  # of a side: room for LADDER


def first_cell(runner: Any, lay: Any) -> Any:
    """Of a side of a runner, who is a number from 0: of one, or of each of two arrays."""
    return (runner * 2 + lay) * WIDTH


class OfferTable:
    """A cell is 1 where its price is on offer: those of a side begin at `first_cell`."""

    def __init__(self) -> None:
        self._cells: Array = np.zeros(0, np.uint8)

    def reserve(self, runners: int) -> None:
        if len(self._cells) < runners * 2 * WIDTH:
            cells = np.zeros(max(8, runners * 2) * 2 * WIDTH, np.uint8)
            cells[: len(self._cells)] = self._cells
            self._cells = cells

    def update(self, cells: Array, on_offer: Array) -> None:
        """Of a cell that is named twice the last word counts."""
        self._cells[cells] = on_offer

    def load(self, first: int, prices: Iterable[float]) -> bool:
        """The prices of one side in place of what it had. False where one of them is no price of the ladder."""
        try:
            steps = [_STEP[price] for price in prices]
        except KeyError:
            return False
        side = self._cells[first : first + WIDTH]
        side[:] = 0
        side[steps] = 1
        return True

    def prices(self, first: int) -> set[float]:
        return set(_PRICES[np.flatnonzero(self._cells[first : first + WIDTH])].tolist())
