"""Files that failed, by cause; and what a retry of them would come to."""

from __future__ import annotations

import json
import os

import pytest

from chimera_nb.jobs import failures
from chimera_nb.jobs.failures import cause_text, failures_of, outlook
from chimera_nb.jobs.record import timestamp
from pipeline.errors import RefusedError
from pipeline.ledger import FileRecord
from pipeline.storage import PlainStore
from pipeline.storage.entries import Entry
from pipeline.target.layout import shard_uri, summary_uri
from tests.fixtures.memory_store import MemoryStore

STORE = PlainStore()
JOB = "2026-01-31-1a2b3c4d"


@pytest.fixture
def left(tmp_path):
    """A function that leaves the ledger of a job; its target."""

    def leave(*records: FileRecord) -> str:
        target = str(tmp_path / "out")
        STORE.write_bytes(shard_uri(target, "ledger", 0, 1), b"".join(each.to_line() for each in records))
        STORE.write_bytes(summary_uri(target), json.dumps({"jobId": JOB}).encode())
        return target

    return leave


def failed(uri, error, generation=None, size=0):
    return FileRecord(uri, "failed", error=error, generation=generation, size=size)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ('is not bz2: it begins with "no bz2 1200"', 'is not bz2: it begins with "x"'),
        (
            "the gzip data is corrupt after 1,024 unpacked bytes (Error -3)",
            "the gzip data is corrupt after 9 unpacked bytes (Error -3)",
        ),
        ("is gone: gs://b/a.1.bz2", "is gone: gs://b/2.bz2"),
    ],
)
def test_what_differs_from_file_to_file_is_no_other_cause(one, another):
    assert cause_text(one) == cause_text(another)


def test_failures_are_counted_by_cause_the_most_frequent_first(left, monkeypatch):
    records = [failed(f"/in/{n}", "is empty (0 bytes)") for n in range(5)]
    records += [failed(f"/in/bad{n}", f"is not bz2: it begins with b'{n}'", size=9) for n in range(9)]
    target = left(FileRecord("/in/good", "complete"), *records, failed("/in/odd", None))
    found = failures_of(STORE, target, JOB)
    assert [(cause.text, cause.files, cause.first) for cause in found.causes] == [
        ("is not bz2: it begins with …", 9, "/in/bad0"),
        ("is empty (0 bytes)", 5, "/in/0"),
        ("no reason is on record", 1, "/in/odd"),
    ]
    assert found.total == 15
    assert [one.uri for one in found.found(1)] == [f"/in/{n}" for n in range(5)]
    assert [one.uri for one in found.found(text="BAD3")] == ["/in/bad3"]
    assert [one.uri for one in found.found(text="no reason")] == ["/in/odd"]

    monkeypatch.setattr(failures, "KEPT", 3)
    monkeypatch.setattr(failures, "CAUSES", 1)
    found = failures_of(STORE, target, JOB)
    assert ([cause.files for cause in found.causes], len(found.files), found.total) == ([10, 5], 3, 15)


def test_those_of_another_job_are_not_taken_for_this_ones(left):
    with pytest.raises(RefusedError, match="now holds the output of job"):
        failures_of(STORE, left(failed("/in/1", "x")), "2026-01-30-00000000")
    with pytest.raises(RefusedError, match="not wanted"):
        failures_of(STORE, left(failed("/in/1", "x")), JOB, lambda: False)


def test_a_retry_can_succeed_where_the_file_is_another_by_now_or_was_never_read(left, monkeypatch):
    now = {
        "gs://b/same": Entry("gs://b/same", 9, 1),
        "gs://b/empty": Entry("gs://b/empty", 0, 1),
        "gs://b/new": Entry("gs://b/new", 9, 2),
        "gs://b/denied": Entry("gs://b/denied", 9, 3),
        "gs://b/a.tar": Entry("gs://b/a.tar", 9, 1),
        "gs://b/bomb": Entry("gs://b/bomb", 9, 1),
    }
    store = MemoryStore({})
    monkeypatch.setattr(
        store, "stat", lambda uri: now.get(uri) or STORE.stat(f"/nowhere/{uri}"), raising=False
    )
    target = left(
        failed("gs://b/same", "is not bz2: it begins with x", 1, 9),
        failed("gs://b/empty", "is empty (0 bytes)", 1),
        failed("gs://b/new", "is not bz2: it begins with x", 1, 9),
        failed("gs://b/denied", "permission storage.objects.get is missing", 3),
        failed("gs://b/a.tar!/x", "is cut off", 1, 9),
        failed("gs://b/bomb", "holds more than 9 …; allow more with max-ratio (0: no bound)", 1, 9),
        failed("gs://b/gone", "is empty (0 bytes)", 1),
    )
    found = outlook(store, failures_of(STORE, target, JOB), timestamp())
    assert sorted(found.can) == ["gs://b/denied", "gs://b/new"]
    assert (found.same, found.setting, found.gone, found.unknown) == (3, 1, 1, 0)
    assert found.text == (
        "2 of 7 can succeed now; 3 of 7 cannot until they are replaced: not bz2, empty, cut off; "
        "1 needs another setting, which the reason names; 1 is not there any more"
    )


def test_a_local_file_is_another_when_it_was_written_since(left, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for path in (old, new):
        path.write_bytes(b"")
    os.utime(old, (1, 1))
    target = left(failed(str(old), "is empty (0 bytes)"), failed(str(new), "is empty (0 bytes)"))
    found = outlook(STORE, failures_of(STORE, target, JOB), "2020-01-01T00:00:00.000Z")
    assert (found.can, found.same) == ((str(new),), 1)


def test_files_beyond_those_that_are_looked_at_are_not_known(left, monkeypatch):
    monkeypatch.setattr(failures, "LOOKED_AT", 1)
    found = outlook(STORE, failures_of(STORE, left(failed("/a", "x"), failed("/b", "x")), JOB), timestamp())
    assert (found.gone, found.unknown) == (1, 1)
    assert found.text == "1 is not there any more; of 1 it is not known"


def test_many_files_of_one_folder_are_looked_at_by_one_listing(left, tmp_path, monkeypatch):
    for n in range(30):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{n}").write_bytes(b"")
    monkeypatch.setattr(PlainStore, "stat", lambda *_: pytest.fail("asked one by one"))
    monkeypatch.setattr(failures, "LOOKED_AT", 0)
    target = left(*(failed(str(tmp_path / "in" / f"{n}"), "is empty (0 bytes)") for n in range(40)))
    found = outlook(STORE, failures_of(STORE, target, JOB), timestamp())
    assert (found.same, found.gone, found.unknown) == (30, 10, 0)
