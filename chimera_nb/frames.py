"""Lines -> records -> DataFrames.

A record's fields become columns, in the order in which they first appear:

    only true and false           boolean
    only whole numbers            Int64; object if one has more than 64 bits with its sign
    other numbers                 float64; "NaN", "Infinity" and "-Infinity" among numbers are what they say
    only text                     string; no text is taken for a number or a time
    objects, lists, a mixture     object: the Python values, as json gives them

What is missing or null is NA (NaN among floats). Betfair's `pt` stays a number, of milliseconds since 1970:
`pandas.to_datetime(frame.pt, unit="ms")` makes times of it. `flatten` reaches into what is nested.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.errors import RefusedError, UnknownNameError

LINE = "_line"  # the column of lines that are no record
Record = dict[str, Any]
_EXACT = 1 << 53  # whole numbers beyond it are not all floats
_INT64 = 1 << 63
_WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_PRIMITIVES = {bool: "boolean", int: "Int64", float: "float64", str: "string"}


class NotJsonWarning(UserWarning):
    """Some lines are no JSON objects; a frame has their text in its column `_line`."""


def read_record(line: bytes) -> Record:
    """The object that a line holds; {"_line": its text} for a line that holds none."""
    try:
        text = line.decode("utf-8-sig")
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        return value
    return {LINE: line.rstrip(b"\r").decode("utf-8", "backslashreplace")}


def read_records(lines: Iterable[bytes]) -> Iterator[Record]:
    """The record of each line, without its end; a blank line is none."""
    return (read_record(line) for line in lines if not is_blank(line))


def is_blank(line: bytes) -> bool:
    return not line or line.isspace()


def frame_of_lines(lines: Iterable[bytes]) -> pd.DataFrame:
    """Lines without their ends -> a row for each that is not blank. Warns of those that are no JSON objects."""
    frame = to_frame(list(read_records(lines)))
    warn_of_lines(int(frame[LINE].notna().sum()) if LINE in frame else 0, len(frame))
    return frame


def warn_of_lines(bad: int, total: int) -> None:
    """Say how many lines were no JSON objects, if any were."""
    if bad:
        text = f"{bad:,} of {total:,} lines are no JSON objects; they are in the column {LINE}, as text"
        warnings.warn(text, NotJsonWarning, stacklevel=3)


def to_frame(records: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Records -> a DataFrame, with these columns or with all there are."""
    names = dict.fromkeys(columns if columns is not None else (name for r in records for name in r))
    return pd.DataFrame(
        {name: to_column([record.get(name) for record in records]) for name in names},
        index=pd.RangeIndex(len(records)),
        columns=list(names),
    )


def to_column(values: list[Any]) -> pd.Series[Any]:
    """Values -> a Series of the dtype that the module's docstring has for them."""
    kinds = {type(value) for value in values if value is not None}
    if kinds & {int, float} and kinds <= {int, float, str}:
        if str in kinds and {v for v in values if type(v) is str} <= _WORDS.keys():
            values = [_WORDS[value] if type(value) is str else value for value in values]
            kinds = {int, float}
        if kinds == {int, float} and all(abs(v) <= _EXACT for v in values if type(v) is int):
            kinds = {float}
    dtype = _PRIMITIVES[next(iter(kinds))] if len(kinds) == 1 and kinds <= _PRIMITIVES.keys() else "object"
    if kinds == {int} and not all(v is None or -_INT64 <= v < _INT64 for v in values):
        dtype = "object"
    return pd.Series(values, dtype=dtype)


def flatten(frame: pd.DataFrame, *, explode: str | None = None) -> pd.DataFrame:
    """Nested objects as columns of their own, named by the way to them: `marketDefinition.eventId`.

    `explode` names a column of lists: each of their items gets a row, with the other fields repeated and the
    index too. `flatten(peek(uri), explode="mc")` has Betfair's markets, with `mc.marketDefinition.eventId`;
    explode that one's `mc.marketDefinition.runners` for the runners. Lists stay lists otherwise.

    Raises UnknownNameError where there is no such column, and RefusedError where two fields would share a name.
    """
    if explode is not None and explode not in frame:
        raise UnknownNameError("column", explode, [str(name) for name in frame])
    names = [str(name) for name in frame]
    rows = zip(*(frame[name].tolist() for name in frame), strict=True) if names else [()] * len(frame)
    index: list[Any] = []
    records: list[Record] = []
    for at, row in zip(frame.index, rows, strict=True):
        record = {name: value for name, value in zip(names, row, strict=True) if not _is_missing(value)}
        for item in _exploded(record, explode):
            index.append(at)
            records.append(dict(_fields(item)))
    places = {name: place for place, name in enumerate(names)}
    found = dict.fromkeys(name for record in records for name in record)
    order = {name: place for place, name in enumerate(found)}
    opened = {_top(name, places) for name in found} - found.keys()  # only their fields are left of them
    columns = sorted({*names, *found} - opened, key=lambda n: (places[_top(n, places)], order.get(n, 0)))
    flat = to_frame(records, columns)
    flat.index = pd.Index(index, dtype=frame.index.dtype, name=frame.index.name)
    flat.attrs = dict(frame.attrs)
    return flat


def _exploded(record: Record, name: str | None) -> Iterator[Record]:
    items = record.get(name) if name else None
    if name is None or not isinstance(items, list) or not items:
        yield record
        return
    for item in items:
        yield {key: item if key == name else value for key, value in record.items()}


def _fields(record: Record) -> Iterator[tuple[str, Any]]:
    """A record's fields with those of nested objects among them. An object without fields stays as it is."""
    seen: set[str] = set()
    waiting = list(reversed(record.items()))  # no recursion: objects may nest deeper than calls
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [(f"{name}.{inner}", v) for inner, v in reversed(value.items())]
            continue
        if name in seen:
            raise RefusedError(
                f"two fields of a record would both be the column {name!r}; do without flatten"
            )
        seen.add(name)
        yield name, value


def _top(name: str, places: Mapping[str, int]) -> str:
    """The column that a flattened one came from."""
    while name not in places:
        name = name.rpartition(".")[0]
    return name


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA
