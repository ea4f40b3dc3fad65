"""Prices at the instants of a grid: at each, every runner of the markets that are not closed, as it then stands."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from pipeline.sources.betfair.books import Books, Market
from pipeline.sources.betfair.lines import Changes
from pipeline.sources.betfair.messages import MarketChanges, PricedMarket
from pipeline.sources.betfair.price_rows import BATCH_ROWS, PriceRows

_LONGEST_GAP = (
    31 * 24 * 3_600_000
)  # no stream is quiet for so long: a time is wrong, and rows would have no end


def grid_rows(
    changes: Changes[MarketChanges[PricedMarket]], books: Books, step: int
) -> Iterator[pa.RecordBatch]:
    """`step` is milliseconds. Of lines that share an instant, or have an earlier one, the last is what counts."""
    rows = PriceRows(books.keys)
    running: dict[str, Market] = {}
    seq = 0
    instant = 0  # the next of the grid, not before any line that was applied
    for message in changes:
        pt = message.pt
        if running and pt - instant > _LONGEST_GAP:
            _add(rows, running, seq, instant)
        elif running:
            while instant < pt:
                _add(rows, running, seq, instant)
                instant += step
                if len(rows) >= BATCH_ROWS:
                    yield rows.batch()
        instant = max(instant, -(-pt // step) * step)
        for market in books.apply(message):
            market.touched.clear()
            running[market.market_id] = market
        seq = changes.number
    _add(rows, running, seq, instant)
    if len(rows):
        yield rows.batch()


def _add(rows: PriceRows, running: dict[str, Market], seq: int, instant: int) -> None:
    """A row a runner; a market that is closed has its last ones."""
    for market in list(running.values()):
        if market.runners:
            rows.begin(seq, instant, market.state)
        for runner in market.runners.values():
            rows.add(runner.place, (runner.ltp, runner.volume, runner.back.best, runner.lay.best))
        if market.state.status == "CLOSED":
            del running[market.market_id]
