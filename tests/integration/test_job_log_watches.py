"""One contract for every job log, its watches: SQLite in a folder of its own, Firestore on the emulator."""

from __future__ import annotations

import contextlib
import threading

from chimera_nb.jobs.record import Status
from chimera_nb.jobs.transitions import Change
from tests.fixtures.job_logs import SOON, Seen, a_record, another


def test_a_watch_tells_what_stands_and_then_what_is_new_or_has_changed(log):
    log.create(old := a_record(day=1))
    log.create(older := a_record(day=2))
    seen = Seen()
    with contextlib.closing(log.watch(seen)), contextlib.closing(another(log)) as other:
        seen.wait_for((old.job_id, Status.PENDING))
        assert [record.job_id for record in seen.calls[0]] == [older.job_id, old.job_id]
        other.create(new := a_record(day=3))
        seen.wait_for((new.job_id, Status.PENDING))
        other.update(old.job_id, Change(status=Status.RUNNING))
        seen.wait_for((old.job_id, Status.RUNNING))
        log.update(new.job_id, Change(status=Status.FAILED, error="é"))
        seen.wait_for((new.job_id, Status.FAILED))
        assert len(seen.states) == 5
        assert seen.calls[-1] == (log.get(new.job_id),)


def test_a_watch_of_an_empty_log_tells_so_once(log):
    seen = Seen()
    with contextlib.closing(log.watch(seen)):
        seen.wait_for()
        log.create(record := a_record())
        seen.wait_for((record.job_id, Status.PENDING))
    assert seen.calls == [(), (record,)]


def test_a_watch_of_one_job_tells_of_no_other(log):
    log.create(mine := a_record(day=1))
    seen = Seen()
    with contextlib.closing(log.watch(seen, job_id=mine.job_id)):
        seen.wait_for((mine.job_id, Status.PENDING))
        log.create(other := a_record(day=2))
        log.update(other.job_id, Change(status=Status.RUNNING))
        log.update(mine.job_id, Change(status=Status.RUNNING))
        seen.wait_for((mine.job_id, Status.RUNNING))
    assert {job_id for job_id, _ in seen.states} == {mine.job_id}


def test_a_watch_may_wait_for_a_job_that_is_yet_to_come(log):
    record = a_record()
    seen = Seen()
    with contextlib.closing(log.watch(seen, job_id=record.job_id)):
        seen.wait_for()
        log.create(record)
        seen.wait_for((record.job_id, Status.PENDING))
    assert seen.calls == [(), (record,)]


def test_a_watch_keeps_to_the_newest(log):
    records = [a_record(day=day) for day in range(1, 6)]
    for record in records[:4]:
        log.create(record)
    seen = Seen()
    with contextlib.closing(log.watch(seen, limit=2)):
        seen.wait_for((records[3].job_id, Status.PENDING))
        assert seen.calls == [(records[3], records[2])]
        log.update(records[0].job_id, Change(status=Status.RUNNING))
        log.create(records[4])
        seen.wait_for((records[4].job_id, Status.PENDING))
    assert records[0].job_id not in {job_id for job_id, _ in seen.states}


def test_nothing_is_told_after_a_watch_is_closed(log):
    log.create(record := a_record())
    closed, witness = Seen(), Seen()
    watch = log.watch(closed)
    closed.wait_for((record.job_id, Status.PENDING))
    watch.close()
    watch.close()
    with contextlib.closing(log.watch(witness)):
        witness.wait_for((record.job_id, Status.PENDING))
        log.update(record.job_id, Change(status=Status.RUNNING))
        witness.wait_for((record.job_id, Status.RUNNING))
    assert watch.join()
    assert closed.states == [(record.job_id, Status.PENDING)]


def test_closing_waits_for_the_call_under_way(log):
    entered, released, done = threading.Event(), threading.Event(), threading.Event()

    def slow(_records) -> None:
        entered.set()
        released.wait(5)
        done.set()

    watch = log.watch(slow)
    assert entered.wait(SOON)
    threading.Timer(0.2, released.set).start()
    watch.close()
    assert done.is_set()


def test_a_watch_may_be_closed_from_its_callback(log):
    calls, watches = [], []
    ready, closed = threading.Event(), threading.Event()

    def once(records) -> None:
        ready.wait(5)
        calls.append(records)
        watches[0].close()
        closed.set()

    watches.append(log.watch(once))
    ready.set()
    assert closed.wait(SOON)
    assert watches[0].join()
    assert calls == [()]


def test_a_callback_that_fails_is_logged_and_called_again(log, caplog):
    seen = Seen()

    def fail(records) -> None:
        seen(records)
        raise ZeroDivisionError("of the test")

    with contextlib.closing(log.watch(fail)):
        seen.wait_for()
        log.create(record := a_record())
        seen.wait_for((record.job_id, Status.PENDING))
    assert "ZeroDivisionError: of the test" in caplog.text


def test_closing_a_log_closes_its_watches_and_may_be_repeated(log):
    seen = Seen()
    watch = log.watch(seen)
    seen.wait_for()
    log.close()
    log.close()
    assert not watch.is_open
    assert watch.join()
