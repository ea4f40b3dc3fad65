"""The shared job log while Firestore is away, slow, silent, crowded or full: the emulator behind a proxy."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from google.api_core.exceptions import InvalidArgument

from chimera_nb.jobs.log import firestore_client
from chimera_nb.jobs.log.firestore import FirestoreJobLog
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.service import JobService
from chimera_nb.jobs.transitions import Change
from chimera_nb.settings import Settings
from pipeline.errors import JobExistsError, JobLogError
from tests.fixtures.files import expected_lines, good_files
from tests.fixtures.job_logs import Seen, a_record, at_once
from tests.fixtures.tcp_proxy import TcpProxy, proxy_to
from tests.fixtures.waiting import until

pytestmark = pytest.mark.timeout(170)


@pytest.fixture
def proxy(firestore_emulator, firestore_job_log) -> Iterator[TcpProxy]:
    """What stands between `log` and the emulator; `firestore_job_log` reaches it without."""
    with proxy_to(firestore_emulator) as proxy:
        yield proxy


@pytest.fixture
def log(proxy, firestore_job_log, monkeypatch) -> Iterator[FirestoreJobLog]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", proxy.host)
    log = FirestoreJobLog("demo-chimera", collection=firestore_job_log._collection.id)
    yield log
    proxy.delay = 0.0
    proxy.back()
    log.close()


@pytest.fixture
def hasty(monkeypatch) -> None:
    monkeypatch.setattr(firestore_client, "SECONDS", 2.0)


def messages(record: JobRecord) -> list[str]:
    return [line.split("] ", 1)[1] for line in record.logs]


# Away


def test_a_job_that_cannot_be_put_on_record_is_not_run_and_leaves_no_claim(
    log, proxy, firestore_job_log, monkeypatch, tmp_path
):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_bytes(b'{"a":1}\n')
    service = JobService(Settings(data_dir=tmp_path / "data"), log)
    proxy.away()
    with monkeypatch.context() as hasty:
        hasty.setattr(firestore_client, "SECONDS", 2.0)
        with pytest.raises(
            JobLogError, match=r"collection 'dataflow-jobs-.*cannot be reached or is overloaded"
        ):
            service.submit([str(tmp_path / "in")], str(tmp_path / "out"))
    assert not [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert firestore_job_log.list().records == ()
    assert not (tmp_path / "data" / "jobs").exists()


def test_a_job_whose_log_is_away_in_the_middle_runs_on_and_is_on_record_as_what_it_became(
    log, proxy, firestore_job_log, tmp_path
):
    for file in good_files():
        place = tmp_path / "in" / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.data)
    target = tmp_path / "out"
    settings = Settings(
        data_dir=tmp_path / "data",
        job_log="firestore",
        project="demo-chimera",
        firestore_collection=log._collection.id,
    )
    service = JobService(settings, log)
    job_id = service.submit([str(tmp_path / "in")], str(target)).job_id
    until(lambda: firestore_job_log.get(job_id).status is Status.RUNNING)
    pid = firestore_job_log.get(job_id).worker["pid"]
    os.kill(pid, signal.SIGSTOP)  # so that it has not ended before the log is away
    proxy.away()
    assert firestore_job_log.get(job_id).status is Status.RUNNING
    os.kill(pid, signal.SIGCONT)
    until((target / "summary.json").exists)
    assert firestore_job_log.get(job_id).status is Status.RUNNING
    proxy.back()
    until(lambda: firestore_job_log.get(job_id).status.is_final)
    record = service.get(job_id)
    assert record.status is Status.COMPLETE
    lines = sorted(b"".join(p.read_bytes() for p in (target / "output").iterdir()).splitlines(keepends=True))
    assert lines == expected_lines(good_files())
    assert record.summary["lines"] == record.progress["lines"] == len(lines)
    assert len(messages(record)) == len(set(messages(record)))


def test_it_is_found_again_within_seconds_however_long_it_was_away(log, proxy, hasty):
    log.create(record := a_record())
    proxy.away()
    away_until = time.monotonic() + 17  # the default tries again after 16 s, and then after 26 s
    refused = 0
    while time.monotonic() < away_until:
        with pytest.raises(JobLogError, match="cannot be reached"):
            log.update(record.job_id, Change(logs=["while away"]))
        refused += 1
    assert refused >= 3
    proxy.back()
    firestore_client.SECONDS = 5.0
    assert messages(log.update(record.job_id, Change(status=Status.COMPLETE, logs=["back"]))) == ["back"]


def test_a_watch_goes_on_when_it_was_away(log, proxy, firestore_job_log):
    log.create(record := a_record())
    seen = Seen()
    with (
        contextlib.closing(log.watch(seen)),
        contextlib.closing(log.watch(one := Seen(), job_id=record.job_id)),
    ):
        for watched in (seen, one):
            watched.wait_for((record.job_id, "pending"))
        proxy.away()
        firestore_job_log.update(record.job_id, Change(status=Status.RUNNING))
        proxy.back()
        for watched in (seen, one):
            watched.wait_for((record.job_id, "running"), seconds=60)
    assert seen.states == one.states == [(record.job_id, "pending"), (record.job_id, "running")]


# Silent: what was asked is done, and the answer is lost


def lost_answer(proxy: TcpProxy, call: Callable[[], object], is_done: Callable[[], object]) -> Future[object]:
    """Let the call be done at the server without an answer, and then break the connection."""
    with ThreadPoolExecutor(1) as pool:
        proxy.silent = True
        outcome = pool.submit(call)
        until(is_done)
        proxy.silent = False
        proxy.cut()
        return outcome


def exists(log: FirestoreJobLog, job_id: str) -> bool:
    return bool(log._collection.document(job_id).get().exists)


def test_a_record_whose_making_was_not_answered_is_made_once_and_no_error(log, proxy, firestore_job_log):
    log.list()
    record = a_record()
    made = lost_answer(proxy, lambda: log.create(record), lambda: exists(firestore_job_log, record.job_id))
    assert made.result() is None
    assert firestore_job_log.list().records == (record,)


def test_an_id_that_was_taken_meanwhile_is_still_anothers(log, proxy, firestore_job_log):
    log.list()
    mine, theirs = a_record("2024-01-19-abc12345"), a_record("2024-01-19-abc12345", target="gs://other/place")
    firestore_job_log.create(theirs)
    answers = proxy.answers
    made = lost_answer(proxy, lambda: log.create(mine), lambda: proxy.answers > answers)
    with pytest.raises(JobExistsError):
        made.result()
    assert firestore_job_log.get(theirs.job_id) == theirs


def test_a_line_whose_writing_was_not_answered_is_there_once(log, proxy, firestore_job_log):
    log.create(record := a_record())
    log.get(record.job_id)
    writing = threading.Event()
    read = log._read

    def read_and_fall_silent(job_id):
        snapshot = read(job_id)
        if not writing.is_set():
            writing.set()
            proxy.silent = True
        return snapshot

    log._read = read_and_fall_silent
    with ThreadPoolExecutor(1) as pool:
        change = Change(status=Status.RUNNING, logs=["once"])
        outcome = pool.submit(log.update, record.job_id, change)
        until(lambda: firestore_job_log.get(record.job_id).status is Status.RUNNING)
        firestore_job_log.update(record.job_id, Change(logs=["another's"]))
        proxy.silent = False
        proxy.cut()
        assert outcome.result().status is Status.RUNNING
    assert messages(firestore_job_log.get(record.job_id)) == ["once", "another's"]


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(log, proxy, hasty):
    log.create(record := a_record())
    proxy.silent = True
    for call in (lambda: log.get(record.job_id), log.list, lambda: log.create(a_record())):
        with pytest.raises(JobLogError, match="cannot be reached or is overloaded"):
            call()
    proxy.back()
    proxy.cut()
    assert log.get(record.job_id) == record


# Slow, and crowded


def test_a_slow_server_is_waited_for(log, proxy):
    proxy.delay = 0.7  # each way
    log.create(record := a_record())
    assert log.update(record.job_id, Change(status=Status.RUNNING, logs=["begun"])).status is Status.RUNNING
    assert messages(log.get(record.job_id)) == ["begun"]
    assert [found.job_id for found in log.list(statuses=[Status.RUNNING]).records] == [record.job_id]


def test_of_ten_writers_over_a_slow_line_each_has_its_word_and_the_first_end_stands(log, proxy):
    log.create(record := a_record())
    proxy.delay = 0.03
    with contextlib.ExitStack() as opened:
        writers = [
            opened.enter_context(
                contextlib.closing(FirestoreJobLog("demo-chimera", collection=log._collection.id))
            )
            for _ in range(10)
        ]

        def write(number: int) -> Status:
            for step in range(3):
                writers[number].update(
                    record.job_id,
                    Change(status=Status.RUNNING, progress={f"of-{number}": step}, logs=[f"{number}:{step}"]),
                )
            end = Status.COMPLETE if number % 2 else Status.FAILED
            return writers[number].update(record.job_id, Change(status=end, logs=[f"{number}:end"])).status

        ends = at_once(10, write)
        proxy.delay = 0.0
    (end,) = set(ends)
    final = log.get(record.job_id)
    assert final.status is end
    words = [f"{number}:{step}" for number in range(10) for step in (0, 1, 2, "end")]
    assert sorted(messages(final)) == sorted(words)
    for number in range(10):
        own = [word for word in messages(final) if word.startswith(f"{number}:")]
        assert own == words[4 * number : 4 * number + 4]


# At the document's bound


@pytest.mark.parametrize("spare", [0, 300, 3000, 100_000])
def test_a_jobs_end_finds_room_in_a_document_that_others_have_filled(firestore_job_log, spare):
    """Another program keeps so much in the document that just `spare` bytes are free of Firestore's 1 MiB."""
    log = firestore_job_log
    log.create(record := a_record())
    running = log.update(
        record.job_id, Change(status=Status.RUNNING, logs=[f"{i} " + "é" * 400 for i in range(60)])
    )
    stored = log._collection.document(record.job_id)
    theirs = fill_up(stored, spare)
    ended = log.update(
        record.job_id,
        Change(
            status=Status.FAILED,
            error="the cause",
            logs=["the last word"],
            summary={"lines": 3, "text": "y" * 30_000},
        ),
    )
    assert log.get(record.job_id) == ended
    assert (ended.status, ended.error, messages(ended)[-1]) == (Status.FAILED, "the cause", "the last word")
    assert stored.get().get("theirs") == theirs
    kept = len(ended.logs) - bool(ended.logs_left_out)
    assert kept + ended.logs_left_out == len(running.logs) + 1


