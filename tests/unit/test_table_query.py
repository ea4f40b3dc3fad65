"""A table's query over records: rows for each, filters, sorting by one column, and the kinds of columns."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.data.records import NoRecord
from chimera_nb.data.table.kinds import cell, kind_of, sort_key
from chimera_nb.data.table.look import Look
from chimera_nb.data.table.query import Rows, TableQuery
from pipeline.errors import RefusedError

MS = int(datetime(2016, 1, 1, tzinfo=UTC).timestamp() * 1000)


def first(records, most=1000, conditions=(), **query):
    look = Look(TableQuery.of(conditions, **query), most)
    look.add(records)
    return look.first()


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("n", [1, 2.5, None], "number"),
        ("pt", [MS, MS + 5], "time"),
        ("id", [MS, MS + 5], "number"),
        ("marketId", [MS], "number"),
        ("n", [MS, 5], "text"),
        ("at", ["2016-01-01T00:00:00Z", "2016-01-01 00:00:00.5+02:00", None, ""], "time"),
        ("at", ["2016-01-01T00:00:00"], "clock"),
        ("day", ["2016-01-01"], "day"),
        ("day", ["2016-13-01"], "text"),
        ("x", [True], "text"),
        ("x", [10**400], "text"),
        ("x", [float("nan")], "text"),
        ("x", ["2016-01-01", "2016-01-01T00:00:00Z"], "text"),
        ("x", [None], "text"),
    ],
)
def test_a_column_is_of_the_kind_that_all_of_its_values_are(name, values, kind):
    assert kind_of(name, values) == kind


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (MS + 1500, "time", "2016-01-01 00:00:01.500"),
        ("2016-01-01T02:00:00+02:00", "time", "2016-01-01 00:00:00"),
        ("2016-01-01T02:00:00", "clock", "2016-01-01 02:00:00"),
        ("9999-12-31T23:59:59-14:00", "time", "9999-12-31T23:59:59-14:00"),  # there is no such day in UTC
        (5, "time", "5"),
        (None, "time", ""),
        ("\ud800", "text", "\\ud800"),
        ({"a": [1]}, "text", '{"a":[1]}'),
    ],
)
def test_a_value_is_written_as_its_column_is(value, kind, text):
    assert cell(value, kind) == text


def test_numbers_come_before_texts_and_what_is_missing_last_whichever_the_direction():
    records = [{"a": value} for value in ("b", None, 10, "A", 9.5, [1], True, "")]
    up = [row["a"] for row in first(records, sort="a")]
    assert up == [True, 9.5, 10, "A", "b", [1], None, ""]
    assert [row["a"] for row in first(records, sort="a", descending=True)] == [
        [1],
        "b",
        "A",
        10,
        9.5,
        True,
        None,
        "",
    ]


@given(st.lists(st.integers(-50, 50)), st.integers(1, 20), st.booleans())
def test_the_first_rows_of_all_are_those_of_a_whole_sort_however_they_come(numbers, most, descending):
    records = [{"n": n, "at": at} for at, n in enumerate(numbers)]
    look = Look(TableQuery(sort="n", descending=descending), most)
    for begin in range(0, len(records), 7):
        look.add(records[begin : begin + 7])
    expected = sorted(records, key=lambda row: -row["n"] if descending else row["n"])[:most]
    assert look.first() == expected
    assert look.matched == len(records)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (("", "contains", "HORSE 1"), [1, 10, 11]),
        (("name", "contains", "1"), [1, 10, 11]),
        (("name", "lacks", "horse"), []),
        (("name", "is", "horse 10"), [10]),
        (("n", "is", "3.0"), [3]),
        (("n", "is not", "3"), [0, 1, 2, *range(4, 12)]),
        (("n", "least", "9"), [9, 10, 11]),
        (("n", "most", " 1 "), [0, 1]),
        (("at", "least", "2016-01-10"), [9, 10, 11]),
        (("at", "most", "2016-01-01 00:00:00"), [0]),
        (("at", "is", "2016-01-03 00:00:00"), [2]),
        (("gap", "filled", ""), [0, 3, 6, 9]),
        (("gap", "empty", ""), [1, 2, 4, 5, 7, 8, 10, 11]),
        (("nowhere", "empty", ""), list(range(12))),
    ],
)
def test_a_filter_finds_what_the_page_shows(condition, found):
    records = [
        {"n": n, "name": f"Horse {n}", "at": MS + n * 86_400_000, **({} if n % 3 else {"gap": "x"})}
        for n in range(12)
    ]
    assert [row["n"] for row in first(records, conditions=[condition])] == found


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ([("n", "like", "1")], "operator of a filter"),
        ([("", "is", "1")], "needs a column"),
        ([("n", "is")], "a column, an operator and a text"),
        ([("n", "least", "much")], "no number"),
        ([("at", "least", "much")], "no time"),
        ([("n", "is", "1" * 2000)], "1,000 characters"),
        ([("n", "is", "1")] * 30, "20 filters"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(conditions, said):
    with pytest.raises(RefusedError, match=said):
        first([{"n": 1, "at": MS}], conditions=conditions)


def test_a_list_becomes_rows_objects_become_columns_and_other_lines_have_one_of_their_own():
    rows = Rows(TableQuery(explode="mc"))
    records = [{"op": "x", "mc": [{"id": 1}, {"id": 2}], "_line": 1}, NoRecord("no json")]
    assert list(rows.take(records)) == [
        {"op": "x", "mc.id": 1, "_line": 1},
        {"op": "x", "mc.id": 2, "_line": 1},
        {"__line": "no json"},
    ]
    assert list(rows.lists) == ["mc"]
    assert rows.columns() == ["op", "mc.id", "_line", "__line"]


def test_it_is_enough_once_the_first_rows_are_there_and_nothing_can_come_before_them():
    for query, enough in (({}, True), ({"sort": "n"}, False), ({"conditions": [("n", "least", "0")]}, False)):
        look = Look(TableQuery.of(query.pop("conditions", ()), **query), most=10)
        look.add([{"n": n} for n in range(10)])
        assert look.is_enough is enough


def test_times_as_the_records_have_them():
    look = Look(TableQuery(dates=False))
    look.add([{"pt": MS, "at": "2016-01-01T00:00:00Z"}])
    assert [look.rows.kind(name) for name in look.rows.columns()] == ["number", "text"]


def test_keys_of_any_values_can_be_compared():
    values = [1, "a", None, [1], {"b": 2}, True, 1e300, 10**400, float("inf"), "", MS, "2016-01-01"]
    for kind in ("number", "time", "day", "clock", "text"):
        keys = [key for value in values if (key := sort_key(value, kind)) is not None]
        shuffled = random.Random(1).sample(keys, len(keys))
        assert sorted(keys) == sorted(shuffled)
