from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.jobs.log.entries import UnreadableRecord
from chimera_nb.jobs.log.protocol import RecordPage
from chimera_nb.jobs.log.query import token_after
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.record import JobRecord, Status, timestamp
from chimera_nb.widgets.job_history import model as history_model
from chimera_nb.widgets.job_history.filter import Filter
from chimera_nb.widgets.job_history.model import PAGE, History
from chimera_nb.widgets.job_history.row import Row
from pipeline.errors import RefusedError
from pipeline.spec import JobSpec

T0 = datetime(2024, 1, 19, 10, tzinfo=UTC)


def a_job(number: int, status: Status = Status.COMPLETE, **fields) -> JobRecord:
    """The job of that minute after T0."""
    made = timestamp(T0 + timedelta(minutes=number))
    spec = JobSpec(
        inputs=("gs://in/2016/Jan/", f"gs://in/extra-{number}/"),
        target=f"gs://out/run-{number}",
        job_id=f"{made[:10]}-{number:08x}",
        source="betfair",
    )
    record = JobRecord.from_spec(spec, runner="direct", created_by="ada", now=made)
    return replace(record, status=status, **fields)


class Jobs:
    """A job log in memory that pages as the real ones do."""

    looks_at = 200

    def __init__(self, records) -> None:
        self.records = sorted(records, key=lambda r: (r.created_at, r.job_id), reverse=True)
        self.calls = 0

    def count(self, query):
        return None if (query.text or query.created_by) else len(self.passing(query))

    def passing(self, query):
        return [
            r
            for r in self.records
            if (not query.statuses or r.status in query.statuses)
            and (not query.created_after or r.created_at >= query.created_after)
            and (not query.created_before or r.created_at < query.created_before)
            and (query.after is None or (r.created_at, r.job_id) < query.after)
        ]

    def page(self, query):
        """A search looks at `looks_at` jobs for a page, as the shared log does, and finds few or none."""
        self.calls += 1
        rest = self.passing(query)
        limit = self.looks_at if (query.text or query.created_by) else query.limit
        last = rest[limit - 1] if len(rest) > limit else None
        return RecordPage(
            tuple(filter(query.holds, rest[:limit])),
            token_after(last.created_at, last.job_id) if last else None,
        )


def loaded(model: History, log) -> History:
    while model.wants_more:
        model.take(model.request().run(log))
    return model


def ids(model: History) -> list[str]:
    return [row.id for row in sorted(model.rows.values(), key=lambda row: row.age, reverse=True)]


def test_a_page_is_loaded_and_then_the_next():
    jobs = Jobs(a_job(n) for n in range(120))
    model = loaded(History(), jobs)
    assert (len(model.rows), model.complete, jobs.calls) == (PAGE, False, 1)
    model.more()
    loaded(model, jobs)
    model.more()
    assert len(loaded(model, jobs).rows) == 120
    assert model.complete
    assert ids(model) == [record.job_id for record in jobs.records]


def test_rows_far_down_are_loaded_in_few_pages_and_told_in_parts_of_a_bounded_size():
    jobs = Jobs(a_job(n) for n in range(1000))
    model = loaded(History(), jobs)
    assert (model.total, next(model.messages(())).total) == (1000, 1000)
    model.more(700)
    assert (len(loaded(model, jobs).rows), jobs.calls) == (750, 5)
    told = list(model.messages(model.rows.values(), ["gone"], whole=True))
    assert [len(message.rows) for message in told] == [200, 200, 200, 150]
    assert [message.parts for message in told] == [True, True, True, False]
    assert [message.gone for message in told] == [(), (), (), ("gone",)]
    model.more(10**9)
    assert (len(loaded(model, jobs).rows), model.complete) == (1000, True)


def test_how_many_jobs_there_are_goes_with_what_comes_and_no_longer_passes():
    model = History()
    model.narrow(Filter.of({"statuses": ["running"]}))
    loaded(model, Jobs(a_job(n, Status.RUNNING) for n in range(100)))
    assert model.total == 100
    model.changed([a_job(500, Status.RUNNING), a_job(501, Status.FAILED), a_job(1, Status.RUNNING)])
    assert model.total == 101
    model.changed([a_job(99, Status.FAILED, updated_at=timestamp(T0 + timedelta(days=1)))])
    assert model.total == 100


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-00000003", [3]),
        ("IN/extra-7/", [7]),
        ("gs://out/run-11", [119, 118, 117, 116, 115, 114, 113, 112, 111, 110, 11]),
        ("Grace", [5]),
        ("no such", []),
    ],
)
def test_a_search_looks_at_every_job_for_its_id_paths_target_and_creator(tmp_path, text, found):
    log = SqliteJobLog(tmp_path / "jobs.sqlite")
    for number in range(120):
        log.create(replace(a_job(number), created_by="grace" if number == 5 else "ada"))
    model = History()
    model.narrow(Filter.of({"text": text}))
    loaded(model, log)
    assert model.complete
    assert ids(model) == [a_job(number).job_id for number in found]
    log.close()


