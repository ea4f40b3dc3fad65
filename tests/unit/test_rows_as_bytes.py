"""Rows as NDJSON and CSV and back, their checksum, and the folders that they are divided into."""

from __future__ import annotations

import base64
import csv
import io
import json
import struct
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import pairwise

import google_crc32c
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import BadFileError
from pipeline.rows.checksum import RowsChecksum
from pipeline.rows.partitions import folder_of, split, stored, values_of, with_values
from pipeline.rows.schema import schema_from_json, schema_to_json
from pipeline.rows.text import csv_blocks, csv_header, ndjson_blocks, rows_of_csv, rows_of_ndjson

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("n", pa.int64()),
        ("small", pa.uint8()),
        ("x", pa.float64()),
        ("at", pa.timestamp("ms", "UTC")),
        ("there", pa.timestamp("us")),
        ("day", pa.date32()),
        ("hour", pa.time64("us")),
        ("ok", pa.bool_()),
        ("money", pa.decimal128(10, 2)),
        ("ids", pa.list_(pa.int64())),
        ("both", pa.struct([("a", pa.int32()), ("b", pa.string())])),
    ]
)
ROW = {
    "id": 'a "quoted",\ntext; é',
    "n": 2**60,
    "small": 255,
    "x": 0.1,
    "at": datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
    "there": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC).replace(tzinfo=None),
    "day": date(2026, 1, 2),
    "hour": time(3, 4, 5, 678901),
    "ok": True,
    "money": Decimal("-0.01"),
    "ids": [1, None, 3],
    "both": {"a": 1, "b": ""},
}
NOTHING = dict.fromkeys(SCHEMA.names)
EMPTY = {**NOTHING, "id": "", "ids": [], "both": {"a": None, "b": None}}
ROWS = pa.RecordBatch.from_pylist([ROW, NOTHING, EMPTY, ROW], schema=SCHEMA)


def ndjson(batch):
    return b"".join(ndjson_blocks(batch))


def as_csv(batch):
    return csv_header(batch.schema) + b"".join(csv_blocks(batch))


def checksum(*batches):
    found = RowsChecksum()
    for batch in batches:
        found.update(batch)
    return str(found)


def test_rows_are_the_same_after_a_way_through_ndjson():
    text = ndjson(ROWS)
    assert rows_of_ndjson(text, SCHEMA).to_pylist() == ROWS.to_pylist()
    first = json.loads(text.splitlines()[0])
    assert first["id"] == ROW["id"]
    assert (first["at"], first["day"], first["money"]) == ("2026-01-02T03:04:05.678Z", "2026-01-02", "-0.01")
    assert list(first) == SCHEMA.names


def test_rows_are_the_same_after_a_way_through_csv_which_others_read_too():
    text = as_csv(ROWS)
    (back,) = rows_of_csv(io.BytesIO(text), SCHEMA)
    assert back.to_pylist() == ROWS.to_pylist()
    header, first, nothing, *_ = csv.reader(io.StringIO(text.decode()))
    assert header == SCHEMA.names
    assert first[0] == ROW["id"]
    assert set(nothing) == {""}


def test_what_is_of_another_schema_is_said():
    with pytest.raises(BadFileError, match="no rows of the view"):
        rows_of_ndjson(b'{"n":"many"}\n', SCHEMA)
    with pytest.raises(BadFileError, match="no rows of the view"):
        list(rows_of_csv(io.BytesIO(b"id,n\na,many\n"), pa.schema([("id", pa.string()), ("n", pa.int64())])))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=6))
def test_bytes_and_checksum_do_not_depend_on_the_batches(cuts):
    places = sorted({0, ROWS.num_rows, *cuts})
    batches = [ROWS.slice(a, b - a) for a, b in pairwise(places)]
    assert checksum(*batches) == checksum(ROWS)
    assert b"".join(map(ndjson, batches)) == ndjson(ROWS)
    assert b"".join(block for batch in batches for block in csv_blocks(batch)) == b"".join(csv_blocks(ROWS))


