"""What of some records is to be in a table, and in what order: rows for each, filters, one column to sort by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chimera_nb.data.nested import exploded, opened
from chimera_nb.data.records import Record, Row
from chimera_nb.data.table.kinds import (
    TIMES,
    Key,
    Kind,
    cell,
    is_number,
    kind_of,
    seconds_since_1970,
    sort_key,
)
from pipeline.errors import RefusedError, UnknownNameError

OPERATORS = ("contains", "lacks", "is", "is not", "least", "most", "empty", "filled")
LINE = "_line"  # the column of a line that is no record
_MOST_CONDITIONS, _MOST_CHARACTERS = 20, 1000


@dataclass(frozen=True)
class Condition:
    """What a row must have in one column, or in any where `column` is "".

    operator   contains, lacks (does not contain), is, is not, least (at least), most (at most), empty, filled
    text       what it is compared with, as the page writes it; case does not matter
    """

    column: str
    operator: str
    text: str = ""

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise UnknownNameError("operator of a filter", self.operator, list(OPERATORS))
        if not self.column and self.operator != "contains":
            raise RefusedError(f'a filter "{self.operator}" needs a column; choose one')
        if len(self.text) > _MOST_CHARACTERS:
            raise RefusedError(f"a filter takes {_MOST_CHARACTERS:,} characters at the most")

    def test(self, kind: str) -> Callable[[Record], bool]:
        """Whether a row fulfils it, as a function of the row; `kind` is that of its column."""
        name, wanted = self.column, self.text.casefold()
        if self.operator == "contains" and not name:
            return lambda row: any(wanted in cell(value).casefold() for value in row.values())
        if self.operator in {"empty", "filled"}:
            want = self.operator == "empty"
            return lambda row: (row.get(name) in (None, "")) is want
        if self.operator in {"contains", "lacks"}:
            want = self.operator == "contains"
            return lambda row: (wanted in cell(row.get(name), kind).casefold()) is want
        if self.operator in {"is", "is not"}:
            want = self.operator == "is"
            return lambda row: _is_same(row.get(name), kind, wanted) is want
        bound, sign = _bound(self.text, kind), 1 if self.operator == "least" else -1
        return lambda row: _is_beyond(sort_key(row.get(name), kind), bound, sign)


@dataclass(frozen=True)
class TableQuery:
    """One view on records.

    explode     the column of lists (or objects) of which each entry becomes a row
    conditions  what rows must fulfil, all of them
    sort        the column to sort by, "" for the order of the records; what is missing comes last
    descending  from the most to the least
    columns     the ones that are wanted, in that order; none for all there are
    dates       write times as such; else as the records have them
    """

    explode: str = ""
    conditions: tuple[Condition, ...] = ()
    sort: str = ""
    descending: bool = False
    columns: tuple[str, ...] = ()
    dates: bool = True

    def __post_init__(self) -> None:
        if len(self.conditions) > _MOST_CONDITIONS:
            raise RefusedError(f"a table takes {_MOST_CONDITIONS} filters at the most")

    @classmethod
    def of(cls, conditions: Iterable[Sequence[str]], **rest: Any) -> TableQuery:
        """As a page asks for it, a condition being a list of three texts. Raises RefusedError."""
        found = []
        for each in conditions:
            if len(each) != len(Condition.__dataclass_fields__):
                raise RefusedError("a filter is a column, an operator and a text")
            found.append(Condition(*each))
        return cls(conditions=tuple(found), **rest)

    @property
    def is_plain(self) -> bool:
        """Whether the first rows are just the first records, whatever comes behind."""
        return not (self.conditions or self.sort)


class Rows:
    """Records -> the rows of one query, and what there is to know of their columns.

    Attributes: query; lists (columns that could be exploded); records (how many were taken). What a column holds is
    settled by the first records that are taken.
    """

    def __init__(self, query: TableQuery) -> None:
        self.query = query
        self._names: dict[str, None] = {}
        self._kinds: dict[str, Kind] = {}
        self.lists: dict[str, None] = {}
        self.records = 0
        self._tests: list[Callable[[Record], bool]] | None = None
        self._line = LINE

    def take(self, rows: Sequence[Row]) -> Iterator[Record]:
        """The rows that the query wants of these, flat, in their order."""
        if self._tests is None:
            self._settle(rows)
        for row in rows:
            self.records += 1
            for flat in self._flat(row):
                self._meet(flat)
                if all(test(flat) for test in self._tests or ()):
                    yield flat

    def kind(self, name: str) -> Kind:
        """What a column holds; one without a value is text."""
        return self._kinds.get(name, "text")

    def columns(self) -> list[str]:
        """The columns met; an object that is missing somewhere is none beside those that it is opened into."""
        opened_ones = {name[:at] for name in self._kinds for at, char in enumerate(name) if char == "."}
        return [name for name in self._names if name in self._kinds or name not in opened_ones]

    def key(self, row: Record) -> Key | None:
        return sort_key(row.get(self.query.sort), self.kind(self.query.sort))

    def _settle(self, rows: Sequence[Row]) -> None:
        """Take the kinds of columns from the first rows: what is written of a column does not change half-way."""
        while any(isinstance(row, dict) and self._line in row for row in rows):
            self._line = f"_{self._line}"
        found: dict[str, list[Any]] = {}
        for row in rows:
            for flat in self._flat(row):
                for name, value in flat.items():
                    found.setdefault(name, []).append(value)
        self._names = dict.fromkeys(found)
        for name, values in found.items():
            if any(value is not None for value in values):
                self._kinds[name] = self._kind(name, values)
        self._tests = [each.test(self.kind(each.column)) for each in self.query.conditions]

    def _flat(self, row: Row) -> Iterator[Record]:
        if not isinstance(row, dict):
            yield {self._line: row.text}
            return
        for name, value in row.items():
            if name not in self.lists and isinstance(value, list) and any(isinstance(v, dict) for v in value):
                self.lists[name] = None
        for part in exploded(row, self.query.explode or None):
            fields: Record = {}
            for name, value in opened(part):
                fields.setdefault(name, value)
            yield fields

    def _meet(self, flat: Mapping[str, Any]) -> None:
        for name, value in flat.items():
            if name not in self._kinds:
                self._names.setdefault(name)
                if value is not None:
                    self._kinds[name] = self._kind(name, (value,))

    def _kind(self, name: str, values: Sequence[Any]) -> Kind:
        kind = kind_of(name, values)
        if self.query.dates or kind not in TIMES:
            return kind
        return "number" if all(map(is_number, filter(None, values))) else "text"


def _is_same(value: Any, kind: str, wanted: str) -> bool:
    if is_number(value) and kind not in TIMES:
        try:
            return float(wanted) == value
        except (ValueError, OverflowError):
            return False
    return cell(value, kind).casefold() == wanted


def _bound(text: str, kind: str) -> Key:
    """What a filter "at least" or "at most" compares with. Raises RefusedError for what is no such thing."""
    text = text.strip()
    if kind in TIMES:
        try:
            return (0, seconds_since_1970(datetime.fromisoformat(text)), "")
        except (ValueError, OverflowError):
            raise RefusedError(
                f'"{text}" is no time; write it as 2016-01-31 or 2016-01-31 12:00:00'
            ) from None
    if kind == "number":
        try:
            return (0, float(text), "")
        except ValueError:
            raise RefusedError(f'"{text}" is no number, and the column holds numbers') from None
    return (1, 0.0, text.casefold())


def _is_beyond(key: Key | None, bound: Key, sign: int) -> bool:
    """Whether a value is at least (1) or at most (-1) the bound; one of another sort is neither."""
    return key is not None and key[0] == bound[0] and (key >= bound if sign > 0 else key <= bound)
