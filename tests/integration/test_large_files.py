"""Files that are so large that several workers decode each: what a job makes of them is what it makes of any file."""

from __future__ import annotations

import bz2
import random
from collections import Counter
from dataclasses import replace

import pytest

from pipeline import progress
from pipeline.__main__ import main
from pipeline.graph import range_stages, read_stages
from pipeline.proof import verify
from pipeline.read import large
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import ledger_records, output_shards

STORE = PlainStore()
RANGES = 8  # of a file that is little larger than what is asked for

pytestmark = pytest.mark.timeout(120)


def records(seed: int, count: int = 60_000) -> bytes:
    r = random.Random(seed)
    return b"".join(b'{"n":%d,"x":"%x"}\n' % (n, r.getrandbits(120)) for n in range(count))


@pytest.fixture(scope="module")
def raw() -> bytes:
    return records(1)


@pytest.fixture(scope="module")
def stored(raw) -> bytes:
    """Two streams, of blocks of 100 kB; more than a MB of them."""
    half = raw.index(b"\n", len(raw) // 2) - 20
    data = bz2.compress(raw[:half], 1) + bz2.compress(raw[half:], 1)
    assert len(data) > 1_050_000
    return data


def put(place: str, files: dict[str, bytes]) -> str:
    for name, data in files.items():
        STORE.write_bytes(f"{place}/in/{name}", data)
    return place


def run(place: str, *arguments: str, out: str = "out", split_mb: int = 1) -> str:
    target = f"{place}/{out}"
    split = ("--split-mb", str(split_mb))
    assert main(["--input", f"{place}/in/", "--target", target, *split, *arguments]) == 0
    return target


def output(target: str) -> bytes:
    return b"".join(STORE.read_bytes(uri) for uri in output_shards(STORE, target))


def told(target: str) -> list:
    """What is on record of each file, but for what differs from job to job."""
    records = sorted(ledger_records(STORE, target), key=lambda record: record.uri)
    return [
        replace(record, seconds=0, wire_seconds=0, disk_seconds=0, job_id=None, shard=None, offset=None)
        for record in records
    ]


def test_it_is_what_reading_it_in_order_makes_of_it(place, raw, stored):
    small = b'{"small":1}\n'
    put(place, {"large.bz2": stored, "small.bz2": bz2.compress(small), "named.gz": stored})
    whole = run(place, out="whole", split_mb=0)
    parted = run(place)
    assert told(parted) == told(whole)
    assert len(output_shards(STORE, whole)) == 1
    assert len(output_shards(STORE, parted)) == 2 * RANGES + 1
    data = output(parted)
    assert data.count(raw) == 2  # each in one piece, in its order
    assert len(data) == 2 * len(raw) + len(small)
    verdict = verify(STORE, parted, deep=True)
    assert verdict.proved, verdict.findings
    same = {"files", "lines", "rawBytes", "compressedBytes", "outputBytes"}
    first, second = (read_summary(STORE, target) for target in (whole, parted))
    assert {key: first[key] for key in same} == {key: second[key] for key in same}


def test_its_lines_are_written_again_into_as_many_files_as_are_wanted(tmp_path, raw, stored):
    target = run(put(str(tmp_path), {"large.bz2": stored}), "--shards", "3")
    assert output(target) == raw
    assert len(output_shards(STORE, target)) == 3
    assert verify(STORE, target, deep=True).proved


def at_fault(stored: bytes) -> dict[str, bytes]:
    r = random.Random(1)
    flipped = bytearray(stored)
    flipped[700_000] ^= 4
    noise = bytes(r.choices(range(11, 256), k=1_300_000))
    return {
        "flipped.bz2": bytes(flipped),
        "cut.bz2": stored[:-20_000],
        "behind.bz2": stored + b"<!-- mirrored -->",
        "bomb.bz2": stored
        + bz2.compress(b"\n" * 30_000_000),  # beyond --max-ratio in one range, and in all together
        "utf-16.bz2": bz2.compress(records(2).decode().encode("utf-16"), 1),
        "html.bz2": bz2.compress(b"<!DOCTYPE html><html>" + r.randbytes(1_100_000), 1),
        "no-line.bz2": bz2.compress(noise, 1),
        "small.bz2": bz2.compress(b'{"small":1}\n'),
    }


@pytest.mark.parametrize("keep", [[], ["--keep-partial"]], ids=["", "keep"])
def test_what_is_at_fault_is_told_as_of_any_file_and_its_bytes_are_counted_once(
    tmp_path, stored, keep, monkeypatch
):
    reading = Counter()  # as Dataflow is told of files that are not through

    def count_reading(stored_bytes, raw_bytes):
        reading.update({"read-bytes": stored_bytes, "raw-bytes": raw_bytes})

    monkeypatch.setattr(range_stages, "count_reading", count_reading)
    monkeypatch.setattr(read_stages, "count_reading", count_reading)
    files = at_fault(stored)
    assert [name for name, data in files.items() if len(data) < 1_000_000] == ["small.bz2"]
    place = put(str(tmp_path), files)
    more = [*keep, "--max-ratio", "20"]
    counted = []
    for out, split_mb in (("whole", 0), ("out", 1)):
        progress.reset()
        reading.clear()
        run(place, *more, out=out, split_mb=split_mb)
        tallied = progress.snapshot()
        counted.append([tallied["read-bytes"], tallied["raw-bytes"]])
        assert counted[-1] == [reading["read-bytes"], reading["raw-bytes"]]
    assert counted[0] == counted[1]
    whole, parted = f"{place}/whole", f"{place}/out"
    assert told(parted) == told(whole)
    assert sorted(output(parted).split(b"\n")) == sorted(output(whole).split(b"\n"))
    assert verify(STORE, parted, deep=True).proved
    names = {
        entry.uri.removeprefix(f"{parted}/").partition("/")[0] for entry in STORE.list_objects(f"{parted}/")
    }
    assert names == {"ledger", "output", "shards.ndjson", "summary.json"}


def test_one_that_is_replaced_while_it_is_read_is_read_in_order(tmp_path, stored, raw, monkeypatch):
    place, other = str(tmp_path), records(3)
    look = large.look_at_large

    def looked_at_before_it_is_replaced(store, stream, wanted):
        found = look(store, stream, wanted)
        STORE.write_bytes(f"{place}/in/large.bz2", bz2.compress(other, 1))
        return found

    monkeypatch.setattr("pipeline.read.file.look_at_large", looked_at_before_it_is_replaced)
    target = run(put(place, {"large.bz2": stored}))
    assert output(target) == other
    assert verify(STORE, target, deep=True).proved


def test_a_bundle_that_is_repeated_counts_once(tmp_path, stored, raw, monkeypatch):
    """What a range wrote before its worker died is in no output; it is removed with the job's other parts."""

    class Twice(range_stages.PartWriter):
        """One that is abandoned, and one that counts."""

        def __init__(self, *args, **kwargs):
            abandoned = range_stages_writer(*args, **{**kwargs, "name": kwargs["name"][:-1] + "x"})
            list(abandoned.write(b'{"abandoned":1}\n'))
            list(abandoned.finish())
            super().__init__(*args, **kwargs)

    range_stages_writer = range_stages.PartWriter
    monkeypatch.setattr(range_stages, "PartWriter", Twice)
    target = run(put(str(tmp_path), {"large.bz2": stored}))
    assert output(target) == raw
    assert verify(STORE, target, deep=True).proved
