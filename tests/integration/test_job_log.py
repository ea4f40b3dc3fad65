"""One contract for every job log, its records and lists: SQLite in a folder of its own, Firestore on the emulator."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from chimera_nb.jobs.log.query import Query
from chimera_nb.jobs.record import STAGES, JobRecord, Stage, Status
from chimera_nb.jobs.transitions import Change
from pipeline.errors import JobExistsError, JobLogError, JobNotFoundError, RefusedError
from pipeline.spec import JobSpec
from tests.fixtures.job_logs import a_record, all_pages, at_once

FINAL = (Status.COMPLETE, Status.FAILED, Status.CANCELLED)


# Ids and records


def test_a_record_comes_back_as_it_was_made(log):
    record = a_record(
        inputs=("gs://in/Kämpfe/été \U0001f40e/*.bz2", "gs://in/日本/"), target="gs://out/naïve"
    )
    log.create(record)
    assert log.get(record.job_id) == record
    assert JobSpec.from_json(log.get(record.job_id).spec).inputs == (
        "gs://in/Kämpfe/été \U0001f40e/*.bz2",
        "gs://in/日本/",
    )


def test_an_id_is_given_once(log):
    log.create(first := a_record())
    with pytest.raises(JobExistsError, match=first.job_id):
        log.create(a_record(first.job_id, target="gs://other/place"))
    assert log.get(first.job_id) == first


def test_one_of_many_that_want_an_id_at_once_gets_it(log):
    records = [a_record("2024-01-19-abc12345", target=f"gs://out/{i}") for i in range(8)]
    outcomes = at_once(8, lambda i: log.create(records[i]))
    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, JobExistsError) for outcome in outcomes) == 7
    assert log.get("2024-01-19-abc12345") == records[outcomes.index(None)]


@pytest.mark.parametrize("job_id", ["", "2024-01-19", "2024-01-19-ABC12345", "2024-01-19-abc123456", "a/b"])
def test_an_id_of_another_form_is_refused(log, job_id):
    with pytest.raises(RefusedError):
        log.create(JobRecord(**{**a_record().__dict__, "job_id": job_id}))


@pytest.mark.parametrize("job_id", ["2024-01-19-abc12345", "", ".", "a/b", "a/b/c", "__x__", "é"])
def test_a_job_that_is_not_there_is_not_found(log, job_id):
    with pytest.raises(JobNotFoundError):
        log.get(job_id)
    with pytest.raises(JobNotFoundError):
        log.update(job_id, Change(status=Status.RUNNING))


# Forward only


def test_an_update_is_stored_and_returned(log):
    log.create(record := a_record())
    change = Change(
        status=Status.RUNNING,
        stages={"read": Stage.RUNNING},
        progress={"files": 3, "a.b c": 0.5, "none": None},
        worker={"host": "h", "pid": 7, "nested": {"list": [1, "é"]}},
        logs=["begun"],
    )
    updated = log.update(record.job_id, change)
    assert log.get(record.job_id) == updated
    assert (updated.status, updated.stages["read"]) == (Status.RUNNING, Stage.RUNNING)
    assert updated.progress == {"files": 3, "a.b c": 0.5, "none": None}
    assert updated.updated_at > record.updated_at
    assert re.fullmatch(r"\[\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z\] begun", updated.logs[0])


def test_an_update_that_goes_backward_changes_nothing(log):
    log.create(record := a_record())
    ended = log.update(record.job_id, Change(status=Status.COMPLETE, summary={"lines": 3}))
    back = Change(status=Status.RUNNING, stages={"read": Stage.RUNNING}, progress={"files": 1})
    assert log.update(record.job_id, back) == ended
    assert log.get(record.job_id) == ended


def test_of_several_that_end_a_job_at_once_one_wins_and_all_see_the_same(log):
    log.create(record := a_record())
    seen = at_once(
        9, lambda i: log.update(record.job_id, Change(status=FINAL[i % 3], logs=[f"viewer {i}"])).status
    )
    assert len(set(seen)) == 1
    ended = log.get(record.job_id)
    assert ended.status == seen[0]
    assert len(ended.logs) == 9


def test_stages_and_status_only_go_forward_under_many_viewers(log):
    log.create(record := a_record())
    steps = [
        Change(status=Status.PENDING, stages={"read": Stage.WAITING}),
        Change(status=Status.RUNNING, stages={"read": Stage.RUNNING}),
        Change(stages={"read": Stage.COMPLETE, "decompress": Stage.RUNNING}),
        Change(status=Status.COMPLETE),
    ]

    def view(number: int) -> None:
        before = log.get(record.job_id)
        for step in steps[number % 4 :] + steps[: number % 4]:
            now = log.update(record.job_id, step)
            assert now.status.rank >= before.status.rank
            assert all(now.stages[name].rank >= before.stages[name].rank for name in STAGES)
            before = now

    assert at_once(8, view) == [None] * 8
    assert log.get(record.job_id).status is Status.COMPLETE


def test_of_many_lines_logged_at_once_none_is_lost(log):
    log.create(record := a_record())
    outcomes = at_once(20, lambda i: log.update(record.job_id, Change(logs=[f"line {i}"])))
    assert all(isinstance(outcome, JobRecord) for outcome in outcomes)
    lines = [line.split("] ")[1] for line in log.get(record.job_id).logs]
    assert sorted(lines) == sorted(f"line {i}" for i in range(20))


def test_logs_are_bounded_and_the_count_of_lines_left_out_adds_up(log):
    log.create(record := a_record())
    for _ in range(3):
        log.update(record.job_id, Change(logs=["é" * 900] * 60))
    for _ in range(2):
        log.update(record.job_id, Change(logs=["short"] * 900))
    kept = log.get(record.job_id)
    assert len(kept.logs) == 1000
    assert re.fullmatch(r"\[.*Z\] … 981 earlier lines left out", kept.logs[0])
    assert kept.logs_left_out == 981


def test_a_record_as_large_as_one_can_be_is_kept(log):
    log.create(record := a_record(inputs=[f"gs://in/{'é' * 240}/{i:06}" for i in range(1040)]))
    full = Change(
        status=Status.FAILED,
        logs=["é" * 3000] * 300,
        error="é" * 50_000,
        progress={f"counter-{i:04}": i for i in range(700)},
        worker={"text": "é" * 8000},
        summary={"patterns": ["é" * 500] * 60},
    )
    updated = log.update(record.job_id, full)
    assert log.get(record.job_id) == updated
    assert len(updated.spec["inputs"]) == 1040
    assert len(updated.summary["patterns"]) == 60


def test_a_specification_too_large_for_a_document_is_refused(log):
    record = a_record(inputs=[f"gs://in/{i:090}.bz2" for i in range(5600)])
    with pytest.raises(JobLogError, match="select a folder or a glob"):
        log.create(record)
    assert log.list().records == ()


# Lists


def test_the_newest_come_first_and_ids_decide_between_equals(log):
    records = [a_record(f"2024-01-0{day}-{letter * 8}", day=day) for day in (2, 1, 3) for letter in "bca"]
    for record in records:
        log.create(record)
    expected = [f"2024-01-0{day}-{letter * 8}" for day in (3, 2, 1) for letter in "cba"]
    assert [record.job_id for record in log.list().records] == expected
    pages = [log.list(limit=4)]
    while pages[-1].next_page_token:
        pages.append(log.list(limit=4, page_token=pages[-1].next_page_token))
    assert [[record.job_id for record in page.records] for page in pages] == [
        expected[:4],
        expected[4:8],
        expected[8:],
    ]


def test_an_empty_log_lists_nothing(log):
    page = log.list()
    assert (page.records, page.next_page_token) == ((), None)


def test_the_last_page_that_is_full_has_no_token(log):
    for _ in range(3):
        log.create(a_record())
    assert log.list(limit=3).next_page_token is None


def test_twenty_five_jobs_are_paged_without_repeats_while_new_ones_arrive(log):
    expected = []
    for i in range(25):
        log.create(record := a_record(day=1 + i // 2, source="betfair" if i % 5 else "ndjson"))
        if i % 3:
            log.update(record.job_id, Change(status=Status.RUNNING))
        if i % 3 and i % 5:
            expected.append((record.created_at, record.job_id))
    wanted = [job_id for _, job_id in sorted(expected, reverse=True)]

    def arrive() -> None:
        log.create(record := a_record(day=28, source="betfair"))
        log.update(record.job_id, Change(status=Status.RUNNING))

    assert len(all_pages(log, limit=7)) == 25
    filters = {"statuses": (Status.RUNNING, Status.FAILED), "source": "betfair", "limit": 3}
    assert all_pages(log, arrive, **filters) == wanted


def test_each_filter_keeps_what_it_names(log):
    for day, (status, source) in enumerate([(s, o) for s in FINAL for o in ("ndjson", "betfair")], start=1):
        record = a_record(f"2024-01-0{day}-aaaaaaaa", day=day, source=source)
        log.create(replace(record, created_by="ana" if day in (1, 3) else "bo"))
        log.update(record.job_id, Change(status=status))

    def days(**filters) -> list[int]:
        return [int(job_id[8:10]) for job_id in all_pages(log, limit=2, **filters)]

    assert days() == [6, 5, 4, 3, 2, 1]
    assert days(statuses=[Status.COMPLETE]) == [2, 1]
    assert days(statuses=[Status.COMPLETE, Status.CANCELLED]) == [6, 5, 2, 1]
    assert days(statuses=[Status.PENDING]) == []
    assert days(source="betfair") == [6, 4, 2]
    assert days(source="betfair", statuses=[Status.FAILED]) == [4]
    assert days(created_after="2024-01-03T10:00:00Z", created_before="2024-01-05T10:00:00Z") == [4, 3]
    assert days(created_after="2024-01-05") == [6, 5]
    assert days(created_before="2024-01-02T12:00:00+02:00") == [1]
    assert days(text="2024-01-04") == [4]
    assert days(text="2024-01-0", source="betfair", statuses=[Status.FAILED, Status.CANCELLED]) == [6, 4]
    assert days(text="2024-01-0", created_after="2024-01-03", created_before="2024-01-05") == [4, 3]
    assert days(created_by="ana", statuses=[Status.PENDING, Status.COMPLETE]) == [1]
    assert days(created_by="ana", source="ndjson", text="gs://") == [3, 1]
    query = {"created_after": None, "created_before": None, "limit": 2, "page_token": None}
    both = Query.of(statuses=[Status.COMPLETE], source=None, text=None, created_by=None, **query)
    assert log.count(both) == 2
    assert log.count(replace(both, statuses=(), created_by="ana")) == 2
    assert log.count(replace(both, text="2024-01")) in (2, None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ÉTÉ", "aaaaaaaa"),
        ("gs://in/été", "aaaaaaaa"),
        ("100%_done", "bbbbbbbb"),
        ("100%done", None),
        ("GS://OUT/Two", "bbbbbbbb"),
        ("01-02-BBBB", "bbbbbbbb"),
        ("'; DROP TABLE jobs", None),
        ("failed", None),
        ("x/", "bbbbbbbb"),
        ("é", "aaaaaaaa"),
    ],
)
def test_text_is_looked_for_in_id_inputs_and_target_in_any_case(log, text, found):
    log.create(a_record("2024-01-01-aaaaaaaa", inputs=("gs://in/Été/",), target="gs://out/one"))
    log.create(
        a_record("2024-01-02-bbbbbbbb", inputs=("gs://in/x/", "gs://in/100%_Done/"), target="gs://out/two")
    )
    assert [job_id[11:] for job_id in all_pages(log, text=text, limit=1)] == ([found] if found else [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"page_token": "no token"},
        {"page_token": "WyJhIl0="},
        {"page_token": "WzEsIDJd"},
        {"page_token": "é"},
        {"limit": 0},
        {"limit": 1001},
        {"created_after": "yesterday"},
    ],
)
def test_a_list_that_makes_no_sense_is_refused(log, wrong):
    with pytest.raises(RefusedError):
        log.list(**wrong)
