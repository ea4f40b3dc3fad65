"""A market as a stream file of Betfair's historical data has it: made up, in the shape of the real ones.

A file is NDJSON, one change message a line (Betfair's Exchange Stream API): first a whole marketDefinition,
then runner changes, with a new definition at each change of state: a withdrawal, a suspension, the off, in
play, closed and settled. What a runner change carries depends on the plan the data was bought under:

    BASIC     ltp
    ADVANCED  ltp, trd, tv, and the three best prices of each side as [level, price, size] (batb, batl)
    PRO       ltp, trd, tv, the ladder of each side as [price, size] (atb, atl), and the projected starting
              prices (spn, spf), which are the string "NaN" where there is none
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from chimera_nb.local.demo.event import Market, Runner, below, make_event, pick, seeded
from pipeline.errors import RefusedError
from pipeline.sources.betfair.price_ladder import LADDER

PLANS = ("BASIC", "ADVANCED", "PRO")
FEWEST_MESSAGES = 20  # room for every change of state

_STAKES = (2, 5, 10, 20, 25, 50, 100, 200)
_DEPTH = 3  # prices shown of each side
_LEAD_MS = {"BASIC": 12 * 3_600_000, "ADVANCED": 4 * 3_600_000, "PRO": 3_600_000}  # trading before the off
_DEFAULT_DAY = datetime(2016, 1, 1, tzinfo=UTC)


def make_market(seed: int, messages: int, *, plan: str = "ADVANCED", market: Market | None = None) -> bytes:
    """The raw NDJSON of one market, in `messages` lines with a line end after each.

    Without `market` one is made from the seed. Raises RefusedError for fewer than FEWEST_MESSAGES and for a
    plan that is not of PLANS.
    """
    if messages < FEWEST_MESSAGES:
        raise RefusedError(f"a market of {messages} messages is too short; ask for {FEWEST_MESSAGES} or more")
    if plan not in PLANS:
        raise RefusedError(f"no plan is named {plan!r}; Betfair sells {', '.join(PLANS)}")
    rng = seeded(seed)
    return _Play(rng, market or make_event(seed, _DEFAULT_DAY, below(rng, 100_000))[0], plan).run(messages)


@dataclass
class _Book:
    """One runner as it stands: `at` is the step on the ladder of the best price to back."""

    runner: Runner
    at: int
    status: str = "ACTIVE"
    removed: str | None = None
    bsp: float | str | None = None
    volume: float = 0.0
    traded: dict[int, float] = field(default_factory=dict)
    back: dict[int, float] = field(default_factory=dict)  # PRO: by step of the ladder, the size on offer
    lay: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _State:
    status: str = "OPEN"
    in_play: bool = False
    reconciled: bool = False
    settled: str | None = None


class _Play:
    """Plays a market from its opening to its settlement and keeps what was said."""

    def __init__(self, rng: random.Random, market: Market, plan: str) -> None:
        self._rng, self._market, self._plan = rng, market, plan
        self._books = [_Book(runner, 40 + below(rng, 200)) for runner in market.runners]
        self._now = market.start_ms - _LEAD_MS[plan]
        self._clock = 2_100_000_000 + below(rng, 100_000_000)
        self._version = 1_200_000_000 + below(rng, 10_000_000)
        self._state = _State()
        self._lines: list[bytes] = []

    def run(self, messages: int) -> bytes:
        off = messages * 3 // 5 if self._market.in_play else messages - 2
        script = self._script(messages, off)
        gap = (self._market.start_ms - self._now) // (off + 1)
        for index in range(messages):
            self._now += 1 + below(self._rng, 2 * gap)
            self._clock += 1 + below(self._rng, 5000)
            if index == off:
                self._now = max(self._now, self._market.start_ms + below(self._rng, 90_000))
                gap = self._market.duration_ms // (messages - off)
            if self._market.withdrawn and index == messages // 5:
                self._withdraw()
            elif index in script:
                self._define(script[index])
            else:
                self._say({"rc": self._changes()})
        return b"".join(self._lines)

    def _script(self, messages: int, off: int) -> dict[int, _State]:
        """The changes of state, by the number of the message that tells of each."""
        reconciled = self._market.starting_price
        script = {
            0: _State(),
            messages * 9 // 20: _State("SUSPENDED"),
            messages * 9 // 20 + 1: _State(),
            off: _State("SUSPENDED", reconciled=reconciled),
        }
        if self._market.in_play:
            running = _State(in_play=True, reconciled=reconciled)
            script[off + 1] = running
            if self._market.event_type == "1":  # a goal
                script[messages * 4 // 5] = replace(running, status="SUSPENDED")
                script[messages * 4 // 5 + 1] = running
            script[messages - 2] = replace(running, status="SUSPENDED")
        script[messages - 1] = replace(script[messages - 2], status="CLOSED", settled="")
        return script

    def _withdraw(self) -> None:
        for book in self._books:
            if book.runner.id == self._market.withdrawn:
                book.status, book.removed = "REMOVED", _timestamp(self._now)
        self._define(self._state)

    def _define(self, state: _State) -> None:
        if state.reconciled and not self._state.reconciled:
            for book in self._active():
                # Betfair writes NaN, which JSON lacks, as a string: here for a runner nobody backed at SP.
                book.bsp = (
                    "NaN" if self._rng.random() < 0.06 else LADDER[book.at] + below(self._rng, 10) / 1000
                )
        if state.status == "CLOSED":
            state = replace(state, settled=_timestamp(self._now - self._now % 1000))
            for book in self._active():
                book.status = "WINNER" if book.runner.id in self._market.winners else "LOSER"
        self._state = state
        self._version += 1 + below(self._rng, 4000)
        self._say({"marketDefinition": self._definition()})

    def _say(self, change: dict[str, Any]) -> None:
        change = {"id": self._market.market_id, **change}
        if self._plan != "BASIC":
            change |= {"con": True, "img": False} if self._lines else {"con": True, "img": True}
        message = {"op": "mcm", "clk": str(self._clock), "pt": self._now, "mc": [change]}
        self._lines.append(msgspec.json.encode(message) + b"\n")

    def _active(self) -> list[_Book]:
        return [book for book in self._books if book.status == "ACTIVE"]

    def _definition(self) -> dict[str, Any]:
        market, state = self._market, self._state
        definition = {
            "bspMarket": market.starting_price,
            "turnInPlayEnabled": market.in_play,
            "persistenceEnabled": market.in_play,
            "marketBaseRate": 5.0,
            "eventId": market.event_id,
            "eventTypeId": market.event_type,
            "numberOfWinners": len(market.winners),
            "bettingType": "ODDS",
            "marketType": market.market_type,
            "marketTime": _timestamp(market.start_ms),
            "suspendTime": _timestamp(market.start_ms),
            "bspReconciled": state.reconciled,
            "complete": True,
            "inPlay": state.in_play,
            "crossMatching": state.status == "OPEN",
            "runnersVoidable": False,
            "numberOfActiveRunners": len(self._active()),
            "betDelay": market.bet_delay if state.in_play else 0,
            "status": state.status,
            "settledTime": state.settled,
            "runners": [_runner(book, priority) for priority, book in enumerate(self._books, 1)],
            "regulators": ["MR_INT"],
            "venue": market.venue,
            "countryCode": market.country,
            "discountAllowed": True,
            "timezone": market.timezone,
            "openDate": _timestamp(market.open_ms),
            "version": self._version,
            "name": market.name,
            "eventName": market.event_name,
        }
        return {key: value for key, value in definition.items() if value is not None}

    def _changes(self) -> list[dict[str, Any]]:
        books = self._active()
        start = below(self._rng, len(books))
        count = 1 if self._rng.random() < 0.6 else min(3, len(books))
        entries: list[dict[str, Any]] = []
        for book in (books[(start + step) % len(books)] for step in range(count)):
            entries += [{**change, "id": book.runner.id} for change in self._trade(book)]
        return entries

    def _trade(self, book: _Book) -> list[dict[str, Any]]:
        """What is said of one runner, whose prices move by a step or two of the ladder, or not at all."""
        rng = self._rng
        moved = pick(rng, (-2, -1, 0, 0, 0, 0, 1, 2))
        if self._state.in_play and rng.random() < 0.5:  # winners shorten and the others lengthen
            moved += -1 if book.runner.id in self._market.winners else 1
        book.at = min(max(book.at + moved, _DEPTH - 1), len(LADDER) - 1 - _DEPTH)
        matched = book.at + below(rng, 2)
        if self._plan == "BASIC":
            return [{"ltp": LADDER[matched]}]
        said = self._levels(book, moved) if self._plan == "ADVANCED" else self._ladder(book)
        if not said or rng.random() < 0.3:
            size = self._size()
            book.volume = round(book.volume + size, 2)
            book.traded[matched] = round(book.traded.get(matched, 0.0) + size, 2)
            trades = [[_price(matched), book.traded[matched]]]
            said.append({"trd": trades, "ltp": LADDER[matched], "tv": book.volume})
        if self._starting_price_is_open() and rng.random() < 0.1:
            far = "NaN" if rng.random() < 0.7 else LADDER[book.at + 1]
            said.append({"spn": LADDER[book.at], "spf": far})
        return said

    def _starting_price_is_open(self) -> bool:
        return self._plan == "PRO" and self._market.starting_price and not self._state.reconciled

    def _levels(self, book: _Book, moved: int) -> list[dict[str, Any]]:
        """Both sides anew when the best prices have moved, or else one level of one side."""
        levels = range(_DEPTH) if moved else (below(self._rng, _DEPTH),)
        sides: list[dict[str, Any]] = [
            {"batb": [[level, _price(book.at - level), self._size()] for level in levels]},
            {"batl": [[level, _price(book.at + 1 + level), self._size()] for level in levels]},
        ]
        return sides if moved else [pick(self._rng, sides)]

    def _ladder(self, book: _Book) -> list[dict[str, Any]]:
        """The prices that have changed, of both sides."""
        back = self._side(book.back, range(book.at - _DEPTH + 1, book.at + 1))
        lay = self._side(book.lay, range(book.at + 1, book.at + 1 + _DEPTH))
        return [{name: prices} for name, prices in (("atb", back), ("atl", lay)) if prices]

    def _side(self, held: dict[int, float], shown: range) -> list[list[float]]:
        """Bring one side to the steps it is to show; a step that is left is said to hold 0."""
        left = [step for step in held if step not in shown]
        told = {step: self._size() for step in shown if step not in held or self._rng.random() < 0.15}
        held |= told
        for step in left:
            del held[step]
        return [[_price(step), 0] for step in left] + [[_price(step), size] for step, size in told.items()]

    def _size(self) -> float:
        """What is offered or matched: often a round stake, as people's are."""
        if self._rng.random() < 0.6:
            return pick(self._rng, _STAKES)
        return (200 + below(self._rng, 30_000)) / 100


def _price(step: int) -> float:
    """A price in a ladder: real files write whole ones there without a fraction, and ltp with one."""
    price = LADDER[step]
    return int(price) if price == int(price) else price


def _timestamp(ms: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _runner(book: _Book, priority: int) -> dict[str, Any]:
    runner = {
        "adjustmentFactor": book.runner.adjustment_factor,
        "status": book.status,
        "sortPriority": priority,
        "removalDate": book.removed,
        "bsp": book.bsp,
        "id": book.runner.id,
        "name": book.runner.name,
    }
    return {key: value for key, value in runner.items() if value is not None}
