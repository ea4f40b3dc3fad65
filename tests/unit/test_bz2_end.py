"""The last block of a bzip2 file, against the file decompressed as a whole."""

from __future__ import annotations

import bz2
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codecs.bz2_bits import LONGEST_BLOCK
from pipeline.codecs.bz2_end import last_block


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400_000), st.integers(0, 2**32), st.integers(2, 256))
def test_it_is_what_the_file_ends_with(size, seed, letters):
    raw = bytes(random.Random(seed).choices(range(letters), k=size))
    stored = bz2.compress(raw, 1)  # blocks of 100 kB
    end = last_block(stored, is_whole=True)
    if not raw:
        assert end is None
        return
    assert raw.endswith(end)
    assert len(raw) < 110_000 or len(end) < 110_000  # a block is 100 kB when its runs have been shortened
    if len(raw) < 99_000:
        assert end == raw


def test_the_end_of_a_file_alone_is_enough():
    raw = random.Random(1).randbytes(950_000)
    stored = bz2.compress(raw, 1)
    assert last_block(stored[-150_000:], is_whole=False) == last_block(stored, is_whole=True)
    assert last_block(stored[-20_000:], is_whole=False) is None  # no block begins there


def test_no_block_is_longer_than_is_said():
    assert len(bz2.compress(random.Random(2).randbytes(899_000))) < LONGEST_BLOCK


def test_of_several_streams_it_is_of_the_last():
    assert last_block(bz2.compress(b"one\n") + bz2.compress(b"two\n"), is_whole=True) == b"two\n"


@pytest.mark.parametrize("damage", ["cut", "flipped", "more", "nothing", "text"])
def test_a_file_at_fault_is_left_to_be_read_whole(damage):
    raw = random.Random(3).randbytes(150_000)
    stored = bytearray(bz2.compress(raw, 1))
    if damage == "cut":
        del stored[-3:]
    elif damage == "flipped":
        stored[-5_000] ^= 1
    elif damage == "more":
        stored += b"\n--boundary--\n"
    elif damage == "nothing":
        stored.clear()
    else:
        stored = bytearray(b"<html>" * 1000)
    assert last_block(bytes(stored), is_whole=True) is None
