"""What a record says in the end is what stands at the target, whatever happened beside the job's last steps."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from pathlib import Path

import google_crc32c
import pytest

from chimera_nb.jobs import outcome
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.outcome import end
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.service import JobService
from chimera_nb.settings import Settings
from pipeline.errors import ChimeraError, JobLogError, ObjectNotFoundError, TargetError
from pipeline.ledger import FileRecord, Part, Totals
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import abandon_target, begin_target, prepare_target
from pipeline.write import publish
from tests.fixtures.finishing import finish_job, list_shards

STORE = PlainStore()
SLOW, NEXT = "2024-01-19-00000001", "2024-01-19-00000002"


class KilledError(BaseException):
    """kill -9"""


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def log(tmp_path):
    opened = SqliteJobLog(tmp_path / "jobs.sqlite")
    yield opened
    opened.close()


def spec(out: Path, job_id: str, **fields) -> JobSpec:
    return JobSpec(inputs=("/in/x",), target=str(out), job_id=job_id, **fields)


def take(out: Path, job_id: str, **fields) -> JobSpec:
    its = spec(out, job_id, **fields)
    prepare_target(STORE, its, lambda _: False)
    return its


def finish(out: Path, job_id: str, shards: int = 3, **fields) -> dict:
    def part(kind: str, index: int, data: bytes) -> Part:
        uri = f"{out}/_chimera/{job_id}/{kind}/part-{index}"
        STORE.write_bytes(uri, data)
        crc32c = base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
        return Part(uri, len(data), data.count(b"\n"), crc32c)

    output = [part("output", i, f"{job_id} {i}\n".encode()) for i in range(shards)]
    records = [FileRecord(f"/in/{i}", "complete", lines=1, output_bytes=p.size) for i, p in enumerate(output)]
    totals = Totals()
    for record in records:
        totals = totals.add(record)
    ledger = [part("ledger", 0, b"".join(record.to_line() for record in records))]
    its = spec(out, job_id, **fields)
    return finish_job(
        STORE,
        its,
        {},
        listed=shards,
        totals=totals,
        output=output,
        ledger=ledger,
        published=list_shards(STORE, output, ledger, job_id, f"{out}/_chimera/{job_id}/list"),
    )


def outputs(out: Path) -> list[str]:
    return sorted(path.read_text() for path in out.glob("output/output-*"))


def files(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if not path.is_dir()}


def summary(out: Path) -> dict | None:
    path = out / "summary.json"
    return json.loads(path.read_bytes()) if path.exists() else None


def before_the_summary(monkeypatch, act) -> None:
    """Have something happen when all parts of the slow job are published, and before its summary is."""
    real = publish.summarise

    def summarise(its, *arguments):
        if its.job_id == SLOW:
            act()
        return real(its, *arguments)

    monkeypatch.setattr(publish, "summarise", summarise)


def another_is_whole(out: Path) -> None:
    abandon_target(STORE, spec(out, SLOW))
    begin_target(STORE, take(out, NEXT, overwrite=True))  # the ledger of the other is left
    finish(out, NEXT, shards=2, overwrite=True)


BESIDE = {
    "a viewer gives it up": lambda out: abandon_target(STORE, spec(out, SLOW)),
    "another takes its target": lambda out: take(out, NEXT, overwrite=True),
    "it sleeps for an hour, in which another is whole": another_is_whole,
}


@pytest.mark.parametrize("beside", BESIDE)
def test_a_job_that_lost_its_target_while_it_published_is_not_told_complete(out, log, monkeypatch, beside):
    its = take(out, SLOW)
    record = JobRecord.from_spec(its, runner="direct", runner_options={}, created_by="test")
    log.create(record)
    before_the_summary(monkeypatch, lambda: BESIDE[beside](out))
    with pytest.raises(TargetError, match=f"while job {SLOW} ran; nothing was published"):
        finish(out, SLOW)
    ended = end(STORE, record, log, Status.COMPLETE, "complete")
    assert (ended.status, ended.summary) == (Status.FAILED, None)
    whole = summary(out)
    if whole is None:
        assert outputs(out) == []
        assert ended.error is not None
    else:
        assert whole["jobId"] == NEXT
        assert outputs(out) == [f"{NEXT} {i}\n" for i in range(2)]
        assert f"was taken over by job {NEXT} while job {SLOW} ran" in ended.error


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_a_killed_job_had_published_is_gone_when_the_next_one_has_the_target(
    out, monkeypatch, overwrite
):
    take(out, SLOW)

    def killed() -> None:
        raise KilledError

    before_the_summary(monkeypatch, killed)
    with suppress(KilledError):
        finish(out, SLOW)
    assert len(outputs(out)) == 3
    (out / "ledger/ledger-00000-of-00001.ndjson").unlink()  # which says what was read, and keeps others away
    take(out, NEXT, overwrite=overwrite)
    assert outputs(out) == []
    finish(out, NEXT, shards=2, overwrite=overwrite)
    assert outputs(out) == [f"{NEXT} {i}\n" for i in range(2)]


def test_a_record_that_is_refused_loses_nothing_of_what_its_job_was_to_replace(tmp_path, out, monkeypatch):
    take(out, "old")
    finish(out, "old")
    old = files(out)
    (tmp_path / "in").mkdir()
    names = [
        tmp_path / "in" / f"{i}.ndjson" for i in range(300)
    ]  # so many that they are written to the target
    for name in names:
        name.write_text("{}\n")
    service = JobService(Settings(data_dir=tmp_path / "data"))

    def refuse(_record) -> None:
        raise JobLogError("the job log is full")

    monkeypatch.setattr(service.log, "create", refuse)
    with pytest.raises(JobLogError, match="is full"):
        service.submit([str(name) for name in names], str(out), overwrite=True)
    service.log.close()
    assert files(out) == old


def test_of_two_that_overwrite_at_once_the_one_that_is_whole_stays_whole(out, monkeypatch):
    """The first is stopped when it has seen what it is to delete, and goes on when the second is whole."""
    take(out, "old")
    finish(out, "old")
    take(out, "first", overwrite=True)
    real, turn = PlainStore.list_versions, []

    def list_versions(store, prefix, **how):
        found = list(real(store, prefix, **how))
        turn.append(prefix)
        if len(turn) == 1:
            second = take(out, "second", overwrite=True)
            begin_target(STORE, second)
            finish(out, "second", overwrite=True)
        return iter(found)

    monkeypatch.setattr(PlainStore, "list_versions", list_versions)
    with suppress(ChimeraError):
        begin_target(STORE, spec(out, "first", overwrite=True))
    assert summary(out)["jobId"] == "second"
    assert outputs(out) == ["second 0\n", "second 1\n", "second 2\n"]


GONE = {
    "its bucket is gone": ObjectNotFoundError("gs://b/out/", "there is no such object or bucket"),
    "its summary is none": TargetError("gs://b/out/summary.json is not what a job wrote: no JSON"),
}


@pytest.mark.parametrize("what", GONE)
@pytest.mark.parametrize("said", [Status.COMPLETE, Status.FAILED, Status.CANCELLED])
def test_a_job_whose_output_nobody_will_ever_see_is_ended_all_the_same(out, log, monkeypatch, what, said):
    record = JobRecord.from_spec(spec(out, SLOW), runner="direct", runner_options={}, created_by="test")
    log.create(record)

    def abandon(_store, _spec):
        raise GONE[what]

    monkeypatch.setattr(outcome, "abandon_target", abandon)
    ended = end(STORE, record, log, said, "its process is gone")
    assert ended.status is (Status.CANCELLED if said is Status.CANCELLED else Status.FAILED)
    assert str(GONE[what]) in ended.logs[-1]
