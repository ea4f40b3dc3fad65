"""The view `catalogue`: a row a market."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pyarrow as pa

from pipeline.sources.betfair.columns import TIME, batch_of, column
from pipeline.sources.betfair.definitions import PARTIAL, leaves_open
from pipeline.sources.betfair.entries import Entry
from pipeline.sources.betfair.file_end import COLUMNS, row_of_end
from pipeline.sources.betfair.lines import Changes
from pipeline.sources.betfair.messages import (
    TRADED,
    ChangesWithOrigin,
    MarketDefinition,
    RunnerKey,
    TradedMarket,
    is_recorded,
    is_selection,
)
from pipeline.sources.betfair.options import check_flag
from pipeline.sources.betfair.plan import Plan
from pipeline.sources.betfair.skim import skim
from pipeline.sources.betfair.traded import Volume
from pipeline.sources.view import View, ViewedFile

SCHEMA = pa.schema(
    [
        column("market_id", pa.string(), "The market, such as 1.195532863; text, since 1.10 is not 1.1"),
        column("event_id", pa.string(), "The event, as in the folder's name"),
        column("event_type_id", pa.string(), "The sport: 1 soccer, 2 tennis, 7 horses, 4339 greyhounds ..."),
        column("event_name", pa.string(), "The event's name, the last that is not null"),
        column("market_name", pa.string(), "The market's name, the last that is not null"),
        column("market_type", pa.string(), "Such as WIN, PLACE or MATCH_ODDS"),
        column("betting_type", pa.string(), "ODDS, ASIAN_HANDICAP_SINGLE_LINE, LINE ..."),
        column("country", pa.string(), "Country code, ISO 3166 of two letters"),
        column("venue", pa.string(), "The course or track, the last that is not null"),
        column("timezone", pa.string(), "Where the event is; all times are UTC all the same"),
        column("market_time", TIME, "The scheduled off, of the last definition: it may have moved"),
        column("open_date", TIME, "The event's scheduled start, of the last definition"),
        column("settled_time", TIME, "When the market was settled, of the last definition"),
        column("inplay_time", TIME, "Publish time of the first definition in play; null where it never was"),
        column("status", pa.string(), "Of the last definition: OPEN, SUSPENDED, CLOSED ..."),
        column("bsp_market", pa.bool_(), "Whether the market has a Betfair starting price"),
        column("bsp_reconciled", pa.bool_(), "Whether that was worked out, of the last definition"),
        column("n_runners", pa.int32(), "Runners in any of the definitions"),
        column("n_active", pa.int32(), "Of them, whose last status is ACTIVE"),
        column("n_removed", pa.int32(), "Of them, whose last status is REMOVED"),
        column("n_winners", pa.int32(), "Of them, whose last status is WINNER"),
        column("winner_ids", pa.list_(pa.int64()), "Selection ids of the winners; empty in a void market"),
        column(
            "total_matched",
            pa.float64(),
            "GBP traded, of all runners when the market last left OPEN, without SP; null for BASIC and total=False",
        ),
        column("plan", pa.string(), "BASIC, ADVANCED, PRO, or RECORDED by somebody from the live stream"),
        column("first_pt", TIME, "Publish time of the market's first change"),
        column("last_pt", TIME, "Publish time of its last change in the file"),
        column("updates", pa.int64(), "Its changes in the file"),
        column("file", pa.string(), "The file's URI"),
        column(
            "partial",
            pa.bool_(),
            "Whether the file lacks its beginning (a recording without an image) or end",
        ),
        column("date", pa.date32(), "The day of market_time, in UTC"),
    ]
)

_FACETS = ("event_type_id", "country", "market_type", "venue", "event_name", "date")


@dataclass(frozen=True)
class Catalogue(View):
    """`total=False` leaves total_matched out.

    Then only the lines with a definition are decoded, several times as fast, and a line that does not decode is
    found where it does not look like one from outside.
    """

    total: bool = True

    name: ClassVar[str] = "catalogue"
    description: ClassVar[str] = "one row a market: what it is, when it was, who won"
    schema: ClassVar[pa.Schema] = SCHEMA
    sorted_by: ClassVar[tuple[str, ...]] = ("market_id",)
    partitions: ClassVar[tuple[str, ...]] = ("event_type_id", "date")
    facets: ClassVar[tuple[str, ...]] = _FACETS
    key: ClassVar[str] = "market_id"
    kept: ClassVar[tuple[str, ...]] = COLUMNS
    words: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "event_type_id": {"1": "Soccer", "2": "Tennis", "7": "Horse Racing", "4339": "Greyhound Racing"}
    }

    def __post_init__(self) -> None:
        check_flag("catalogue", "total", self.total)

    @classmethod
    def for_catalogue(cls) -> Self:
        return cls(total=False)

    def row_of_end(self, lines: bytes, uri: str) -> Mapping[str, Any] | None:
        return row_of_end(lines, uri)

    def rows(self, blocks: Iterable[bytes], file: ViewedFile) -> Iterator[pa.RecordBatch]:
        entries, plan = _read(blocks, file) if self.total else skim(blocks, file)
        rows = [entries[market_id].row(market_id, plan.name, file.uri) for market_id in sorted(entries)]
        if any(row["partial"] for row in rows):
            file.note(PARTIAL)
        yield batch_of(rows, SCHEMA)


class _Traded(Entry):
    """With what was traded."""

    def __init__(self, first: TradedMarket, pt: int, *, recorded: bool) -> None:
        super().__init__(first, pt, recorded=recorded)
        self.volumes: dict[RunnerKey, Volume] = {}
        self.has_left_open = False

    def apply(self, change: TradedMarket, pt: int) -> None:
        self.updates += 1
        self.last_pt = pt
        volumes = self.volumes
        if change.img:
            self.seen.update(volumes)
            volumes.clear()
        if change.marketDefinition is not None:
            self.definitions.take(change.marketDefinition, pt)
        for runner in change.rc or ():
            key = (runner.id, runner.hc or 0.0)
            volume = volumes.get(key)
            if volume is None:
                if not is_selection(runner.id):
                    continue
                volume = volumes[key] = Volume()
            if runner.trd is not None or runner.tv is not None:
                volume.update(runner.trd, runner.tv)

    def finish(self, *, has_ladders: bool) -> None:
        self.seen.update(self.volumes)
        if not self.has_left_open:
            self.total_matched = self.total()
        if not has_ladders:
            self.total_matched = None

    def total(self) -> float:
        return round(sum(volume.total or 0.0 for volume in self.volumes.values()), 2)


def _read(blocks: Iterable[bytes], file: ViewedFile) -> tuple[dict[str, Entry], Plan]:
    changes: Changes[ChangesWithOrigin[TradedMarket]] = Changes(blocks, file, TRADED)
    plan = changes.plan
    markets: dict[str, _Traded] = {}
    for message in changes:
        pt = message.pt
        plan.recorded = plan.recorded or is_recorded(message)
        defined: dict[str, MarketDefinition] = {}
        for change in message.mc:
            if not change.id:
                continue
            market = markets.get(change.id)
            if market is None:
                market = markets[change.id] = _Traded(change, pt, recorded=plan.recorded)
            if change.marketDefinition is not None:
                defined.setdefault(change.id, market.definitions.last)
            market.apply(change, pt)
        for market_id, before in defined.items():
            market = markets[market_id]
            if leaves_open(before, market.definitions.last):
                market.total_matched, market.has_left_open = market.total(), True
    for market in markets.values():
        market.finish(has_ladders=plan.has_ladders)
    return {**markets}, plan
