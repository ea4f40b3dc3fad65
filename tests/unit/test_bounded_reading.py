"""Files of any size, in bounded memory and disk: read twice where they fit nowhere, and bombs."""

from __future__ import annotations

import bz2
import gzip
import os
import random
import tracemalloc
import zlib
from pathlib import Path

import pytest

from pipeline.errors import StorageError
from pipeline.job_options import RATIO_FROM
from pipeline.read import held_lines
from pipeline.read.file import ReadOptions, read_file
from pipeline.storage import PlainStore, local_streams
from tests.fixtures.files import crc32c, laid, take

STORE = PlainStore()
RNG = random.Random(3)
LINES = b"".join(b'{"id":%d,"x":"%s"}\n' % (i, RNG.randbytes(8).hex().encode()) for i in range(40_000))


@pytest.fixture(autouse=True)
def _rooms():
    """All of this process's room, in memory and on disk, must be free again when a test is done."""
    before = held_lines.memory_room._free
    yield
    assert (held_lines.memory_room._free, held_lines.disk_room._taken) == (before, 0)


# Files that fit neither in memory nor on disk


@pytest.fixture
def nowhere(monkeypatch):
    """No room in memory; with `spool_bytes=0` none on disk."""
    monkeypatch.setattr(held_lines.memory_room, "_free", 0)
    yield
    monkeypatch.undo()


TWICE = ReadOptions(spool_bytes=0)


def test_a_file_larger_than_the_room_is_read_through_the_disk(tmp_path, nowhere):
    file = read_file(STORE, laid(tmp_path, "a", LINES))
    assert file.lines._spool is not None
    assert take(file) == LINES


def test_a_failed_file_larger_than_the_room_leaves_nothing_on_disk(tmp_path, nowhere, monkeypatch):
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spools))
    stored = bytearray(gzip.compress(LINES))
    stored[-8:-4] = zlib.crc32(b"other").to_bytes(4, "little")
    file = read_file(STORE, laid(tmp_path, "a.gz", bytes(stored)))
    assert "corrupt" in file.record.error
    assert (take(file), list(spools.iterdir())) == (b"", [])


@pytest.mark.parametrize("packed", [bz2.compress, gzip.compress, bytes])
def test_a_file_that_fits_nowhere_is_read_twice_and_its_record_tells_of_it_once(tmp_path, nowhere, packed):
    stored = packed(LINES + b"the last")
    file = read_file(STORE, laid(tmp_path, "a", stored), TWICE)
    assert file.lines._spool is None
    assert take(file) == LINES + b"the last\n"
    record = file.record
    assert (record.status, record.lines, record.output_bytes) == ("complete", 40_001, len(LINES) + 9)
    assert (record.size, record.raw_bytes, record.crc32c) == (len(stored), len(LINES) + 8, crc32c(stored))


def test_of_a_faulty_file_that_fits_nowhere_the_whole_lines_are_kept_if_asked(tmp_path, nowhere):
    stored = gzip.compress(LINES)
    uri = laid(tmp_path, "a.gz", stored[: len(stored) // 2])
    file = read_file(STORE, uri, ReadOptions(keep_partial=True, spool_bytes=0))
    lines = take(file)
    assert (file.record.status, file.record.lines) == ("failed", lines.count(b"\n"))
    assert LINES.startswith(lines)
    assert len(lines) > len(LINES) // 4


def _replace(uri: str) -> None:
    Path(f"{uri}.new").write_bytes(LINES)
    Path(f"{uri}.new").replace(uri)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda uri: Path(uri).unlink(), "there is no such file"),
        (_replace, "was changed after it was first read; run the job again"),
        (lambda uri: Path(uri).write_bytes(LINES[::-1]), "was changed after it was first read"),
        (lambda uri: os.truncate(uri, 10), "was changed after it was first read"),
        (lambda uri: os.utime(uri, ns=(0, 0)), "was changed after it was first read"),
    ],
)
def test_a_file_that_changes_between_its_readings_is_a_failed_record_that_says_so(
    tmp_path, nowhere, change, says
):
    uri = laid(tmp_path, "a", LINES)
    file = read_file(STORE, uri, TWICE)
    change(uri)
    assert take(file) == b""
    record = file.record
    assert (record.status, record.lines, record.output_bytes, record.crc32c) == ("failed", 0, 0, None)
    assert says in record.error
    assert uri not in record.error


