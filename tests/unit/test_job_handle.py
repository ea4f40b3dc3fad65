"""Job, and how to come by one; a real job of a bucket is in tests/integration/test_toolkit_data.py."""

from __future__ import annotations

import asyncio
import io
import json
import threading

import pandas as pd
import pytest
from rich.console import Console

import chimera_nb as ch
from chimera_nb import job_handle, job_progress
from chimera_nb.jobs import service
from chimera_nb.jobs.log.ids import new_job_id
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.transitions import Change
from chimera_nb.session import Session
from chimera_nb.settings import Settings
from pipeline.errors import JobNotFoundError, RefusedError, UnknownNameError
from pipeline.ledger import FileRecord
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from pipeline.target.layout import shard_uri, summary_uri

STORE = PlainStore()


class Started:
    """A runner whose jobs begin, and end when they are asked to."""

    def __init__(self, log):
        self.log = log

    def options_of(self, spec, wanted):
        return dict(wanted)

    def launch(self, record):
        return self.log.update(record.job_id, Change(status=Status.RUNNING))

    def settle(self, record):
        return record

    def cancel(self, record):
        return self.log.update(record.job_id, Change(status=Status.CANCELLED))


@pytest.fixture
def session(tmp_path):
    with Session(Settings(data_dir=tmp_path / "data")) as session:
        session.service._runners["direct"] = Started(session.log)
        yield session


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "in"
    made.mkdir()
    for name in ("a", "b", "c"):
        (made / f"{name}.ndjson").write_bytes(b'{"n": 1}\n')
    return made


@pytest.fixture
def job(session, folder, tmp_path):
    return ch.submit(folder, tmp_path / "out", shards=1, session=session)


def end(session, job, *, failed=("b",), status=Status.COMPLETE):
    """Leave what a job leaves."""
    rows = [{"n": n} for n in range(5)]
    data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    records = [
        FileRecord(f"{job.target}/{name}.bz2", "failed", error="its data ends too early", job_id=job.id)
        if name in failed
        else FileRecord(f"{job.target}/{name}.bz2", "complete", size=9, lines=2, seconds=0.5, job_id=job.id)
        for name in ("a", "b", "c")
    ]
    STORE.write_bytes(shard_uri(job.target, "ledger", 0, 1), b"".join(record.to_line() for record in records))
    STORE.write_bytes(shard_uri(job.target, "output", 0, 1), data)
    summary = {"jobId": job.id, "shards": 1, "outputBytes": len(data), "lines": len(rows)}
    STORE.write_bytes(summary_uri(job.target), json.dumps(summary).encode())
    session.log.update(job.id, Change(status=status, summary=summary))


def test_a_job_is_submitted_and_found_again(session, job, folder, tmp_path):
    assert isinstance(job, ch.Job)
    assert (job.status, job.ended, job.url, job.target) == ("running", False, None, str(tmp_path / "out"))
    assert job.record.spec["shards"] == 1
    found = ch.job(job.id, session=session)
    assert repr(found) == f"<Job {job.id}: running, to {tmp_path}/out>"
    table = ch.jobs(session=session)
    assert table[["job", "status", "target"]].to_dict("records") == [
        {"job": job.id, "status": "running", "target": job.target}
    ]
    assert ch.jobs(status="complete", session=session).empty
    assert ch.jobs(status=["running", "failed"], text=job.id, session=session).job.tolist() == [job.id]
    with pytest.raises(UnknownNameError, match="no status is named 'done'"):
        ch.jobs(status="done", session=session)
    with pytest.raises(JobNotFoundError):
        ch.job("2026-01-31-00000000", session=session)
    with pytest.raises(RefusedError, match="no option of a job is named 'sharts'"):
        ch.submit(folder, tmp_path / "other", sharts=1, session=session)


def test_more_jobs_than_a_page_has_are_listed(session, monkeypatch):
    monkeypatch.setattr(service, "MAX_LIMIT", 2)
    for n in range(5):
        spec = JobSpec(("/in/",), f"/out/{n}", new_job_id())
        session.log.create(JobRecord.from_spec(spec, runner="direct"))
    assert len(ch.jobs(session=session)) == 5
    assert len(ch.jobs(3, session=session)) == 3
    assert {*ch.jobs(10, session=session).target} == {f"/out/{n}" for n in range(5)}


def test_waiting_ends_with_the_job_or_with_the_time(session, job, capsys):
    assert job.wait(0.01).status == "running"
    ending = threading.Timer(
        0.05, session.log.update, (job.id, Change(status=Status.FAILED, error="no luck"))
    )
    ending.start()
    assert job.wait() is job
    ending.join()
    assert (job.status, job.record.error) == ("failed", "no luck")
    assert capsys.readouterr() == ("", "")  # no terminal and no kernel: nothing shows


def test_awaiting_a_job_leaves_the_loop_to_others(session, job, monkeypatch):
    monkeypatch.setattr(job_handle, "_LOOK_EVERY", 0.01)

    async def both():
        async def another():
            await asyncio.sleep(0.05)  # would never be over where the loop was held up
            session.log.update(job.id, Change(status=Status.COMPLETE))

        work = asyncio.ensure_future(another())
        found = await job
        await work
        return found

    assert asyncio.run(both()) is job
    assert job.status == "complete"


