"""A query over records: `where`, then `explode`, then `columns`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from chimera_nb.arguments import texts
from chimera_nb.data.nested import ABSENT, Explode, check_explode, exploded, reach, ways
from chimera_nb.data.records import Record, Row
from chimera_nb.jobs.limits import storable
from pipeline.errors import UnknownNameError

Where = Mapping[str, Any] | Callable[[Record], bool]


class RowQuery:
    """Applies one query to rows, batch by batch.

    Attributes: columns (names, or None for all), fields (what must be known of a record; None for all), takes_all
    (all fields of all records), left_out (the number of lines that `where` left out because they are no records).
    """

    def __init__(
        self, columns: Sequence[str] | None = None, where: Where | None = None, explode: Explode = None
    ) -> None:
        check_explode(explode)
        self.columns = (
            None if columns is None else tuple(dict.fromkeys(map(storable, texts(columns, "columns"))))
        )
        self.explode: Explode = storable(explode) if isinstance(explode, str) else explode
        self.left_out = 0
        several = {} if callable(where) or where is None else _several(where)
        self._matches = None if where is None else wants(where)
        # A field may be asked for as missing: {"error": None}.
        self._unseen = {name: None for name, values in several.items() if None not in values}
        if isinstance(self.explode, str) and self.explode:
            self._unseen[self.explode] = None
        self._unseen_columns = dict.fromkeys(self.columns or ())
        self._known: dict[str, None] = {}
        self._rows = 0
        self.fields = self._needed(several, any_field=callable(where))
        self.takes_all = columns is None and where is None

    def _needed(self, where: Collection[str], *, any_field: bool) -> frozenset[str] | None:
        if self.columns is None or any_field or self.explode is True:
            return None
        names = [*self.columns, *where, *([self.explode] if self.explode else [])]
        return frozenset(way for name in names for way in ways(name))

    def take(self, rows: list[Row]) -> list[Row]:
        """The rows that pass, with the columns asked for. A line that is no record passes unless there is a `where`."""
        self._rows += len(rows)
        records = [row for row in rows if type(row) is dict]
        # A column that no wanted record has is a column all the same.
        self._look_for(self._unseen, records)
        self._look_for(
            self._unseen_columns, (part for row in records for part in exploded(row, self.explode))
        )
        if self._matches is not None:
            self.left_out += len(rows) - len(records)
            rows = [record for record in records if self._matches(record)]
        if self.explode:
            rows = [part for row in rows for part in self._parts(row)]
        if self.columns is None or not any("." in name for name in self.columns):
            return rows
        return [self._cut(row) if type(row) is dict else row for row in rows]

    def check(self) -> None:
        """Raise UnknownNameError for a name that no record had. Called at the end."""
        unseen = [*self._unseen, *self._unseen_columns]
        if unseen and self._rows:
            raise UnknownNameError("column", unseen[0], list(self._known))

    def _parts(self, row: Row) -> Iterable[Row]:
        return exploded(row, self.explode) if isinstance(row, dict) else (row,)

    def _cut(self, record: Record) -> Record:
        return {name: value for name in self.columns or () if (value := reach(record, name)) is not None}

    def _look_for(self, unseen: dict[str, None], records: Iterable[Record]) -> None:
        """Strike out the names that are met."""
        if not unseen:
            return
        for row in records:
            self._known.update(dict.fromkeys(row))
            for name in [name for name in unseen if reach(row, name, ABSENT) is not ABSENT]:
                del unseen[name]
            if not unseen:
                return


def wants(where: Where) -> Callable[[Record], bool]:
    """Whether a record is wanted, as a function of it."""
    return where if callable(where) else _has_values(_several(where))


class FieldValues:
    """The values that a field may have. Numbers are equal as in JSON: 1 is 1.0, and true is no number."""

    def __init__(self, values: Iterable[Any]) -> None:
        self._range = values if isinstance(values, range) else range(0)
        self._plain: set[Any] = set()
        self._others: list[Any] = []
        for value in () if isinstance(values, range) else map(_as_json, values):
            # True and 1 are one in a set.
            kept = self._others.append if isinstance(value, bool | list | dict | set) else self._plain.add
            kept(value)

    def __contains__(self, value: Any) -> bool:
        if isinstance(value, bool | list | dict):
            return any(_is_same(value, other) for other in self._others)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # a range would go through all of its numbers to find a float
        return value in self._plain or (isinstance(value, int) and value in self._range)


def _several(where: Mapping[str, Any]) -> dict[str, FieldValues]:
    """For each field the values that are wanted."""
    return {
        storable(name): FieldValues(
            value
            if isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
            else [value]
        )
        for name, value in where.items()
    }


def _has_values(several: Mapping[str, FieldValues]) -> Callable[[Record], bool]:
    return lambda record: all(reach(record, name) in values for name, values in several.items())


def _as_json(value: Any) -> Any:
    """The value as it would be in a record."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA:
        return None
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(name): _as_json(item) for name, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, list | tuple) else value


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
