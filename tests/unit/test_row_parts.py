"""Rows -> parts of each format, in folders or in one, and where each file's are."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import JobError, ReconciliationError, StorageError
from pipeline.ledger import FileRecord, Part
from pipeline.rows.checksum import RowsChecksum
from pipeline.rows.parquet_file import parquet_batches, parquet_rows
from pipeline.rows.partitions import split
from pipeline.write.rows import part_files, row_parts, workbook
from pipeline.write.rows.row_parts import RowWriter
from pipeline.write.rows.workbook import write_workbook
from tests.fixtures.weather import STORE

SCHEMA = pa.schema([("place", pa.string()), ("n", pa.int64()), ("text", pa.string())])


def rows(first, count, places=("a", "b")):
    return pa.RecordBatch.from_pydict(
        {
            "place": [places[n % len(places)] for n in range(first, first + count)],
            "n": list(range(first, first + count)),
            "text": [f"text {n}" for n in range(first, first + count)],
        },
        SCHEMA,
    )


def written(folder, form, files, **given):
    writer = RowWriter(STORE, str(folder), SCHEMA, form, owner="job", **given)
    records, parts = [], []
    for uri, batches in files.items():
        for batch in batches:
            writer.write(batch)
        count = sum(batch.num_rows for batch in batches)
        records.append(writer.end_file(FileRecord(uri, "complete", lines=count, rows=count)))
        parts += writer.take()
    parts += writer.finish()
    return records, parts


def checksum(batch):
    found = RowsChecksum()
    found.update(batch)
    return str(found)


def test_rows_of_files_follow_each_other_in_parquet_with_their_places(tmp_path):
    files = {"x": [rows(0, 5), rows(5, 5)], "y": [], "z": [rows(10, 3)]}
    (x, y, z), (part,) = written(tmp_path, "parquet", files)
    assert (x.shard, x.offset, x.rows, x.output_bytes, x.pieces) == (part.uri, 0, 10, 0, None)
    assert (y.shard, y.offset, y.output_crc32c) == (None, None, None)
    assert (z.offset, z.output_crc32c) == (10, checksum(rows(10, 3)))
    assert x.output_crc32c == checksum(rows(0, 10))
    assert (part.lines, part.suffix, part.size) == (13, "parquet", STORE.stat(part.uri).size)
    file = pq.ParquetFile(part.uri)
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert file.read().equals(pa.Table.from_batches([rows(0, 13)]))


def test_row_groups_have_so_many_rows_and_only_those_that_are_wanted_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(part_files, "GROUP_ROWS", 100)
    files = {str(n): [rows(n * 30, 30)] for n in range(10)}
    _, (part,) = written(tmp_path, "parquet", files)
    metadata = pq.ParquetFile(part.uri).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [120, 120, 60]
    found = pa.Table.from_batches(parquet_rows(STORE, part.uri, part.size, 115, 250))
    assert found.column("n").to_pylist() == list(range(115, 250))
    assert list(parquet_rows(STORE, part.uri, part.size, 300, 300)) == []


def test_what_waits_is_bounded_over_all_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(row_parts, "HELD_BYTES", 4000)
    places = [f"p{n}" for n in range(8)]
    files = {str(n): [rows(n * 64, 64, places)] for n in range(6)}
    records, parts = written(tmp_path, "parquet", files, partition_by=("place",))
    assert len(parts) == 8
    assert sum(pq.ParquetFile(part.uri).metadata.num_row_groups for part in parts) > 8
    assert sum(part.lines for part in parts) == 384
    assert all(len(record.pieces) == 8 for record in records)


class Counting(RowWriter):
    """Keeps how many parts were open after each that was asked for."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.opened = []

    def _part(self, folder):
        found = super()._part(folder)
        self.opened.append(len(self._open))
        return found


def test_of_very_many_folders_sixteen_are_open_at_a_time(tmp_path):
    places = [f"p{n}" for n in range(200)]
    writer = Counting(STORE, str(tmp_path), SCHEMA, "parquet", owner="job", partition_by=("place",))
    writer.write(rows(0, 400, places))
    writer.end_file(FileRecord("x", "complete", lines=400, rows=400))
    parts = [*writer.take(), *writer.finish()]
    assert max(writer.opened) == 16
    assert len({part.folder for part in parts}) == len(parts) == 200
    assert sum(part.lines for part in parts) == 400


def test_small_batches_that_wait_are_put_together(tmp_path):
    """Of the batch of a small file, as it came, hardly anything would be its values."""
    stream = STORE.open_write(str(tmp_path / "part"), owner="job")
    part = part_files.open_part("parquet", stream, "", SCHEMA)
    most = 0
    for n in range(1000):
        part.write(rows(n, 1))
        most = max(most, part.held)
        assert part.held > 1024
    assert most < 1000 * 1024 / 2
    part.finish()
    assert pq.read_table(tmp_path / "part").column("n").to_pylist() == list(range(1000))


def test_rows_of_a_folder_do_not_keep_those_of_others_in_memory():
    batch = rows(0, 10_000, [str(n) for n in range(100)])
    for _, piece in split(batch, ("place",)):
        assert piece.get_total_buffer_size() < batch.get_total_buffer_size() / 50


