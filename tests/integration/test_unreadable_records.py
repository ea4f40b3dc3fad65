"""A document that is no record of a job: listed as that, logged once, and no other is hidden by it."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
from datetime import UTC, datetime

import pytest

from chimera_nb.__main__ import main
from chimera_nb.cli import display
from chimera_nb.jobs.log.entries import UnreadableRecord
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.record import JobRecord, Stage, Status
from chimera_nb.jobs.runners.direct import DirectJobs
from chimera_nb.jobs.service import JobService
from chimera_nb.jobs.transitions import Change
from chimera_nb.settings import Settings
from pipeline.errors import JobNotFoundError, RefusedError, UnreadableRecordError
from tests.fixtures.job_logs import Seen, a_record, all_entries, put_in

ODD_ID = "2024-01-02-0ddc0de0"
ABSENT = object()


def odd(**damage: object) -> dict[str, object]:
    """The document of a job, but for what is changed or, where that is ABSENT, missing."""
    document = a_record(ODD_ID, day=2).to_document() | damage
    return {name: value for name, value in document.items() if value is not ABSENT}


DAMAGES = {
    "of a later version": (odd(status="paused"), "status is 'paused', which is not known here"),
    "a later stage": (odd(stages={"read": "queued"}), "stage read is 'queued', which is not known here"),
    "a later runner": (odd(runner="flink"), "runner is 'flink', which is not known here"),
    "a status without an end": (odd(status="\u202e" + "x" * 500_000), "status is '\\u202exxx"),
    "another's id": (odd(jobId="2024-01-09-aaaaaaaa"), "its jobId is '2024-01-09-aaaaaaaa'"),
    "no status": (odd(status=ABSENT), "status is missing"),
    "no paths": (odd(selectedPaths=ABSENT), "selectedPaths is missing"),
    "one path as a text": (odd(selectedPaths="p/"), "selectedPaths is 'p/', not a list of texts"),
    "paths of numbers": (odd(selectedPaths=[1]), "selectedPaths is [1], not a list of texts"),
    "status as a list": (odd(status=["running"]), "status is ['running'], not a text"),
    "a day for a time": (odd(updatedAt="2024-01-02"), "updatedAt is '2024-01-02', not a time"),
    "a time without a zone": (odd(startedAt="2024-01-02T10:00:00"), "startedAt is"),
    "a time in another age": (odd(finishedAt="0001-01-01T00:00:00Z"), "finishedAt is"),
    "words for numbers": (odd(progress={"filesListed": "many"}), "progress is {'filesListed': 'many'}"),
    "numbers among the lines": (odd(logs=["a", 5]), "logs is ['a', 5], not a list of texts"),
    "a negative count": (odd(logsLeftOut=-1), "logsLeftOut is -1, not a count"),
    "a worker in words": (odd(worker="this machine"), "worker is 'this machine', not a map"),
    "a map of options that is none": (odd(runnerOptions=None), "runnerOptions is None"),
    "a specification cut off": (odd(spec='{"inputs": ['), "spec is '{\"inputs\": [', not the text of a JSON"),
    "a specification as a list": (odd(spec="[]"), "spec is '[]'"),
    "far too large a worker": (odd(worker={"text": "x" * 20_000}), "worker has 20,"),
    "nothing of a job": ({"createdAt": "2024-01-02T10:00:00.000Z", "colour": "red"}, "jobId is missing"),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_it_is_listed_with_what_is_wrong_and_hides_no_other(log, case, caplog):
    document, problem = DAMAGES[case]
    log.create(older := a_record(day=1))
    log.create(newer := a_record(day=3))
    put_in(log, ODD_ID, document)
    for _ in range(3):
        first, second, third = log.list().entries
        assert (first, third) == (newer, older)
    assert isinstance(second, UnreadableRecord)
    assert (second.job_id, second.created_at) == (ODD_ID, "2024-01-02T10:00:00.000Z")
    assert problem in second.problem
    assert second.problem.isprintable()
    assert len(second.problem) < 300
    assert log.list().records == (newer, older)
    for call in (lambda: log.get(ODD_ID), lambda: log.update(ODD_ID, Change(status=Status.RUNNING))):
        with pytest.raises(UnreadableRecordError) as caught:
            call()
        assert f"job '{ODD_ID}': its record cannot be read: {second.problem}; if a later" in str(caught.value)
        assert caught.value.job_id == ODD_ID
    (logged,) = [line for line in caplog.records if "cannot be read" in line.getMessage()]
    assert ODD_ID in logged.getMessage()


def test_a_watch_tells_of_it_and_of_its_end(log):
    log.create(record := a_record(day=1))
    put_in(log, ODD_ID, odd(status="paused"))
    seen, one = Seen(), Seen()
    with contextlib.closing(log.watch(seen)), contextlib.closing(log.watch(one, job_id=ODD_ID)):
        seen.wait_for((record.job_id, "pending"), (ODD_ID, "unreadable"))
        one.wait_for((ODD_ID, "unreadable"))
        log.update(record.job_id, Change(status=Status.RUNNING))
        seen.wait_for((record.job_id, "running"))
        if isinstance(log, SqliteJobLog):
            with contextlib.closing(sqlite3.connect(log.path)) as connection, connection:
                connection.execute("DELETE FROM jobs WHERE job_id = ?", (ODD_ID,))
        put_in(log, ODD_ID, odd())
        seen.wait_for((ODD_ID, "pending"))
        one.wait_for((ODD_ID, "pending"))
    assert [state for job, state in seen.states if job == ODD_ID] == ["unreadable", "pending"]


def test_pages_and_filters_go_over_it(log):
    names, betfair, late = [], [], []
    for day in range(9, 0, -1):
        source = "betfair" if day % 2 else "ndjson"
        log.create(record := a_record(f"2024-01-{day:02}-aaaaaaaa", day=day, source=source))
        name = f"odd one {day} é"
        put_in(log, name, record.to_document() | {"jobId": name, "logs": 5, "sourceType": "betfair"})
        names += [name, record.job_id]
        betfair += [name, record.job_id] if day % 2 else [name]
        late += [name, record.job_id] if day > 6 else []

    def found(**filters) -> list[str]:
        return [entry.job_id for entry in all_entries(log, **filters)]

    for limit in (1, 2, 5, 100):
        assert found(limit=limit) == names
    assert found(limit=2, source="betfair") == betfair
    assert found(limit=2, created_after="2024-01-07") == late
    assert found(limit=1, text="ONE 4") == ["odd one 4 é"]
    assert found(limit=2, statuses=[Status.RUNNING]) == []
    with pytest.raises(UnreadableRecordError):
        log.get("odd one 4 é")


def test_a_change_writes_only_what_it_is_about(log):
    """What a later version knows, or keeps more of, is there after an update by this one."""
    document = odd(
        later={"nested": [1, "é"]},
        stages={"read": "waiting", "decompress": "waiting", "write": "waiting", "validate": "queued"},
        selectedPaths=[f"p{i}/" for i in range(1500)],
        spec=json.dumps({"inputs": ["gs://in/p/"], "new": "x" * 600_000}),
    )
    put_in(log, ODD_ID, document)
    log.update(ODD_ID, Change(stages={"read": Stage.RUNNING}, logs=["looked"]))
    ended = log.update(ODD_ID, Change(status=Status.COMPLETE, summary={"lines": 3}))
    assert ended.stages == dict.fromkeys(("read", "decompress", "write"), Stage.COMPLETE)
    stored = stored_in(log, ODD_ID)
    assert stored["stages"] == dict.fromkeys(("read", "decompress", "write"), "complete") | {
        "validate": "queued"
    }
    for name in ("later", "selectedPaths", "spec"):
        assert stored[name] == document[name]
    assert (stored["status"], stored["summary"]) == ("complete", {"lines": 3})
    assert log.get(ODD_ID) == ended


def stored_in(log, job_id: str) -> dict[str, object]:
    if not isinstance(log, SqliteJobLog):
        return log._collection.document(job_id).get().to_dict()
    with contextlib.closing(sqlite3.connect(log.path)) as connection:
        (text,) = connection.execute("SELECT document FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    return json.loads(text)


# What stands on the log


def test_the_service_lists_settles_and_submits_over_it(sqlite_log, tmp_path, caplog, monkeypatch):
    service = JobService(Settings(data_dir=tmp_path), sqlite_log)
    sqlite_log.create(pending := a_record(day=1))
    put_in(sqlite_log, "odd one", "{", created_at="2024-01-02T00:00:00.000Z")
    # Records that can be read, of jobs that cannot be looked after: a process that is none, and a job of no region.
    strange = {"worker": {"host": socket.gethostname(), "pid": "x"}, "runner": "direct", "status": "running"}
    put_in(sqlite_log, ODD_ID, odd(**strange))
    put_in(
        sqlite_log, "no-region", odd(jobId="no-region", createdAt="2024-01-03T00:00:00Z", runnerOptions={})
    )
    assert [entry.job_id for entry in service.list().entries] == [
        "no-region",
        ODD_ID,
        "odd one",
        pending.job_id,
    ]
    assert service.get(ODD_ID).status is Status.RUNNING
    assert service.sync() == ()
    settle, looked_after = DirectJobs.settle, []

    def strangely(jobs: DirectJobs, record: JobRecord) -> JobRecord:
        looked_after.append(record.job_id)
        if record.job_id == ODD_ID:
            raise KeyError("pid")
        return settle(jobs, record)

    monkeypatch.setattr(DirectJobs, "settle", strangely)
    assert service.sync() == ()
    assert looked_after == [ODD_ID]  # the others are Dataflow's
    assert f"job {ODD_ID} cannot be brought up to date: KeyError: 'pid'" in caplog.text
    with pytest.raises(UnreadableRecordError):
        service.get("odd one")
    with pytest.raises(UnreadableRecordError):
        service.cancel("odd one")
    assert service._may_be_running("odd one") is None


def test_the_command_line_lists_it_and_says_what_is_wrong(sqlite_log, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(display.out, "width", 200)
    sqlite_log.create(record := a_record(day=1))
    put_in(sqlite_log, "odd one", "{broken", created_at="2024-01-02T00:00:00.000Z")

    def chimera(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--data-dir", str(tmp_path)])
        return ended.value.code or 0, "".join(capsys.readouterr())

    code, text = chimera("jobs", "list")
    assert code == 0
    odd_line, good_line = (line for line in text.splitlines() if line.startswith(("odd one", record.job_id)))
    assert odd_line.split()[:3] == ["odd", "one", "unreadable"]
    assert "cannot be read: it is no JSON (" in odd_line
    assert good_line.split()[:2] == [record.job_id, "pending"]
    code, text = chimera("jobs", "list", "--json")
    document = json.loads(text)
    assert [job["jobId"] for job in document["jobs"]] == [record.job_id]
    assert [(job["jobId"], job["createdAt"]) for job in document["unreadable"]] == [
        ("odd one", "2024-01-02T00:00:00.000Z")
    ]
    assert document["unreadable"][0]["problem"].startswith("it is no JSON")
    code, text = chimera("jobs", "show", "odd one")
    assert code == 1
    assert text.startswith("error: job 'odd one': its record cannot be read: it is no JSON (")


# SQLite alone

TEXTS = {
    "no JSON": ("{broken", "it is no JSON"),
    "nothing": ("", "it is no JSON"),
    "a list": ("[1, 2]", "it is [1, 2], not an object with fields"),
    "null": ("null", "it is None, not an object"),
    "deep": ("[" * 100_000, "nested too deeply"),
    "no UTF-8": (b'{"jobId": "\xff"}', "it is no JSON"),
}


@pytest.fixture
def sqlite_log(tmp_path):
    with contextlib.closing(SqliteJobLog(tmp_path / "jobs.sqlite")) as log:
        yield log


@pytest.mark.parametrize("case", TEXTS)
@pytest.mark.parametrize("as_text", [True, False])
def test_a_row_that_holds_no_document(sqlite_log, case, as_text):
    text, problem = TEXTS[case]
    sqlite_log.create(record := a_record(day=1))
    put_in(sqlite_log, ODD_ID, text, created_at="2024-01-02T10:00:00.000Z")
    with contextlib.closing(sqlite3.connect(sqlite_log.path)) as connection, connection:
        kind = "TEXT" if as_text else "BLOB"
        connection.execute(f"UPDATE jobs SET document = CAST(document AS {kind}) WHERE job_id = ?", (ODD_ID,))
    unreadable, other = sqlite_log.list().entries
    assert problem in unreadable.problem
    assert other == record
    with pytest.raises(UnreadableRecordError, match="cannot be read"):
        sqlite_log.get(ODD_ID)


def test_rows_whose_columns_are_not_what_they_should_be(sqlite_log):
    """Bytes for an id or a time, an id that no job can have, and a place in the order that nothing comes after."""
    sqlite_log.create(first := a_record("2024-01-01-aaaaaaaa", day=1))
    with contextlib.closing(sqlite3.connect(sqlite_log.path)) as connection, connection:
        for number, (job_id, created_at, changed) in enumerate(
            [
                (b"\xff\xfe", "2024-01-01T11:00:00.000Z", 50),
                ("a/b", "2024-01-01T12:00:00.000Z", 2**63 - 1),
                ("late", b"2024", "soon"),
                ("early", "", 60.5),
            ]
        ):
            row = (job_id, created_at, "", "", changed, "", json.dumps({"number": number}))
            connection.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    seen = Seen()
    with contextlib.closing(sqlite_log.watch(seen)):
        seen.wait_for((first.job_id, "pending"))
        sqlite_log.create(second := a_record("2024-01-02-bbbbbbbb", day=2))
        sqlite_log.update(first.job_id, Change(status=Status.RUNNING))
        seen.wait_for((second.job_id, "pending"), (first.job_id, "running"))
    for limit in (1, 2, 10):
        names = [entry.job_id for entry in all_entries(sqlite_log, limit=limit)]
        assert names == ["late", second.job_id, "a/b", "b'\\xff\\xfe'", first.job_id, "early"]
    with pytest.raises(JobNotFoundError):
        sqlite_log.get("a/b")


def test_a_page_that_begins_after_a_row_that_is_gone_is_refused(sqlite_log):
    for day in (1, 2):
        put_in(sqlite_log, f"a/{day}", "{", created_at=f"2024-01-0{day}T00:00:00.000Z")
    token = sqlite_log.list(limit=1).next_page_token
    with contextlib.closing(sqlite3.connect(sqlite_log.path)) as connection, connection:
        connection.execute("DELETE FROM jobs")
    with pytest.raises(RefusedError, match="begin again without one"):
        sqlite_log.list(limit=1, page_token=token)


# Firestore alone


def test_documents_without_a_time_or_with_one_of_another_type_are_listed_as_well(firestore_job_log):
    log = firestore_job_log
    log.create(record := a_record(day=5))
    put_in(log, "a number", {"createdAt": 5})
    put_in(log, "a moment", {"createdAt": datetime(2024, 1, 1, tzinfo=UTC)})
    put_in(log, "a list", {"createdAt": ["2024"]})
    put_in(log, "empty", {})
    put_in(log, "undated", {"jobId": "undated", "status": "running", "worker": {"host": "h"}})
    order = ["a list", record.job_id, "a moment", "a number", "empty", "undated"]
    for limit in (1, 2, 3, 50):
        entries = list(all_entries(log, limit=limit))
        assert [entry.job_id for entry in entries] == order
        assert [isinstance(entry, JobRecord) for entry in entries] == [
            entry.job_id == record.job_id for entry in entries
        ]
    problems = {entry.job_id: entry.problem for entry in entries if isinstance(entry, UnreadableRecord)}
    assert problems["empty"] == problems["undated"] == "createdAt is missing"
    assert problems["a number"] == "createdAt is 5, not a time such as 2024-01-19T10:00:00.000Z"
    assert [entry.job_id for entry in all_entries(log, statuses=[Status.PENDING], limit=1)] == [record.job_id]
    assert [entry.job_id for entry in all_entries(log, text="UNDA", limit=1)] == ["undated"]
    with pytest.raises(UnreadableRecordError, match="createdAt is missing"):
        log.get("undated")
    seen = Seen()
    with contextlib.closing(log.watch(seen)):
        seen.wait_for((record.job_id, "pending"), ("a moment", "unreadable"), ("a number", "unreadable"))
        log.update(record.job_id, Change(status=Status.RUNNING))
        seen.wait_for((record.job_id, "running"))


def test_a_page_that_begins_after_a_document_that_is_gone_is_refused(firestore_job_log):
    for number in range(2):
        put_in(firestore_job_log, f"odd{number}", {"createdAt": number})
    token = firestore_job_log.list(limit=1).next_page_token
    firestore_job_log._collection.document("odd1").delete()
    with pytest.raises(RefusedError, match="begin again without one"):
        firestore_job_log.list(limit=1, page_token=token)


def test_values_that_only_firestore_has_stay_in_a_document_and_are_refused_in_a_field_of_ours(
    firestore_job_log,
):
    log = firestore_job_log
    reference = log._collection.document("other")
    theirs = {
        "when": datetime(2024, 1, 1, tzinfo=UTC),
        "where": reference,
        "raw": b"\xff",
        "deep": {"a": [{}]},
    }
    put_in(log, ODD_ID, odd(theirs=theirs))
    log.update(ODD_ID, Change(status=Status.COMPLETE, logs=["done"]))
    assert stored_in(log, ODD_ID)["theirs"] == theirs
    for name in ("worker", "summary", "runnerOptions", "progress"):
        put_in(log, ODD_ID, odd(**{name: theirs}))
        with pytest.raises(UnreadableRecordError, match=f"{name} is"):
            log.get(ODD_ID)
