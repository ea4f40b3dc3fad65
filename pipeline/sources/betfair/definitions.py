"""What the definitions of one market have said so far."""

from __future__ import annotations

from pipeline.sources.betfair.columns import milliseconds
from pipeline.sources.betfair.messages import (
    DefinedMarket,
    MarketDefinition,
    PricedMarket,
    RunnerDefinition,
    RunnerKey,
)

PARTIAL = "holds a market that is not whole (without its beginning, or not closed), marked partial"
_NONE = MarketDefinition()


class Definitions:
    """What was said of one market.

    last         the last definition; an empty one before any
    runners      the last definition of each runner that any definition had: a later one may lack those of before
    market_name, event_name, venue  the last that were not null
    inplay_time  publish time of the first definition that says in play
    """

    def __init__(self, first: DefinedMarket, *, recorded: bool) -> None:
        """`first` is the market's first change. A recording that starts without an image lacks what was before."""
        self.last = _NONE
        self.runners: dict[RunnerKey, RunnerDefinition] = {}
        self.market_name: str | None = None
        self.event_name: str | None = None
        self.venue: str | None = None
        self.inplay_time: int | None = None
        self._starts_whole = starts_whole(first, recorded=recorded)

    def take(self, definition: MarketDefinition, pt: int) -> None:
        self.last = definition
        self.market_name = definition.name or self.market_name
        self.event_name = definition.eventName or self.event_name
        self.venue = definition.venue or self.venue
        if definition.inPlay and self.inplay_time is None:
            self.inplay_time = pt
        for runner in definition.runners or ():
            self.runners[runner.id, runner.hc or 0.0] = runner

    @property
    def market_time(self) -> int | None:
        return milliseconds(self.last.marketTime)

    @property
    def partial(self) -> bool:
        """Whether the file lacks some of the market: it has no image at its start, or is cut off before the end."""
        return not self._starts_whole or self.last.status != "CLOSED"


def starts_whole(first: DefinedMarket | PricedMarket, *, recorded: bool) -> bool:
    """Whether a market's first change is its beginning: an image, or Betfair's own first definition of it."""
    definition = first.marketDefinition
    return bool(first.img) or (not recorded and definition is not None and not definition.inPlay)


def leaves_open(before: MarketDefinition, after: MarketDefinition) -> bool:
    return before.status == "OPEN" and after.status != "OPEN"


def turns(before: MarketDefinition, after: MarketDefinition) -> bool:
    """Whether inPlay changes, in either direction; the first definition changes nothing."""
    return before is not _NONE and bool(before.inPlay) != bool(after.inPlay)
