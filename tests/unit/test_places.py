from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ReconciliationError, StorageError, TransferError
from pipeline.graph import publish_stages
from pipeline.graph.publish_stages import PlaceRecords
from pipeline.graph.shard_stages import places_in_workbook, places_of_shards
from pipeline.ledger import FileRecord, Part
from pipeline.read.lines import joined
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from pipeline.storage.local_streams import FileReader
from pipeline.target.layout import shard_name, shards_uri
from pipeline.write.line_offsets import PartNumbers
from pipeline.write.shard_list import PublishedFile, read_shard_list
from pipeline.write.shards import locate, plan_cuts, plan_shards, write_shard
from tests.fixtures.finishing import in_order, indexes_of, list_shards

STORE = PlainStore()
LINE = st.sampled_from([b"\n", b"a\n", b"\r\n", b"bcdefgh\n", b"\xff" * 30 + b"\n"])
PARTS = st.lists(st.lists(LINE, max_size=12).map(b"".join), max_size=6)


def parts_of(folder: Path, contents: list[bytes]) -> list[Part]:
    parts = []
    for number, data in enumerate(contents):
        path = folder / "output" / f"part-{number:03d}.ndjson"
        path.parent.mkdir(exist_ok=True)
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
        places = PartNumbers([*reversed(indexes_of(parts))])
    else:
        offsets = {cut.uri: cut for cut in map(partial(locate, STORE), plan_cuts(parts, wanted))}
        shards = plan_shards(parts, offsets, wanted)
        of = in_order(parts)
        written = [Path(write_shard(STORE, s, of, f"{folder}/out").uri).read_bytes() for s in shards]
        places = places_of_shards(f"{folder}/output", [*shards[::-1], *indexes_of(parts)])
    names = [shard_name("output", index, len(written)) for index in range(len(written))]
    for part, data in zip(parts, contents, strict=True):
        for offset in range(len(data)):
            name, at = places.find(part.uri, offset)
            assert written[names.index(name)][at : at + 1] == data[offset : offset + 1]


def place_records(ledgers: list[Part], layout: list, folder: Path) -> list[Part]:
    """What a bundle makes of ledger files."""
    spec = JobSpec(inputs=("/in",), target=str(folder), job_id="me")
    stage = PlaceRecords(STORE, spec, PartNumbers)
    stage.start_bundle()
    given = [part for ledger in ledgers for part in stage.process(ledger, layout)]
    return given + [each.value for each in stage.finish_bundle()]


def ledger_file(folder: Path, name: str, *records: FileRecord) -> Part:
    path = folder / name
    path.write_bytes(b"".join(record.to_line() for record in records))
    return Part(str(path), path.stat().st_size, len(records), None)


@pytest.mark.parametrize("small", [1 << 20, 0])
def test_ledger_files_are_written_again_as_one_with_shards_for_parts(tmp_path, monkeypatch, small):
    monkeypatch.setattr(publish_stages, "_SMALL_BYTES", small)
    layout = indexes_of(
        [
            Part("gs://b/J/output/part-1.ndjson", 20, 2, None),
            Part("gs://b/J/output/part-0.ndjson", 30, 3, None),
        ]
    )
    in_part = FileRecord(
        "/in/a", "complete", lines=1, output_bytes=10, shard="gs://b/J/output/part-1.ndjson", offset=10
    )
    failed = FileRecord("/in/\udcff", "failed", error="is empty")
    ledgers = [ledger_file(tmp_path, "1", in_part, failed), ledger_file(tmp_path, "2", failed)]
    (placed,) = place_records(ledgers, layout, tmp_path)
    data = Path(placed.uri).read_bytes()
    first, *rest = map(FileRecord.from_line, data.splitlines())
    assert (first.shard, first.offset, first.output_bytes) == ("output-00001-of-00002.ndjson", 10, 10)
    assert rest == [failed, failed]
    assert (placed.lines, placed.size) == (3, len(data))


def test_parts_in_folders_are_found_by_their_folders():
    parts = [
        Part(f"/t/_chimera/J/output/{folder}part-{name}.csv", 9, 1, None, folder=folder)
        for folder in ("type=7/", "type=10/")
        for name in ("a1", "b1")
    ]
    places = PartNumbers(indexes_of(parts))
    found = [places.find(part.uri, 7) for part in sorted(parts)]
    assert found == [
        (f"{part.folder}output-{number:05d}-of-00004.csv", 7) for number, part in enumerate(sorted(parts))
    ]


def test_a_ledger_file_that_arrives_otherwise_than_the_store_has_it_is_not_written_again(
    tmp_path, monkeypatch
):
    """Of more than one window the bytes are compared at the end alone."""
    ledger = ledger_file(tmp_path, "ledger", FileRecord("/in/a", "failed", error="is empty"))
    monkeypatch.setattr(FileReader, "_expected", lambda _: (ledger.size, "AAAAAA=="))
    with pytest.raises(TransferError, match=r"its CRC-32C is .* as read and AAAAAA== in the bucket"):
        place_records([ledger], [], tmp_path)
    assert not (tmp_path / "_chimera").exists()


def test_lines_in_a_part_that_was_never_written_are_told():
    there = Part("/J/output/part-there", 9, 1, None)
    places = PartNumbers(indexes_of([there]))
    for gone in ("/gone", "/J/output/part-thereafter", "/J/output/a=1/part-there"):
        with pytest.raises(ReconciliationError, match=rf"{gone}: the ledger tells of lines in it at byte 7"):
            places.find(gone, 7)
        for others in (places_of_shards, places_in_workbook):
            with pytest.raises(ReconciliationError, match=rf"{gone}: the ledger tells of lines"):
                others("/J/output", indexes_of([there])).find(gone, 7)


def test_rows_in_a_workbook_are_behind_those_of_the_parts_before():
    parts = [
        Part(f"/J/output/part-{name}", 9, lines, None) for name, lines in (("b1", 3), ("a1", 5), ("a2", 7))
    ]
    places = places_in_workbook("/J/output", indexes_of(parts))
    assert [places.find(part.uri, 2) for part in sorted(parts)] == [
        ("output-00000-of-00001.xlsx", row) for row in (2, 7, 14)
    ]


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
    part = list_shards(STORE, output, ledger, "me", str(tmp_path / "parts"))
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
