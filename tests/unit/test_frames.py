from __future__ import annotations

import bz2
import json
import math
import warnings

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chimera_nb.data import frames
from chimera_nb.data.columns import Column
from chimera_nb.data.frames import (
    FrameBuilder,
    HalfCharacterWarning,
    NotJsonWarning,
    flatten,
    frame_of_lines,
    to_frame,
)
from chimera_nb.data.query import RowQuery
from chimera_nb.data.records import NoRecord
from pipeline.errors import RefusedError, UnknownNameError
from tests.fixtures.files import REAL

VALUES = {
    "boolean": [True, None, False],
    "Int64": [1, None, 2**62 + 1],
    "float64": [1, 2.5, "NaN", "Infinity", "-Infinity", None],
    "string": ["a", None, "NaN"],
    "object": [1, "two", None],
}


@pytest.mark.parametrize("dtype", VALUES)
def test_a_column_has_the_dtype_of_what_is_in_it(dtype):
    frame = to_frame([{"x": value} for value in VALUES[dtype]])
    assert str(frame.x.dtype) == dtype


def test_words_among_numbers_are_the_numbers_they_name():
    x = to_frame([{"x": value} for value in VALUES["float64"]]).x.tolist()
    assert x[:2] == [1.0, 2.5]
    assert math.isnan(x[2])
    assert x[3:5] == [math.inf, -math.inf]
    assert math.isnan(x[5])


@pytest.mark.parametrize(
    "values",
    [
        [2**70, 1],
        [2**63],
        [2**63, 1],
        [2**64 - 1, -1],
        [2**60 + 1, 0.5],
        [True, 1],
        [[1], [2, 3]],
        [{"a": 1}, 3],
        [1, "1"],
        [None, None],
    ],
)
def test_what_fits_no_dtype_stays_what_it_was(values):
    x = to_frame([{"x": value} for value in values]).x
    assert str(x.dtype) == "object"
    assert x.tolist() == values


def test_missing_and_null_are_na():
    frame = frame_of_lines([b'{"a":1}', b'{"b":"x","a":null}', b'{"c":true}'])
    assert list(frame.columns) == ["a", "b", "c"]
    assert frame.isna().sum().to_dict() == {"a": 2, "b": 2, "c": 2}


def test_lines_that_are_no_objects_are_kept_and_counted():
    lines = [b'{"a":1}', b"plain \xff text\r", b"[1]", b"", b"  \r", b'{"a":', b"[" * 100_000, b"9" * 9000]
    with pytest.warns(NotJsonWarning, match="5 of 6 lines are no JSON objects"):
        frame = frame_of_lines(lines)
    assert frame._line.dropna().tolist()[:3] == ["plain \\xff text", "[1]", '{"a":']
    assert frame.a.tolist() == [1, *[pd.NA] * 5]


def test_crlf_a_byte_order_mark_and_bare_nan_are_read():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = frame_of_lines([b'\xef\xbb\xbf{"a":1}\r', b'{"a":NaN}', b'{"a":-Infinity}'])
    assert frame.a[0] == 1
    assert frame.a[2] == -math.inf


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["NaN", "Infinity"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from("xyz"), json_values, max_size=3), max_size=6))
def test_any_records_make_a_frame_that_can_be_flattened(records):
    frame = frame_of_lines([json.dumps(record).encode() for record in records])
    assert len(frame) == len(records)
    for name in frame:
        for record, value in zip(records, frame[name].tolist(), strict=True):
            given = record.get(name)
            if isinstance(given, bool | dict | list) and not _holds_nan(given):
                assert value == given
    flat = flatten(frame)
    assert len(flat) == len(records)
    assert not any(isinstance(value, dict) and value for name in flat for value in flat[name].tolist())


def _holds_nan(value) -> bool:
    return "NaN" in json.dumps(value)


# flatten

NESTED = [
    {
        "op": "mcm",
        "mc": [{"id": "1.1", "def": {"open": True, "runners": [{"id": 1}, {"id": 2}]}}, {"id": "1.2"}],
    },
    {"op": "heartbeat", "mc": []},
    {"op": "mcm", "mc": [{"id": "1.3", "rc": [1]}], "z": None},
]


def test_nested_objects_become_dotted_columns_in_place():
    frame = to_frame([{"a": {"b": {"c": 1}, "d": [2]}, "e": 3, "none": None}, {"a": 5}, {"a": {}}])
    flat = flatten(frame)
    assert list(flat.columns) == ["a.b.c", "a.d", "a", "e", "none"]
    assert flat["a.b.c"].tolist() == [1, pd.NA, pd.NA]
    assert flat["a"].tolist() == [None, 5, {}]
    assert str(flat["a.b.c"].dtype) == "Int64"


