"""All parts of a view's rows -> one Excel workbook, row by row, in memory that does not grow with it.

Texts stay texts: none is run as a formula or made a link. Whole numbers beyond 2^53, which a spreadsheet rounds,
numbers that are none, decimals, lists and structs are texts; times are those of UTC, as a workbook has no zones.
"""

from __future__ import annotations

import math
import tempfile
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from pipeline.errors import JobError
from pipeline.ledger import Part
from pipeline.rows.parquet_file import parquet_batches
from pipeline.storage import Store, join

SHEET_ROWS = 1_048_576  # of Excel, with the row of names
_CELL_CHARACTERS = 32_767  # of Excel
_EXACT = 1 << 53
_FIRST_DAY = date(1900, 1, 1)  # of Excel
_COPY_BYTES = 1 << 20


def write_workbook(
    store: Store, parts: Iterable[Part], schema: pa.Schema, folder: str, owner: str
) -> list[Part]:
    """One part, the workbook, of all parts in their order; none where there are no rows. They are gone through twice.

    Raises JobError for more rows than a sheet has, and for a text that no cell holds.
    """
    rows = sum(part.lines for part in parts)
    if rows >= SHEET_ROWS:
        raise JobError(
            f"the view has {rows:,} rows, and a workbook holds {SHEET_ROWS - 1:,} below the row of names. Nothing was "
            "published; run the job again with --format csv or parquet, or over fewer files"
        )
    if not rows:
        return []
    with tempfile.TemporaryDirectory(prefix="chimera-workbook-") as place:
        path = Path(place) / "rows.xlsx"
        _write(store, parts, schema, path, place)
        with (
            path.open("rb") as file,
            store.open_write(join(folder, f"part-{uuid.uuid4().hex}.xlsx"), owner=owner) as out,
        ):
            while block := file.read(_COPY_BYTES):
                out.write(block)
    return [Part(out.uri, out.size, rows, out.crc32c, out.generation)]


def _write(store: Store, parts: Iterable[Part], schema: pa.Schema, path: Path, place: str) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(path, {"constant_memory": True, "tmpdir": place, "use_zip64": True})
    try:
        formats = {
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"}),
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
            time: book.add_format({"num_format": "hh:mm:ss"}),
        }
        sheet = book.add_worksheet("rows")
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True})
        for column, name in enumerate(schema.names):
            sheet.write_string(0, column, name, bold)
        row = 0
        for part in parts:
            for batch in parquet_batches(store, part.uri, part.size):
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    row += 1
                    for column, value in enumerate(values):
                        if value is not None:
                            _write_cell(sheet, (row, column), _plain(value), formats, schema.names[column])
    finally:
        book.close()


def _write_cell(sheet: Any, at: tuple[int, int], value: Any, formats: dict[type, Any], name: str) -> None:
    kind = type(value)
    if kind is bool:
        sheet.write_boolean(*at, value)
    elif kind is int or kind is float:
        sheet.write_number(*at, value)
    elif kind in formats:
        sheet.write_datetime(*at, value, formats[kind])
    elif len(value) > _CELL_CHARACTERS:
        raise JobError(
            f"row {at[0]:,}, column {name}: a text of {len(value):,} characters, and a cell of a workbook holds "
            f"{_CELL_CHARACTERS:,}. Nothing was published; run the job again with --format csv or parquet"
        )
    else:
        sheet.write_string(*at, value)


def _plain(value: Any) -> Any:
    """What a cell holds: a number, a time, true or false, or a text."""
    made = _MADE.get(type(value))
    return value if isinstance(value, str) else made(value) if made else _json(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _integer(value: int) -> Any:
    return value if -_EXACT <= value <= _EXACT else str(value)


def _float(value: float) -> Any:
    return value if math.isfinite(value) else str(value)


def _moment(value: datetime) -> Any:
    plain = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return plain if plain.date() >= _FIRST_DAY else value.isoformat()


def _day(value: date) -> Any:
    return value if value >= _FIRST_DAY else value.isoformat()


_MADE: dict[type, Callable[[Any], Any]] = {
    bool: bool,
    int: _integer,
    float: _float,
    datetime: _moment,
    date: _day,
    time: lambda value: value,
}
