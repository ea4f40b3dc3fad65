"""What of some records can be drawn, found without knowing what they are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from chimera_nb.widgets.job_monitor.states import Axis, Plot, Point, Series

SERIES, POINTS, NODES = 8, 500, 200_000
_MILLISECONDS = (1e11, 1e13)  # since 1970, if they are a time: the years 1973 to 2286

Record = dict[str, Any]


def plot_of(records: Sequence[Record]) -> Plot:
    """What of the records can be drawn: numbers by the way to them, through lists as well, over time or row number."""
    time = _time_column(records)
    found: dict[str, list[Point]] = {}
    left = NODES
    for row, record in enumerate(records):
        x = float(record[time]) if time else float(row + 1)
        for name, y in _numbers(record):
            found.setdefault(name, []).append(Point(x, y))
            left -= 1
        if left <= 0:
            break
    told = {name: points for name, points in found.items() if len({y for _, y in points}) > 1}
    best = sorted(told, key=lambda name: (_is_time(told[name]) or _is_id(name), -len(told[name])))
    series = tuple(Series(name, tuple(_thinned(sorted(told[name])))) for name in best[:SERIES])
    return Plot(Axis(time or "row", time is not None), series)


def _numbers(record: Record) -> Iterator[tuple[str, float]]:
    """Every number in a record, named by the way to it; all of a list have the name of the list.

    A list in a list is left out: it is a tuple, such as level, price and size, and its numbers have no one meaning.
    """
    waiting: list[tuple[str, Any]] = list(reversed(record.items()))
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{name}.{inner}", v) for inner, v in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(name, item) for item in reversed(value) if not isinstance(item, list)]
        elif (number := as_number(value)) is not None:
            yield name, number


def as_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _time_column(records: Sequence[Record]) -> str | None:
    """A field that is a time in every record, if there is one."""
    low, high = _MILLISECONDS
    for name in records[0] if records else ():
        values = [as_number(record.get(name)) for record in records]
        if all(v is not None and low < v < high for v in values) and len(set(values)) > 1:
            return name
    return None


def _is_time(points: Sequence[tuple[float, float]]) -> bool:
    low, high = _MILLISECONDS
    return all(low < y < high for _, y in points)


def _is_id(name: str) -> bool:
    """Whether numbers of that name only tell one thing from another."""
    last = name.rpartition(".")[2]
    return last.lower() == "id" or last.endswith(("Id", "_id"))


def _thinned(points: Sequence[Point]) -> list[Point]:
    step = math.ceil(len(points) / POINTS) or 1
    return list(points[::step])
