"""The view `runners`: a row a runner."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import pyarrow as pa

from pipeline.sources.betfair.columns import batch_of
from pipeline.sources.betfair.definitions import PARTIAL
from pipeline.sources.betfair.lines import Changes
from pipeline.sources.betfair.messages import (
    LADDERS,
    STARTING_PRICES,
    MarketChanges,
    MarketDefinition,
    WholeMarket,
)
from pipeline.sources.betfair.options import check_choice, check_flag
from pipeline.sources.betfair.plan import Plan
from pipeline.sources.betfair.runner_rows import SCHEMA, runner_rows
from pipeline.sources.betfair.snapshots import Snapshots
from pipeline.sources.view import View, ViewedFile

_REFUSED = 3  # stretches of lines, after which no other is tried undecoded
_NEEDED = re.compile(rb'"(?:trd|ltp|sp[bl]|marketD)')  # in lines that are not about books alone


@dataclass(frozen=True)
class Runners(View):
    """`off` says which change of inPlay divides pre-play from in-play, where a market has several.

    "first": the first one to true, which is the catalogue's inplay_time. "last": the last one in either direction,
    as Betfair's tutorial has it.

    `offers=False` leaves best_back_at_off and best_lay_at_off out. Then only the lines that matter are decoded, of
    ADVANCED files in two thirds of the time: runners that are known from their books alone have no row, and a line
    that does not decode is found where it does not look like a message from outside.
    """

    off: Literal["first", "last"] = "first"
    offers: bool = True

    name: ClassVar[str] = "runners"
    description: ClassVar[str] = (
        "one row a runner: result, starting price, what was traded before the off and in play"
    )
    schema: ClassVar[pa.Schema] = SCHEMA
    sorted_by: ClassVar[tuple[str, ...]] = ("market_id", "selection_id", "handicap")
    partitions: ClassVar[tuple[str, ...]] = ("event_type_id", "date")

    def __post_init__(self) -> None:
        check_choice(self.name, "off", self.off, ("first", "last"))
        check_flag(self.name, "offers", self.offers)

    def rows(self, blocks: Iterable[bytes], file: ViewedFile) -> Iterator[pa.RecordBatch]:
        changes: Changes[Any] = (
            Changes(blocks, file, LADDERS)
            if self.offers
            else Changes(blocks, file, STARTING_PRICES, needed=_NEEDED)
        )
        markets = _read(changes, offers=self.offers, at_last=self.off == "last")
        if any(market.definitions.partial for market in markets.values()):
            file.note(PARTIAL)
        for market_id in sorted(markets):
            rows = runner_rows(market_id, markets[market_id], changes.plan)
            if rows:
                yield batch_of(rows, SCHEMA)


def _read(changes: Changes[Any], *, offers: bool, at_last: bool) -> dict[str, Snapshots]:
    """`offers`: whether what is on offer is wanted. It is decoded until all markets are off."""
    markets: dict[str, Snapshots] = {}
    if offers:
        changes.undecoded = _Undecoded(markets, changes)
    for messages, _ in changes.batches():
        offered, levels = changes.decoder is not STARTING_PRICES, changes.decoder is not LADDERS
        place = 0
        while place < len(messages):
            message: MarketChanges[WholeMarket] = messages[place]
            market = markets.get(message.mc[0].id)
            if market is not None and (
                taken := market.apply_plain(messages[place:], offers=offered, levels=levels)
            ):
                place += taken
            elif offers and not offered and any(change.id not in markets for change in message.mc):
                messages, _ = changes.again(place, LADDERS)  # noqa: PLW2901  the rest of them, with offers
                offered, levels, place = True, True, 0
            else:
                _apply(message, markets, changes.plan, offers=offered, at_last=at_last)
                place += 1
        if offered and markets and not any(market.needs_offers for market in markets.values()):
            changes.decoder, changes.undecoded = STARTING_PRICES, None
    return markets


class _Undecoded:
    """Takes lines without decoding them, while there is one market and they have a form that allows it."""

    def __init__(self, markets: dict[str, Snapshots], changes: Changes[Any]) -> None:
        self._markets, self._changes = markets, changes
        self._refused = 0

    def __call__(self, lines: bytes) -> int:
        if self._changes.plan.name != "PRO":  # lines of other plans are not read so
            return 0
        if len(self._markets) == 1:
            (market,) = self._markets.values()
            if taken := market.apply_lines(lines):
                return taken
        self._refused += 1
        if self._refused > _REFUSED:
            self._changes.undecoded = None
        return 0


def _apply(
    message: MarketChanges[WholeMarket],
    markets: dict[str, Snapshots],
    plan: Plan,
    *,
    offers: bool,
    at_last: bool,
) -> None:
    """All of a message as one step."""
    changes = [change for change in message.mc if change.id]
    defined = {change.id: change.marketDefinition for change in changes if change.marketDefinition}
    before: list[tuple[Snapshots, MarketDefinition]] = []
    for market_id, definition in defined.items():
        if market_id in markets:
            before.append((markets[market_id], markets[market_id].definitions.last))
            markets[market_id].before(definition)
    for change in changes:
        market = markets.get(change.id)
        if market is None:
            market = markets[change.id] = Snapshots(change, recorded=plan.recorded, at_last=at_last)
        market.apply(change, message.pt, offers=offers)
    for change in changes:
        markets[change.id].finish()
    for market, definition in before:
        market.after(definition)
