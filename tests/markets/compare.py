"""A view's rows against an oracle's books: what differs, as text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pipeline.sources.betfair.prices import Prices
from pipeline.sources.betfair.runners import Runners
from tests.markets import files
from tests.markets.oracle import Books
from tests.markets.tutorial import COLUMNS, tutorial_rows

Oracle = Callable[[bytes], Iterable[Books]]
_LEVELS = [
    f"{side}_{what}_{rank}" for side in ("back", "lay") for rank in (1, 2, 3) for what in ("price", "size")
]


def price_differences(raw: bytes, oracle: Oracle) -> tuple[int, list[str]]:
    """After each line, every runner: last price, volume, three best prices. How many were compared, and the faults."""
    compared, found = 0, []
    waiting = files.rows(Prices(), raw)
    last: dict[tuple[str, int, float], dict] = {}
    nothing = dict.fromkeys(("ltp", "tv", *_LEVELS))
    place = 0
    for seq, books in enumerate(oracle(raw), 1):
        while place < len(waiting) and waiting[place]["seq"] == seq:
            row = waiting[place]
            last[row["market_id"], row["selection_id"], row["handicap"]] = row
            place += 1
        for book in books:
            for runner in book["runners"]:
                key = book["marketId"], runner["selectionId"], runner["handicap"]
                ours = last.get(key, nothing)
                theirs = _price_row(runner)
                compared += len(theirs)
                for name, value in theirs.items():
                    # betfairlightweight has 0 where nothing is known of the volume.
                    if not _same(ours[name], value) and not (name == "tv" and not value and not ours[name]):
                        found.append(f"line {seq}, {key}, {name}: {ours[name]} where {value} is right")
    if place != len(waiting):
        found.append(f"{len(waiting) - place} rows are of no line")
    return compared, found


def _price_row(runner: dict) -> dict[str, float | None]:
    ltp = runner["lastPriceTraded"]
    tv = runner["totalMatched"]
    row: dict[str, Any] = {
        "ltp": None if isinstance(ltp, str) else ltp,
        "tv": None if isinstance(tv, str) else tv,
        **dict.fromkeys(_LEVELS),
    }
    for side, name in (("back", "availableToBack"), ("lay", "availableToLay")):
        for rank, level in enumerate(runner["ex"][name][:3], 1):
            row[f"{side}_price_{rank}"], row[f"{side}_size_{rank}"] = level["price"], level["size"]
    return row


def runner_differences(raw: bytes, oracle: Oracle, *, off: str, basic: bool) -> tuple[int, list[str]]:
    """The tutorial's 19 columns."""
    compared, found = 0, []
    theirs = tutorial_rows(oracle(raw), off=off, basic=basic)
    ours = {
        (row["market_id"], row["selection_id"], row["handicap"]): row
        for row in files.rows(Runners(off=off), raw)
    }
    if ours.keys() != theirs.keys():
        found.append(f"rows: {sorted(ours.keys() ^ theirs.keys())} are only on one side")
    for key in ours.keys() & theirs.keys():
        for name in COLUMNS:
            compared += 1
            if not _same(_plain(ours[key][name]), theirs[key][name]):
                found.append(f"{key}, {name}: {ours[key][name]} where {theirs[key][name]} is right")
    return compared, found


def differences(raw: bytes, oracle: Oracle, *, basic: bool) -> Iterator[tuple[int, list[str]]]:
    yield price_differences(raw, oracle)
    for off in ("first", "last"):
        yield runner_differences(raw, oracle, off=off, basic=basic)


def _plain(value: Any) -> Any:
    """A time as Betfair writes it."""
    if hasattr(value, "isoformat"):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float | int):
        return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-6)
    return ours == theirs
