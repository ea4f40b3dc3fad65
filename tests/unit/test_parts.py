from __future__ import annotations

import base64
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ReconciliationError, StorageError
from pipeline.ledger import FileRecord
from pipeline.storage import PlainStore
from pipeline.write.parts import FileWriter, PartWriter
from tests.fixtures.files import crc32c

STORE = PlainStore()

BLOCKS = st.lists(st.sampled_from([b"a\n", b"b\nc\n", b"\n", b"d" * 30 + b"\n"]), max_size=15)


def write(writer: PartWriter, blocks: list[bytes]) -> list:
    return [part for block in blocks for part in writer.write(block)]


def write_files(writer: FileWriter, files: list[list[bytes]]) -> tuple[list[FileRecord], list]:
    records, parts = [], []
    for number, blocks in enumerate(files):
        for block in blocks:
            parts += writer.write(block)
        data = b"".join(blocks)
        record = FileRecord(f"/in/{number}", "complete", lines=data.count(b"\n"), output_bytes=len(data))
        placed, completed = writer.end_file(record)
        records.append(placed)
        parts += completed
    return records, [*parts, *writer.finish()]


@settings(deadline=None)  # a shared disk has slow moments
@given(st.lists(BLOCKS, max_size=6), st.integers(1, 50))
def test_parts_hold_all_blocks_in_order_and_each_record_says_where_its_lines_are(
    tmp_path_factory, files, part_bytes
):
    folder = tmp_path_factory.mktemp("parts")
    records, parts = write_files(
        FileWriter(PartWriter(STORE, str(folder), part_bytes=part_bytes), "me"), files
    )
    contents = [Path(part.uri).read_bytes() for part in parts]
    whole = b"".join(contents)
    assert whole == b"".join(block for blocks in files for block in blocks)
    assert sorted(parts) == parts  # so their numbers at the end keep their order
    assert [part.size for part in parts] == [len(data) for data in contents]
    assert [part.lines for part in parts] == [data.count(b"\n") for data in contents]
    assert [part.crc32c for part in parts] == [crc32c(data) for data in contents]
    assert all(data.endswith(b"\n") for data in contents)
    assert all(part.size >= part_bytes for part in parts[:-1])
    assert all(part.size < 2 * part_bytes + 31 for part in parts)
    assert set(map(str, folder.iterdir())) == {part.uri for part in parts}
    begins = {part.uri: sum(map(len, contents[:i])) for i, part in enumerate(parts)}
    for record, blocks in zip(records, files, strict=True):
        data = b"".join(blocks)
        assert record.job_id == "me"
        if not data:
            assert (record.shard, record.offset, record.output_crc32c) == (None, None, None)
            continue
        at = begins[record.shard] + record.offset
        assert whole[at : at + record.output_bytes] == data
        assert record.output_crc32c == crc32c(data)
        if len(data) <= part_bytes:
            assert record.offset + len(data) <= len(contents[list(begins).index(record.shard)])


def test_a_part_rolls_over_at_the_end_of_a_file_and_within_one_only_at_twice_the_size(tmp_path):
    writer = FileWriter(PartWriter(STORE, str(tmp_path), part_bytes=4), "me")
    records, parts = write_files(writer, [[b"a\n", b"b\n", b"c\n"], [b"d\n"], [b"e\n"] * 5])
    assert [Path(part.uri).read_bytes() for part in parts] == [b"a\nb\nc\n", b"d\ne\ne\ne\n", b"e\ne\n"]
    assert [record.shard for record in records] == [parts[0].uri, parts[1].uri, parts[1].uri]
    assert [record.offset for record in records] == [0, 0, 2]


def test_a_part_never_ends_in_the_middle_of_a_line(tmp_path):
    writer = PartWriter(STORE, str(tmp_path), part_bytes=2)
    (part,) = write(writer, [b"long", b" and ", b"longer\n"])
    assert Path(part.uri).read_bytes() == b"long and longer\n"


@pytest.mark.parametrize("told", [0, 3, 5])
def test_lines_that_are_not_those_of_the_record_behind_them_are_refused(tmp_path, told):
    writer = FileWriter(PartWriter(STORE, str(tmp_path)), "me")
    list(writer.write(b"ab\ncd\n"[:4]))
    with pytest.raises(ReconciliationError, match=r"4 bytes of lines came before .* /in/a, which tells of"):
        writer.end_file(FileRecord("/in/a", "complete", output_bytes=told))
    writer.abort()


def test_pieces_of_lines_in_another_order_than_they_were_read_are_refused(tmp_path):
    crc = base64.b64encode(google_crc32c.value(b"one long line\n").to_bytes(4, "big")).decode()
    record = FileRecord("/in/a", "complete", output_bytes=14, output_crc32c=crc)
    writer = FileWriter(PartWriter(STORE, str(tmp_path)), "me")
    for piece in (b"one ", b"long ", b"line\n"):
        list(writer.write(piece))
    assert writer.end_file(record)[0].output_crc32c == crc
    for piece in (b"long ", b"one ", b"line\n"):
        list(writer.write(piece))
    with pytest.raises(
        ReconciliationError, match="has taken the lines of a file from its record, or mixed up"
    ):
        writer.end_file(record)
    writer.abort()


def test_lines_whose_record_never_comes_are_refused(tmp_path):
    writer = FileWriter(PartWriter(STORE, str(tmp_path)), "me")
    list(writer.write(b"ab\n"))
    with pytest.raises(ReconciliationError, match="3 bytes of lines came, and then no record"):
        writer.finish()
    writer.abort()


def test_nothing_written_makes_no_part(tmp_path):
    assert list(PartWriter(STORE, f"{tmp_path}/x").finish()) == []
    assert write_files(FileWriter(PartWriter(STORE, f"{tmp_path}/x"), "me"), [[]])[1] == []
    assert not (tmp_path / "x").exists()


def test_abort_leaves_nothing_of_the_open_part_and_keeps_the_complete_ones(tmp_path):
    writer = PartWriter(STORE, str(tmp_path), part_bytes=2)
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
