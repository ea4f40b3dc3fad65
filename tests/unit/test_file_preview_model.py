from __future__ import annotations

import bz2
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.data.preview import preview_bytes
from chimera_nb.widgets.base.messages import to_wire
from chimera_nb.widgets.preview import model
from chimera_nb.widgets.preview.model import LINE_CHARS, MAX_BYTES, MAX_LINES, MAX_NODES, inside
from chimera_nb.widgets.table.looking import CELL_CHARACTERS, COLUMNS_SHOWN, ROWS_AT_ONCE, Looking
from chimera_nb.widgets.table.requests import Look


def look(raw: bytes, name: str = "a.ndjson"):
    return inside(preview_bytes(name, raw, len(raw)))


def facts_of(shown):
    """As they are sent; so are the others."""
    return to_wire(shown.facts)


def whole(shown, at):
    line = shown.lines[at]
    return {"text": line.text, "size": line.size, "cut": line.is_cut}


def tree(line):
    nodes, left_out = model.tree(line)
    return {"nodes": to_wire(nodes), "leftOut": left_out}


def table(shown):
    """The first answer of a table of what is shown."""
    looking = Looking(Look(view="v", subject="s", look=1))
    looking.run(model.rows_of(shown))
    return to_wire(looking.answers.popleft())


def test_facts_and_lines_of_a_good_file():
    shown = look(bz2.compress(b'{"a":1}\n\nnot json\n[1,2]\n'), "a.bz2")
    facts = facts_of(shown)
    assert (facts["codec"], facts["complete"], facts["estimatedLines"], facts["problem"]) == (
        "bz2",
        True,
        4,
        "",
    )
    assert facts["lines"] == [
        ['{"a":1}', False, True],
        ["", False, False],
        ["not json", False, False],
        ["[1,2]", False, True],
    ]


def test_a_broken_file_says_so_and_shows_what_came_before():
    data = bz2.compress(b'{"a":1}\n' * 1000)
    shown = look(data[:-6], "a.bz2")
    assert "cut off" in facts_of(shown)["problem"]


@pytest.mark.parametrize(
    ("raw", "name", "problem"),
    [
        (b"", "a.ndjson", "This file is empty (0 bytes)."),
        (b"plain", "a.bz2", "This file is named .bz2 but is not bz2: "),
        (bz2.compress(b"x" * 9000)[:-9], "a.bz2", "This file cannot be used: the bz2 data is cut off after "),
    ],
)
def test_what_is_wrong_is_a_sentence(raw, name, problem):
    assert facts_of(look(raw, name))["problem"].startswith(problem)


def test_no_more_than_so_many_lines_and_bytes_are_kept():
    assert len(look(b"x\n" * 10_000).lines) == MAX_LINES
    shown = look((b"y" * 300_000 + b"\n") * 10)
    assert len(shown.lines) == 3
    assert sum(len(line.data) for line in shown.lines) <= MAX_BYTES
    assert len(json.dumps(facts_of(shown))) < 5000


def test_a_long_line_is_cut_and_all_of_it_can_be_had():
    text = json.dumps({"a": "b" * 5000})
    shown = look(text.encode() + b"\n")
    assert facts_of(shown)["lines"] == [[text[:LINE_CHARS], True, True]]
    assert whole(shown, 0) == {"text": text, "size": len(text), "cut": False}


def test_a_line_of_more_than_is_kept_is_kept_in_part():
    shown = look(b"z" * 3_000_000 + b"\n")
    found = whole(shown, 0)
    assert (len(found["text"]), found["size"], found["cut"]) == (MAX_BYTES, 3_000_000, True)


def test_bytes_that_are_no_text_and_half_characters_can_be_sent():
    raw = b'{"a":"\xff\xc3\x00"}\n{"half \\ud800":"\\udc00","a":"\\ud800"}\n'
    shown = look(bz2.compress(raw), "a.bz2")
    answers = [facts_of(shown), whole(shown, 0), tree(shown.lines[1].data), table(shown)]
    json.dumps(answers, ensure_ascii=False, allow_nan=False).encode()
    assert whole(shown, 0)["text"] == '{"a":"\\xff\\xc3\x00"}'
    assert table(shown)["rows"] == [['{"a":"\\xff\\xc3\x00"}', "", ""], ["", "\\udc00", "\\ud800"]]


def test_a_tree_has_its_nodes_in_order_with_their_depth():
    assert tree(b'{"a":{"b":[1,"x"]},"c":null}') == {
        "nodes": [
            [0, "a", "1 field", 1],
            [1, "b", "2 items", 2],
            [2, "0", "1", 0],
            [2, "1", '"x"', 0],
            [0, "c", "null", 0],
        ],
        "leftOut": 0,
    }
    assert tree(b"oops") == {"nodes": [], "leftOut": 0}
    assert tree(b"7")["nodes"] == [[0, "", "7", 0]]


def test_a_tree_is_bounded_and_says_how_much_it_leaves_out():
    found = tree(json.dumps({"a": list(range(10_000)), "b": "c" * 9000}).encode())
    assert len(found["nodes"]) == MAX_NODES
    assert found["leftOut"] == 10_002 - MAX_NODES


@pytest.mark.parametrize("depth", [900, 100_000])
def test_what_is_nested_deep_neither_raises_nor_cannot_be_sent(depth):
    line = b"[" * depth + b"]" * depth
    record = b'{"a":' + line + b"}"
    json.dumps([tree(line), table(look(record))])


def test_a_table_is_bounded_and_says_so():
    wide = json.dumps({f"f{n}": "v" * (10 if n else 400) for n in range(50)})
    found = table(look(f"{wide}\n".encode() * 150))
    assert (len(found["rows"]), found["kept"], len(found["rows"][0])) == (ROWS_AT_ONCE, 150, COLUMNS_SHOWN)
    assert (found["columnsTotal"], [shown for *_, shown in found["columns"]].count(True)) == (
        50,
        COLUMNS_SHOWN,
    )
    assert max(len(cell) for row in found["rows"] for cell in row) == CELL_CHARACTERS + 1


@given(st.binary(max_size=3000))
def test_no_bytes_at_all_raise(raw):
    shown = look(raw)
    for at, line in enumerate(shown.lines):
        json.dumps([whole(shown, at), tree(line.data)], ensure_ascii=False).encode()
    json.dumps([facts_of(shown), table(shown)], ensure_ascii=False).encode()


def test_neither_pandas_nor_beam_is_imported_for_it():
    code = (
        "import sys, chimera_nb.widgets.preview.widget, chimera_nb.widgets.job_history.widget\n"
        "print({'pandas', 'apache_beam', 'google.cloud.firestore'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
