"""JobMonitor without a browser, what came of a job: its result, its failures, its log."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import sqlite3

import pytest

from chimera_nb.jobs.failures import Outlook
from chimera_nb.jobs.record import Status
from chimera_nb.jobs.service import JobService
from chimera_nb.jobs.transitions import Change
from chimera_nb.session import Session
from chimera_nb.settings import Settings
from chimera_nb.widgets.job_monitor import follower
from chimera_nb.widgets.job_monitor.widget import JobMonitor
from pipeline.errors import RefusedError
from pipeline.ledger import FileRecord
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from pipeline.target.layout import shard_uri, summary_uri
from tests.fixtures.job_logs import put_in, put_on_record
from tests.fixtures.waiting import until_async
from tests.fixtures.widgets import ask

STORE = PlainStore()


@pytest.fixture
def session(tmp_path):
    with Session(Settings(data_dir=tmp_path / "data")) as session:
        yield session


@pytest.fixture
def log(session):
    return session.log


@pytest.fixture
def job(log, tmp_path):
    return put_on_record(log, tmp_path)


def finish(log, job, rows):
    target = JobSpec.from_json(log.get(job).spec).target
    data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    STORE.write_bytes(shard_uri(target, "output", 0, 1), data)
    summary = {"jobId": job, "shards": 1, "outputBytes": len(data), "lines": len(rows)}
    STORE.write_bytes(summary_uri(target), json.dumps(summary).encode())
    log.update(job, Change(status=Status.COMPLETE, summary=summary))


def test_the_result_of_a_complete_job_is_opened_and_saved(session, job, log):
    finish(log, job, [{"a": n, "b": "=1+1"} for n in range(30)])
    sent = []

    async def watch():
        monitor = JobMonitor(job, session)
        monitor.send = sent.append
        ask(monitor, "hello")
        await until_async(lambda: monitor._failures.get("state") == "ready")
        assert (monitor._failures["total"], monitor._failures["causes"]) == (0, [])
        assert monitor._result["state"] == "ready"
        ask(monitor, "look", "the view", subject=job, look=7, sort="a", descending=True)
        await until_async(lambda: sent[-1]["kind"] == "table")
        assert (sent[-1]["view"], sent[-1]["look"], sent[-1]["rows"][0]) == ("the view", 7, ["29", "=1+1"])
        ask(monitor, "moreRows", "the view", begin=25)
        assert [row[0] for row in sent[-1]["rows"]] == ["4", "3", "2", "1", "0"]
        ask(monitor, "saveTable", "the view", subject=job, saving=1, format="csv", sort="a", descending=True)
        await until_async(lambda: sent[-1]["kind"] == "chunk")
        assert (sent[-1]["view"], sent[-1]["name"]) == ("the view", f"{job}.csv")
        saved = base64.b64decode(sent[-1]["data"]).decode().splitlines()
        assert (saved[:2], len(saved)) == (['"a","b"', '29,"\'=1+1"'], 31)
        before = len(sent)
        ask(monitor, "look", "the view", subject="2026-01-31-00000000", look=8)
        await asyncio.sleep(0.05)
        assert len(sent) == before
        monitor.close()

    asyncio.run(watch())


def test_failures_come_by_cause_all_of_them_and_a_retry_says_what_it_can(
    session, job, log, tmp_path, monkeypatch
):
    target = JobSpec.from_json(log.get(job).spec).target
    empty = tmp_path / "old.bz2"
    empty.write_bytes(b"")
    os.utime(empty, (1, 1))
    records = [
        FileRecord(str(empty), "failed", error="is empty (0 bytes)"),
        *(FileRecord(f"/nowhere/{n}.bz2", "failed", error=f"is cut off at {n}", size=1) for n in range(250)),
    ]
    STORE.write_bytes(shard_uri(target, "ledger", 0, 1), b"".join(each.to_line() for each in records))
    log.update(job, Change(status=Status.FAILED, error="too many failed", progress={"filesFailed": 251}))
    sent, retried = [], []

    def retry(service, job_id, *, only):
        retried.append(only)
        return service.get(job_id)

    monkeypatch.setattr(JobService, "retry", retry)

    async def watch():
        monitor = JobMonitor(job, session)
        monitor.send = sent.append
        ask(monitor, "hello")
        await until_async(lambda: monitor._failures.get("outlook"))
        assert monitor._failures["outlook"] == (
            "1 of 251 cannot until it is replaced: empty; 250 are not there any more"
        )
        first, second = monitor._failures["causes"]
        assert (first["text"], first["files"], second["files"]) == ("is cut off at …", 250, 1)
        ask(monitor, "failedFiles", job=job, cause=0, text="", begin=100)
        assert (len(sent[-1]["rows"]), sent[-1]["matched"], sent[-1]["rows"][0][0]) == (
            *(100, 250),
            "/nowhere/100.bz2",
        )
        ask(monitor, "failedFiles", job=job, cause=-1, text="EMPTY", begin=0)
        assert sent[-1]["rows"] == [[str(empty), "is empty (0 bytes)"]]
        ask(monitor, "saveFailures", job=job, saving=1)
        await until_async(lambda: sent[-1]["kind"] == "chunk")
        assert len(base64.b64decode(sent[-1]["data"]).splitlines()) == 252
        ask(monitor, "nextChunk", saving=1)
        await until_async(lambda: sent[-1]["kind"] == "chunk" and not sent[-1]["data"])
        assert sent[-1]["note"] == "251 files"
        for asked, only in ((False, None), (True, None)):  # none can succeed
            before = len(retried)
            ask(monitor, "retry", job=job, all=asked)
            await until_async(lambda before=before: len(retried) > before and not monitor._busy)
            assert retried[-1] == only
        monitor._outlook = Outlook(251, ("/nowhere/1.bz2",), 250, 0, 0, 0)
        ask(monitor, "retry", job=job, all=False)
        await until_async(lambda: len(retried) == 3 and not monitor._busy)
        assert retried[-1] == {"/nowhere/1.bz2"}
        ask(monitor, "inside", job=job, uri="/etc/passwd")
        assert monitor._inside == ""
        ask(monitor, "inside", job=job, uri=str(empty))
        assert monitor._preview.uri == str(empty)
        assert monitor._inside == f"IPY_MODEL_{monitor._preview.model_id}"
        monitor.close()

    asyncio.run(watch())


def test_a_result_that_is_gone_is_said_to_be(session, job, log):
    finish(log, job, [{}])
    STORE.delete([summary_uri(JobSpec.from_json(log.get(job).spec).target)])

    async def watch():
        monitor = JobMonitor(job, session)
        ask(monitor, "hello")
        await until_async(lambda: monitor._failures.get("state") == "ready")
        assert monitor._result["state"] == "failed"
        assert "summary.json is gone" in monitor._result["error"]
        monitor.close()

    asyncio.run(watch())


def test_frame_is_the_output_or_its_first_rows(session, job, log):
    monitor = JobMonitor(job, session)
    with pytest.raises(RefusedError, match="is pending"):
        monitor.frame()
    finish(log, job, [{"a": n} for n in range(30)])
    assert monitor.frame()["a"].tolist() == list(range(30))
    assert monitor.frame(3, columns=["a"])["a"].tolist() == [0, 1, 2]
    assert len(monitor.frame(where={"a": 7})) == 1
    with pytest.raises(RefusedError, match="batch_rows is 0; give a whole number"):
        monitor.frame(0)
    monitor.close()


def test_the_log_is_sent_line_by_line(session, job, log):
    sent = []

    async def watch():
        monitor = JobMonitor(job, session)
        monitor.send = sent.append
        ask(monitor, "hello")
        await until_async(lambda: monitor.status == "pending")
        log.update(job, Change(logs=("one", "two")))
        await until_async(lambda: len(monitor._log) == 2)
        log.update(job, Change(logs=("three",)))
        await until_async(lambda: len(monitor._log) == 3)
        assert [line[2] for line in sent[-1]["lines"]] == ["three"]
        ask(monitor, "hello", "another view")
        assert sent[-1]["begin"]
        assert [line[2] for line in sent[-1]["lines"]] == ["one", "two", "three"]
        monitor.close()

    asyncio.run(watch())


def test_a_record_that_cannot_be_read_is_said_to_be_and_shown_once_it_is_mended(
    session, job, log, monkeypatch
):
    monkeypatch.setattr(follower, "_EVERY", 0.02)
    document = log.get(job).to_document()
    put_in(log, "2024-01-01-0ddc0de0", {**document, "jobId": "2024-01-01-0ddc0de0", "logs": 5})

    async def watch():
        monitor = JobMonitor("2024-01-01-0ddc0de0", session)
        ask(monitor, "hello")
        await until_async(
            lambda: "its record cannot be read: logs is 5, not a list of texts" in monitor.error
        )
        with contextlib.closing(sqlite3.connect(log.path)) as connection, connection:
            connection.execute("UPDATE jobs SET document = json_set(document, '$.logs', json('[]'))")
        await until_async(lambda: monitor.status == "pending")
        assert monitor.error == ""
        monitor.close()

    asyncio.run(watch())