@pytest.mark.parametrize(
    "change", [lambda uri: Path(uri).write_bytes(LINES[::-1]), lambda uri: os.truncate(uri, 9)]
)
def test_a_file_that_changes_while_its_lines_go_out_raises_so_that_the_bundle_is_repeated(
    tmp_path, nowhere, change
):
    uri = laid(tmp_path, "a", LINES)
    os.utime(uri, ns=(0, 0))
    file = read_file(STORE, uri, TWICE)
    blocks = file.blocks()
    next(blocks)
    change(uri)
    with pytest.raises(StorageError, match="changed"):
        list(blocks)
    assert file.record.status == "complete"


@pytest.mark.parametrize("packed", [bz2.compress, gzip.compress])
def test_bytes_that_decode_otherwise_the_second_time_raise(tmp_path, nowhere, monkeypatch, packed):
    file = read_file(STORE, laid(tmp_path, "a", packed(LINES)), TWICE)
    honest = local_streams.FileReader._next

    def flipped(self, size):
        data = honest(self, size)
        return data[:-20] + bytes([data[-20] ^ 1]) + data[-19:] if data else data

    monkeypatch.setattr(local_streams.FileReader, "_next", flipped)
    with pytest.raises(StorageError, match="as it was not when it was first read"):
        take(file)
    monkeypatch.undo()


# Bombs


def bomb(raw_mib: int) -> bytes:
    packer = bz2.BZ2Compressor()
    line = b"a" * 1023 + b"\n"
    return b"".join(packer.compress(line * 1024) for _ in range(raw_mib)) + packer.flush()


def test_a_bomb_is_stopped_by_its_ratio_with_a_reason_that_says_what_to_do(tmp_path):
    stored = bomb(40)
    file = read_file(STORE, laid(tmp_path, "a.bz2", stored))
    record = file.record
    assert (record.status, take(file)) == ("failed", b"")
    assert record.error == (
        f"holds more than 1,000 unpacked bytes for each of its {len(stored):,} bytes, as a bomb does; if it is "
        f"meant to, allow more with max-ratio (0: no bound)"
    )
    assert record.raw_bytes <= RATIO_FROM + (1 << 20)


@pytest.mark.parametrize("ratio", [0, 1_000_000])
def test_a_bomb_that_is_meant_to_be_one_is_read(tmp_path, ratio):
    file = read_file(STORE, laid(tmp_path, "a.bz2", bomb(40)), ReadOptions(max_ratio=ratio))
    assert (file.record.status, file.record.lines) == ("complete", 40 * 1024)
    file.lines.drop()


def test_a_small_file_may_compress_to_next_to_nothing(tmp_path):
    file = read_file(STORE, laid(tmp_path, "a.bz2", bomb(16)), ReadOptions(max_ratio=1))
    assert (file.record.status, file.record.raw_bytes) == ("complete", 16 << 20)
    file.lines.drop()


def test_one_part_of_a_file_may_be_beyond_all_proportion(tmp_path):
    dense = RNG.randbytes(200_000).hex().encode() + b"\n"
    file = read_file(
        STORE, laid(tmp_path, "a.bz2", bomb(40) + bz2.compress(dense)), ReadOptions(max_ratio=500)
    )
    assert file.record.status == "complete"
    file.lines.drop()


def test_what_is_not_compressed_is_in_proportion(tmp_path):
    file = read_file(STORE, laid(tmp_path, "a", b"a" * 1023 * (17 << 10) + b"\n"), ReadOptions(max_ratio=1))
    assert file.record.status == "complete"
    file.lines.drop()


# Memory


def peak(action) -> int:
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_line_of_64_mib_is_never_held_whole(tmp_path, nowhere):
    uri = laid(tmp_path, "a", b'{"x":"' + b"x" * ((64 << 20) - 9) + b'"}\n')

    def pass_on() -> None:
        file = read_file(STORE, uri)
        assert sum(map(len, file.blocks())) == 64 << 20
        assert file.record.lines == 1

    assert peak(pass_on) < 8 << 20


@pytest.mark.parametrize("spool_bytes", [0, None])
def test_a_large_file_takes_little_memory(tmp_path, nowhere, spool_bytes):
    uri = laid(tmp_path, "a.bz2", bomb(100))

    def pass_on() -> None:
        file = read_file(STORE, uri, ReadOptions(max_ratio=0, spool_bytes=spool_bytes))
        assert sum(map(len, file.blocks())) == 100 << 20

    assert peak(pass_on) < 8 << 20
