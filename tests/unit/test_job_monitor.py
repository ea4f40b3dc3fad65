"""JobMonitor without a browser, how it follows a job: the front end's messages are called as it sends them."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from chimera_nb.jobs.log.ids import new_job_id
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.service import JobService
from chimera_nb.jobs.transitions import Change, advance
from chimera_nb.session import Session
from chimera_nb.settings import Settings
from chimera_nb.widgets.base import presence
from chimera_nb.widgets.job_monitor import follower
from chimera_nb.widgets.job_monitor.widget import JobMonitor
from pipeline.errors import JobLogError
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from tests.fixtures.job_logs import put_on_record
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


def test_nothing_is_asked_of_a_log_before_a_view_is_there(session, job, monkeypatch):
    monkeypatch.setattr(Session, "service_for_watching", lambda _: pytest.fail("asked"))

    async def watch():
        monitor = JobMonitor(job, session)
        await asyncio.sleep(0.05)
        assert (monitor.job_id, monitor.status, monitor.error) == (job, "", "")
        monitor.close()

    asyncio.run(watch())


def test_the_status_follows_the_job_without_waiting_for_the_next_look(session, job, log, monkeypatch):
    monkeypatch.setattr(follower, "_EVERY", 60.0)

    async def watch():
        monitor = JobMonitor(job, session)
        ask(monitor, "hello")
        await until_async(lambda: monitor.status == "pending")
        log.update(job, Change(status=Status.RUNNING, progress={"rawBytes": 5, "seconds": 1.0}))
        await until_async(lambda: monitor.status == "running")
        assert monitor._job["rawBytes"] == 5
        assert monitor._points
        log.update(job, Change(status=Status.FAILED, error="no luck"))
        await until_async(lambda: monitor.status == "failed")
        await until_async(lambda: monitor._failures.get("state") == "ready")
        assert monitor._job["error"] == "no luck"
        monitor.close()

    asyncio.run(watch())


def test_a_job_that_has_ended_is_looked_after_no_more(session, job, log, monkeypatch):
    monkeypatch.setattr(follower, "_EVERY", 0.05)

    async def watch():
        monitor = JobMonitor(job, session)
        ask(monitor, "hello")
        await until_async(lambda: monitor.status == "pending")
        assert monitor._follower.is_following
        log.update(job, Change(status=Status.CANCELLED))
        await until_async(lambda: monitor.status == "cancelled" and not monitor._follower.is_following)
        ask(monitor, "here")
        assert not monitor._follower.is_following
        monitor.close()

    asyncio.run(watch())


def test_without_a_view_a_job_that_is_set_is_looked_at_once(session, job, monkeypatch):
    looks = []
    get = JobService.get
    monkeypatch.setattr(follower, "_EVERY", 0.01)
    monkeypatch.setattr(JobService, "get", lambda self, job_id: looks.append(1) or get(self, job_id))

    async def watch():
        monitor = JobMonitor(session=session)
        monitor.job_id = job
        await until_async(lambda: monitor.status == "pending" and not monitor._follower.is_following)
        assert len(looks) == 1
        ask(monitor, "hello", "one")
        ask(monitor, "hello", "two")
        await until_async(lambda: len(looks) > 3)
        ask(monitor, "bye", "one")
        assert monitor._follower.is_following
        ask(monitor, "bye", "two")
        await until_async(lambda: not monitor._follower.is_following)
        ask(monitor, "here", "one")  # its page is in front again
        seen = len(looks)
        await until_async(lambda: len(looks) > seen)
        monitor.close()

    asyncio.run(watch())


def test_a_view_that_was_not_heard_of_for_long_counts_no_more(session, job, monkeypatch):
    monkeypatch.setattr(follower, "_EVERY", 0.01)
    monkeypatch.setattr(presence, "LASTS_SECONDS", 0.2)

    async def watch():
        monitor = JobMonitor(job, session)
        ask(monitor, "hello")
        assert monitor._follower.is_following
        await until_async(lambda: not monitor._follower.is_following)
        monitor.close()

    asyncio.run(watch())


def test_a_log_that_is_away_is_said_to_be_and_looked_for_again(session, job, monkeypatch):
    monkeypatch.setattr(follower, "_EVERY", 0.05)
    get, away = JobService.get, threading.Event()

    def faulty(self, job_id):
        if away.is_set():
            raise JobLogError("the log is away")
        return get(self, job_id)

    monkeypatch.setattr(JobService, "get", faulty)

    async def watch():
        monitor = JobMonitor(job, session)
        ask(monitor, "hello")
        await until_async(lambda: monitor.status == "pending")
        away.set()
        await until_async(lambda: monitor.error == "the log is away; trying again")
        assert monitor._job["id"] == job  # what was known stays on screen
        away.clear()
        await until_async(lambda: not monitor.error)
        monitor.close()

    asyncio.run(watch())


def test_a_job_that_is_on_no_record_is_one_sentence(session, job):
    async def watch():
        monitor = JobMonitor("2026-01-31-00000000", session)
        ask(monitor, "hello")
        await until_async(lambda: "no job '2026-01-31-00000000'" in monitor.error)
        monitor.job_id = "../../etc/passwd"
        await until_async(lambda: "no job '../../etc/passwd'" in monitor.error)
        monitor.job_id = job
        await until_async(lambda: monitor.status == "pending")
        assert monitor.error == ""
        monitor.close()

    asyncio.run(watch())


def test_what_comes_late_of_another_job_is_dropped(session, job):
    async def watch():
        monitor = JobMonitor(job, session)
        ask(monitor, "hello")
        await until_async(lambda: monitor.status == "pending")
        record, generation = monitor._record, monitor._generation.number
        monitor.job_id = ""
        monitor._take(generation, advance(record, Change(status=Status.RUNNING), record.updated_at))
        assert (monitor.status, monitor._job) == ("", {})
        monitor.close()

    asyncio.run(watch())


def test_a_state_older_than_the_one_on_screen_is_dropped(session, job, log):
    async def watch():
        monitor = JobMonitor(job, session)
        ask(monitor, "hello")
        await until_async(lambda: monitor.status == "pending")
        old = monitor._record
        log.update(job, Change(status=Status.RUNNING))
        await until_async(lambda: monitor.status == "running")
        monitor._take(monitor._generation.number, old)
        assert monitor.status == "running"
        monitor.close()

    asyncio.run(watch())


def test_run_again_shows_what_will_run_then_leads_to_the_new_job_and_a_double_click_makes_one(
    session, job, log, monkeypatch
):
    made, left = [], []

    def clone(self, job_id, target):
        made.append((job_id, target))
        time.sleep(0.1)
        spec = JobSpec(inputs=("/in",), target="/tmp/copy", job_id=new_job_id())
        record = JobRecord.from_spec(spec, runner="direct")
        log.create(record)
        return record

    monkeypatch.setattr(JobService, "clone", clone)

    async def watch():
        monitor = JobMonitor(job, session)
        ask(monitor, "hello")
        await until_async(lambda: monitor.status == "pending")
        ask(monitor, "runAgain", job=job)  # nothing was shown yet
        for _ in range(2):
            for _ in range(3):
                ask(monitor, "clone", job=job)
            await until_async(lambda: monitor._again and not monitor._busy)
            shown = dict(monitor._again["lines"])
            assert (shown["Reads"], shown["Runs"]) == (str(session.settings.folder.parent), "on this machine")
            if not left:
                left.append(True)
                ask(monitor, "leaveAgain", job=job)
                ask(monitor, "runAgain", job=job)
        assert (made, monitor.job_id) == ([], job)
        for _ in range(3):
            ask(monitor, "runAgain", job=job)
        assert monitor._busy == "again"
        await until_async(lambda: monitor.job_id != job)
        ask(monitor, "runAgain", job=job)  # a click that was under way
        await until_async(lambda: monitor.status == "pending" and not monitor._busy)
        await asyncio.sleep(0.05)
        assert made == [(job, shown["Writes to"])]
        assert monitor._again == {}
        monitor.close()

    asyncio.run(watch())


def test_cancel_ends_the_job_and_what_is_refused_is_one_sentence(session, job):
    async def watch():
        monitor = JobMonitor(job, session)
        ask(monitor, "hello")
        await until_async(lambda: monitor.status == "pending")
        ask(monitor, "cancel", job="2026-01-31-00000000")  # not the one on screen
        ask(monitor, "retry", job=job)  # nothing has failed
        assert not monitor._busy
        ask(monitor, "cancel", job=job)
        await until_async(lambda: monitor.status == "cancelled" and not monitor._busy)
        ask(monitor, "clone", job=job)
        await until_async(lambda: monitor._again and not monitor._busy)
        ask(monitor, "runAgain", job=job)
        await until_async(lambda: not monitor._busy)
        assert "target" in monitor.error or "match" in monitor.error
        assert monitor.job_id == job
        monitor.close()

    asyncio.run(watch())


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"kind": "hello"},
        {"kind": "here", "view": ["x"] * 9},
        {"kind": "cancel"},
        {"kind": "clone", "job": None},
        {"kind": "saveTable", "subject": {}, "view": 1},
        {"kind": "_message"},
        {"kind": 7},
    ],
)
def test_a_message_that_makes_no_sense_does_nothing(session, job, content):
    async def watch():
        monitor = JobMonitor(job, session)
        ask(monitor, "hello")
        await until_async(lambda: monitor.status == "pending")
        monitor._on_message(monitor, content, [])
        assert (monitor._busy, monitor.error, monitor.status) == ("", "", "pending")
        monitor.close()

    asyncio.run(watch())


def test_any_number_of_views_takes_no_memory(session):
    async def watch():
        monitor = JobMonitor(session=session)
        for n in range(500):
            ask(monitor, "here", f"{n}")
        assert len(monitor._presence) == presence._MOST_VIEWS
        monitor.close()

    asyncio.run(watch())
