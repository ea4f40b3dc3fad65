from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chimera_nb.data import joined
from chimera_nb.data.joined import check_records, one_a_line
from pipeline.errors import BadFileError, RefusedError

names = st.sampled_from(["a", "b", "}{", '"', "é", "\\", ""])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
records = st.lists(st.dictionaries(names, values, max_size=3), min_size=1, max_size=6)

WRITTEN = {
    "lines": lambda found: "".join(json.dumps(one) + "\n" for one in found),
    "blank lines": lambda found: "\n \r\n".join(json.dumps(one) for one in found),
    "array": json.dumps,
    "compact array, not ASCII": lambda found: json.dumps(found, separators=(",", ":"), ensure_ascii=False),
    "pretty array": lambda found: json.dumps(found, indent=2) + "\n",
    "array of lines": lambda found: "[\n" + ",\n".join(map(json.dumps, found)) + "\n]\n",
    "arrays": lambda found: "".join(json.dumps([one]) for one in found),
    "pretty": lambda found: "\n".join(json.dumps(one, indent="\t", ensure_ascii=False) for one in found),
    "pretty, CRLF": lambda found: "\r\n".join(json.dumps(one, indent=2) for one in found).replace("\n", "\r\n"),
    "joined": lambda found: "".join(map(json.dumps, found)),
    "joined, several a line": lambda found: " ".join(map(json.dumps, found)) + "\n",
    "separators": lambda found: "".join(f"\x1e{json.dumps(one)}\n" for one in found),
    "separators alone": lambda found: "".join(f"\x1e{json.dumps(one)}" for one in found),
    "CR": lambda found: "".join(json.dumps(one) + "\r" for one in found),
    "byte order mark": lambda found: "\ufeff" + json.dumps(found),
}  # fmt: skip


def read(text: bytes, size: int = 1 << 20) -> list[bytes]:
    out = b"".join(one_a_line(text[at : at + size] for at in range(0, len(text), size)))
    assert not out or out.endswith(b"\n")
    return out.split(b"\n")[:-1]


@pytest.mark.parametrize("way", WRITTEN)
@given(found=records, size=st.sampled_from([1, 2, 7, 1000]))
@settings(max_examples=60)
def test_however_records_are_written_they_come_one_a_line(way, found, size):
    lines = read(WRITTEN[way](found).encode(), size)
    assert [json.loads(line) for line in lines if line.strip()] == found


@given(st.lists(st.tuples(records, st.sampled_from(sorted(WRITTEN))), max_size=4))
@settings(max_examples=100)
def test_one_way_may_follow_another(parts):
    text = "".join(WRITTEN[way](found).removeprefix("\ufeff") + "\n" for found, way in parts)
    assert [json.loads(line) for line in read(text.encode()) if line.strip()] == [
        one for found, _ in parts for one in found
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"[INFO] hello\n{}\n", [b"[INFO] hello", b"{}"]),
        (b'{"a":\n{"b":1}\n{"c":2}\n{"d":3}\n', [b'{"a":', b'{"b":1}', b'{"c":2}', b'{"d":3}']),
        (b'{"a":"cut off\n{"b":1}\n', [b'{"a":"cut off', b'{"b":1}']),
        (b'[{"a":1},\nno json\n{"b":2}\n', [b'{"a":1}', b"no json", b'{"b":2}']),
        (b'[1, 2.5, "x", [3]]\n', [b"1", b"2.5", b'"x"', b"[3]"]),
        (b'"text"\n12\nnull\n', [b'"text"', b"12", b"null"]),
        (b'{"a":1}tail\n{"b":2}', [b'{"a":1}', b"tail", b'{"b":2}']),
        (b'{"a": [1,', [b'{"a": [1,']),
        (b'{"a":NaN}\n{"a":1e999}{}', [b'{"a":NaN}', b'{"a":1e999}', b"{}"]),
        (b'{"a":"\xff"}\n{"b":2}\n', [b'{"a":"\\xff"}', b'{"b":2}']),
        (b"[]\n[ ]\n{}\n", [b"{}"]),
        (b"", []),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_what_is_no_json_stays_the_lines_that_it_is(text, lines, size):
    assert read(text, size) == lines


@given(
    st.lists(
        st.sampled_from([b"{", b"}", b"[", b"]", b",", b'"', b"\n", b'"a":1', b"\\", b"\xe9", b"x", b"1"])
    )
)
@settings(max_examples=500)
def test_nothing_is_lost_but_what_holds_values_together(pieces):
    text = b"".join(pieces)
    kept = b"".join(read(text)).decode("utf-8", "backslashreplace")
    for letter in '{}"x1a\\':
        assert kept.count(letter) == text.decode("utf-8", "backslashreplace").count(letter)


def test_a_value_is_bounded_and_an_array_is_not(monkeypatch):
    monkeypatch.setattr(joined, "MAX_LINE_BYTES", 1000)
    many = json.dumps([{"a": number} for number in range(500)]).encode()
    assert len(many) > 5000
    assert len(read(many, 100)) == 500
    with pytest.raises(BadFileError, match="a line of more than 0 MiB that is no JSON"):
        read(b"x" * 5000, 100)
    endless = b'{"a":[' + b"1," * 5000 + b"\n{}\n"
    assert read(endless, 100)[-1] == b"{}"


def test_only_two_ways_of_reading_are_known():
    check_records("lines")
    check_records("auto")
    with pytest.raises(RefusedError, match="records is 'arrays'; \"lines\" reads"):
        check_records("arrays")
