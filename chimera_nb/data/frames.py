"""Records -> DataFrames.

A record's fields become columns, in the order in which they first appear; `chimera_nb.data.columns` has the dtypes.
Betfair's `pt` stays a number, of milliseconds since 1970: `pandas.to_datetime(frame.pt, unit="ms")` makes times of
it. `flatten` reaches into what is nested.

Lines that are no JSON objects have rows too, with their text in a column of their own: `_line`, or with more
underscores where a record has a field of that name. `frame.attrs["lines"]` has its name, and how many they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Container, Sequence
from itertools import islice
from typing import Any

import pandas as pd

from chimera_nb.data.columns import Column
from chimera_nb.data.nested import Explode, check_explode, exploded, opened
from chimera_nb.data.query import RowQuery
from chimera_nb.data.records import NoRecord, Record, RecordReader, Row, free_name
from pipeline.errors import RefusedError, UnknownNameError
from pipeline.read.text_format import text_format

MANY_COLUMNS = 1000
EMPTY_CELLS = 10_000_000  # of more columns than that, nine in ten of them empty: more is refused
_ROUND = 1 << 18  # fields that are held as records before they become columns
_TOLD = 20  # lines that are no records, whose text is looked at to say what they are


class NotJsonWarning(UserWarning):
    """Some lines are no JSON objects; a frame has their text in a column of its own."""


class HalfCharacterWarning(UserWarning):
    """Some texts hold half a character, which nothing can print or save; a frame has it as its escape."""


class FrameBuilder:
    """Rows, batch by batch -> a DataFrame with these columns, or with all there are. Attributes: rows, lines.

    rows counts what was added, lines those of them that are no records.
    """

    def __init__(self, columns: Collection[str] | None = None) -> None:
        self.rows = self.lines = 0
        self._chosen = columns
        self._columns = {name: Column() for name in columns or ()}
        self._held: list[Record] = []
        self._held_fields = self._fields = 0
        self._texts: dict[int, str] = {}

    def add(self, rows: Sequence[Row]) -> None:
        """Raises RefusedError when the frame would be mostly empty cells, before there are any."""
        for at, row in enumerate(rows, self.rows):
            if isinstance(row, NoRecord):
                self._texts[at] = row.text
        self.lines = len(self._texts)
        self.rows += len(rows)
        records = [row if isinstance(row, dict) else {} for row in rows] if self._texts else rows
        self._held += records  # type: ignore[arg-type]
        self._held_fields += sum(map(len, records))  # type: ignore[arg-type]
        if self._held_fields >= _ROUND or len(self._held) >= _ROUND:
            self._settle()

    @property
    def columns(self) -> int:
        """How many there are, as far as they are known."""
        return len(self._columns)

    @property
    def cells(self) -> int:
        return self.rows * len(self._columns)

    def told_frame(self) -> pd.DataFrame:
        """The frame, with a warning of its lines that are no records and what they look like."""
        frame = self.frame()
        if self._texts:
            texts = list(islice(self._texts.values(), _TOLD))
            found = text_format("\n".join(texts).encode())
            about = (
                f"they look like {found.value}: {found.remedy}"
                if found
                else f"the first is {_cut(texts[0])!r}"
            )
            text = (
                f"{self.lines:,} of {self.rows:,} lines are no JSON objects; {about}. They are in the column "
                f"{frame.attrs['lines']['column']}, as text"
            )
            warnings.warn(text, NotJsonWarning, stacklevel=4)
        return frame

    def frame(self) -> pd.DataFrame:
        """All of it. Raises RefusedError as `add` does."""
        self._settle()
        data: dict[str, pd.Series[Any]] = {}
        for name, column in self._columns.items():
            column.pad(self.rows)
            data[name] = column.series()
        attrs: dict[str, Any] = {}
        if self._texts:
            line_column = free_name("_line", data)
            data[line_column] = pd.Series([self._texts.get(at) for at in range(self.rows)], dtype="string")
            attrs["lines"] = {"column": line_column, "count": self.lines}
        frame = pd.DataFrame(data, index=pd.RangeIndex(self.rows), columns=list(data), copy=False)
        frame.attrs.update(attrs)
        return frame

    def _settle(self) -> None:
        """Make columns of what is held."""
        records, self._held = self._held, []
        self._fields += self._held_fields
        self._held_fields = 0
        names: dict[str, Any] = dict.fromkeys(self._chosen or ())
        if self._chosen is None:
            for record in records:
                names.update(record)  # its names, in their order; what is under them is of no use here
            for name in names:
                self._columns.setdefault(name, Column())
            check_shape(self.rows, len(self._columns), self._fields)
        start = self.rows - len(records)
        for name in names:
            column = self._columns[name]
            column.pad(start)
            column.add([record.get(name) for record in records])


def frame_of_lines(lines: Collection[bytes], query: RowQuery | None = None) -> pd.DataFrame:
    """Lines without their ends -> a row for each that is not blank, or for what is chosen of them.

    Warns of those that are no JSON objects, and of half characters. Raises RefusedError, and UnknownNameError for a
    column that no record has.
    """
    query = query or RowQuery()
    reader = RecordReader()
    builder = FrameBuilder(query.columns)
    builder.add(query.take(reader.read(lines)))
    query.check()
    frame = builder.told_frame()
    warn_of_halves(reader.escaped)
    return frame


def warn_of_halves(records: int) -> None:
    """Say how many of the records that were read had half characters, if any had."""
    if records:
        text = (
            f"{records:,} records hold half a character, such as \\ud83d, which nothing can print or save; it is "
            "shown as an escape"
        )
        warnings.warn(text, HalfCharacterWarning, stacklevel=3)


def check_shape(rows: int, columns: int, values: int) -> None:
    """Raise RefusedError for a frame that is many columns of next to nothing."""
    cells = rows * columns
    if columns <= MANY_COLUMNS or cells - values <= EMPTY_CELLS or values * 10 > cells:
        return
    raise RefusedError(
        f"the frame would have {columns:,} columns for {rows:,} rows, and values in {values:,} of its {cells:,} cells: "
        "the names of fields seem to be ids. Ask for a row for each field (explode=True: columns key and value) or "
        'for each entry of a field (explode="name"), or for some columns (columns=[...]); '
        "chimera_nb.widgets.FilePreview shows a record as a tree"
    )


def to_frame(records: Sequence[Record], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Records -> a DataFrame, with these columns or with all there are. Raises RefusedError as `check_shape` does."""
    builder = FrameBuilder(columns)
    builder.add(records)
    return builder.frame()


