"""The rows of a query as a file for a spreadsheet, as a stream of bytes: CSV, or an Excel workbook.

All rows that the query wants, in its order and with its columns: as the table stands on the page, and not only what is
on the screen. Nothing in the file is run as a formula. Moments are written in UTC, which the column's name says.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from chimera_nb.data.records import Record
from chimera_nb.data.table.formulas import inert
from chimera_nb.data.table.kinds import TIMES, cell, is_number, moment
from chimera_nb.data.table.query import Rows, TableQuery
from chimera_nb.data.table.sorting import sorted_rows
from chimera_nb.data.table.source import Source
from chimera_nb.jobs.limits import storable
from pipeline.errors import RefusedError

Format = Literal["csv", "xlsx"]
CHUNK_BYTES = 512 << 10
MOST_BYTES = 2 << 30  # of a file that a page takes
MOST_COLUMNS = {"csv": 5000, "xlsx": 16_384}
SHEET_ROWS = 1_048_576  # of Excel, with the row of names
_CELL_CHARACTERS = 32_767  # of Excel
_EXACT = 1 << 53  # whole numbers beyond, a spreadsheet rounds
_FIRST_YEAR = 1900  # of Excel
_CUT = "… (cut: no cell of Excel holds more)"
_FORMATS = {"day": "yyyy-mm-dd", "time": "yyyy-mm-dd hh:mm:ss.000", "clock": "yyyy-mm-dd hh:mm:ss.000"}


class Spreadsheet:
    """A file in the making.

    Attributes: looked (records that were read so far, in this pass), written (rows), passes (how often all of them are
    read: once more where only they tell what columns there are).
    """

    def __init__(
        self, source: Source, query: TableQuery, kind: Format, is_wanted: Callable[[], bool] = lambda: True
    ) -> None:
        self._source, self._query, self._kind, self._is_wanted = source, query, kind, is_wanted
        self.looked = self.written = 0
        self.passes = 1 if query.columns or (source.columns and not query.explode) else 2

    def chunks(self) -> Iterator[bytes]:
        """The file, in pieces of about half a megabyte.

        Raises RefusedError when it is wanted no more, when a workbook or a page cannot hold it, and for a filter that
        makes no sense; StorageError.
        """
        total = self._source.total
        plain = self._query.is_plain and not self._query.explode
        if self._kind == "xlsx" and plain and total is not None and total >= SHEET_ROWS:
            raise _too_many(f"the {total:,}")
        columns = list(self._query.columns) or self._names()
        if len(columns) > MOST_COLUMNS[self._kind]:
            raise RefusedError(
                f"the rows have {len(columns):,} columns, and the file takes {MOST_COLUMNS[self._kind]:,}; choose some"
            )
        rows = Rows(self._query)
        found = self._found(rows)
        if self._query.sort:
            found = sorted_rows(((rows.key(row), row) for row in found), descending=self._query.descending)
        size = 0
        for chunk in (_csv if self._kind == "csv" else _workbook)(rows, columns, self._counted(found)):
            size += len(chunk)
            if size > MOST_BYTES:
                raise RefusedError(
                    f"the file has over {MOST_BYTES >> 30} GiB by row {self.written:,}, which is more than a page can "
                    "take; filter the rows, choose columns, or take the files of the output"
                )
            yield chunk

    def told(self) -> str:
        """How far it is, or once it is whole, what is in it."""
        total = self._source.total
        of = f" of {total:,}" if total is not None else ""
        if self.written or not self.looked:
            return f"{self.written:,} {'row' if self.written == 1 else 'rows'}"
        return f"looked at {self.looked:,}{of} records"

    def _found(self, rows: Rows) -> Iterator[Record]:
        self.looked = 0
        for batch in self._source.batches():
            if not self._is_wanted():
                raise RefusedError("saving was stopped")
            yield from rows.take(batch)
            self.looked += len(batch)

    def _counted(self, found: Iterator[Record]) -> Iterator[Record]:
        for row in found:
            self.written += 1
            if self._kind == "xlsx" and self.written >= SHEET_ROWS:
                raise _too_many("them")
            yield row

    def _names(self) -> list[str]:
        """All columns of the rows: where records differ, only the last of them tells."""
        if self.passes == 1:
            return list(self._source.columns)
        rows = Rows(self._query)
        for _ in self._found(rows):
            pass
        return rows.columns()


def _too_many(rows: str) -> RefusedError:
    return RefusedError(
        f"there are more rows than a sheet of Excel holds, which is {SHEET_ROWS - 1:,} below the names: filter {rows}, "
        "or save as CSV, which has no such limit"
    )


def title(name: str, kind: str) -> str:
    """What stands over a column: its name, and of moments the zone that they are written in."""
    return storable(f"{name} (UTC)" if kind == "time" else name)


def _csv(rows: Rows, columns: Sequence[str], found: Iterator[Record]) -> Iterator[bytes]:
    text = io.StringIO()
    # All texts in quotes: where cells end at semicolons, "-1,5+A1" made of a number and a text is a formula.
    writer = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    first = next(found, None)  # with it the kinds of columns are settled
    writer.writerow([inert(title(name, rows.kind(name))) for name in columns])
    row = first
    while row is not None:
        writer.writerow([_csv_cell(row.get(name), rows.kind(name)) for name in columns])
        if text.tell() > CHUNK_BYTES:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
        row = next(found, None)
    yield text.getvalue().encode()


def _csv_cell(value: Any, kind: str) -> Any:
    return value if is_number(value) and kind not in TIMES else inert(cell(value, kind))


def _workbook(rows: Rows, columns: Sequence[str], found: Iterator[Record]) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="chimera-workbook-") as folder:
        path = Path(folder) / "rows.xlsx"
        _write(path, rows, columns, found)
        with path.open("rb") as file:
            yield from iter(partial(file.read, CHUNK_BYTES), b"")


def _write(path: Path, rows: Rows, columns: Sequence[str], found: Iterator[Record]) -> None:
    import xlsxwriter

    options = {"constant_memory": True, "tmpdir": str(path.parent), "use_zip64": True}
    book = xlsxwriter.Workbook(path, options)
    try:
        formats = {kind: book.add_format({"num_format": shown}) for kind, shown in _FORMATS.items()}
        sheet = book.add_worksheet("rows")
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True})
        first = next(found, None)
        for at, name in enumerate(columns):
            sheet.write_string(0, at, _held(title(name, rows.kind(name))), bold)
            sheet.set_column(at, at, _WIDTHS.get(rows.kind(name), 16))
        row, number = first, 0
        while row is not None:
            number += 1
            for at, name in enumerate(columns):
                if (value := row.get(name)) is not None:
                    _write_cell(sheet, (number, at), value, rows.kind(name), formats)
            row = next(found, None)
        sheet.autofilter(0, 0, number, max(0, len(columns) - 1))
    finally:
        book.close()


_WIDTHS = {"time": 23, "clock": 23, "day": 11, "number": 12}


def _write_cell(sheet: Any, place: tuple[int, int], value: Any, kind: str, formats: dict[str, Any]) -> None:
    at = moment(value, kind) if kind in TIMES else None
    if at is not None and at.year >= _FIRST_YEAR:
        sheet.write_datetime(
            *place, at.replace(tzinfo=None) if isinstance(at, datetime) else at, formats[kind]
        )
    elif isinstance(value, bool):
        sheet.write_boolean(*place, value)
    elif is_number(value) and kind not in TIMES and (isinstance(value, float) or -_EXACT <= value <= _EXACT):
        sheet.write_number(*place, value)
    else:
        sheet.write_string(*place, _held(cell(value, kind)))  # never as a formula or a link


def _held(text: str) -> str:
    return text if len(text) <= _CELL_CHARACTERS else text[: _CELL_CHARACTERS - len(_CUT)] + _CUT