def fill_up(stored, spare: int = 0) -> str:
    """Put as much into the document as the store takes, but for so many bytes; what that was."""
    too_much, fits = 1 << 20, 0
    while too_much - fits > 1:
        size = (too_much + fits) // 2
        try:
            stored.update({"theirs": "x" * size})
            fits = size
        except InvalidArgument:
            too_much = size
    stored.update({"theirs": "x" * (fits - spare)})
    return "x" * (fits - spare)


def test_an_end_that_comes_with_much_to_say_is_said_shortly_where_there_is_no_room(firestore_job_log):
    log = firestore_job_log
    log.create(record := a_record())
    theirs = fill_up(log._collection.document(record.job_id), spare=700)
    much = Change(status=Status.FAILED, error="e" * 5000, logs=["l" * 3000], summary={"text": "s" * 9000})
    ended = log.update(record.job_id, much)
    assert (ended.status, ended.summary) == (Status.FAILED, None)
    assert ended.error.startswith("eee")
    assert log.get(record.job_id) == ended
    assert log._collection.document(record.job_id).get().get("theirs") == theirs


def test_a_document_without_room_for_a_word_says_that_it_is_full(firestore_job_log):
    firestore_job_log.create(record := a_record())
    fill_up(firestore_job_log._collection.document(record.job_id))
    with pytest.raises(
        JobLogError, match=f"'{record.job_id}': .*; the document is full: take out of it what"
    ):
        firestore_job_log.update(record.job_id, Change(status=Status.FAILED, error="of the test"))
