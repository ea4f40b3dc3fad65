from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from chimera_nb.jobs.log.ids import new_job_id
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.record import JobRecord, Status, timestamp
from chimera_nb.session import Session
from chimera_nb.settings import Settings
from chimera_nb.widgets.base import presence
from chimera_nb.widgets.job_history import widget as job_history
from chimera_nb.widgets.job_history.widget import JobHistory
from pipeline.errors import JobLogError
from pipeline.spec import JobSpec
from tests.fixtures.job_logs import put_in
from tests.fixtures.waiting import until_async


def a_job(**fields) -> JobRecord:
    spec = JobSpec(inputs=("gs://in/p/",), target="gs://out/run", job_id=new_job_id())
    return replace(JobRecord.from_spec(spec, runner="dataflow", created_by="ada"), **fields)


class Store:
    """A job log in a file, its service, and what the widgets have sent."""

    def __init__(self, tmp_path, monkeypatch) -> None:
        self.log = SqliteJobLog(tmp_path / "jobs.sqlite")
        self.sent, self.fault, self.syncs = [], None, 0
        monkeypatch.setattr(Session, "service_for_watching", lambda _: self.service)
        monkeypatch.setattr(JobHistory, "send", lambda _, message: self.sent.append(message))
        self.service = SimpleNamespace(log=self.log, sync=self.sync)
        self.widget = JobHistory(Session(Settings(place="cloud")))

    def sync(self):
        self.syncs += 1
        if self.fault:
            raise JobLogError(self.fault)
        return ()

    def ask(self, kind, **content) -> None:
        view = {"view": "v"} if kind in {"hello", "here"} else {}
        self.widget._on_message(self.widget, {"kind": kind, **view, **content}, [])

    def shown(self) -> list[str]:
        return [row["id"] for message in self.sent for row in message.get("rows", ())]


@pytest.fixture
def store(tmp_path, monkeypatch):
    store = Store(tmp_path, monkeypatch)
    yield store
    store.log.close()


def run(store, work) -> None:
    async def whole():
        try:
            await asyncio.wait_for(work(), 20)
        finally:
            store.widget.close()

    asyncio.run(whole())


def test_the_log_is_left_alone_until_a_view_is_there(store):
    async def work():
        await asyncio.sleep(0.05)
        assert (store.sent, store.syncs) == ([], 0)
        store.ask("hello")
        await until_async(lambda: store.syncs and store.sent[-1]["complete"])

    run(store, work)


def test_a_job_that_anyone_launches_appears_and_its_changes_too(store):
    first, second = a_job(), a_job(created_at="2999-01-01T00:00:00.000Z")
    store.log.create(first)

    async def work():
        store.ask("hello")
        await until_async(lambda: first.job_id in store.shown())
        await asyncio.to_thread(store.log.create, second)
        await until_async(lambda: second.job_id in store.shown())
        assert store.sent[-1]["whole"] is False

    run(store, work)


def test_nobody_looks_at_the_log_when_no_view_has_been_heard_of(store, monkeypatch):
    monkeypatch.setattr(presence, "LASTS_SECONDS", 0.1)
    monkeypatch.setattr(job_history, "_LOOK_SECONDS", {True: 0.02, False: 0.02})

    async def work():
        store.ask("hello")
        await until_async(lambda: store.widget._watch)
        watch = store.widget._watch
        await until_async(lambda: not store.widget._following)
        await until_async(lambda: not watch.is_open)
        syncs = store.syncs
        await asyncio.sleep(0.1)
        assert store.syncs == syncs
        store.ask("here")
        await until_async(lambda: store.syncs > syncs)

    run(store, work)


def test_a_lost_job_log_is_said_and_taken_up_again(store, monkeypatch):
    monkeypatch.setattr(job_history, "_LOOK_SECONDS", {True: 0.02, False: 0.02})
    page = store.log.page

    def broken(_):
        raise JobLogError("Firestore is away")

    async def work():
        store.fault = "Firestore is away"
        store.log.page = broken
        store.ask("hello")
        await until_async(lambda: "The list is not up to date: Firestore is away" in store.widget.error)
        await until_async(lambda: store.sent[-1]["failed"])
        store.ask("filter", statuses=["failed"])
        assert "Firestore is away" in store.widget.error  # what one does meanwhile does not hide it
        store.fault, store.log.page = None, page
        await until_async(lambda: store.widget.error == "")
        await until_async(lambda: store.sent[-1]["complete"])

    run(store, work)


def test_opening_a_row_sets_the_job_and_calls_even_when_it_is_open_already(store):
    job = a_job(status=Status.COMPLETE)
    store.log.create(job)
    opened = []

    async def work():
        store.widget.on_open(opened.append)
        store.ask("hello")
        await until_async(store.shown)
        for _ in range(2):
            store.ask("open", id=job.job_id)
        assert store.widget.job_id == job.job_id
        assert opened == [job.job_id] * 2
        store.ask("open", id="2024-01-01-00000000")
        assert store.widget.job_id == job.job_id

    run(store, work)


def test_a_filter_narrows_the_list_and_one_that_makes_no_sense_is_refused(store):
    good, bad = a_job(status=Status.COMPLETE), a_job(status=Status.FAILED, error="no")
    for job in (good, bad):
        store.log.create(job)

    async def work():
        store.ask("hello")
        await until_async(lambda: len(store.shown()) == 2)
        store.sent.clear()
        store.ask("filter", statuses=["failed"], text="RUN")
        await until_async(lambda: store.sent[-1]["complete"])
        assert store.shown() == [bad.job_id]
        store.ask("filter", since="2024-01-02T00:00:00Z", until="2024-01-01T00:00:00Z")
        assert "before the first" in store.widget.error
        store.ask("filter", statuses=["failed"], text="RUN")
        assert store.widget.error == ""

    run(store, work)


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "open"},
        {"kind": "open", "id": []},
        {"kind": "more", "generation": "x"},
        {"kind": "more"},
        {"kind": "stop"},
        {"kind": "sync"},
        {},
    ],
)
def test_a_message_that_makes_no_sense_does_nothing(store, message):
    store.widget._on_message(store.widget, message, [])
    assert {message["kind"] for message in store.sent} <= {"refused"}
    assert (store.widget.job_id, store.widget.error) == ("", "")


def test_a_running_job_is_brought_up_to_date_while_one_looks(store, monkeypatch):
    monkeypatch.setattr(job_history, "_LOOK_SECONDS", {True: 0.02, False: 60.0})
    job = a_job(status=Status.RUNNING, started_at=timestamp())
    store.log.create(job)

    async def work():
        store.ask("hello")
        await until_async(store.shown)
        before = store.syncs
        await until_async(lambda: store.syncs > before + 2)

    run(store, work)


def test_a_record_that_cannot_be_read_shows_among_the_others_and_can_be_opened(store):
    good = a_job()
    store.log.create(good)
    put_in(store.log, "odd one", "{broken", created_at="2024-01-01T00:00:00.000Z")
    opened = []

    async def work():
        store.widget.on_open(opened.append)
        store.ask("hello")
        await until_async(lambda: set(store.shown()) == {good.job_id, "odd one"})
        (row,) = [row for message in store.sent for row in message["rows"] if row["id"] == "odd one"][:1]
        assert (row["status"], row["error"][:13]) == ("unreadable", "it is no JSON")
        store.ask("open", id="odd one")
        await asyncio.to_thread(put_in, store.log, "another", "[]", created_at="2999-01-01T00:00:00.000Z")
        await until_async(lambda: "another" in store.shown())

    run(store, work)
    assert opened == ["odd one"]
    assert store.widget.error == ""
