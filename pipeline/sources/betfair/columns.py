"""The columns of Betfair's views: each has what it means in its metadata, under "description"."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

import pyarrow as pa

TIME = pa.timestamp("ms", tz="UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def column(name: str, kind: pa.DataType, description: str) -> pa.Field:
    return pa.field(name, kind, metadata={"description": description})


def milliseconds(text: str | None) -> int | None:
    """A definition's time, such as "2022-03-03T15:28:00.000Z", since 1970; null for what is no time."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND


def day(ms: int | None) -> int | None:
    """The day of a time, in UTC, as days since 1970."""
    return None if ms is None else ms // 86_400_000


def batch_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Rows that lack a column have null there. Times are milliseconds and dates are days since 1970."""
    columns = [array_of([row.get(field.name) for row in rows], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def array_of(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Python values as an Arrow array of one of the kinds that Betfair's views have; None is null.

    `pa.array` would do, but imports pandas where that is installed: 0.4 s and 50 MB, on a worker for nothing.
    """
    valid = None if None not in values else _bits([value is not None for value in values])
    if kind == pa.string():
        texts = [b"" if value is None else value.encode() for value in values]
        return pa.Array.from_buffers(
            kind, len(values), [valid, _offsets(map(len, texts)), pa.py_buffer(b"".join(texts))]
        )
    if kind == pa.bool_():
        return pa.Array.from_buffers(kind, len(values), [valid, _bits(values)])
    if pa.types.is_list(kind):
        inner = array_of([one for value in values for one in value or ()], kind.value_type)
        lengths = [len(value or ()) for value in values]
        return pa.Array.from_buffers(kind, len(values), [valid, _offsets(lengths)], children=[inner])
    code = "d" if kind == pa.float64() else {32: "i", 64: "q"}[kind.bit_width]
    numbers = array(code, [0 if value is None else value for value in values])
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(numbers)])


def _offsets(lengths: Iterable[int]) -> pa.Buffer:
    return pa.py_buffer(array("i", accumulate(lengths, initial=0)))


def _bits(values: Sequence[Any]) -> pa.Buffer:
    """A bit a value, the first in the lowest place."""
    number = int("".join("1" if value else "0" for value in reversed(values)) or "0", 2)
    return pa.py_buffer(number.to_bytes((len(values) + 7) // 8, "little"))