def test_a_job_is_ended_and_run_again(session, job, tmp_path):
    with pytest.raises(RefusedError, match="wait for its end"):
        job.retry()
    copy = job.clone(tmp_path / "copy", shards=2)
    assert (copy.target, copy.record.spec["shards"], copy.status) == (str(tmp_path / "copy"), 2, "running")
    assert copy.cancel() is copy
    assert copy.wait().status == "cancelled"
    end(session, job, failed=("b",))
    (tmp_path / "out" / "b.bz2").write_bytes(b"x")
    again = job.retry()
    assert again.record.spec["inputs"] == [f"{job.target}/b.bz2"]
    assert again.target.startswith(f"{job.target}-retry-")
    with pytest.raises(RefusedError, match="complete already"):
        job.cancel()


def test_the_ledger_and_the_output_are_frames(session, job):
    with pytest.raises(RefusedError, match=r"is running; wait for its end: job.wait\(\)"):
        job.ledger()
    end(session, job, failed=("b",))
    ledger = job.ledger()
    assert ledger.uri.str.rpartition("/")[2].tolist() == ["a.bz2", "b.bz2", "c.bz2"]
    assert ledger.status.tolist() == ["complete", "failed", "complete"]
    assert ledger.dtypes.astype(str).to_dict() | {
        "size": "Int64",
        "error": "string",
        "seconds": "float64",
    } == (ledger.dtypes.astype(str).to_dict())
    assert job.failures().error.tolist() == ["its data ends too early"]
    assert list(job.failures()) == list(ledger)
    assert job.frame().n.tolist() == [0, 1, 2, 3, 4]
    assert job.frame(where={"n": [1, 2]}, columns=["n"]).n.tolist() == [1, 2]
    assert [len(batch) for batch in job.frame(batch_rows=2)] == [2, 2, 1]


def test_a_complete_job_without_failures_has_an_empty_frame_of_them(session, job):
    end(session, job, failed=())
    assert job.failures().empty
    assert "error" in job.failures()


def test_a_job_that_left_nothing_says_why(session, job):
    session.log.update(job.id, Change(status=Status.FAILED, error="no luck"))
    for ask in (job.ledger, job.failures):
        with pytest.raises(RefusedError, match=r"is failed \(no luck\): it left no ledger"):
            ask()
    with pytest.raises(RefusedError, match=r"is failed \(no luck\)"):
        job.frame()
    with pytest.raises(RefusedError, match="left no output"):
        job.verify()


def test_what_is_at_the_target_of_another_job_is_not_this_ones(session, job):
    end(session, job)
    summary = {"jobId": "2026-01-31-00000000", "shards": 0, "outputBytes": 0, "lines": 0}
    STORE.write_bytes(summary_uri(job.target), json.dumps(summary).encode(), create_only=False)
    for ask in (job.ledger, job.failures, job.frame):
        with pytest.raises(RefusedError, match="now holds the output of job 2026-01-31-00000000"):
            ask()


def test_a_job_shows_as_a_monitor_in_a_kernel_and_as_text_elsewhere(job, monkeypatch):
    assert job._repr_mimebundle_(include=None, exclude=None) == {"text/plain": repr(job)}
    monkeypatch.setattr(job_handle, "in_kernel", lambda: True)
    data, _ = job._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == repr(job)


def test_a_bar_on_a_terminal_ends_where_the_job_does(job):
    out = io.StringIO()
    progress = {"filesListed": 4, "filesComplete": 2, "filesFailed": 1, "lines": 1000}
    record = job_handle.Job(job.record, job._session).record
    with job_progress.terminal_bar(Console(file=out, force_terminal=True, width=120)) as show:
        show(JobRecord(**{**vars(record), "progress": progress}))
    assert "3 of 4 files" in out.getvalue()
    assert "1,000 lines" in out.getvalue()


def test_what_is_there_is_listed_as_a_frame(session, folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "d.ndjson").touch()
    found = ch.ls(folder, session=session)
    assert found.uri.tolist() == [f"{folder}/sub/", *(f"{folder}/{name}.ndjson" for name in "abc")]
    assert found["size"].tolist() == [pd.NA, 9, 9, 9]
    assert len(ch.ls(folder, 2, session=session)) == 2
    assert ch.ls(f"{folder}/**/*.ndjson", session=session).shape == (4, 3)
    with pytest.raises(ch.ChimeraError, match="nothing is in"):
        ch.ls(folder / "none", session=session)


def test_browse_gives_a_browser_with_what_it_is_told(session, folder):
    browser = ch.browse(folder, session=session, height=200)
    assert isinstance(browser, ch.BucketBrowser)
    assert (browser.path, browser.height) == (f"{folder}/", 200)
    assert browser._session is session
    browser.close()


def test_sources_are_told_with_what_they_read():
    assert {"betfair", "ndjson"} <= ch.sources().keys()
    assert all(ch.sources().values())
