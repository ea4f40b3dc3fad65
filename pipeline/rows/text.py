r"""Rows -> lines of NDJSON or CSV, and back. Each row is one record by itself, whatever batch it came in.

NDJSON  a JSON object a line, with the columns in their order; times in ISO 8601, decimals and bytes as texts (base64),
        null for what is missing and for a number that is none
CSV     RFC 4180 with "\n": texts in quotes, nothing for what is missing; lists and structs as JSON. A text may hold
        line ends
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import time
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from pyarrow import types

from pipeline.errors import BadFileError

_ROWS_AT_ONCE = 8192
_encoder = msgspec.json.Encoder(decimal_format="string")


def ndjson_blocks(batch: pa.RecordBatch) -> Iterator[bytes]:
    """The rows as blocks of lines."""
    names = batch.schema.names
    for begin in range(0, batch.num_rows, _ROWS_AT_ONCE):
        some = batch.slice(begin, _ROWS_AT_ONCE)
        columns = [column.to_pylist() for column in map(_plain_times, some.columns)]
        rows = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
        yield _encoder.encode_lines(rows)


def rows_of_ndjson(block: bytes, schema: pa.Schema) -> pa.RecordBatch:
    """Lines -> rows. Raises BadFileError for what is not of that schema."""
    try:
        records = msgspec.json.Decoder(dict[str, Any]).decode_lines(block)
        arrays = [_array([record.get(field.name) for record in records], field.type) for field in schema]
    except (msgspec.MsgspecError, pa.ArrowException, ValueError, TypeError) as e:
        raise BadFileError(f"holds lines that are no rows of the view ({e})", of_the_file=True) from e
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def csv_header(schema: pa.Schema) -> bytes:
    """The first line of each file."""
    return b",".join(b'"' + name.replace('"', '""').encode() + b'"' for name in schema.names) + b"\n"


def csv_blocks(batch: pa.RecordBatch) -> Iterator[bytes]:
    """The rows as CSV without a header."""
    if not batch.num_rows:
        return
    arrays = [_json_texts(column) if types.is_nested(column.type) else column for column in batch.columns]
    out = io.BytesIO()
    plain = pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    pyarrow.csv.write_csv(plain, out, options)
    yield out.getvalue()


def rows_of_csv(source: Any, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """A CSV file with its header -> rows. Raises BadFileError for what is not of that schema."""
    kinds = {field.name: pa.string() if types.is_nested(field.type) else field.type for field in schema}
    options = pyarrow.csv.ConvertOptions(
        column_types=kinds,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        include_columns=schema.names,
    )
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    read = pyarrow.csv.ReadOptions(use_threads=False)
    try:
        with pyarrow.csv.open_csv(source, read, parse, options) as batches:
            for batch in batches:
                arrays = [
                    _from_json(batch.column(field.name), field.type)
                    if types.is_nested(field.type)
                    else batch.column(field.name)
                    for field in schema
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
    except (pa.ArrowException, ValueError) as e:
        raise BadFileError(f"holds lines that are no rows of the view ({e})", of_the_file=True) from e


def _plain_times(column: pa.Array) -> pa.Array:
    """Times as ISO texts, which Python would have to make one by one."""
    kind = column.type
    if types.is_timestamp(kind):
        zone = kind.tz is not None
        if zone and kind.tz != "UTC":
            column = column.cast(pa.timestamp(kind.unit, "UTC"))
        column = column.cast(pa.timestamp(kind.unit)) if zone else column
        text = pc.strftime(column, format="%Y-%m-%dT%H:%M:%S")
        return pc.binary_join_element_wise(text, pa.scalar("Z"), "") if zone else text
    return column.cast(pa.string()) if types.is_date(kind) or types.is_time(kind) else column


def _json_texts(column: pa.Array) -> pa.Array:
    values: Iterable[Any] = column.to_pylist()
    return pa.array([None if v is None else _encoder.encode(v).decode() for v in values], pa.string())


def _from_json(column: pa.Array, kind: pa.DataType) -> pa.Array:
    decode = msgspec.json.decode
    return _array([None if text is None else decode(text) for text in column.to_pylist()], kind)


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Values as JSON has them -> an array. Texts become times, and base64 bytes."""
    if types.is_binary(kind) or types.is_large_binary(kind):
        return pa.array([None if v is None else msgspec.convert(v, bytes) for v in values], kind)
    if types.is_time(kind):
        return pa.array([None if v is None else time.fromisoformat(v) for v in values], kind)
    if types.is_timestamp(kind) or types.is_date(kind) or types.is_decimal(kind):
        return pa.array(values, pa.string()).cast(kind)
    if types.is_nested(kind):
        return pa.array(values).cast(kind)
    return pa.array(values, kind)
