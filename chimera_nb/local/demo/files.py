"""A folder of Betfair-like files for the demo: a few hundred good markets and a handful of broken files.

    ADVANCED/2016/Jan/1/<event id>/<market id>.bz2        (BASIC and PRO the same)

is the layout of Betfair's historical data. The broken files are there so that failures are seen before the
first real job has one; a few odd but good ones show what is no failure. The same seed gives the same bytes.
"""

from __future__ import annotations

import bz2
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from chimera_nb.local.demo.event import MONTHS, Market, below, make_event, pick, seeded
from chimera_nb.local.demo.market import FEWEST_MESSAGES, make_market
from pipeline.errors import RefusedError

SEED = 2016
FILES = 300
FEWEST_FILES = 20  # room for every odd file, with good ones between
_FIRST_DAY = datetime(2016, 1, 1, tzinfo=UTC)
_DAYS = 4
# By plan: how often, and between how many and how many messages; on average a file is about 60 kB raw.
_PLANS = {"ADVANCED": (6, 50, 250), "BASIC": (3, 80, 500), "PRO": (1, 120, 500)}


@dataclass(frozen=True)
class DemoFile:
    """One file. `fault` is what is wrong with it, `note` what is odd about a good one; most have none."""

    name: str  # relative, with forward slashes
    data: bytes  # as stored: compressed, but for some of the faults
    fault: str | None = None
    note: str | None = None


def demo_files(seed: int = SEED, files: int = FILES) -> Iterator[DemoFile]:
    """The files of the demo one by one, each made when it is asked for; no two share a name.

    Nine in all are broken or odd, spread evenly. Raises RefusedError for fewer files than FEWEST_FILES.
    """
    if files < FEWEST_FILES:
        raise RefusedError(
            f"{files} demo files have no room for the broken ones; ask for {FEWEST_FILES} or more"
        )
    oddities = {(number + 1) * files // (len(_ODDITIES) + 1): odd for number, odd in enumerate(_ODDITIES)}
    for index, (folder, plan, market) in zip(range(files), _markets(seed), strict=False):
        rng = seeded(seed * 1_000_003 + index)
        _, fewest, most = _PLANS[plan]
        raw = make_market(
            seed * 1_000_003 + index, fewest + below(rng, most - fewest), plan=plan, market=market
        )
        file = DemoFile(f"{folder}/{market.market_id}.bz2", bz2.compress(raw, 9))
        yield oddities[index](file, raw) if index in oddities else file


def market_of_size(seed: int, raw_bytes: int, *, plan: str = "ADVANCED") -> bytes:
    """The raw NDJSON of one market of about `raw_bytes`, to within a tenth from 100 kB up."""
    short, long = (len(make_market(seed, messages, plan=plan)) for messages in (100, 300))
    a_message = (long - short) / 200
    messages = int(100 + (raw_bytes - short) / a_message)
    return make_market(seed, max(messages, FEWEST_MESSAGES), plan=plan)


def _markets(seed: int) -> Iterator[tuple[str, str, Market]]:
    """Without end: folder, plan and market, event by event."""
    rng = seeded(seed)
    plans = [plan for plan, (weight, _, _) in _PLANS.items() for _ in range(weight)]
    first = below(rng, 50_000)
    for number in range(50_000):
        plan = pick(rng, plans)
        day = _FIRST_DAY + timedelta(days=number % _DAYS)
        for market in make_event(seed * 1_000_003 + number, day, first + number):
            folder = f"{plan}/{day.year}/{MONTHS[day.month - 1]}/{day.day}/{market.event_id}"
            yield folder, plan, market


def _cut_off(file: DemoFile, _raw: bytes) -> DemoFile:
    return replace(file, data=file.data[: len(file.data) * 2 // 3], fault="cut off: an upload that stopped")


def _flipped(file: DemoFile, _raw: bytes) -> DemoFile:
    data = bytearray(file.data)
    data[len(data) // 2] ^= 0x10
    return replace(file, data=bytes(data), fault="one bit flipped in the middle")


def _empty(file: DemoFile, _raw: bytes) -> DemoFile:
    return replace(file, data=b"", fault="0 bytes: an upload that never began")


def _error_page(file: DemoFile, _raw: bytes) -> DemoFile:
    page = (
        b"<!DOCTYPE html>\n<html><head><title>503 Service Unavailable</title></head>\n"
        b"<body><h1>Service Unavailable</h1><p>The download is not ready; try later.</p></body></html>\n"
    )
    return replace(file, data=page, fault="an error page of a web server, saved as .bz2")


def _plain(file: DemoFile, raw: bytes) -> DemoFile:
    return replace(file, data=raw, fault="text that was never compressed, named .bz2")


def _tail(file: DemoFile, _raw: bytes) -> DemoFile:
    tail = b"\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW--\r\n"
    return replace(file, data=file.data + tail, fault="the end of an upload form follows the data")


def _gzip(file: DemoFile, raw: bytes) -> DemoFile:
    return replace(file, data=_stored_gzip(raw), note="gzip named .bz2: the bytes decide")


def _foreign_name(file: DemoFile, _raw: bytes) -> DemoFile:
    name = file.name.replace(".bz2", " (cópia de São Paulo).bz2")
    return replace(file, name=name, note="a name beyond ASCII")


def _no_last_newline(file: DemoFile, raw: bytes) -> DemoFile:
    return replace(file, data=bz2.compress(raw.rstrip(b"\n"), 9), note="no line end after the last line")


_ODDITIES: tuple[Callable[[DemoFile, bytes], DemoFile], ...] = (
    _cut_off,
    _foreign_name,
    _flipped,
    _empty,
    _gzip,
    _error_page,
    _plain,
    _no_last_newline,
    _tail,
)


def _stored_gzip(raw: bytes) -> bytes:
    """A gzip file (RFC 1952) of stored blocks (RFC 1951, 3.2.4): what zlib gives differs by its build."""
    pieces = [raw[start : start + 0xFFFF] for start in range(0, len(raw), 0xFFFF)]
    blocks = b"".join(
        struct.pack("<BHH", number == len(pieces), len(piece), len(piece) ^ 0xFFFF) + piece
        for number, piece in enumerate(pieces, 1)
    )
    header = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    return header + blocks + struct.pack("<II", zlib.crc32(raw), len(raw) & 0xFFFFFFFF)
