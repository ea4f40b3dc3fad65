from __future__ import annotations

import codecs
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RefusedError
from pipeline.inputs.path_list import as_lines, parse_paths

WANTED = ["gs://cases/text/gelf.json", "gs://cases/öß/日本.json"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("utf-32-le", codecs.BOM_UTF32_LE),
        ("utf-32-be", codecs.BOM_UTF32_BE),
    ],
)
def test_a_list_is_read_as_windows_programs_write_it(encoding, mark, end):
    first = "gs://a-bucket-with-a-name-that-is-all-ascii/and-so-on/x.bz2"
    text = end.join([first, "", "  # a note", f"  {WANTED[0]}\t ", f'"{WANTED[1]}"', '" two  spaces "', ""])
    assert parse_paths(mark + text.encode(encoding), "list") == [first, *WANTED, " two  spaces "]


def test_names_that_are_no_utf8_stay_what_they_are():
    assert parse_paths(b"/data/\xff.bz2\n", "list") == [os.fsdecode(b"/data/\xff.bz2")]


@pytest.mark.parametrize(
    "data", [b"\x00\x01\x02\x03", b"gs://b/x\0y\n", codecs.BOM_UTF16_LE + b"\x00\xd8\x00"]
)
def test_what_is_no_text_is_refused_by_name_in_one_line(data):
    with pytest.raises(RefusedError, match=r"^markets\.xlsx is no list of paths: [^\n]*$"):
        parse_paths(data, "markets.xlsx")


def test_an_empty_list_has_no_paths():
    assert parse_paths(b"", "list") == parse_paths(codecs.BOM_UTF8 + b"\r\n \r\n", "list") == []


@given(st.lists(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), min_size=1)))
def test_what_is_written_is_read_back(paths):
    assert parse_paths("\n".join(as_lines(paths)).encode(), "list") == paths
