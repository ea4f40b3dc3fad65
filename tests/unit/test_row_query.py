from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chimera_nb.data.nested import exploded, opened, reach
from chimera_nb.data.query import FieldValues, RowQuery
from chimera_nb.data.records import NoRecord
from pipeline.errors import RefusedError, UnknownNameError

VALUES = [True, False, 1, 1.0, 0, 0.5, "1", "true", None, [1], [True], {"k": 1}, {"k": True}, {"k": [0]}]


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        ([1], [2, 3]),
        ([1.0], [2, 3]),
        ([True], [0]),
        ([False, 0], [1, 4]),
        ([0], [4]),
        ([True, 1], [0, 2, 3]),
        (["1"], [6]),
        (["true"], [7]),
        ([None], [8]),
        ([[1.0]], [9]),
        ([[True]], [10]),
        ([{"k": 1}], [11]),
        ([{"k": True}], [12]),
        ([{"k": [False]}], []),
        ([{"k": [0], "x": 1}], []),
        (range(2), [2, 3, 4]),
        (range(10**12), [2, 3, 4]),
        (np.array([1, 5]), [2, 3]),
        ([np.True_], [0]),
        ([np.float64(0.5), np.str_("1")], [5, 6]),
        (pd.Series(["1"], index=[7]), [6]),
        ([pd.NA], [8]),
        ([(1,)], [9]),
        ([{1}], []),
    ],
)
def test_values_are_equal_as_in_json(wanted, places):
    assert [at for at, value in enumerate(VALUES) if value in FieldValues(wanted)] == places


def test_true_is_not_one_and_one_is_not_true():
    rows = [{"n": 1, "at": 0}, {"n": True, "at": 1}, {"n": 1.0, "at": 2}, {"n": "1", "at": 3}]
    assert [row["at"] for row in RowQuery(where={"n": 1}).take(rows)] == [0, 2]
    assert [row["at"] for row in RowQuery(where={"n": True}).take(rows)] == [1]
    assert [row["at"] for row in RowQuery(where={"n": {1, "1"}}).take(rows)] == [0, 2, 3]


def test_half_characters_are_asked_for_as_they_come_or_as_they_are_shown():
    rows = [{"\\ud83d": "\\udc00", "a": 1}]
    for name, value in (("\ud83d", "\udc00"), ("\\ud83d", "\\udc00")):
        assert RowQuery([name], {name: value}).take(rows) == rows
        assert RowQuery([name]).columns == ("\\ud83d",)


def test_only_what_is_needed_is_asked_for():
    assert RowQuery().fields is None
    assert RowQuery(["a.b", "c"], {"d": 1}, "e.f").fields == {"a", "a.b", "c", "d", "e", "e.f"}
    assert RowQuery(["key"], explode=True).fields is None
    assert RowQuery(["a"], lambda record: True).fields is None
    assert RowQuery([]).fields == set()


def test_lines_that_are_no_records_have_no_fields_to_be_asked_for():
    rows = [{"a": 1}, NoRecord("x")]
    query = RowQuery(where={"a": 1})
    assert query.take(rows) == [{"a": 1}]
    assert query.left_out == 1
    assert RowQuery(["a"]).take(rows) == rows
    assert RowQuery(explode=True).take(rows) == [{"key": "a", "value": 1}, NoRecord("x")]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"columns": ["a", "nope"]}, "nope"),
        ({"columns": ["a"], "where": {"nope": 1}}, "nope"),
        ({"explode": "nope"}, "nope"),
        ({"columns": ["l.x"], "explode": "l"}, "l.x"),
    ],
)
def test_a_name_that_no_record_has_is_refused_at_the_end(given, name):
    query = RowQuery(**given)
    query.check()  # of no rows nothing can be said
    query.take([{"a": 1, "l": [{"y": 1}]}])
    with pytest.raises(UnknownNameError, match=rf"no column is named '{name}'; there are: a, l"):
        query.check()
    query.take([{"a": 1, "nope": None, "l": [{"x": 2}]}])
    query.check()


def test_a_column_is_known_from_records_that_are_not_wanted():
    query = RowQuery(["l.x"], {"a": 5}, "l")
    assert query.take([{"a": 1, "l": [{"x": 2}]}]) == []
    query.check()


def test_columns_of_nothing_but_other_lines_are_refused():
    query = RowQuery(["a"])
    query.take([NoRecord("a,b"), NoRecord("1,2")])
    with pytest.raises(UnknownNameError, match="no column is named 'a'; there are: none"):
        query.check()


def test_a_text_is_no_list_of_columns():
    with pytest.raises(RefusedError, match=r"columns is the text 'pt'; give a list of names: \['pt'\]"):
        RowQuery("pt")


# What is nested


def test_a_row_for_each_entry_of_a_field():
    record = {"a": 1, "l": [{"x": 1}, 2], "d": {"i": 3, "j": {"y": 4}}, "o": {"d": {"k": 5}, "z": 6}, "e": []}
    assert list(exploded(record, "l")) == [{**record, "l": {"x": 1}}, {**record, "l": 2}]
    assert [row["d"] for row in exploded(record, "d")] == [
        {"key": "i", "value": 3},
        {"key": "j", "value": {"y": 4}},
    ]
    assert [row["o"] for row in exploded(record, "o.d")] == [{"d": {"key": "k", "value": 5}, "z": 6}]
    assert list(exploded(record, True)) == [{"key": name, "value": value} for name, value in record.items()]
    for name in ("a", "e", "absent", None, False):
        assert list(exploded(record, name)) == [record]
    assert record["o"] == {"d": {"k": 5}, "z": 6}


def test_a_name_with_dots_comes_before_the_way_when_it_is_taken_apart():
    record = {"a.b": [1, 2], "a": {"b": [3]}}
    assert [row["a.b"] for row in exploded(record, "a.b")] == [1, 2]
    assert [reach(row, "a.b.c") for row in exploded({"a": {"b.c": [1, 2]}, "a.b": 5}, "a.b.c")] == [1, 2]


def test_nested_objects_are_opened_in_their_place():
    record = {"a": {"b": {}, "c": {"d": 1}}, "e": [{}]}
    assert list(opened(record)) == [("a.b", {}), ("a.c.d", 1), ("e", [{}])]
