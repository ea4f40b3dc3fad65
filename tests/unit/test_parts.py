from __future__ import annotations

import base64
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import StorageError
from pipeline.parts import PartWriter
from pipeline.storage import Store

STORE = Store()

BLOCKS = st.lists(st.sampled_from([b"a\n", b"b\nc\n", b"\n", b"d" * 30 + b"\n"]), max_size=15)


def write(writer: PartWriter, blocks: list[bytes]) -> list:
    return [part for block in blocks for part in writer.write(block)]


@settings(deadline=None)  # a shared disk has slow moments
@given(BLOCKS, st.integers(1, 50))
def test_parts_hold_all_blocks_in_order_and_roll_at_a_size(tmp_path_factory, blocks, part_bytes):
    folder = tmp_path_factory.mktemp("parts")
    writer = PartWriter(STORE, str(folder), part_bytes=part_bytes)
    parts = [*write(writer, blocks), *writer.finish()]
    contents = [Path(part.uri).read_bytes() for part in parts]
    assert b"".join(contents) == b"".join(blocks)
    assert [part.size for part in parts] == [len(data) for data in contents]
    assert [part.lines for part in parts] == [data.count(b"\n") for data in contents]
    assert [part.crc32c for part in parts] == [
        base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode() for data in contents
    ]
    assert all(part.size >= part_bytes for part in parts[:-1])
    assert all(part.size < part_bytes + 31 for part in parts)
    assert set(map(str, folder.iterdir())) == {part.uri for part in parts}
    assert list(writer.finish()) == []


def test_nothing_written_makes_no_part(tmp_path):
    assert list(PartWriter(STORE, f"{tmp_path}/x").finish()) == []
    assert not (tmp_path / "x").exists()


def test_abort_leaves_nothing_of_the_open_part_and_keeps_the_complete_ones(tmp_path):
    writer = PartWriter(STORE, str(tmp_path), part_bytes=4)
    (part,) = write(writer, [b"a\nb\n", b"c\n"])
    for _ in range(2):
        writer.abort()
    assert [str(path) for path in tmp_path.iterdir()] == [part.uri]
    (again,) = [*write(writer, [b"d\n"]), *writer.finish()]
    assert Path(again.uri).read_bytes() == b"d\n"


def test_two_writers_in_one_folder_never_meet(tmp_path):
    writers = [PartWriter(STORE, str(tmp_path)) for _ in range(20)]
    for i, writer in enumerate(writers):
        write(writer, [b"%d\n" % i])
    parts = [part for writer in writers for part in writer.finish()]
    assert sorted(Path(part.uri).read_bytes() for part in parts) == sorted(b"%d\n" % i for i in range(20))


def test_a_folder_that_cannot_be_made_is_our_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        write(PartWriter(STORE, f"{tmp_path}/file/x"), [b"a\n"])
