"""Markets as they stand while a stream is read: each runner's last price, volume and best prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pipeline.sources.betfair.best_prices import NAN, NO_PRICES, Back, Lay
from pipeline.sources.betfair.definitions import starts_whole
from pipeline.sources.betfair.messages import (
    MarketChanges,
    PricedMarket,
    PricedRunner,
    RunnerKey,
    is_selection,
)
from pipeline.sources.betfair.plan import Plan

Numbers: TypeAlias = tuple[float, float, tuple[float, ...], tuple[float, ...]]  # ltp, tv, back, lay
_NOTHING: Numbers = (NAN, NAN, NO_PRICES, NO_PRICES)


class Runner:
    """Attributes: place (in the order in which the file has its runners); told (what its last row said)."""

    __slots__ = ("_cents", "_traded", "back", "laddered", "lay", "ltp", "place", "told", "volume")

    def __init__(self, place: int) -> None:
        self.place = place
        self.told: Numbers = _NOTHING
        self.back, self.lay = Back(), Lay()
        self.clear()

    def clear(self) -> None:
        self.ltp = self.volume = NAN
        self._traded: dict[float, int] = {}  # hundredths by price, of which sums are exact
        self._cents = 0
        self.laddered = False  # whether trd has been sent since the last image
        self.back.clear()
        self.lay.clear()

    def update_levels(self, change: PricedRunner) -> None:
        """The books of best prices, which are shown where there is no whole ladder."""
        if change.bdatb is not None:
            self.back.update_displayed(change.bdatb)
        if change.bdatl is not None:
            self.lay.update_displayed(change.bdatl)
        if change.batb is not None:
            self.back.update_levels(change.batb)
        if change.batl is not None:
            self.lay.update_levels(change.batl)

    def trade(self, trd: list[tuple[float, float]]) -> None:
        traded, cents = self._traded, self._cents
        if not trd:
            traded.clear()
            cents = 0
        for price, size in trd:
            now = round(size * 100)
            cents += now - traded.get(price, 0)
            traded[price] = now
        self._cents, self.laddered, self.volume = cents, True, cents / 100


@dataclass(frozen=True)
class MarketState:
    """What all rows of a market have until its next definition."""

    status: str | None = None
    inplay: bool | None = None
    event_type_id: str | None = None
    market_time: str | None = None


class Market:
    """Attributes: touched (the runners that the message changed, or may have)."""

    __slots__ = ("market_id", "plain", "runners", "starts_whole", "state", "touched")

    def __init__(self, market_id: str, *, starts_whole: bool) -> None:
        self.market_id = market_id
        self.starts_whole = starts_whole
        self.runners: dict[RunnerKey, Runner] = {}
        self.plain: dict[int, Runner] = {}  # those without a handicap, by selection id: found sooner
        self.touched: dict[int, Runner] = {}  # by place
        self.state = MarketState()


class Books:
    """All markets of a file. Attribute: keys (market id, selection id and handicap of each runner by its place)."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.markets: dict[str, Market] = {}
        self.keys: list[tuple[str, int, float]] = []

    def apply(self, message: MarketChanges[PricedMarket]) -> list[Market]:
        """The markets that the message is of, each once; a whole message is one step of time."""
        changed: list[Market] = []
        for change in message.mc:
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
                market.touched.update((runner.place, runner) for runner in market.runners.values())
            definition = change.marketDefinition
            if definition is not None:
                market.state = MarketState(
                    definition.status, definition.inPlay, definition.eventTypeId, definition.marketTime
                )
            if change.rc:
                self.apply_runners(market, change.rc)
            if market not in changed:
                changed.append(market)
        return changed

    @property
    def whole(self) -> bool:
        """Whether the file has all markets from their beginning to their end."""
        return all(
            market.starts_whole and market.state.status == "CLOSED" for market in self.markets.values()
        )

    def apply_runners(self, market: Market, changes: list[PricedRunner]) -> None:
        """The loop that the time goes to: few calls."""
        plain, touched = market.plain, market.touched
        for change in changes:
            runner = self._of(market, change) if change.hc else plain.get(change.id)
            if runner is None and (runner := self._of(market, change)) is None:
                continue
            touched[runner.place] = runner
            if (prices := change.atb) is not None:
                runner.back.update(prices)
            if (prices := change.atl) is not None:
                runner.lay.update(prices)
            if change.batb or change.batl or change.bdatb or change.bdatl:
                runner.update_levels(change)
            if (ltp := change.ltp) is not None:
                runner.ltp = NAN if isinstance(ltp, str) else ltp
            if (traded := change.trd) is not None:
                runner.trade(traded)
            elif change.tv is not None and not runner.laddered:
                runner.volume = NAN if isinstance(change.tv, str) else change.tv

    def _of(self, market: Market, change: PricedRunner) -> Runner | None:
        """The runner that a change is of, a new one where there is none; None where its id is no runner's."""
        if not is_selection(change.id):
            return None
        key = (change.id, change.hc or 0.0)
        runner = market.runners.get(key)
        if runner is None:
            runner = market.runners[key] = Runner(len(self.keys))
            self.keys.append((market.market_id, *key))
            if not change.hc:
                market.plain[change.id] = runner
        return runner
