from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import BadFileError
from pipeline.read import lines as blocks_module
from pipeline.read.lines import LineCount, line_blocks, whole_lines

TEXT = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n", b"\0", b"\xff", b"\n\n", b"\r"])).map(b"".join)


def ended(data: bytes) -> bytes:
    return data if not data or data.endswith(b"\n") else data + b"\n"


def cut(data: bytes, places: list[int]) -> list[bytes]:
    marks = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(marks)]


@given(TEXT, st.lists(st.integers(0, 1000)))
def test_any_chunks_come_back_whole_with_a_final_line_end(data, places):
    blocks = list(whole_lines(cut(data, places)))
    assert b"".join(blocks) == ended(data)
    assert all(block.endswith(b"\n") for block in blocks)


@given(TEXT, TEXT)
def test_a_file_without_a_final_newline_does_not_swallow_its_neighbours_first_line(one, other):
    joined = b"".join([*whole_lines([one]), *whole_lines([other])])
    assert joined.split(b"\n") == [
        *ended(one).split(b"\n")[:-1],
        *ended(other).split(b"\n")[:-1],
        b"",
    ]


def test_crlf_and_blank_lines_pass_unchanged():
    data = b"\n\r\n\n a \r\n\n"
    assert b"".join(whole_lines([data[:3], data[3:]])) == data


@given(TEXT, st.lists(st.integers(0, 1000)))
def test_a_fault_comes_after_every_whole_line_before_it(data, places):
    def chunks():
        yield from cut(data, places)
        raise BadFileError("cut off")

    got: list[bytes] = []
    with pytest.raises(BadFileError, match="cut off"):
        got.extend(whole_lines(chunks()))  # keeps what came before the error
    assert b"".join(got) == data[: data.rfind(b"\n") + 1]


@given(st.integers(0, 40), st.lists(st.integers(0, 1000)))
def test_a_line_over_the_limit_is_refused_and_one_at_the_limit_is_not(length, places):
    data = b"ok\n" + b"x" * length + b"\n"
    blocks = whole_lines((data[i : i + 1] for i in range(len(data))), max_line=20)
    if length > 20:
        with pytest.raises(BadFileError, match="holds a line of more than"):
            list(blocks)
    else:
        assert b"".join(blocks) == data


def test_a_line_over_the_limit_that_never_ends_is_refused_before_the_stream_ends():
    def endless():
        while True:
            yield b"x" * 1000

    with pytest.raises(BadFileError, match="not a file of lines"):
        list(whole_lines(endless(), max_line=10_000))


def test_the_time_for_one_long_line_is_linear_in_its_chunks():
    def seconds(chunks: int) -> float:
        began = time.process_time()
        assert sum(map(len, whole_lines(b"x" * 64 for _ in range(chunks)))) == 64 * chunks + 1
        return time.process_time() - began

    seconds(1000)
    assert seconds(80_000) < 40 * max(seconds(8_000), 0.005)


def test_a_line_too_long_is_told_with_what_it_looks_like():
    with pytest.raises(
        BadFileError,
        match=r"line of more than 0 MiB.*; it looks like one JSON array: .*records=\"auto\", and .*\(jq -c",
    ):
        list(whole_lines([b'[{"a":1},', b'{"a":2},' * 50], max_line=100))
    with pytest.raises(BadFileError, match=r"not a file of lines$"):
        list(whole_lines([b"x" * 101, b"\n"], max_line=100))


# Lines that are counted, and given in pieces


@given(TEXT, st.lists(st.integers(0, 1000)))
def test_lines_are_counted_without_being_held(data, places):
    count = LineCount()
    for chunk in cut(data, places):
        at = count.add(chunk)
        assert at == chunk.rfind(b"\n") + 1
    assert (count.size, count.lines, count.whole) == (len(data), data.count(b"\n"), data.rfind(b"\n") + 1)


@given(st.integers(0, 40), st.lists(st.integers(0, 1000)))
def test_a_count_refuses_the_lines_that_whole_lines_refuses(length, places):
    data = b"ok\n" + b"x" * length
    chunks = cut(data, places)

    def refused(take) -> bool:
        try:
            take()
        except BadFileError:
            return True
        return False

    count = LineCount(max_line=20)
    assert refused(lambda: [count.add(chunk) for chunk in chunks]) == (length > 20)
    assert refused(lambda: list(whole_lines(iter(chunks), max_line=20))) == (length > 20)


@given(TEXT, st.lists(st.integers(0, 1000)), st.integers(1, 12))
def test_a_long_line_comes_in_pieces_and_every_other_block_ends_a_line(data, places, block_bytes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks_module, "BLOCK_BYTES", block_bytes)
        got = list(line_blocks(cut(data, places)))
    assert b"".join(got) == ended(data)
    assert all(got)
    for at, block in enumerate(got):
        if not block.endswith(b"\n"):
            begun = b"".join(got[:at]).rpartition(b"\n")[2]
            assert len(begun + block) >= block_bytes


def test_the_time_for_one_long_line_in_pieces_is_linear_in_its_chunks():
    def seconds(chunks: int) -> float:
        began = time.process_time()
        assert sum(map(len, line_blocks(b"x" * 64 for _ in range(chunks)))) == 64 * chunks + 1
        return time.process_time() - began

    seconds(1000)
    assert seconds(80_000) < 40 * max(seconds(8_000), 0.005)
