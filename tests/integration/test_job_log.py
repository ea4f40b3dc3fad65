"""One contract for every job log: SQLite in a folder of its own, Firestore on the emulator."""

from __future__ import annotations

import contextlib
import re
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from google.api_core.exceptions import DeadlineExceeded, FailedPrecondition
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.jobs.log import firestore_client, firestore_pages, firestore_words
from chimera_nb.jobs.log.firestore import FirestoreJobLog
from chimera_nb.jobs.log.firestore_words import FIELD, may_have, tokens_of
from chimera_nb.jobs.log.protocol import JobLog
from chimera_nb.jobs.log.query import Query
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.record import STAGES, JobRecord, Stage, Status
from chimera_nb.jobs.transitions import Change
from pipeline.errors import JobExistsError, JobLogError, JobNotFoundError, RefusedError
from pipeline.spec import JobSpec
from tests.fixtures.job_logs import SOON, Seen, a_record, all_entries, another, at_once, put_in

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


def all_pages(log: JobLog, between: Callable[[], object] = lambda: None, **filters) -> list[str]:
    found, token = [], None
    while True:
        page = log.list(page_token=token, **filters)
        found += [record.job_id for record in page.records]
        token = page.next_page_token
        if token is None:
            return found
        between()


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


# Watches


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


# SQLite alone

PROCESS = """
import sys
from pathlib import Path
from chimera_nb.jobs.transitions import Change
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from pipeline.errors import JobExistsError
from pipeline.spec import JobSpec

number = sys.argv[2]
spec = JobSpec(inputs=("gs://in/p/",), target=f"gs://out/{number}", job_id="2024-01-19-abc12345")
print("ready", flush=True)
sys.stdin.readline()
log = SqliteJobLog(Path(sys.argv[1]))
try:
    log.create(JobRecord.from_spec(spec, runner="direct"))
    print("created", flush=True)
except JobExistsError:
    print("exists", flush=True)
for i in range(10):
    log.update(spec.job_id, Change(status=Status.RUNNING, logs=[f"{number}:{i}"]))
log.update(spec.job_id, Change(status=[Status.COMPLETE, Status.FAILED][int(number) % 2]))
log.close()
"""


def test_many_processes_make_and_use_one_new_file_at_once(tmp_path):
    path = tmp_path / "new folder" / "jobs.sqlite"
    with contextlib.ExitStack() as started:
        processes = [
            started.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", PROCESS, path, str(i)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for i in range(8)
        ]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        output = [process.communicate(timeout=60) for process in processes]
    assert [errors for _, errors in output] == [""] * 8
    assert sorted(words for words, _ in output) == ["created\n"] + ["exists\n"] * 7
    with contextlib.closing(SqliteJobLog(path)) as log:
        record = log.get("2024-01-19-abc12345")
    assert record.status in (Status.COMPLETE, Status.FAILED)
    assert sorted(line.split("] ")[1] for line in record.logs) == sorted(
        f"{n}:{i}" for n in range(8) for i in range(10)
    )