def test_a_search_stops_at_its_bound_and_goes_on_when_asked(monkeypatch):
    monkeypatch.setattr(history_model, "SEARCHED", 2)
    jobs = Jobs([a_job(n) for n in range(1000)])
    model = History()
    model.narrow(Filter.of({"text": "extra-3/"}))
    loaded(model, jobs)
    assert (model.paused, model.looked, model.rows) == (True, 2, {})
    assert next(model.messages(())).back_to == a_job(600).created_at
    model.more()
    loaded(model, jobs)
    assert (model.paused, model.looked) == (True, 4)
    model.more()
    assert ids(loaded(model, jobs)) == [a_job(3).job_id]
    assert (model.paused, model.complete) == (False, True)


def test_a_search_that_was_stopped_asks_for_nothing_more():
    jobs = Jobs([a_job(n) for n in range(1000)])
    model = History()
    model.narrow(Filter.of({"text": "extra-3/"}))
    model.take(model.request().run(jobs))
    model.paused = True
    assert not model.wants_more


def test_a_new_job_comes_in_and_an_old_one_waits_for_its_page():
    jobs = Jobs(a_job(n) for n in range(10, 200))
    model = loaded(History(), jobs)
    put, gone = model.changed([a_job(500), a_job(11)])
    assert [row.id for row in put] == [a_job(500).job_id]
    assert gone == ()
    assert ids(model)[0] == a_job(500).job_id
    assert len(model.rows) == PAGE + 1


def test_a_job_told_of_before_the_first_page_is_not_lost():
    model = History()
    request = model.request()
    assert model.changed([a_job(500)]) == ((), ())
    rows = model.take(request.run(Jobs([a_job(1)])))
    assert sorted(row.id for row in rows) == [a_job(1).job_id, a_job(500).job_id]


def test_a_change_that_was_overtaken_is_not_shown():
    newer = a_job(1, Status.COMPLETE, updated_at=timestamp(T0 + timedelta(hours=2)))
    older = a_job(1, Status.RUNNING, updated_at=timestamp(T0 + timedelta(hours=1)))
    model = loaded(History(), Jobs([newer]))
    assert model.changed([older]) == ((), ())
    assert model.rows[newer.job_id].status == "complete"


def test_a_job_that_no_longer_passes_the_filter_goes():
    model = History()
    model.narrow(Filter.of({"statuses": ["running", "pending"]}))
    loaded(model, Jobs([a_job(1, Status.RUNNING), a_job(2, Status.PENDING)]))
    later = timestamp(T0 + timedelta(hours=1))
    put, gone = model.changed(
        [a_job(1, Status.FAILED, updated_at=later), a_job(2, Status.RUNNING, updated_at=later), a_job(3)]
    )
    assert [row.id for row in put] == [a_job(2).job_id]
    assert gone == (a_job(1).job_id,)


def test_an_answer_for_a_filter_that_was_left_is_dropped():
    model, jobs = History(), Jobs([a_job(1), a_job(2, Status.FAILED)])
    late = model.request().run(jobs)
    model.narrow(Filter.of({"statuses": ["failed"]}))
    assert model.take(late) == ()
    assert ids(loaded(model, jobs)) == [a_job(2).job_id]


