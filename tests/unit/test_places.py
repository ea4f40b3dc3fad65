from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ReconciliationError, StorageError, TransferError
from pipeline.ledger import FileRecord, Part
from pipeline.read.lines import joined
from pipeline.storage import PlainStore
from pipeline.storage.local_streams import FileReader
from pipeline.target.layout import shard_name, shards_uri
from pipeline.write.line_offsets import (
    OffsetMap,
    resolve_offsets,
    shard_names,
    stretches_of_parts,
    stretches_of_shards,
)
from pipeline.write.shard_list import PublishedFile, read_shard_list, write_shard_list
from pipeline.write.shards import locate, plan_cuts, plan_shards, write_shard

STORE = PlainStore()
LINE = st.sampled_from([b"\n", b"a\n", b"\r\n", b"bcdefgh\n", b"\xff" * 30 + b"\n"])
PARTS = st.lists(st.lists(LINE, max_size=12).map(b"".join), max_size=6)


def parts_of(folder: Path, contents: list[bytes]) -> list[Part]:
    parts = []
    for number, data in enumerate(contents):
        path = folder / f"part-{number:03d}.ndjson"
        path.write_bytes(data)
        parts.append(Part(str(path), len(data), data.count(b"\n"), None))
    return parts


@settings(deadline=None)
@given(PARTS, st.none() | st.integers(1, 30))
def test_every_byte_of_a_part_is_found_in_the_shards(tmp_path_factory, contents, wanted):
    folder = tmp_path_factory.mktemp("parts")
    parts = parts_of(folder, contents)
    if wanted is None:
        written = [Path(part.uri).read_bytes() for part in parts]
        places = OffsetMap(stretches_of_parts([*reversed(parts)]), shard_names(parts))
    else:
        offsets = {cut.uri: cut for cut in map(partial(locate, STORE), plan_cuts(parts, wanted))}
        shards = plan_shards(parts, offsets, wanted)
        written = [Path(write_shard(STORE, s, f"{folder}/out").uri).read_bytes() for s in shards]
        places = OffsetMap(stretches_of_shards(shards), shard_names(shards))
    names = [shard_name("output", index, len(written)) for index in range(len(written))]
    for part, data in zip(parts, contents, strict=True):
        for offset in range(len(data)):
            name, at = places.find(part.uri, offset)
            assert written[names.index(name)][at : at + 1] == data[offset : offset + 1]


def test_a_ledger_file_is_written_again_with_shards_for_parts(tmp_path):
    parts = [Part("gs://b/x/part-1", 20, 2, None), Part("gs://b/x/part-0", 30, 3, None)]
    records = [
        FileRecord("/in/a", "complete", lines=1, output_bytes=10, shard="gs://b/x/part-1", offset=10),
        FileRecord("/in/\udcff", "failed", error="is empty"),
    ]
    ledger = tmp_path / "ledger.ndjson"
    ledger.write_bytes(b"".join(record.to_line() for record in records))
    part = Part(str(ledger), ledger.stat().st_size, 2, None)
    placed = resolve_offsets(
        STORE, part, OffsetMap(stretches_of_parts(parts), shard_names(parts)), f"{tmp_path}/placed"
    )
    data = Path(placed.uri).read_bytes()
    first, second = map(FileRecord.from_line, data.splitlines())
    assert (first.shard, first.offset, first.output_bytes) == ("output-00001-of-00002.ndjson", 10, 10)
    assert second == records[1]
    assert (placed.lines, placed.size) == (2, len(data))


def test_a_ledger_file_that_arrives_otherwise_than_the_store_has_it_is_not_written_again(
    tmp_path, monkeypatch
):
    """Of more than one window the bytes are compared at the end alone."""
    ledger = tmp_path / "ledger.ndjson"
    ledger.write_bytes(FileRecord("/in/a", "failed", error="is empty").to_line())
    part = Part(str(ledger), ledger.stat().st_size, 1, None)
    monkeypatch.setattr(FileReader, "_expected", lambda _: (part.size, "AAAAAA=="))
    with pytest.raises(TransferError, match=r"its CRC-32C is .* as read and AAAAAA== in the bucket"):
        resolve_offsets(STORE, part, OffsetMap([], []), f"{tmp_path}/placed")
    assert list((tmp_path / "placed").iterdir()) == []


def test_lines_in_a_part_that_was_never_written_are_told():
    with pytest.raises(ReconciliationError, match=r"/gone: the ledger tells of lines in it at byte 7"):
        OffsetMap(stretches_of_parts([Part("/there", 9, 1, None)]), ["x"]).find("/gone", 7)


@given(st.lists(st.binary(max_size=9).map(lambda data: data + b"\n")), st.integers(1, 30))
def test_joined_lines_are_the_same_lines(lines, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.read.lines._JOINED_BYTES", size)
        blocks = list(joined(lines))
    assert b"".join(blocks) == b"".join(lines)
    assert all(len(block) >= size for block in blocks[:-1])


# What was published


def test_the_list_of_what_was_published_comes_back(tmp_path):
    output = [Part("/p/2", 30, 3, "AAAAAA=="), Part("/p/1", 20, 2, None)]
    ledger = [Part("/l/1", 500, 5, "BBBBBB==")]
    part = write_shard_list(STORE, output, ledger, "me", str(tmp_path / "parts"))
    Path(part.uri).rename(shards_uri(str(tmp_path)))
    assert list(read_shard_list(STORE, str(tmp_path))) == [
        PublishedFile("output/output-00000-of-00002.ndjson", 20, 2, None),
        PublishedFile("output/output-00001-of-00002.ndjson", 30, 3, "AAAAAA=="),
        PublishedFile("ledger/ledger-00000-of-00001.ndjson", 500, 5, "BBBBBB=="),
    ]
    lines = Path(shards_uri(str(tmp_path))).read_bytes().splitlines()
    assert len(lines) == part.lines == 3
    assert {json.loads(line)["jobId"] for line in lines} == {"me"}


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"name": "x"}', b"\xff"])
def test_a_list_that_is_none_is_told(tmp_path, line):
    Path(shards_uri(str(tmp_path))).write_bytes(line + b"\n")
    with pytest.raises(StorageError, match="tells of no published file"):
        list(read_shard_list(STORE, str(tmp_path)))