def test_a_list_can_be_taken_apart_row_by_row():
    frame = to_frame(NESTED)
    frame.attrs["sample"] = 1
    flat = flatten(frame, explode="mc")
    assert flat["mc.id"].tolist() == ["1.1", "1.2", pd.NA, "1.3"]
    assert flat.index.tolist() == [0, 0, 1, 2]
    assert flat.op.tolist() == ["mcm", "mcm", "heartbeat", "mcm"]
    assert flat.attrs == {"sample": 1}
    runners = flatten(flat, explode="mc.def.runners")
    assert runners["mc.def.runners.id"].tolist() == [1, 2, pd.NA, pd.NA, pd.NA]
    assert runners["mc.def.open"].tolist()[:2] == [True, True]


def test_a_column_that_is_not_there_cannot_be_taken_apart():
    with pytest.raises(UnknownNameError, match="no column is named 'nc'; there are: mc, op, z"):
        flatten(to_frame(NESTED), explode="nc")


def test_two_fields_never_share_a_column():
    with pytest.raises(RefusedError, match=r"'a\.b'"):
        flatten(to_frame([{"a.b": 1, "a": {"b": 2}}]))


def test_deep_nesting_is_flattened():
    value = 1
    for _ in range(900):
        value = {"x": value}
    assert flatten(to_frame([{"x": value}])).iloc[0, 0] == 1


def test_an_empty_frame_stays_empty():
    assert flatten(frame_of_lines([])).shape == (0, 0)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real files in {REAL}")
def test_real_markets_make_frames_with_everything_reachable():
    lines = bz2.decompress((REAL / "1.205822330.bz2").read_bytes()).splitlines()
    frame = frame_of_lines(lines)
    assert len(frame) == 5654
    assert str(frame.pt.dtype) == "Int64"
    markets = flatten(frame, explode="mc")
    events = [
        mc.get("marketDefinition", {}).get("eventId") for line in lines for mc in json.loads(line)["mc"]
    ]
    assert markets["mc.marketDefinition.eventId"].dropna().tolist() == [event for event in events if event]
    runners = flatten(markets.dropna(subset="mc.rc"), explode="mc.rc")
    prices = [rc for line in lines for mc in json.loads(line)["mc"] for rc in mc.get("rc", [])]
    assert runners["mc.rc.id"].dropna().tolist() == [rc["id"] for rc in prices]
    # Prices that are "NaN" now and then are numbers all the same.
    assert sum(rc.get("spn") == "NaN" for rc in prices) == 63
    numbers = [float(rc["spn"]) for rc in prices if rc.get("spn") not in (None, "NaN")]
    assert str(runners["mc.rc.spn"].dtype) == "float64"
    assert runners["mc.rc.spn"].dropna().tolist() == numbers


# Columns that grow


@given(
    st.lists(
        st.none()
        | st.booleans()
        | st.integers(-(2**65), 2**65)
        | st.integers(0, 9)
        | st.floats()
        | st.sampled_from(["NaN", "a"])
    ),
    st.integers(1, 5),
)
@example([1, 0.5, 2**53 + 1], 1)
@example([None, None, 1, "NaN"], 2)
@example([2**63, 1], 1)
def test_a_column_is_the_same_however_it_came(values, size):
    whole, pieces = Column(), Column()
    whole.add(values)
    for at in range(0, len(values), size):
        pieces.add(values[at : at + size])
    pd.testing.assert_series_equal(pieces.series(), whole.series())
    assert len(pieces) == len(values)


def test_fields_that_come_late_and_go_early_are_missing_elsewhere(monkeypatch):
    monkeypatch.setattr(frames, "_ROUND", 3)
    builder = FrameBuilder()
    for rows in ([{"a": 1}, {"a": 2, "b": "x"}], [NoRecord("?")], [{"b": "y"}, {"c": 1.5}], [{}]):
        builder.add(rows)
    frame = builder.frame()
    assert frame.dtypes.astype(str).to_dict() == {
        "a": "Int64",
        "b": "string",
        "c": "float64",
        "_line": "string",
    }
    assert frame.a.tolist() == [1, 2, pd.NA, pd.NA, pd.NA, pd.NA]
    assert frame.b.tolist() == [pd.NA, "x", pd.NA, "y", pd.NA, pd.NA]
    assert frame.c.dropna().to_dict() == {4: 1.5}
    assert frame._line.dropna().to_dict() == {2: "?"}


# Names that are somebody's


def test_a_field_of_the_name_of_a_column_of_ours_keeps_it():
    with pytest.warns(NotJsonWarning, match="They are in the column ___line, as text"):
        frame = frame_of_lines([b'{"_line":40,"__line":null}', b"no json", b'{"_line":41}'])
    assert frame._line.tolist() == [40, pd.NA, 41]
    assert frame.___line.dropna().to_dict() == {1: "no json"}
    assert frame.attrs == {"lines": {"column": "___line", "count": 1}}