def test_no_more_parts_are_open_than_may_be_and_a_file_may_have_several_in_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(row_parts, "OPEN_PARTS", 2)
    writer = Counting(STORE, str(tmp_path), SCHEMA, "parquet", owner="job", partition_by=("place",))
    for first in (0, 9):
        writer.write(rows(first, 9, ("a", "b", "c")))
    record = writer.end_file(FileRecord("x", "complete", lines=18, rows=18))
    parts = [*writer.take(), *writer.finish()]
    assert max(writer.opened) == 2
    assert len(parts) == 6
    assert [piece.rows for piece in record.pieces] == [3] * 6
    assert record.output_crc32c is None
    held = {part.uri: pq.read_table(part.uri, partitioning=None) for part in parts}
    for piece in record.pieces:
        assert piece.crc32c == checksum(held[piece.shard].to_batches()[0])


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_rows_as_text_have_places_in_bytes(tmp_path, form):
    files = {"x": [rows(0, 5)], "y": [rows(5, 4)]}
    (x, y), (part,) = written(tmp_path, form, files)
    data = STORE.read_bytes(part.uri)
    assert part.header == x.offset == (0 if form == "ndjson" else len(b'"place","n","text"\n'))
    assert y.offset == x.offset + x.output_bytes
    assert x.output_bytes + y.output_bytes + part.header == part.size == len(data)
    assert data[y.offset :].count(b"\n") == y.rows == 4
    assert (part.lines, part.suffix) == (9, form)


def test_a_part_that_is_full_ends_with_its_file(tmp_path):
    files = {str(n): [rows(n, 50)] for n in range(3)}
    records, parts = written(tmp_path, "ndjson", files, part_bytes=1)
    assert len({record.shard for record in records}) == len(parts) == 3
    assert sorted(part.uri for part in parts) == [part.uri for part in parts]


def test_rows_that_are_not_of_their_record_are_found_out(tmp_path):
    writer = RowWriter(STORE, str(tmp_path), SCHEMA, "parquet", owner="job")
    writer.write(rows(0, 5))
    with pytest.raises(ReconciliationError, match="5 rows came before the record of x, which tells of 4"):
        writer.end_file(FileRecord("x", "complete", lines=4, rows=4))
    writer.write(rows(0, 2))
    with pytest.raises(ReconciliationError, match="2 rows came, and then no record"):
        list(writer.finish())
    writer.abort()
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_parquet_file_that_is_none_is_named(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(StorageError, match=r"x\.parquet.*is not the Parquet that was written"):
        list(parquet_batches(STORE, f"{tmp_path}/x.parquet", 16))


# The workbook


def cells(data):
    """The cells of the first sheet, row by row, as (type, text)."""
    names = {"s": "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"}
    sheet = ET.fromstring(zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml"))
    space = names["s"]
    return [
        [(cell.get("t", "n"), "".join(cell.itertext()), cell.find(f"{space}f")) for cell in row]
        for row in sheet.iter(f"{space}row")
    ]


def test_a_workbook_has_all_rows_and_runs_no_text_as_a_formula(tmp_path):
    texts = ["=1+1", "@SUM(A1)", "http://x.example/", "0012", "plain", ""]
    batch = pa.RecordBatch.from_pydict(
        {"place": ["a"] * 6, "n": [1, 2**60, None, -5, 0, 7], "text": texts}, SCHEMA
    )
    _, parts = written(tmp_path, "parquet", {"x": [batch]}, part_bytes=1)
    (book,) = write_workbook(STORE, sorted(parts), SCHEMA, str(tmp_path), "job")
    assert (book.suffix, book.lines) == ("xlsx", 6)
    header, *body = cells(STORE.read_bytes(book.uri))
    assert [text for _, text, _ in header] == SCHEMA.names
    assert [row[-1][1] for row in body[:5]] == texts[:5]
    assert all(kind == "inlineStr" and formula is None for row in body[:5] for kind, _, formula in row[-1:])
    assert body[0][1][:2] == ("n", "1")
    assert body[1][1][:2] == ("inlineStr", str(2**60))
    assert b"hyperlink" not in zipfile.ZipFile(book.uri).read("xl/worksheets/sheet1.xml")


def test_more_rows_than_a_sheet_has_are_refused_before_any_is_read(tmp_path):
    parts = [Part("gone", 1, workbook.SHEET_ROWS - 1, None), Part("away", 1, 1, None)]
    with pytest.raises(
        JobError, match=r"1,048,576 rows, and a workbook holds 1,048,575 .* --format csv or parquet"
    ):
        write_workbook(STORE, parts, SCHEMA, str(tmp_path), "job")
    assert write_workbook(STORE, [], SCHEMA, str(tmp_path), "job") == []


def test_a_text_that_no_cell_holds_is_refused_with_its_place(tmp_path):
    batch = pa.RecordBatch.from_pydict({"place": ["a"], "n": [1], "text": ["x" * 40_000]}, SCHEMA)
    _, parts = written(tmp_path, "parquet", {"x": [batch]})
    with pytest.raises(JobError, match="row 1, column text: a text of 40,000 characters"):
        write_workbook(STORE, parts, SCHEMA, str(tmp_path), "job")
