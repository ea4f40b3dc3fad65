from __future__ import annotations

import csv
import io
import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.widgets.base.messages import to_wire
from chimera_nb.widgets.job_monitor.result import (
    CELL_CHARACTERS,
    COLUMNS_SHOWN,
    FAILURES_SHOWN,
    ROWS_SHOWN,
    SAVED_CHARACTERS,
    Shard,
    csv_of,
    describe_result,
    failures_of,
    first_records,
    flat,
    link_to,
)
from chimera_nb.widgets.job_monitor.result_plot import POINTS, plot_of
from chimera_nb.widgets.job_monitor.spreadsheet import inert
from pipeline.errors import RefusedError
from pipeline.ledger import FileRecord
from pipeline.storage import PlainStore
from pipeline.target.layout import shard_uri, summary_uri

STORE = PlainStore()

JOB = "2026-01-31-1a2b3c4d"


@pytest.fixture
def left(tmp_path):
    """A function that leaves an output at a target, of these shards and failed files; the target."""

    def leave(*shards: bytes, failed: int = 0) -> str:
        target = str(tmp_path / "out")
        for index, data in enumerate(shards):
            STORE.write_bytes(shard_uri(target, "output", index, len(shards)), data)
        records = [
            FileRecord(f"/in/{n}.bz2", "failed" if n % 2 else "complete", error="cut")
            for n in range(2 * failed)
        ]
        STORE.write_bytes(shard_uri(target, "ledger", 0, 1), b"".join(record.to_line() for record in records))
        summary = {"jobId": JOB, "shards": len(shards)}
        STORE.write_bytes(summary_uri(target), json.dumps(summary).encode())
        return target

    return leave


def test_a_result_is_its_first_rows_its_shards_and_something_to_plot(left):
    rows = [{"n": n, "text": f"t{n}", "deep": {"er": [n, 2]}} for n in range(40)]
    target = left(*(b"".join(json.dumps(row).encode() + b"\n" for row in rows[n::2]) for n in (0, 1)))
    result = to_wire(describe_result(STORE, target, JOB))
    assert result["columns"] == [
        {"name": "n", "numeric": True},
        {"name": "text", "numeric": False},
        {"name": "deep.er", "numeric": False},
    ]
    assert len(result["rows"]) == ROWS_SHOWN
    assert result["rows"][1] == ["2", "t2", "[2,2]"]
    assert [shard["name"] for shard in result["shards"]] == [
        f"output-0000{n}-of-00002.ndjson" for n in (0, 1)
    ]
    assert result["bytes"] == sum(shard["size"] for shard in result["shards"])
    assert all(shard["link"] is None for shard in result["shards"])
    assert result["rowsRead"] == 40
    assert {series["name"] for series in result["plot"]["series"]} == {"n", "deep.er"}
    json.dumps(result, allow_nan=False)


def test_the_output_of_a_later_job_is_not_shown_as_this_ones(left):
    target = left(b"{}\n")
    with pytest.raises(RefusedError, match=f"now holds the output of job {JOB}"):
        describe_result(STORE, target, "2026-01-31-ffffffff")
    STORE.delete([summary_uri(target)])
    with pytest.raises(RefusedError, match=r"summary\.json is gone"):
        describe_result(STORE, target, JOB)


def test_a_shard_that_is_gone_is_said_to_be(left):
    target = left(b"{}\n", b"{}\n")
    STORE.delete([shard_uri(target, "output", 1, 2)])
    result = to_wire(describe_result(STORE, target, JOB))
    assert [shard["size"] for shard in result["shards"]] == [3, None]
    assert result["missing"] == 1


def test_an_empty_output_has_no_rows_and_nothing_to_plot(left):
    result = to_wire(describe_result(STORE, left(), JOB))
    assert (result["rows"], result["columns"], result["plot"]["series"]) == ([], [], [])


def test_hostile_records_are_shown_within_bounds(left):
    wide = {f"c{n}": "x" * 10_000 for n in range(100)}
    deep = "[" * 100_000 + "]" * 100_000
    odd = [b'{"a": NaN, "b": 1e999, "c": "\\ud800", "\\udfff": 1}', b"\xff\xfe", b"9" * 5000, deep.encode()]
    result = to_wire(
        describe_result(STORE, left(json.dumps(wide).encode() + b"\n" + b"\n".join(odd) + b"\n"), JOB)
    )
    assert len(result["columns"]) == COLUMNS_SHOWN
    assert all(len(text) <= CELL_CHARACTERS + 1 for row in result["rows"] for text in row)
    json.dumps(result, allow_nan=False).encode()
    assert len(json.dumps(result)) < 1 << 20