def test_what_lines_look_like_is_said():
    text = json.dumps([{"a": 1}, {"a": 2}], indent=1).encode()
    with pytest.warns(
        NotJsonWarning, match=r'8 of 8 lines .* look like one JSON array: .* read it with records="auto"'
    ):
        frame_of_lines(text.split(b"\n"))
    with pytest.warns(NotJsonWarning, match="2 of 2 lines .*; they look like CSV: pandas.read_csv reads"):
        frame_of_lines([b"a,b,c", b"1,2,3"])
    with pytest.warns(NotJsonWarning, match="1 of 1 lines .*; the first is 'xxx"):
        frame_of_lines([b"x" * 500])


# Half characters

HALVES = [
    b'{"id":1,"t":"half \\ud83d","\\udc00":{"\\ud800":["\\udfff"]}}',
    b'{"id":2,"t":"whole \\ud83d\\ude00"}',
    b'{"id":3,"t":null}',
]


@pytest.mark.parametrize("storage", ["python", "pyarrow", "infer_string"])
def test_a_frame_of_half_characters_can_be_printed_shown_and_saved(storage, tmp_path):
    option = ("future.infer_string", True) if storage == "infer_string" else ("mode.string_storage", storage)
    with (
        pd.option_context(*option),
        pytest.warns(HalfCharacterWarning, match="1 records hold half a character"),
    ):
        frame = frame_of_lines(HALVES)
    with pd.option_context(*option):
        for shown in (
            repr(frame),
            frame.to_string(),
            frame._repr_html_(),
            repr(frame.t),
            frame.to_csv(),
            frame.to_json(),
        ):
            shown.encode()
        assert frame.t.tolist()[:2] == ["half \\ud83d", "whole 😀"]
        assert list(frame.columns) == ["id", "t", "\\udc00"]
        flat = flatten(frame)
        assert flat["\\udc00.\\ud800"][0] == ["\\udfff"]
        for one in (frame, flat):
            one.to_parquet(tmp_path / "x.parquet")
            assert pd.read_parquet(tmp_path / "x.parquet").t.tolist()[:2] == frame.t.tolist()[:2]


# Frames larger than foreseen


def by_ids(records: int, each: int) -> list[dict]:
    return [{f"1.{at}{k:03}": {"ltp": k} for k in range(each)} for at in range(records)]


def test_records_keyed_by_ids_are_refused_before_they_are_a_frame(monkeypatch):
    monkeypatch.setattr(Column, "add", lambda *_: pytest.fail("there is a column"))
    with pytest.raises(
        RefusedError, match=r"40,000 columns for 2,000 rows.* 80,000,000 cells.*explode=True.*columns="
    ) as e:
        to_frame(by_ids(2000, 20))
    assert len(str(e.value)) < 500


def test_records_keyed_by_ids_can_be_taken_apart():
    frame = frame_of_lines([json.dumps(one).encode() for one in by_ids(3, 2)], RowQuery(explode=True))
    flat = flatten(frame)
    assert list(flat.columns) == ["key", "value.ltp"]
    assert flat.key.tolist() == ["1.0000", "1.0001", "1.1000", "1.1001", "1.2000", "1.2001"]
    assert flat["value.ltp"].tolist() == [0, 1] * 3
    assert flatten(to_frame(by_ids(3, 2)), explode=True).key.tolist() == frame.key.tolist()


def test_objects_keyed_by_ids_become_rows_of_keys_and_values():
    frame = to_frame([{"at": at, "prices": prices, "z": 1} for at, prices in enumerate(by_ids(2, 2))])
    flat = flatten(frame, explode="prices")
    assert list(flat.columns) == ["at", "prices.key", "prices.value.ltp", "z"]
    assert flat["at"].tolist() == [0, 0, 1, 1]
    assert flat.index.tolist() == [0, 0, 1, 1]
    assert flat["prices.key"].tolist() == ["1.0000", "1.0001", "1.1000", "1.1001"]


def test_flatten_refuses_what_would_be_mostly_empty():
    frame = to_frame([{"prices": one} for one in by_ids(2000, 20)])
    with pytest.raises(RefusedError, match="40,000 columns for 2,000 rows"):
        flatten(frame)
    assert len(flatten(frame, explode="prices")) == 40_000


def test_many_columns_that_are_full_are_a_frame():
    wide = {f"c{n}": n for n in range(1500)}
    assert to_frame([wide] * 20).shape == (20, 1500)
    assert to_frame([{f"c{at}": 1} for at in range(1200)]).shape == (1200, 1200)  # few enough cells
