"""Markets as they stand while a stream is read: each runner's last price, volume and best prices."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.sources.betfair.best_prices import NAN, NO_PRICES, Side
from pipeline.sources.betfair.definitions import starts_whole
from pipeline.sources.betfair.messages import (
    PricedMessage,
    PricedRunner,
    RunnerKey,
    is_selection,
    number,
)
from pipeline.sources.betfair.plan import Plan

_NOTHING = (NAN, NAN, NO_PRICES, NO_PRICES)


class Runner:
    """Attributes: place (in the order in which the file has its runners); told (what its last row said)."""

    __slots__ = ("_cents", "_laddered", "_traded", "back", "lay", "ltp", "place", "told", "volume")

    def __init__(self, place: int) -> None:
        self.place = place
        self.told = _NOTHING
        self.back, self.lay = Side(back=True), Side(back=False)
        self.clear()

    def clear(self) -> None:
        self.ltp = self.volume = NAN
        self._traded: dict[float, int] = {}  # hundredths by price, of which sums are exact
        self._cents = 0
        self._laddered = False  # whether trd has been sent since the last image
        self.back.clear()
        self.lay.clear()

    def update(self, change: PricedRunner) -> None:
        if change.ltp is not None:
            ltp = number(change.ltp)
            self.ltp = NAN if ltp is None else ltp
        if change.trd is not None:
            self._trade(change.trd)
        elif change.tv is not None and not self._laddered:
            told = number(change.tv)
            self.volume = NAN if told is None else told
        if change.atb is not None:
            self.back.update(change.atb)
        if change.atl is not None:
            self.lay.update(change.atl)
        if change.bdatb is not None:
            self.back.update_displayed(change.bdatb)
        if change.bdatl is not None:
            self.lay.update_displayed(change.bdatl)
        if change.batb is not None:
            self.back.update_levels(change.batb)
        if change.batl is not None:
            self.lay.update_levels(change.batl)

    def _trade(self, trd: list[tuple[float, float]]) -> None:
        traded, cents = self._traded, self._cents
        if not trd:
            traded.clear()
            cents = 0
        for price, size in trd:
            now = round(size * 100)
            cents += now - traded.get(price, 0)
            traded[price] = now
        self._cents, self._laddered, self.volume = cents, True, cents / 100


@dataclass(frozen=True)
class MarketState:
    """What all rows of a market have until its next definition."""

    status: str | None = None
    inplay: bool | None = None
    event_type_id: str | None = None
    market_time: str | None = None


class Market:
    """Attributes: touched (the runners that the message changed, or may have)."""

    __slots__ = ("market_id", "runners", "starts_whole", "state", "touched")

    def __init__(self, market_id: str, *, starts_whole: bool) -> None:
        self.market_id = market_id
        self.starts_whole = starts_whole
        self.runners: dict[RunnerKey, Runner] = {}
        self.touched: dict[RunnerKey, Runner] = {}
        self.state = MarketState()


class Books:
    """All markets of a file. Attribute: keys (market id, selection id and handicap of each runner by its place)."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.markets: dict[str, Market] = {}
        self.keys: list[tuple[str, int, float]] = []

    def apply(self, message: PricedMessage) -> list[Market]:
        """The markets that the message is of, each once; a whole message is one step of time."""
        changed: list[Market] = []
        for change in message.mc or ():
            if not change.id:
                continue
            market = self.markets.get(change.id)
            if market is None:
                market = self.markets[change.id] = Market(
                    change.id, starts_whole=starts_whole(change, recorded=self._plan.recorded)
                )
            if change.img:
                for runner in market.runners.values():
                    runner.clear()
                market.touched.update(market.runners)
            definition = change.marketDefinition
            if definition is not None:
                market.state = MarketState(
                    definition.status, definition.inPlay, definition.eventTypeId, definition.marketTime
                )
            if change.rc:
                self._apply_runners(market, change.rc)
            if market not in changed:
                changed.append(market)
        return changed

    @property
    def whole(self) -> bool:
        """Whether the file has all markets from their beginning to their end."""
        return all(
            market.starts_whole and market.state.status == "CLOSED" for market in self.markets.values()
        )

    def _apply_runners(self, market: Market, changes: list[PricedRunner]) -> None:
        runners, touched = market.runners, market.touched
        for change in changes:
            key = (change.id, change.hc or 0.0)
            runner = runners.get(key)
            if runner is None:
                if not is_selection(change.id):
                    continue
                runner = runners[key] = Runner(len(self.keys))
                self.keys.append((market.market_id, *key))
            runner.update(change)
            touched[key] = runner