def test_no_more_is_read_of_large_shards_than_the_limit(tmp_path):
    path = tmp_path / "shard"
    path.write_bytes(b'{"n": 1}\n' * 1000)
    records = first_records(STORE, [Shard(str(path), 9000)], limit=100)
    assert records == [{"n": 1}] * 11  # the twelfth is cut, and so is no record
    assert len(first_records(STORE, [Shard(str(path), 9000)] * 3, count=1500)) == 1500


def test_nested_objects_become_columns_and_lists_stay():
    assert flat({"a": {"b": {"c": 1}, "d": {}}, "e": [{"f": 1}]}) == {"a.b.c": 1, "a.d": {}, "e": [{"f": 1}]}


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


def test_a_saved_file_is_bounded():
    text = csv_of([{"a": "x" * 1_000_000}] * 50)
    assert len(text) < SAVED_CHARACTERS + 1_100_000


def test_numbers_in_lists_are_plotted_over_the_time_there_is():
    records = [
        {"pt": 1_451_653_251_725 + n, "mc": [{"rc": [{"ltp": 2.5 + n, "id": n}, {"ltp": 3}]}]}
        for n in range(9)
    ]
    plot = to_wire(plot_of(records))
    assert plot["x"] == {"name": "pt", "time": True}
    assert plot["series"][0]["name"] == "mc.rc.ltp"
    assert plot["series"][0]["points"][:2] == [[1_451_653_251_725, 2.5], [1_451_653_251_725, 3]]
    assert [series["name"] for series in plot["series"][1:]] == ["pt", "mc.rc.id"]  # they tell the least


def test_a_plot_is_thinned_and_a_constant_is_none():
    plot = to_wire(plot_of([{"a": n, "b": 1, "c": True, "d": "1", "e": 10**400} for n in range(5000)]))
    assert [series["name"] for series in plot["series"]] == ["a"]
    assert len(plot["series"][0]["points"]) <= POINTS
    assert plot["x"] == {"name": "row", "time": False}


@pytest.mark.parametrize(
    ("emulator", "uri", "link"),
    [
        (None, "gs://b/a b/ö#?.x", "https://storage.cloud.google.com/b/a%20b/%C3%B6%23%3F.x"),
        (
            "http://localhost:9",
            "gs://b/a b/x",
            "http://localhost:9/download/storage/v1/b/b/o/a%20b%2Fx?alt=media",
        ),
        ("localhost:9", "gs://b/x", "http://localhost:9/download/storage/v1/b/b/o/x?alt=media"),
        (None, "/tmp/x", None),
    ],
)
def test_a_shard_has_a_link_where_a_browser_can_fetch_it(monkeypatch, emulator, uri, link):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    if emulator:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator)
    assert link_to(STORE, uri) == link


def test_failures_are_the_first_ones_with_their_reasons(left):
    target = left(failed=300)
    assert len(failures_of(STORE, target, JOB, 300, lambda: True)) == FAILURES_SHOWN
    assert failures_of(STORE, target, JOB, 2, lambda: True) == [("/in/1.bz2", "cut"), ("/in/3.bz2", "cut")]


def test_reading_failures_stops_when_nobody_wants_them_any_more(left):
    with pytest.raises(RefusedError):
        failures_of(STORE, left(failed=3), JOB, 3, lambda: False)


def test_failures_of_the_job_that_came_after_are_not_taken_for_this_ones(left):
    target = left(failed=3)
    with pytest.raises(RefusedError, match=f"now holds the output of job {JOB}, not of 2026-01-30-00000000"):
        failures_of(STORE, target, "2026-01-30-00000000", 3, lambda: True)


def test_a_field_of_the_name_of_a_column_of_ours_keeps_it(left):
    result = to_wire(describe_result(STORE, left(b'{"_line": 40}\nno json\n'), JOB))
    assert [column["name"] for column in result["columns"]] == ["_line", "__line"]
    assert result["rows"] == [["40", ""], ["", "no json"]]
