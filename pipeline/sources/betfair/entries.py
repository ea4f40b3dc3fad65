"""What the catalogue has of one market, and its row."""

from __future__ import annotations

from typing import Any

from pipeline.sources.betfair.columns import day, milliseconds
from pipeline.sources.betfair.definitions import Definitions
from pipeline.sources.betfair.messages import DefinedMarket, RunnerKey


class Entry:
    """One market as far as it has been read. Times are milliseconds since 1970."""

    def __init__(self, first: DefinedMarket, pt: int, *, recorded: bool) -> None:
        self.definitions = Definitions(first, recorded=recorded)
        self.first_pt = self.last_pt = pt
        self.updates = 0
        self.seen: set[RunnerKey] = set()  # runners that may be in no definition
        self.total_matched: float | None = None

    def row(self, market_id: str, plan: str | None, uri: str) -> dict[str, Any]:
        definitions, last = self.definitions, self.definitions.last
        runners = definitions.runners
        statuses = [runner.status for runner in runners.values()]
        winners = [runner.id for runner in runners.values() if runner.status == "WINNER"]
        market_time = definitions.market_time
        return {
            "market_id": market_id,
            "event_id": last.eventId,
            "event_type_id": last.eventTypeId,
            "event_name": definitions.event_name,
            "market_name": definitions.market_name,
            "market_type": last.marketType,
            "betting_type": last.bettingType,
            "country": last.countryCode,
            "venue": definitions.venue,
            "timezone": last.timezone,
            "market_time": market_time,
            "open_date": milliseconds(last.openDate),
            "settled_time": milliseconds(last.settledTime),
            "inplay_time": definitions.inplay_time,
            "status": last.status,
            "bsp_market": last.bspMarket,
            "bsp_reconciled": last.bspReconciled,
            "n_runners": len(runners.keys() | self.seen),
            "n_active": statuses.count("ACTIVE"),
            "n_removed": statuses.count("REMOVED"),
            "n_winners": len(winners),
            "winner_ids": winners,
            "total_matched": self.total_matched,
            "plan": plan,
            "first_pt": self.first_pt,
            "last_pt": self.last_pt,
            "updates": self.updates,
            "file": uri,
            "partial": definitions.partial,
            "date": day(market_time),
        }
