"""What a column of records holds, and how a value of it is written: on a page, in CSV and in a workbook.

number   numbers alone
time     moments: RFC 3339 with a zone, or whole milliseconds since 1970; written in UTC
clock    a day and a time without a zone
day      a day
text     all else
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from chimera_nb.jobs.limits import storable

Kind = Literal["number", "time", "clock", "day", "text"]
Key = tuple[int, float, str]

TIMES = ("time", "clock", "day")
_MILLISECONDS = (946_684_800_000, 4_102_444_800_000)  # the years 2000 to 2100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?")


def is_number(value: Any) -> bool:
    """Whether it is a number that can be reckoned with: finite, and neither true nor false."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def is_id(name: str) -> bool:
    """Whether numbers under that name only tell one thing from another."""
    last = name.rpartition(".")[2]
    return last.lower() == "id" or last.endswith(("Id", "_id", "ID"))


def kind_of(name: str, values: Iterable[Any]) -> Kind:
    """The kind of a column by some values of it; those that are missing say nothing."""
    kinds = {
        _kind(value, may_be_time=not is_id(name)) for value in values if value is not None and value != ""
    }
    if len(kinds) == 1:
        return kinds.pop()
    return "text"


def cell(value: Any, kind: str = "text") -> str:
    """A value as text: "" for what is missing, a moment as 2016-01-01 12:00:03.120, lists and objects as JSON."""
    if value is None:
        return ""
    if kind in TIMES and (at := moment(value, kind)) is not None:
        return _written(at)
    if isinstance(value, str):
        return storable(value)
    try:
        return storable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except (RecursionError, ValueError):
        return "…"


def moment(value: Any, kind: str) -> datetime | date | None:
    """A value of a column of times, in UTC where it has a zone; None for what is none."""
    if kind == "time" and is_number(value):
        inside = _MILLISECONDS[0] <= value < _MILLISECONDS[1]
        return _EPOCH + timedelta(milliseconds=value) if inside else None
    pattern = _DAY if kind == "day" else _MOMENT
    if not isinstance(value, str) or not pattern.fullmatch(value):
        return None
    try:
        if kind == "day":
            return date.fromisoformat(value)
        at = datetime.fromisoformat(value)
        has_zone = at.tzinfo is not None
        at = at.astimezone(UTC) if has_zone else at
    except (ValueError, OverflowError):
        return None
    return at if has_zone == (kind == "time") else None


def sort_key(value: Any, kind: str) -> Key | None:
    """By what a column is sorted: numbers and moments, then texts, then lists and objects; None for what is missing."""
    if value is None or value == "":
        return None
    if kind in TIMES and (at := moment(value, kind)) is not None:
        return (0, seconds_since_1970(at), "")
    if isinstance(value, bool) or is_number(value):
        return (0, float(value), "")
    if isinstance(value, str):
        return (1, 0.0, storable(value).casefold())
    return (2, 0.0, cell(value))


def seconds_since_1970(at: datetime | date) -> float:
    """Of a moment, or of the beginning of a day; what has no zone is taken for UTC."""
    if not isinstance(at, datetime):
        at = datetime(at.year, at.month, at.day, tzinfo=UTC)
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH).total_seconds()


def _kind(value: Any, *, may_be_time: bool) -> Any:
    if is_number(value):
        times = may_be_time and isinstance(value, int) and moment(value, "time") is not None
        return "time" if times else "number"
    if isinstance(value, str):
        for kind in TIMES:
            if moment(value, kind) is not None:
                return kind
    return "text"


def _written(at: datetime | date) -> str:
    if not isinstance(at, datetime):
        return at.isoformat()
    text = f"{at:%Y-%m-%d %H:%M:%S}"
    return f"{text}.{at.microsecond // 1000:03d}" if at.microsecond else text