@pytest.mark.parametrize("name", SCHEMA.names)
def test_a_change_in_any_column_changes_the_checksum(name):
    changed = [{**row, name: None} if at == 3 else row for at, row in enumerate(ROWS.to_pylist())]
    assert checksum(pa.RecordBatch.from_pylist(changed, schema=SCHEMA)) != checksum(ROWS)
    swapped = ROWS.take(pa.array([1, 0, 2, 3]))
    assert checksum(swapped) != checksum(ROWS)


def test_what_a_null_hides_is_not_in_the_checksum():
    hidden = pa.Array.from_buffers(
        pa.int64(), 2, [pa.py_buffer(b"\x01"), pa.array([5, 99], pa.int64()).buffers()[1]]
    )
    plain = pa.array([5, None], pa.int64())
    assert hidden.to_pylist() == plain.to_pylist()
    names = ["n"]
    assert checksum(pa.RecordBatch.from_arrays([hidden], names)) == checksum(
        pa.RecordBatch.from_arrays([plain], names)
    )


def crc(data):
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big"))


def test_the_checksum_is_that_of_its_description():
    schema = pa.schema([("n", pa.int64()), ("text", pa.string()), ("ids", pa.list_(pa.int16()))])
    batch = pa.RecordBatch.from_pydict({"n": [5, None], "text": ["é", "b"], "ids": [[1, 2], None]}, schema)
    eight = struct.Struct("<2q").pack
    numbers = crc(crc(b"\1\0") + crc(eight(5, 0)))
    texts = crc(crc(b"\1\1") + crc(eight(2, 1)) + crc("éb".encode()))
    lists = crc(crc(b"\1\0") + crc(eight(2, 0)) + crc(b"\1\1") + crc(struct.pack("<2h", 1, 2)))
    assert checksum(batch) == crc(numbers + texts + lists).decode()


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.none() | TEXTS, st.none() | st.integers(-5, 5), st.integers()), max_size=20))
def test_rows_of_a_folder_have_the_values_of_its_name_and_keep_their_order(rows):
    schema = pa.schema([("text", pa.string()), ("number", pa.int64()), ("at", pa.int64())])
    given_rows = [(text, number, at) for at, (text, number, _) in enumerate(rows)]
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array(column, field.type)
            for column, field in zip(zip(*given_rows, strict=True), schema, strict=False)
        ]
        if rows
        else [pa.array([], field.type) for field in schema],
        schema=schema,
    )
    columns = ("text", "number")
    found = {}
    for folder, some in split(batch, columns):
        assert some.schema == stored(schema, columns)
        assert folder not in found
        assert all(level and level not in (".", "..") for level in folder.split("/")[:-1])
        found[folder] = with_values(pa.Table.from_batches([some]), folder, schema).to_pylist()
    wanted = {}
    for row in batch.to_pylist():
        wanted.setdefault(folder_of({name: row[name] for name in columns}), []).append(row)
    assert found == wanted


def test_a_folders_name_says_its_values():
    folder = folder_of({"event": 7, "day": date(2026, 1, 2), "name": "a/b=c é", "none": None})
    assert folder == "event=7/day=2026-01-02/name=a%2Fb%3Dc%20%C3%A9/none=__HIVE_DEFAULT_PARTITION__/"
    assert values_of(folder) == {"event": "7", "day": "2026-01-02", "name": "a/b=c é", "none": None}


def test_a_schema_is_the_same_after_a_way_through_json():
    document = json.loads(json.dumps(schema_to_json(SCHEMA)))
    assert schema_from_json(document).equals(SCHEMA)
    assert document["columns"][4] == {"name": "at", "type": "timestamp[ms, tz=UTC]"}
    assert schema_from_json({"arrowSchema": "no"}) is None
    assert schema_from_json({}) is None
