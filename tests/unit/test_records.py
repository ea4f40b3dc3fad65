"""Lines as records: the standard library's json is the oracle."""

from __future__ import annotations

import gc
import json
import math
import struct
import sys
import threading

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chimera_nb.data import records
from chimera_nb.data.records import NoRecord, RecordReader, collector_paused, is_blank, read_record
from chimera_nb.jobs.limits import storable


def by_json(line: bytes):
    """What a line is by json alone; None where it is no object."""
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return escaped(value) if isinstance(value, dict) else None


def escaped(value):
    """The value with half characters written as escapes; for names that stay apart when they are."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [escaped(item) for item in value]
    if isinstance(value, dict):
        return {storable(name): escaped(item) for name, item in value.items()}
    return value


def exactly(value):
    """The value as what tells 1 from 1.0 and true, a float to the bit, and the order of names."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack(">d", value)
    if isinstance(value, list):
        return [exactly(item) for item in value]
    if isinstance(value, dict):
        return [(name, exactly(item)) for name, item in value.items()]
    return type(value), value


def assert_read_as_json_does(line: bytes) -> None:
    expected = by_json(line)
    rows = RecordReader().read([line])
    if expected is None:
        assert rows == (
            [] if is_blank(line) else [NoRecord(line.rstrip(b"\r").decode("utf-8", "backslashreplace"))]
        )
    else:
        assert [exactly(row) for row in rows] == [exactly(expected)]
    for fields in ([], ["a"], ["b", "\\ud83d"], ["a", "é", "nested"], [f"f{n}" for n in range(99)] + ["a"]):
        some = RecordReader(fields).read([line])
        if expected is None:
            assert some == rows
        else:
            cut = {name: value for name, value in expected.items() if name in fields}
            assert [exactly(row) for row in some] == [exactly(cut)]


HALVES = ["\ud83d", "a\udc00b", "\udfff\ud800", "\ud83d\ude00", "\\ud83d"]
texts = st.text(max_size=6) | st.sampled_from([*HALVES, "NaN", "\x00", "\x7f", "\u2028", "\ufeff"])
names = st.sampled_from(["a", "b", "é", "nested", "", "a.b", "\\u0061"]) | texts
numbers = (
    st.integers()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from(
        [
            2**53 + 1,
            2**63,
            2**64,
            2**64 - 1,
            -(2**63),
            -(2**63) - 1,
            10**300,
            -0.0,
            5e-324,
            1.7976931348623157e308,
        ]
    )
    | st.floats()
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)


def stays_apart(value) -> bool:
    """Names that are the same once they are escaped are another test's."""
    if isinstance(value, dict):
        return len({storable(name) for name in value}) == len(value) and all(map(stays_apart, value.values()))
    return all(map(stays_apart, value)) if isinstance(value, list) else True


@given(
    st.dictionaries(names, values, max_size=4).filter(stays_apart), st.booleans(), st.sampled_from([None, 1])
)
@settings(max_examples=400)
def test_a_record_is_what_json_says(record, ascii_only, indent):
    text = json.dumps(record, ensure_ascii=ascii_only, indent=indent)
    assert_read_as_json_does(text.replace("\n", " ").encode(errors="surrogatepass"))


