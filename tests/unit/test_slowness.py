"""Where a job's time went: the slowest files, the spread of sizes, the stage that limits, and what helps against it."""

from __future__ import annotations

import json

import pytest

from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.slowness import FileSeconds, lines_of, time_spent, why_slow
from chimera_nb.jobs.transitions import Change, advance
from chimera_nb.widgets.base.messages import to_wire
from chimera_nb.widgets.job_monitor.time_spent import describe_time
from pipeline.codecs.stream import BufferedStream
from pipeline.ledger import FileRecord
from pipeline.read.file import read_file
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore

STORE = PlainStore()


def record(listing: float = 0.5, reading: float = 10.0, publishing: float = 0.5, **more) -> JobRecord:
    inputs, target, runner = (more.get(name) for name in ("inputs", "target", "runner"))
    spec = JobSpec((inputs or "gs://history/",), target or "gs://results/x", "j")
    known = {
        "listSeconds": listing,
        "readSeconds": listing + reading,
        "seconds": listing + reading + publishing,
    }
    made = JobRecord.from_spec(spec, runner=runner or "direct", now="2026-01-31T10:00:00.000Z")
    change = Change(status=Status.COMPLETE, progress=known, worker={"cores": 2}, summary={"shards": 7})
    return advance(made, change, "2026-01-31T10:01:00.000Z")


def files(count: int, seconds: float, *, wire: float = 0.0, disk: float = 0.0, size: int = 1000, codec="bz2"):
    return [
        FileSeconds(f"gs://history/{n:04}.bz2", "complete", size, codec, 10 * size, seconds, wire, disk)
        for n in range(count)
    ]


# What each limit is told by, and the remedy that fits it.
CASES = {
    "start": (record(4, 1, 0.1), files(10, 0.1), "more files in one job"),
    "listing": (record(300, 20, 2), files(10, 1.0), "select the folders"),
    "publishing": (record(1, 20, 60), files(10, 1.0), "fewer output files"),
    "wire": (record(), files(1000, 0.97, wire=0.96), "pack them into tars"),
    "codec": (record(), files(40, 0.5, wire=0.1, size=5_000_000), "zstd decodes about ten times"),
    "disk": (record(), files(40, 0.5, disk=0.4, size=5_000_000), "TMPDIR"),
    "file": (record(), [*files(40, 0.05), *files(1, 9.0, size=10**9)], "split it"),
    "": (record(), files(3, 0.0), ""),
}


@pytest.mark.parametrize(("limit", "case"), CASES.items(), ids=list(CASES))
def test_the_stage_that_limits_is_named_with_what_helps(limit, case):
    job, read, remedy = case
    found = why_slow(job, read)
    assert found.limit == limit
    assert remedy in found.remedy
    assert bool(found.why) is bool(limit)


def test_far_from_the_bucket_the_remedy_is_to_go_there_and_on_dataflow_more_workers():
    large = files(100, 2.4, wire=2.3, size=5_000_000)
    assert "run on Dataflow" in why_slow(record(), large).remedy
    assert "more workers" in why_slow(record(runner="dataflow"), large).remedy
    assert "faster disk" in why_slow(record(inputs="/data/"), files(9, 2.0, wire=1.9)).remedy


def test_the_ten_slowest_files_their_share_and_the_spread_of_sizes():
    read = [
        FileSeconds(f"f{n}", "complete", size=10**n, seconds=float(n)) for n in (3, 1, 9, 2, 8, 4, 7, 5, 6, 0)
    ]
    found = why_slow(record(), [*read, *files(10, 0.5)])
    assert [one.uri for one in found.slowest] == [
        *(f"f{n}" for n in range(9, 0, -1)),
        "gs://history/0000.bz2",
    ]
    assert found.slowest[0].share == pytest.approx(9 / 50)
    assert found.share == pytest.approx(45.5 / 50)
    assert (found.files, found.seconds) == (20, 50.0)
    sizes = found.sizes
    assert (sizes.least, sizes.median, sizes.most_of_ten, sizes.largest) == (1, 1000, 10**7, 10**9)
    assert found.stages == {"listing": 0.5, "reading": 10.0, "publishing": 0.5}
    document = json.loads(json.dumps(found.to_json()))
    assert document["slowest"][0] == {
        "uri": "f9",
        "seconds": 9.0,
        "share": 9 / 50,
        "size": 10**9,
        "rawBytes": 0,
        "codec": None,
    }
    told = dict(lines_of(found))
    assert told["slowest"] == "10 of 20 files took 91% of the 50.0 s of all"
    assert told["sizes"] == "1 B to 1.0 GB; half up to 1.0 kB, nine of ten up to 10.0 MB"


def test_a_job_of_before_there_were_such_numbers_tells_what_is_known():
    old = JobRecord.from_spec(JobSpec(("/in/",), "/out", "j"), runner="direct")
    found = why_slow(old, [FileSeconds("a", "complete", seconds=2.0)])
    assert (found.stages, found.limit, len(found.slowest)) == ({}, "codec", 1)
    assert why_slow(old, []).slowest == ()


def test_the_ledger_is_read_of_this_job_alone_and_the_monitor_shows_the_same(tmp_path):
    lines = [
        FileRecord("gs://b/\udcff", "complete", size=5, seconds=1.5, wire_seconds=1.0, job_id="j"),
        FileRecord("gs://b/skipped", "skipped", size=7, job_id="j"),
        FileRecord("gs://b/other", "complete", size=5, seconds=9.0, job_id="k"),
        FileRecord("gs://b/old", "failed", size=50, seconds=0.5),
    ]
    STORE.write_bytes(
        f"{tmp_path}/ledger/ledger-00000-of-00001.ndjson", b"".join(line.to_line() for line in lines)
    )
    job = record(inputs="/in/", target=str(tmp_path))
    found = time_spent(STORE, job)
    assert (found.files, found.seconds, found.work["wire"]) == (2, 2.0, 1.0)
    shown = to_wire(describe_time(STORE, job))
    assert [row[1:] for row in shown["rows"]] == [[1.5, 0.75, 5.0], [0.5, 0.25, 50.0]]
    assert shown["lines"] == [list(line) for line in lines_of(found)]


class _Slow:
    def __init__(self, pieces):
        self._pieces = iter(pieces)

    def read(self, _):
        return next(self._pieces, b"")


def test_what_a_stream_waits_for_is_the_wires_and_not_the_codecs(tmp_path, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr("pipeline.codecs.stream.time.monotonic", lambda: float(next(clock)))
    stream = BufferedStream(_Slow([b"ab", b"c"]))
    assert stream.take(3) == b"abc"
    assert stream.waited == 2.0
    monkeypatch.undo()
    STORE.write_bytes(f"{tmp_path}/a.json", b'{"a": 1}\n' * 1000)
    read = read_file(STORE, f"{tmp_path}/a.json").record
    assert 0 <= read.wire_seconds <= read.seconds
    assert read.disk_seconds == 0