def flatten(frame: pd.DataFrame, *, explode: Explode = None) -> pd.DataFrame:
    """The frame with its nested objects as columns of their own, named by the way to them: `marketDefinition.eventId`.

    `explode` names a column: each entry of its lists and objects gets a row, with the other fields repeated and the
    index too. `flatten(peek(uri), explode="mc")` has Betfair's markets, with `mc.marketDefinition.eventId`;
    explode that one's `mc.marketDefinition.runners` for the runners. The entries of an object keyed by ids become
    {"key": id, "value": ...}, so columns `prices.key` and `prices.value.ltp`; explode=True does that with the rows
    themselves. Lists stay lists otherwise.

    Raises UnknownNameError where there is no such column, and RefusedError where two fields would share a name, or
    where there would be very many columns of next to nothing.
    """
    check_explode(explode)
    if isinstance(explode, str) and explode not in frame:
        raise UnknownNameError("column", explode, [str(name) for name in frame])
    names = [str(name) for name in frame]
    rows = zip(*(frame[name].tolist() for name in frame), strict=True) if names else [()] * len(frame)
    index: list[Any] = []
    records: list[Record] = []
    for at, row in zip(frame.index, rows, strict=True):
        record = {name: value for name, value in zip(names, row, strict=True) if not _is_missing(value)}
        for item in exploded(record, explode):
            index.append(at)
            records.append(_opened_once(item))
    columns = _order([] if explode is True else names, records)
    check_shape(len(records), len(columns), sum(map(len, records)))
    flat = to_frame(records, columns)
    flat.index = pd.Index(index, dtype=frame.index.dtype, name=frame.index.name)
    flat.attrs = dict(frame.attrs)
    return flat


def _order(names: Sequence[str], records: Sequence[Record]) -> list[str]:
    """Columns in the positions of those that they came from."""
    positions = {name: position for position, name in enumerate(names)}
    found: dict[str, Any] = {}
    for record in records:
        found.update(record)
    if not positions:
        return list(found)
    order = {name: position for position, name in enumerate(found)}
    opened_ones = {
        _top(name, positions) for name in found
    } - found.keys()  # only their fields are left of them
    return sorted(
        {*names, *found} - opened_ones, key=lambda n: (positions[_top(n, positions)], order.get(n, 0))
    )


def _opened_once(record: Record) -> Record:
    fields: Record = {}
    for name, value in opened(record):
        if name in fields:
            raise RefusedError(
                f"two fields of a record would both be the column {name!r}; do without flatten"
            )
        fields[name] = value
    return fields


def _top(name: str, positions: Container[str]) -> str:
    """The column that a flattened one came from."""
    while name not in positions:
        name = name.rpartition(".")[0]
    return name


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
