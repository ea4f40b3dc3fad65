"""What was listed is what is read: an object that is replaced meanwhile is a failed file, or taken as it is by then."""

from __future__ import annotations

import json

import pytest

from pipeline.__main__ import main
from pipeline.errors import ObjectChangedError
from pipeline.graph.list_stages import ListGCSFiles
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import ledger_records, output_shards

STORE = PlainStore()
FILES = 600  # in three packets


@pytest.fixture
def place(bucket):
    return f"gs://{bucket}"


def line(number: int, version: str) -> bytes:
    return json.dumps({"file": number, "version": version}).encode() + b"\n"


@pytest.mark.parametrize("newest", [False, True])
def test_a_file_that_is_replaced_after_it_was_listed(place, monkeypatch, newest):
    for number in range(FILES):
        STORE.write_bytes(f"{place}/in/{number:03}.ndjson", line(number, "old"))
    listed_all = ListGCSFiles.finish_bundle
    packets = []

    def then_replaced(self):
        packets.extend(found := list(listed_all(self)))
        STORE.write_bytes(f"{place}/in/007.ndjson", line(7, "new"))
        STORE.delete([f"{place}/in/008.ndjson"])
        yield from found

    monkeypatch.setattr(ListGCSFiles, "finish_bundle", then_replaced)
    options = ["--source", "ndjson", *(["--newest"] if newest else [])]
    main(["--input", f"{place}/in/", "--target", f"{place}/out", *options])
    assert len(packets) == 1  # the two that were full have gone before

    summary = read_summary(STORE, f"{place}/out")
    failed = {record.uri: record.error for record in ledger_records(STORE, f"{place}/out", status="failed")}
    output = b"".join(STORE.read_bytes(uri) for uri in output_shards(STORE, f"{place}/out"))
    kept = [number for number in range(FILES) if number not in {7, 8}]
    lines = [line(number, "old") for number in kept]
    gone = "was replaced or deleted since it was listed; run the job again, or with --newest"
    if newest:
        assert list(failed) == [f"{place}/in/008.ndjson"]
        assert "there is no such object" in failed[f"{place}/in/008.ndjson"]
        lines.append(line(7, "new"))
    else:
        assert failed == {f"{place}/in/007.ndjson": gone, f"{place}/in/008.ndjson": gone}
    assert sorted(output.splitlines(keepends=True)) == sorted(lines)
    assert summary["files"]["listed"] == FILES


def test_a_generation_that_was_listed_is_read_or_told(place):
    uri = f"{place}/x"
    STORE.write_bytes(uri, b"old")
    (entry,) = STORE.list_objects(uri)
    with STORE.open_read(uri, generation=entry.generation) as stream:
        assert stream.read_whole() == b"old"
    STORE.write_bytes(uri, b"new")
    with pytest.raises(ObjectChangedError, match="since it was listed"):
        STORE.open_read(uri, generation=entry.generation)