def test_the_file_is_in_wal_mode(tmp_path):
    path = tmp_path / "jobs.sqlite"
    SqliteJobLog(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def a_text_file(path):
    path.write_text("this is no database, only text" * 100)


def another_programs_database(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")


def a_later_versions_log(path):
    SqliteJobLog(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def a_folder(path):
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (a_text_file, "not a database; it is no job log"),
        (another_programs_database, "another program's"),
        (a_later_versions_log, "schema 99.*upgrade chimera-nb"),
        (a_folder, "name a file in a folder"),
    ],
)
def test_a_file_that_is_no_job_log_is_refused_and_left_alone(tmp_path, make, says):
    path = tmp_path / "jobs.sqlite"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(JobLogError, match=says) as raised:
        SqliteJobLog(path)
    assert str(path) in str(raised.value)
    assert before is None or path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(JobLogError, match="that can be written"):
        SqliteJobLog(tmp_path / "file" / "jobs.sqlite")


def test_fields_of_a_later_version_stay_in_a_sqlite_document(tmp_path):
    with contextlib.closing(SqliteJobLog(tmp_path / "jobs.sqlite")) as log:
        log.create(record := a_record())
        with contextlib.closing(sqlite3.connect(log.path)) as connection, connection:
            connection.execute("UPDATE jobs SET document = json_set(document, '$.later', 'kept')")
        log.update(record.job_id, Change(status=Status.RUNNING))
        with contextlib.closing(sqlite3.connect(log.path)) as connection:
            (later,) = connection.execute("SELECT document ->> 'later' FROM jobs").fetchone()
    assert later == "kept"


def test_a_closed_sqlite_log_says_so(tmp_path):
    log = SqliteJobLog(tmp_path / "jobs.sqlite")
    log.close()
    with pytest.raises(JobLogError, match="open it again"):
        log.list()


# Firestore alone


def test_fields_of_a_later_version_stay_in_a_firestore_document(firestore_job_log):
    firestore_job_log.create(record := a_record())
    document = firestore_job_log._collection.document(record.job_id)
    document.update({"later": "kept"})
    firestore_job_log.update(record.job_id, Change(status=Status.RUNNING))
    assert document.get().get("later") == "kept"


def test_a_search_in_text_reads_only_so_many_documents_for_a_page(firestore_job_log, monkeypatch):
    monkeypatch.setattr(firestore_pages, "_READ_AT_ONCE", 2)
    monkeypatch.setattr(firestore_pages, "_MOST_READ", 4)
    records = [
        a_record(day=day, target="gs://out/rare" if day == 1 else "gs://out/usual") for day in range(1, 8)
    ]
    for record in records:  # of an earlier version
        put_in(firestore_job_log, record.job_id, record.to_document())
    page = firestore_job_log.list(text="rare", limit=1)
    assert page.records == ()
    assert page.next_page_token
    assert all_pages(firestore_job_log, text="rare", limit=1) == [records[0].job_id]


def test_a_search_in_text_looks_into_no_record_that_has_its_tokens(firestore_job_log, monkeypatch):
    log, looked = firestore_job_log, []
    monkeypatch.setattr(firestore_words, "_PROBE_SECONDS", 90.0)
    monkeypatch.setattr(
        firestore_pages, "may_have", lambda found, text: looked.append(found.id) or may_have(found, text)
    )
    records = [a_record(day=day, target=f"gs://out/{'rare' if day % 3 else 'usual'}") for day in range(1, 10)]
    for record in records[:4]:
        put_in(log, record.job_id, record.to_document())
    put_in(log, "rare number", {"createdAt": 5})
    put_in(log, "rare list", {"createdAt": ["rare"]})
    put_in(log, "rare and undated", {})
    for record in records[4:]:
        log.create(record)
    dated = [records[day - 1].job_id for day in (8, 7, 5, 4, 2, 1)]
    for limit in (2, 50):
        looked.clear()
        found = [entry.job_id for entry in all_entries(log, text="RARE", limit=limit)]
        assert found == ["rare list", *dated, "rare number", "rare and undated"]
        assert not {record.job_id for record in records[4:]} & set(looked)
    log.update(records[3].job_id, Change(note="rarely seen"))  # whatever is changed has tokens from then on
    log.update(records[6].job_id, Change(name="Boxing day"))
    log._words._until = 0.0
    looked.clear()
    assert all_pages(log, text="rarely") == [records[3].job_id]
    assert records[3].job_id not in looked
    assert all_pages(log, text="boxing d", statuses=[Status.PENDING]) == [records[6].job_id]
    assert all_pages(log, text="boxing d", statuses=[Status.FAILED]) == []


def test_a_record_with_too_much_text_for_tokens_is_found_as_well(firestore_job_log):
    inputs = tuple(f"gs://in/{number:05}-{number * 7919 % 100_003}/" for number in range(300))
    records = [a_record(day=1, inputs=inputs), a_record(day=2)]
    for record in records:
        firestore_job_log.create(record)
    assert len(firestore_job_log._collection.document(records[0].job_id).get().get(FIELD)) == 2
    assert all_pages(firestore_job_log, text=f"{299:05}-{299 * 7919 % 100_003}") == [records[0].job_id]


@pytest.mark.parametrize(
    "fault", [FailedPrecondition("the query requires an index"), DeadlineExceeded("504")]
)
def test_a_search_that_no_index_serves_reads_as_it_did_before(firestore_job_log, monkeypatch, fault):
    def counted(documents, seconds=None):
        if seconds:
            raise fault
        return firestore_words.counted(documents)

    firestore_job_log.create(record := a_record(target="gs://out/rare"))
    firestore_job_log.create(a_record())
    monkeypatch.setattr(firestore_words, "counted", counted)
    assert all_pages(firestore_job_log, text="rare", limit=1) == [record.job_id]
    assert firestore_job_log._words.since("rare") == firestore_words.NEVER


@given(st.text(max_size=40), st.data())
def test_each_part_of_a_text_is_made_of_the_tokens_of_the_whole(text, data):
    start = data.draw(st.integers(0, len(text)))
    part = text[start : data.draw(st.integers(start, len(text)))]
    assert set(tokens_of(part)) <= set(tokens_of(text))


def test_the_emulator_holds_documents_to_one_mebibyte(firestore_job_log):
    with pytest.raises(Exception, match=r"exceeds the maximum|longer than|too large"):
        firestore_job_log._collection.document("large").set({"text": "x" * (1 << 20)})


def test_a_firestore_that_is_away_is_named_and_not_waited_for(monkeypatch):
    with socket.socket() as unused:
        unused.bind(("localhost", 0))
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"localhost:{unused.getsockname()[1]}")
        monkeypatch.setattr(firestore_client, "SECONDS", 1.0)
        log = FirestoreJobLog("demo-chimera", collection="away")
        record = a_record()
        calls = [log.list, lambda: log.get(record.job_id), lambda: log.create(record)]
        for call in calls:
            with pytest.raises(JobLogError, match=r"'away'.*cannot be reached"):
                call()
        log.close()
