from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.read.text_format import HEAD_BYTES, TextFormat, text_format
from tests.fixtures.files import REAL

ROWS = [{"id": number, "name": f'a "b", {number}', "x": {"y": [1]}} for number in range(4000)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (json.dumps(ROWS), TextFormat.ARRAY),
        (json.dumps(ROWS[:2]), TextFormat.ARRAY),
        (json.dumps(ROWS, indent=4), TextFormat.ARRAY),
        ("[\n" + ",\n".join(map(json.dumps, ROWS)) + "]\n", TextFormat.ARRAY),
        ("".join(json.dumps([row]) + "\n" for row in ROWS), TextFormat.ARRAYS),
        ("\n".join(json.dumps(row, indent=2) for row in ROWS), TextFormat.PRETTY),
        (json.dumps(ROWS[0], indent=2), TextFormat.PRETTY),
        (json.dumps({"all": ROWS}, indent=2), TextFormat.PRETTY),
        ("".join(map(json.dumps, ROWS)), TextFormat.JOINED),
        (" ".join(map(json.dumps, ROWS[:3])) + "\n" + LINES, TextFormat.JOINED),
        ("".join(f"\x1e{json.dumps(row)}\n" for row in ROWS), TextFormat.SEPARATED),
        (LINES.replace("\n", "\r"), TextFormat.CR_ENDS),
        ("a,b\r1,2\r", TextFormat.CR_ENDS),
        ('id,name\n1,"x, y"\n2,z\n', TextFormat.CSV),
        ("id;name;price\n1;a;2,5\n", TextFormat.CSV),
        ("\ufeffid\tname\n1\ta\n2\tb\n", TextFormat.CSV),
        ("\n\n" + json.dumps(ROWS, indent=1), TextFormat.ARRAY),
        ("\ufeff" + json.dumps(ROWS[:3]), TextFormat.ARRAY),
    ],
)
def test_what_is_no_ndjson_is_known_by_its_first_lines(text, expected):
    assert text_format(text.encode()) is expected
    assert text_format(text.encode()[:HEAD_BYTES]) is expected


@pytest.mark.parametrize(
    "text",
    [
        LINES,
        "\ufeff" + LINES,
        LINES.replace("\n", "\r\n"),
        json.dumps(ROWS[0]),
        '{"a":"}{"}\n{"a":2}\n',
        json.dumps({"one": "x" * 200_000}),
        "",
        "\n \n",
        "[INFO] started\n[INFO] ended\n",
        "{not json}\nat all\n",
        "plain text\nand more, of it\n",
        "12\n13\n14\n",
        '{"a":1,\nnothing\n',
        "\xff\xfe",
    ],
)
def test_ndjson_and_other_text_are_not_called_anything(text):
    assert text_format(text.encode("latin-1", "replace") if "\xff" in text else text.encode()) is None


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real files in {REAL}")
def test_real_files_are_ndjson():
    import bz2

    for path in sorted(REAL.glob("*.bz2")):
        assert text_format(bz2.decompress(path.read_bytes())) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_looked_at_without_a_fault(data):
    text_format(data)
    text_format(b"[" + data)
    text_format(b'{"a":' + data)


def test_each_has_a_name_and_a_way_to_read_it():
    notes = {found: found.note for found in TextFormat}
    assert all(
        note.startswith(f"looks like {found.value}, not one JSON object a line; ")
        for found, note in notes.items()
    )
    assert notes[TextFormat.CSV].endswith("pandas.read_csv reads such a file")
    assert all('records="auto"' in note for found, note in notes.items() if found is not TextFormat.CSV)
