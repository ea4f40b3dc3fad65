"""A table's rows as files for a spreadsheet: CSV that runs no formula, and workbooks, of all rows and in order."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import zipfile
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.data.table import save
from chimera_nb.data.table.formulas import inert
from chimera_nb.data.table.query import TableQuery
from chimera_nb.data.table.save import Spreadsheet
from chimera_nb.data.table.source import HeldRecords, OutputRecords
from pipeline.errors import RefusedError, StorageError
from pipeline.storage import PlainStore
from pipeline.target.layout import shard_uri, summary_uri

STORE = PlainStore()
JOB = "2026-01-31-1a2b3c4d"
START = int(datetime(2016, 1, 1, 12, tzinfo=UTC).timestamp() * 1000)
NAMES = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def csv_of(records, **query):
    source = HeldRecords(records, len(records))
    return b"".join(Spreadsheet(source, TableQuery(**query), "csv").chunks()).decode()


def workbook_of(source, **query):
    """The cells of a workbook, row by row: texts, numbers and formulas as the file has them."""
    data = b"".join(Spreadsheet(source, TableQuery(**query), "xlsx").chunks())
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    rows = []
    for row in sheet.iter(f"{NAMES}row"):
        cells = {}
        for cell in row:
            text = cell.find(f"{NAMES}is/{NAMES}t")
            number = cell.find(f"{NAMES}v")
            cells[re.sub(r"\d", "", cell.get("r"))] = text.text if text is not None else float(number.text)
            assert cell.find(f"{NAMES}f") is None
        rows.append(list(cells.values()))
    return rows


@pytest.fixture
def left(tmp_path):
    """A function that leaves an output of a job at a target; the target."""

    def leave(*shards: bytes) -> str:
        target = str(tmp_path / "out")
        for index, data in enumerate(shards):
            STORE.write_bytes(shard_uri(target, "output", index, len(shards)), data)
        summary = {
            "jobId": JOB,
            "shards": len(shards),
            "outputBytes": sum(map(len, shards)),
            "lines": sum(data.count(b"\n") for data in shards),
        }
        STORE.write_bytes(summary_uri(target), json.dumps(summary).encode())
        return target

    return leave


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t'=1", "\r'=1", "  =1", "\uff1d1+1", '=cmd|"/C calc"!A0']
)
def test_a_text_that_a_spreadsheet_would_run_is_kept_a_text(text):
    given = text.replace(
        "'=", "="
    )  # behind a tab or a line's end a cell may begin, so there is a mark there too
    rows = list(csv.reader(io.StringIO(csv_of([{"a": given, given: "x"}]), newline="")))
    assert rows == [["a", f"'{text}"], [f"'{text}", "x"]]


@pytest.mark.parametrize("text", ["-5", "+1.5e3", "a=b", "", "plain"])
def test_a_text_that_no_spreadsheet_would_run_stays_as_it_is(text):
    assert inert(text) == text


@pytest.mark.parametrize(
    ("text", "saved"),
    [
        ("a;=1+1", "a;'=1+1"),  # where a list has semicolons, a cell begins here
        ("a; @SUM(A1)", "a; '@SUM(A1)"),
        ('a";"=1+1', 'a";"\'=1+1'),
        ("a\t+1+1", "a\t'+1+1"),
        ("a\n=1+1", "a\n'=1+1"),
        ("a|\uff1d1", "a|'\uff1d1"),
        (
            "\u22121+1",
            "'\u22121+1",
        ),  # a minus as typographers have it, which Swedish spreadsheets take for one
        ("a;-5;+1.5e3", "a;-5;+1.5e3"),
        ("1,-2", "1,-2"),
        ("1;-2 +A1", "1;'-2 +A1"),
        ("1;-2,5+A1", "1;'-2,5+A1"),  # where the comma is the decimal sign
        ('[1,-2,"x",-3,-4,-5]', '[1,-2,"x",-3,-4,-5]'),
        ("a - b = c", "a - b = c"),
        ("a, b; c", "a, b; c"),
        ("5+A1", "5+A1"),  # in quotes, so that a number before it does not make it a formula
    ],
)
def test_no_formula_begins_inside_a_text_where_another_locale_has_its_separator(text, saved):
    rows = list(csv.reader(io.StringIO(csv_of([{"a": text, "b": ["x", text]}]), newline="")))
    assert rows[1][0] == saved


def cells_of_any_locale(saved: str) -> list[str]:
    """The cells that a spreadsheet may see in a file: with each separator, and whether or not it minds quotes."""
    rows = [row for by in ",;\t|" for row in csv.reader(io.StringIO(saved, newline=""), delimiter=by)]
    bare = [re.split(f"[{by}]", line) for by in ",;\t|" for line in re.split("[\r\n]", saved)]
    return [cell for row in (*rows, *bare) for cell in row]


NUMBER = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
FORMULAS = st.text(alphabet=list("=+-@;,|\t\r\n\"' a1.\uff1d\uff0b\u2212"), max_size=8)


@given(
    st.lists(st.dictionaries(FORMULAS, st.integers() | FORMULAS | st.lists(FORMULAS, max_size=3), max_size=3))
)
def test_no_cell_is_a_formula_in_any_locale(records):
    for cell in cells_of_any_locale(csv_of(records)):
        text = unicodedata.normalize("NFKC", cell.strip("\"' \t")).replace("\u2212", "-")
        bare = cell.lstrip('" \t')
        if text[:1] in ("=", "+", "-", "@") and not bare.startswith("'"):
            assert re.fullmatch(rf'{NUMBER}(,{NUMBER})*(\s*[\]";].*|,".*)?', bare, re.DOTALL), cell


@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=8) | st.none())))
def test_a_saved_file_has_a_row_for_each_record_and_no_formula(records):
    rows = list(csv.reader(io.StringIO(csv_of(records), newline="")))
    if any(records):
        assert len(rows) == len(records) + 1
    for text in (text for row in rows for text in row):
        assert text.lstrip()[:1] not in ("=", "@")
        if text.lstrip()[:1] in ("+", "-"):
            float(text)


def test_numbers_are_saved_as_numbers_and_texts_in_quotes():
    assert csv_of([{"a": -5, "b": "5+A1", "c": 1.5, "d": True, "e": None, "f": "-5"}]) == (
        '"a","b","c","d","e","f"\r\n-5,"5+A1",1.5,"true","","-5"\r\n'
    )


def test_the_whole_output_is_saved_sorted_and_filtered_as_the_table_stands(left):
    rows = [{"n": n, "name": f"horse {n % 7}", "at": START + n} for n in range(5000)]
    lines = [json.dumps(row).encode() + b"\n" for row in rows]
    target = left(b"".join(lines[::2]), b"".join(lines[1::2]))
    source = OutputRecords(STORE, target, JOB)
    query = TableQuery.of(
        [("name", "is", "Horse 3"), ("n", "least", "700")], sort="n", descending=True, columns=("at", "n")
    )
    sheet = Spreadsheet(source, query, "csv")
    saved = list(csv.reader(io.StringIO(b"".join(sheet.chunks()).decode(), newline="")))
    expected = [row for row in reversed(rows) if row["n"] % 7 == 3 and row["n"] >= 700]
    assert saved[0] == ["at (UTC)", "n"]
    assert [row[1] for row in saved[1:]] == [str(row["n"]) for row in expected]
    assert saved[1][0] == f"2016-01-01 12:00:0{expected[0]['n'] // 1000}.{expected[0]['n'] % 1000:03}"
    assert (sheet.looked, sheet.written, sheet.passes) == (5000, len(expected), 1)


def test_columns_that_only_later_rows_have_are_in_the_file_too():
    text = csv_of([{"a": 1}] * 3000 + [{"b": {"c": "x"}}, {"a": None, "b": None}])
    assert text.splitlines()[0] == '"a","b.c"'
    assert text.splitlines()[-2:] == ['"","x"', '"",""']


def test_each_item_of_a_list_is_a_row_and_what_is_missing_is_sorted_last():
    records = [{"id": "x", "runners": [{"r": 2}, {"r": 10}]}, {"id": "y", "runners": [{"s": 1}]}]
    text = csv_of(records, explode="runners", sort="runners.r", descending=True)
    assert text.splitlines() == ['"id","runners.r","runners.s"', '"x",10,""', '"x",2,""', '"y","",1']


def test_a_workbook_has_dates_as_dates_numbers_as_numbers_and_no_formula(left):
    records = [
        {"at": START, "day": "2016-01-02", "n": 1.5, "big": 2**60, "text": "=1+1", "yes": True, "list": [1]},
        {"at": None, "day": "", "n": None, "big": 1, "text": "http://x/", "yes": None, "list": "x" * 40_000},
    ]
    rows = workbook_of(HeldRecords(records, 2))
    assert rows[0] == ["at (UTC)", "day", "n", "big", "text", "yes", "list"]
    assert rows[1][:4] == [42370.5, 42371.0, 1.5, str(2**60)]  # days since 1899-12-30
    assert rows[1][4:] == ["=1+1", 1.0, "[1]"]
    assert rows[2][:3] == [None, 1.0, "http://x/"]
    assert len(rows[2][-1]) == 32_767
    assert rows[2][-1].endswith("(cut: no cell of Excel holds more)")


def test_more_rows_than_a_sheet_holds_are_refused_with_what_to_do(monkeypatch, left):
    monkeypatch.setattr(save, "SHEET_ROWS", 100)
    with pytest.raises(
        RefusedError, match=r"more rows than a sheet of Excel holds.*filter the 100, or save as CSV"
    ):
        workbook_of(OutputRecords(STORE, left(b'{"a": 1}\n' * 100), JOB))
    with pytest.raises(RefusedError, match="filter them"):
        workbook_of(HeldRecords([{"a": [{"b": n} for n in range(200)]}], 1), explode="a")
    assert len(workbook_of(HeldRecords([{"a": 1}] * 99, 99))) == 100


def test_nothing_half_written_looks_whole(monkeypatch, left):
    target = left(b'{"a": 1}\n', b'{"a": 2}\n')
    source = OutputRecords(STORE, target, JOB)
    STORE.delete([shard_uri(target, "output", 1, 2)])
    with pytest.raises(StorageError, match="is missing"):
        b"".join(Spreadsheet(source, TableQuery(), "csv").chunks())
    with pytest.raises(RefusedError, match="saving was stopped"):
        list(Spreadsheet(HeldRecords([{"a": 1}], 1), TableQuery(), "csv", lambda: False).chunks())
    monkeypatch.setattr(save, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(save, "CHUNK_BYTES", 1 << 10)
    records = [{"a": "x" * 1000}] * 2000
    with pytest.raises(RefusedError, match="more than a page can take"):
        for _ in Spreadsheet(HeldRecords(records, 2000), TableQuery(), "csv").chunks():
            pass


def test_nothing_is_left_of_what_was_sorted_on_disk(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    chunks = Spreadsheet(HeldRecords([{"a": n} for n in range(9)], 9), TableQuery(sort="a"), "xlsx").chunks()
    assert next(chunks)
    chunks.close()
    assert list(tmp_path.iterdir()) == []
