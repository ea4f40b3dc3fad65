"""The columns of Betfair's views: each has what it means in its metadata, under "description"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
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


def day(ms: int | None) -> date | None:
    """The day of a time, in UTC."""
    return None if ms is None else (_EPOCH + timedelta(milliseconds=ms)).date()


def batch_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Rows that lack a column have null there."""
    return pa.RecordBatch.from_pylist(rows, schema=schema)