def test_days_are_from_the_first_to_before_the_last():
    jobs = Jobs(a_job(n) for n in range(10))
    model = History()
    day = {"since": a_job(3).created_at, "until": "2024-01-19T12:06:00+02:00"}
    model.narrow(Filter.of(day))
    assert ids(loaded(model, jobs)) == [a_job(n).job_id for n in (5, 4, 3)]
    assert model.changed([a_job(7)]) == ((), ())


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"statuses": ["done"]}, "no statuses; there are: pending, running"),
        ({"statuses": 7}, "no statuses"),
        ({"since": "yesterday"}, "write it as"),
        ({"since": "2024-01-20T00:00:00Z", "until": "2024-01-20T00:00:00Z"}, "before the first"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(asked, message):
    with pytest.raises(RefusedError, match=message):
        Filter.of(asked)


def test_a_row_has_the_numbers_of_a_job_and_leaves_out_what_is_not_known():
    record = a_job(
        1,
        Status.RUNNING,
        started_at=timestamp(T0),
        progress={"filesListed": 40, "filesComplete": 12, "filesFailed": 1, "rawBytes": None, "seconds": 7.5},
    )
    row = Row.of(record)
    assert (row.listed, row.done, row.failed, row.raw, row.lines) == (40, 13, 1, None, None)
    assert (row.reads, row.others, row.target) == ("gs://in/2016/Jan/", 1, "gs://out/run-1")
    assert row.seconds == 7.5
    ended = replace(
        record, status=Status.COMPLETE, finished_at=timestamp(T0 + timedelta(minutes=2, seconds=5))
    )
    assert Row.of(ended).seconds == 125.0


def test_a_row_of_a_job_that_was_asked_to_end_says_so():
    asked = a_job(1, Status.RUNNING, cancel_requested_at=timestamp(T0))
    assert (Row.of(asked).status, Row.of(asked).word) == ("running", "cancelling")
    assert Row.of(replace(asked, status=Status.CANCELLED)).word == "cancelled"


def test_a_row_stays_small_whatever_the_record_holds():
    record = a_job(1, Status.FAILED, error="x" * 10_000, logs=("y" * 1000,) * 200)
    assert len(json.dumps(asdict(Row.of(record)))) < 2000


@given(st.lists(st.tuples(st.integers(0, 80), st.sampled_from(list(Status))), max_size=40), st.data())
def test_pages_and_changes_in_any_order_come_to_what_the_log_holds(changes, data):
    """Whatever arrives between two pages, the list in the end is the log's own."""
    records = {n: a_job(n, Status.PENDING) for n in range(60)}
    model = History()
    wanted = data.draw(st.sampled_from([{}, {"statuses": ["running", "complete"]}]))
    model.narrow(Filter.of(wanted))
    for tick, (number, status) in enumerate(changes):
        if data.draw(st.booleans()):
            model.more()
            model.take(model.request().run(Jobs(records.values())))
        later = timestamp(T0 + timedelta(days=1, seconds=tick))
        records[number] = replace(a_job(number, status), updated_at=later)
        model.changed([records[number]])
    model.more()
    while not model.complete:
        model.more()
        model.take(model.request().run(Jobs(records.values())))
    passing = [r for r in records.values() if model.filter.holds(r)]
    assert ids(model) == [r.job_id for r in sorted(passing, key=lambda r: r.created_at, reverse=True)]
    assert {row.id: row.status for row in model.rows.values()} == {r.job_id: r.status for r in passing}


def test_a_record_that_cannot_be_read_has_its_row_and_its_place():
    odd = UnreadableRecord("odd one", "status is missing", a_job(2).created_at)
    jobs = Jobs([a_job(1), a_job(3)])
    jobs.records.insert(1, odd)
    model = loaded(History(), jobs)
    assert ids(model) == [a_job(3).job_id, "odd one", a_job(1).job_id]
    row = model.rows["odd one"]
    assert (row.status, row.error, row.lines) == ("unreadable", "status is missing", None)
    assert not model.is_running


def test_a_record_that_becomes_unreadable_and_is_mended_is_shown_as_it_is_now():
    good = a_job(1)
    model = loaded(History(), Jobs([good]))
    put, gone = model.changed([UnreadableRecord(good.job_id, "logs is 5", good.created_at)])
    assert ([row.status for row in put], gone) == (["unreadable"], ())
    put, _ = model.changed([good])
    assert [row.status for row in put] == ["complete"]


@pytest.mark.parametrize(
    ("asked", "passes"),
    [
        ({}, True),
        ({"statuses": ["running"]}, False),
        ({"text": "ODD"}, True),
        ({"text": "missing"}, True),
        ({"text": "gs://"}, False),
        ({"since": "2024-01-19T10:00:00Z"}, True),
        ({"until": "2024-01-19T10:00:00Z"}, False),
    ],
)
def test_a_record_that_cannot_be_read_is_found_by_what_is_known_of_it(asked, passes):
    odd = UnreadableRecord("odd one", "status is missing", a_job(2).created_at)
    assert Filter.of(asked).holds(odd) is passes
    assert not Filter.of({"until": "2024-01-19T10:00:00Z"}).holds(replace(odd, created_at=""))