PIECES = [
    b'{"a":', b"}", b"{", b"[", b"]", b",", b":", b'"', b"\\", b"\\u", b"d83d", b"\\ud83d", b"\\ude00",
    b"\\u0061", b"\xff", b"\xed\xa0\x80", b"\xc3\xa9", b"\xef\xbb\xbf", b"\x00", b"\x01", b"\t", b"\r",
    b"\x0b", b" ", b"NaN", b"nan", b"-Infinity", b"Infinity", b"null", b"true", b"false", b"tru", b"-",
    b"-0", b"0", b"01", b"1.", b".5", b"1e5", b"1E+400", b"1e-400", b"-0.0", b"0.1e-5000", b"9" * 25,
    b"1" + b"0" * 4400, b'"a"', b'"b":1', b'{"a":1,"a":2}', b'"nested"', b"/", b"\\/", b"\\x",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
@settings(max_examples=1500)
def test_any_bytes_are_read_as_json_reads_them(line):
    assert_read_as_json_does(line)


@given(st.lists(st.sampled_from(PIECES), max_size=5).map(b"".join), st.sampled_from([b"a", b"z"]))
@settings(max_examples=1500)
@example(b'"\xff"', b"z")
@example(b"9" * 4301, b"z")
@example(b'["\\ud83d"]', b"z")
@example(b"NaN", b"a")
def test_what_is_skipped_over_is_judged_as_json_judges_it(value, name):
    assert_read_as_json_does(b'{"%b":%b,"a":7}' % (name, value))


@given(st.from_regex(rb"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
@settings(max_examples=1500)
def test_a_number_is_the_one_that_json_reads_to_the_last_bit(number):
    assert_read_as_json_does(b'{"a":%b}' % number)


def test_msgspec_refuses_what_json_takes_so_json_is_asked():
    for literal in (b"NaN", b"Infinity", b"-Infinity", b"1e400", b'"\\ud83d"'):
        with pytest.raises(msgspec.DecodeError):
            msgspec.json.decode(literal)
        assert isinstance(read_record(b'{"a":%b}' % literal), dict)


def test_a_field_called_as_we_call_things_is_a_field_like_any_other():
    line = b'{"_line":1,"_file":"x","text":"no","NoRecord":null}'
    assert read_record(line) == json.loads(line)


def test_half_characters_are_written_as_escapes_and_counted():
    reader = RecordReader()
    lines = [
        b'{"a":"\\ud83d"}',
        b'{"a":"\\ud83d\\ude00"}',
        b'{"n":[{"\\udc00":["x\\ud800"]}]}',
        b'{"a":"\\\\ud83d"}',
    ]
    assert reader.read(lines) == [
        {"a": "\\ud83d"},
        {"a": "😀"},
        {"n": [{"\\udc00": ["x\\ud800"]}]},
        {"a": "\\ud83d"},
    ]
    assert reader.escaped == 2
    reader = RecordReader(["b"])
    assert reader.read([b'{"a":"\\ud83d","b":1}']) == [{"b": 1}]
    assert reader.escaped == 0  # nothing of what was asked for


def test_no_field_is_lost_to_another_whose_name_is_the_same_once_escaped():
    line = b'{"\\ud83d":1,"\\\\ud83d":2,"x":{"\\\\\\\\ud83d":3,"\\\\ud83d":4,"\\ud83d":5}}'
    record = read_record(line)
    assert record["\\ud83d"] == 2
    assert record["\\\\ud83d"] == 1
    assert sorted(record["x"].values()) == [3, 4, 5]


def test_depth_is_no_danger():
    deep = b'{"a":' + b"[" * 900 + b'"\\ud83d"' + b"]" * 900 + b"}"
    value = RecordReader().read([deep])[0]["a"]
    for _ in range(900):
        (value,) = value
    assert value == "\\ud83d"
    assert read_record(b'{"a":' * 200_000).text.startswith('{"a":')


def test_a_longest_integer_that_python_was_set_to_is_kept_to(monkeypatch):
    before = sys.get_int_max_str_digits()
    try:
        for most in (640, 0):
            sys.set_int_max_str_digits(most)
            for size in (600, 700, 5000):
                assert_read_as_json_does(b'{"z":%b,"a":1}' % (b"7" * size))
    finally:
        sys.set_int_max_str_digits(before)


def test_the_collector_is_paused_once_for_all_and_started_by_the_last():
    assert gc.isenabled()
    inside, leave = threading.Event(), threading.Event()

    def other():
        with collector_paused():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with collector_paused():
        thread.start()
        assert inside.wait(10)
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_records_are_read_without_pandas():
    assert "pandas" not in vars(records)
