"""Made-up sporting events of the kinds Betfair has: who runs, where, when, under which ids.

Only `random()` of `random.Random` is used, and no floating-point function that a C library may round its own
way: Python promises the sequence of `random()` for a seed over versions, and of no other method.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_HORSE = _words("Silver Golden Royal Distant Quiet Northern Crimson Lucky Winter Noble Velvet Gallant Hidden")
_RUN = _words("Harbour Lantern Meadow Falcon Promise Verse Anthem Compass Garden Rebel Thistle Echo Orchard")
_DOG = _words("Ballymac Droopys Swift Coolavanny Tyrap Roxholme Ardrine Rockmount Bubbly Slippery Kilara")
_CHASE = _words("Jet Annie Duke Blaze Minnie Rebel Pearl Sonic Tango Ruby Flash Biscuit Comet Daisy")
_TOWN = _words("Ashford Millbrook Thornbury Calder Redmoor Kingsleigh Whitby Oakham Langport Severn Hartwell")
_CLUB = _words("Town Rovers United Athletic City Albion Wanderers County")
_FIRST = _words("Marek Luca Pablo Andrei Tomas Jonas Felix Hugo Mateo Viktor Emil Rafael Nikola Daniel")
_LAST = _words(
    "Halvorsen Moretti Kovalenko Santana Lindqvist Petrovic Duarte Brandt Novotny Okafor Szabo Marchand"
)

_DISTANCES = ("5f", "6f", "7f", "1m", "1m2f", "2m Hrd", "2m4f Chs")
_COURSES = (
    ("Kempton", "Kemp", "GB", "Europe/London"),
    ("Lingfield", "Ling", "GB", "Europe/London"),
    ("Southwell", "Sthl", "GB", "Europe/London"),
    ("Fairyhouse", "Fair", "IE", "Europe/Dublin"),
    ("Randwick", "Rand", "AU", "Australia/Sydney"),
    ("Turffontein", "Turf", "ZA", "Africa/Johannesburg"),
)
_TRACKS = (
    ("Romford", "Romf", "GB", "Europe/London"),
    ("Sheffield", "Sheff", "GB", "Europe/London"),
    ("Monmore", "Monm", "GB", "Europe/London"),
    ("Shelbourne Park", "Shel", "IE", "Europe/Dublin"),
    ("Sandown Park", "SPrk", "AU", "Australia/Melbourne"),
)


@dataclass(frozen=True)
class Runner:
    """One selection of a market."""

    id: int
    name: str
    adjustment_factor: float | None  # horses only: what the others' odds lose when this one is withdrawn


@dataclass(frozen=True)
class Market:
    """What is fixed about a market, its result too. Times are milliseconds since 1970."""

    market_id: str
    market_type: str
    name: str
    event_id: str
    event_type: str  # 1 soccer, 2 tennis, 7 horses, 4339 greyhounds
    event_name: str
    venue: str | None
    country: str | None
    timezone: str
    open_ms: int
    start_ms: int  # the off
    runners: tuple[Runner, ...]
    winners: tuple[int, ...]  # the ids of the runners that will have won
    withdrawn: int | None  # the id of one that will not take part
    starting_price: bool  # a BSP is worked out at the off
    in_play: bool
    bet_delay: int  # seconds, once in play
    duration_ms: int  # from the off to the end


def seeded(seed: int) -> random.Random:
    """The same sequence of `random()` for a seed, on any machine and Python."""
    return random.Random(seed)  # noqa: S311  a demo, not a secret


def below(rng: random.Random, limit: int) -> int:
    """An integer from 0 up to, not including, `limit`."""
    return int(rng.random() * limit)


def pick(rng: random.Random, options: Sequence[T]) -> T:
    return options[below(rng, len(options))]


def make_event(seed: int, day: datetime, number: int) -> list[Market]:
    """The markets of one event on that day (midnight UTC), in order of their off.

    `number` keeps ids apart: events of different numbers (up to 100,000) share no event or market id.
    """
    rng = seeded(seed)
    event_id = str(27_600_000 + number)
    make = pick(rng, (_meeting, _meeting, _dogs, _soccer, _soccer, _tennis))
    return make(rng, day, event_id, lambda index: f"1.{122_000_000 + number * 20 + index}")


_MarketId = Callable[[int], str]


def _names(rng: random.Random, first: Sequence[str], last: Sequence[str], count: int) -> list[str]:
    """`count` names of two words, no two alike; `count` is below the product of the lists."""
    names: list[str] = []
    while len(names) < count:
        name = f"{pick(rng, first)} {pick(rng, last)}"
        if name not in names:
            names.append(name)
    return names


def _field(rng: random.Random, names: Sequence[str], *, handicapped: bool) -> tuple[Runner, ...]:
    start = 1_000_000 + below(rng, 9_000_000)
    return tuple(
        Runner(
            id=start + 7 * index,
            name=f"{index + 1}. {name}",
            adjustment_factor=(100 + below(rng, 2900)) / 100 if handicapped else None,
        )
        for index, name in enumerate(names)
    )


def _day_name(day: datetime) -> str:
    suffix = "th" if 11 <= day.day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return f"{day.day}{suffix} {MONTHS[day.month - 1]}"


def _ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _meeting(rng: random.Random, day: datetime, event_id: str, market_id: _MarketId) -> list[Market]:
    """Two to four races, each with a market for the winner and, when the field allows, one for the places."""
    venue, short, country, zone = pick(rng, _COURSES)
    first = _ms(day) + (11 * 60 + 5 * below(rng, 24)) * 60_000
    markets: list[Market] = []
    for race in range(2 + below(rng, 3)):
        runners = _field(rng, _names(rng, _HORSE, _RUN, 5 + below(rng, 8)), handicapped=True)
        title = f"{pick(rng, _DISTANCES)} {pick(rng, ('Hcap', 'Mdn', 'Nov'))}"
        finish = [runner.id for runner in sorted(runners, key=lambda _: rng.random())]
        withdrawn = finish[-1] if rng.random() < 0.4 else None
        kinds = [("WIN", title, finish[:1])] + [("PLACE", "To Be Placed", finish[:3])] * (len(runners) >= 8)
        markets += [
            Market(
                market_id=market_id(2 * race + index),
                market_type=market_type,
                name=name,
                event_id=event_id,
                event_type="7",
                event_name=f"{short} {_day_name(day)}",
                venue=venue,
                country=country,
                timezone=zone,
                open_ms=first,
                start_ms=first + race * 35 * 60_000,
                runners=runners,
                winners=tuple(winners),
                withdrawn=withdrawn,
                starting_price=True,
                in_play=True,
                bet_delay=1,
                duration_ms=(70 + below(rng, 220)) * 1000,
            )
            for index, (market_type, name, winners) in enumerate(kinds)
        ]
    return markets


def _dogs(rng: random.Random, day: datetime, event_id: str, market_id: _MarketId) -> list[Market]:
    venue, short, country, zone = pick(rng, _TRACKS)
    first = _ms(day) + (18 * 60 + below(rng, 60)) * 60_000
    markets: list[Market] = []
    for race in range(2 + below(rng, 3)):
        runners = _field(rng, _names(rng, _DOG, _CHASE, 6), handicapped=False)
        markets.append(
            Market(
                market_id=market_id(race),
                market_type="WIN",
                name=f"{pick(rng, ('A3', 'A5', 'B2', 'OR', 'D1'))} {pick(rng, (280, 400, 480, 500))}m",
                event_id=event_id,
                event_type="4339",
                event_name=f"{short} {_day_name(day)}",
                venue=venue,
                country=country,
                timezone=zone,
                open_ms=first,
                start_ms=first + race * 15 * 60_000,
                runners=runners,
                winners=(pick(rng, runners).id,),
                withdrawn=None,
                starting_price=True,
                in_play=False,
                bet_delay=0,
                duration_ms=32_000,
            )
        )
    return markets


def _soccer(rng: random.Random, day: datetime, event_id: str, market_id: _MarketId) -> list[Market]:
    """The ids of The Draw, Under, Over, Yes and No are those that Betfair uses in every match."""
    home, away = _names(rng, _TOWN, _CLUB, 2)
    sides = 10_000 + below(rng, 90_000)
    scored, conceded = below(rng, 4), below(rng, 3)
    result = 58805 if scored == conceded else sides if scored > conceded else sides + 11
    total = 47973 if scored + conceded > 2.5 else 47972
    both = 30246 if scored and conceded else 110503
    kinds = (
        ("MATCH_ODDS", "Match Odds", result, ((sides, home), (sides + 11, away), (58805, "The Draw"))),
        (
            "OVER_UNDER_25",
            "Over/Under 2.5 Goals",
            total,
            ((47972, "Under 2.5 Goals"), (47973, "Over 2.5 Goals")),
        ),
        ("BOTH_TEAMS_TO_SCORE", "Both teams to Score?", both, ((30246, "Yes"), (110503, "No"))),
    )
    start = _ms(day) + (12 * 60 + 15 * below(rng, 32)) * 60_000
    return [
        _match(
            market_id(index),
            (market_type, name),
            event_id,
            ("1", f"{home} v {away}", "GB"),
            start_ms=start,
            runners=runners,
            winner=winner,
        )
        for index, (market_type, name, winner, runners) in enumerate(kinds)
    ]


def _tennis(rng: random.Random, day: datetime, event_id: str, market_id: _MarketId) -> list[Market]:
    one, other = _names(rng, _FIRST, _LAST, 2)
    ids = 2_000_000 + below(rng, 6_000_000)
    start = _ms(day) + (9 * 60 + 30 * below(rng, 20)) * 60_000
    runners = ((ids, one), (ids + 13, other))
    event = ("2", f"{one} v {other}", None)
    winner = pick(rng, runners)[0]
    return [
        _match(
            market_id(0),
            ("MATCH_ODDS", "Match Odds"),
            event_id,
            event,
            start_ms=start,
            runners=runners,
            winner=winner,
        )
    ]


def _match(
    market_id: str,
    kind: tuple[str, str],
    event_id: str,
    event: tuple[str, str, str | None],
    *,
    start_ms: int,
    runners: Sequence[tuple[int, str]],
    winner: int,
) -> Market:
    (market_type, name), (event_type, event_name, country) = kind, event
    return Market(
        market_id=market_id,
        market_type=market_type,
        name=name,
        event_id=event_id,
        event_type=event_type,
        event_name=event_name,
        venue=None,
        country=country,
        timezone="UTC",
        open_ms=start_ms,
        start_ms=start_ms,
        runners=tuple(Runner(id=number, name=text, adjustment_factor=None) for number, text in runners),
        winners=(winner,),
        withdrawn=None,
        starting_price=False,
        in_play=True,
        bet_delay=5,
        duration_ms=110 * 60_000,
    )
