"""What a market is, by the last lines of its file: they have its last definition, which says it all again."""

from __future__ import annotations

import re
from typing import Any

from msgspec import MsgspecError

from pipeline.sources.betfair.columns import day, milliseconds
from pipeline.sources.betfair.lines import DEFINITION
from pipeline.sources.betfair.messages import DefinedMarket, MarketDefinition, decode_defined

# Columns of the catalogue that the last definition has by itself.
COLUMNS = (
    *("market_id", "event_id", "event_type_id", "event_name", "market_name", "market_type", "betting_type"),
    *(
        "country",
        "venue",
        "timezone",
        "market_time",
        "open_date",
        "settled_time",
        "status",
        "bsp_market",
        "date",
    ),
)
_ID = b'"id":"'  # a market's: those of runners are numbers, and eventId ends otherwise
_NAME = re.compile(r"(?:.*/)?(1\.[0-9]+)(?:\.[a-z0-9]+)?", re.DOTALL)
_RACING = {"7", "4339"}  # has venues


def row_of_end(lines: bytes, uri: str) -> dict[str, Any] | None:
    """The columns of COLUMNS of the market in a file, by its last whole lines.

    None where they may not tell: the file is not named for one market, or holds others; its last line does not decode;
    or the last definition has no name, event or venue where one before may have had it.
    """
    named = _NAME.fullmatch(uri)
    if not named:
        return None
    definition = _definition_of(lines, named[1].encode())
    if definition is None:
        return None
    market_time = milliseconds(definition.marketTime)
    return {
        "market_id": named[1],
        "event_id": definition.eventId,
        "event_type_id": definition.eventTypeId,
        "event_name": definition.eventName,
        "market_name": definition.name,
        "market_type": definition.marketType,
        "betting_type": definition.bettingType,
        "country": definition.countryCode,
        "venue": definition.venue,
        "timezone": definition.timezone,
        "market_time": market_time,
        "open_date": milliseconds(definition.openDate),
        "settled_time": milliseconds(definition.settledTime),
        "status": definition.status,
        "bsp_market": definition.bspMarket,
        "date": day(market_time),
    }


def _definition_of(lines: bytes, market_id: bytes) -> MarketDefinition | None:
    """The last definition, where it says all that is to be known of the one market."""
    end = lines.rstrip(b"\n")
    found = _decoded(end[end.rfind(b"\n") + 1 :])
    if found is None or lines.count(_ID) != lines.count(_ID + market_id + b'"'):
        return None
    if found.marketDefinition is None:
        at = end.rfind(DEFINITION)
        found = _decoded(end[end.rfind(b"\n", 0, at) + 1 : end.find(b"\n", at)]) if at >= 0 else None
    definition = found.marketDefinition if found else None
    if definition is None or not (definition.name and definition.eventName):
        return None
    return None if definition.venue is None and definition.eventTypeId in _RACING else definition


def _decoded(line: bytes) -> DefinedMarket | None:
    """The market's change in a line that is about it alone."""
    try:
        message = decode_defined(line)
    except (MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if message.op != "mcm" or message.pt is None or not message.mc or len(message.mc) != 1:
        return None
    return message.mc[0]
