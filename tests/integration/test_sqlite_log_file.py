"""The file of the embedded job log under hard hands: removed, replaced, moved away, locked, on a full disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from chimera_nb.jobs.log import sqlite_file
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.record import Status
from chimera_nb.jobs.service import JobService
from chimera_nb.jobs.transitions import Change
from chimera_nb.settings import Settings
from pipeline.errors import JobLogError
from tests.fixtures.files import expected_lines, good_files
from tests.fixtures.job_logs import Seen, a_record, at_once, put_in
from tests.fixtures.waiting import until

BESIDE = ("", "-wal", "-shm")


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "data" / "jobs.sqlite"


@pytest.fixture
def log(path):
    with contextlib.closing(SqliteJobLog(path)) as log:
        yield log


def records_in(path: Path) -> dict[str, str]:
    """Every job in the file that has the name now, as a process that comes new finds them."""
    with contextlib.closing(SqliteJobLog(path)) as log:
        assert log._file.writer.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {record.job_id: record.status.value for record in log.list(limit=1000).records}


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


# Several logs in one process


LOOKS = "import sys; from pathlib import Path; from chimera_nb.jobs.log.sqlite import SqliteJobLog; \
log = SqliteJobLog(Path(sys.argv[1])); print(*(e.job_id for e in log.list().entries)); log.close()"


def test_a_log_that_is_opened_twice_in_one_process_is_still_held_when_another_process_leaves_it(path, log):
    """To open and close the file by itself would give up all locks of the process (fcntl(2)), SQLite's too: then
    whoever closes last elsewhere deletes the write-ahead log, and what is written to it afterwards.
    """

    def ids_elsewhere() -> set[str]:
        seen = subprocess.run(
            [sys.executable, "-c", LOOKS, str(path)], capture_output=True, text=True, check=True
        )
        return set(seen.stdout.split())

    log.create(first := a_record(day=1))
    with contextlib.closing(SqliteJobLog(path)) as other:
        assert ids_elsewhere() == {first.job_id}
        log.create(second := a_record(day=2))
        other.create(third := a_record(day=3))
        assert ids_elsewhere() == {first.job_id, second.job_id, third.job_id}


# Removed, replaced, moved


@pytest.mark.parametrize("removed", [("",), BESIDE])
def test_what_is_written_after_the_file_was_removed_is_in_a_new_one_with_all_the_rest(
    path, log, removed, caplog
):
    log.create(other := a_record(day=1))
    log.create(mine := a_record(day=2))
    put_in(log, "odd one", "{", created_at="2024-01-03T00:00:00.000Z")
    for suffix in removed:
        beside(path, suffix).unlink()
    assert log.get(mine.job_id) == mine  # what was read goes on being read
    assert not path.exists()
    ended = log.update(mine.job_id, Change(status=Status.COMPLETE, summary={"lines": 3}))
    assert records_in(path) == {other.job_id: "pending", mine.job_id: "complete"}
    with contextlib.closing(SqliteJobLog(path)) as fresh:
        assert fresh.get(mine.job_id) == ended
        assert [entry.job_id for entry in fresh.list().entries] == ["odd one", mine.job_id, other.job_id]
    assert caplog.text.count("was removed or replaced while it was open") == 1
    log.create(a_record(day=4))
    assert len(records_in(path)) == 3


def test_the_whole_folder_may_have_been_removed(path, log):
    log.create(record := a_record())
    shutil.rmtree(path.parent)
    log.update(record.job_id, Change(status=Status.FAILED, error="of the test"))
    assert records_in(path) == {record.job_id: "failed"}


def test_looking_alone_does_not_bring_a_removed_file_back(path, log):
    log.create(record := a_record())
    seen = Seen()
    with contextlib.closing(log.watch(seen)):
        seen.wait_for((record.job_id, "pending"))
        for suffix in BESIDE:
            beside(path, suffix).unlink()
        assert log.list().records == (record,)
    log.close()
    assert not path.exists()


def test_a_new_file_in_its_place_is_gone_over_to_and_given_what_it_lacks(path, log):
    log.create(mine := a_record(day=1))
    for suffix in BESIDE:
        beside(path, suffix).unlink()
    with contextlib.closing(SqliteJobLog(path)) as other:
        other.create(theirs := a_record(day=2))
        assert log.list().records == (theirs, mine)
        assert other.list().records == (theirs, mine)
        log.update(mine.job_id, Change(status=Status.RUNNING))
        assert other.get(mine.job_id).status is Status.RUNNING


@pytest.mark.parametrize("keeps_beside", [True, False])
def test_an_older_copy_in_its_place_is_brought_forward_and_never_back(tmp_path, path, log, keeps_beside):
    log.create(ended := a_record(day=1))
    log.create(running := a_record(day=2))
    log.update(ended.job_id, Change(status=Status.RUNNING))
    copy = tmp_path / "copy.sqlite"
    with contextlib.closing(SqliteJobLog(copy)) as older:
        older.create(ended)
        older.create(running)
        older.update(running.job_id, Change(status=Status.CANCELLED))
        older.create(alone := a_record(day=3))
    log.update(ended.job_id, Change(status=Status.COMPLETE, logs=["whole"]))
    log.update(running.job_id, Change(status=Status.RUNNING))
    copy.replace(path)
    if not keeps_beside:
        for suffix in BESIDE[1:]:
            beside(path, suffix).unlink()
    expected = {ended.job_id: "complete", running.job_id: "cancelled", alone.job_id: "pending"}
    assert {record.job_id: record.status.value for record in log.list().records} == expected
    assert records_in(path) == expected


def test_a_file_that_was_moved_away_is_whole_where_it_is(tmp_path, path, log):
    log.create(record := a_record(day=1))
    path.rename(moved := tmp_path / "moved.sqlite")
    log.create(later := a_record(day=2))
    assert records_in(path) == {record.job_id: "pending", later.job_id: "pending"}
    assert records_in(moved) == {record.job_id: "pending"}


def test_another_programs_file_in_its_place_is_left_alone_and_nothing_is_lost(path, log):
    log.create(record := a_record())
    for suffix in BESIDE:
        beside(path, suffix).unlink()
    path.write_text("only text, and no database at all" * 100)
    before = path.read_bytes()
    for call in (lambda: log.update(record.job_id, Change(status=Status.COMPLETE)), log.list):
        with pytest.raises(JobLogError, match="it is no job log: name another file"):
            call()
    assert path.read_bytes() == before
    path.unlink()
    log.update(record.job_id, Change(status=Status.COMPLETE))
    assert records_in(path) == {record.job_id: "complete"}


def test_a_name_that_is_taken_away_between_two_steps_of_a_write_costs_nothing(path, log, monkeypatch):
    """The file goes just before the write is committed, the worst moment there is."""
    log.create(record := a_record())
    advance = sqlite_log_module().advance

    def late(*arguments, **options):
        moved = advance(*arguments, **options)
        for suffix in BESIDE:
            beside(path, suffix).unlink()
        return moved

    monkeypatch.setattr(sqlite_log_module(), "advance", late)
    log.update(record.job_id, Change(status=Status.COMPLETE))
    monkeypatch.undo()
    assert records_in(path) == {record.job_id: "complete"}


def sqlite_log_module():
    from chimera_nb.jobs.log import sqlite as sqlite_log

    return sqlite_log


def test_of_many_that_have_it_open_when_it_goes_each_brings_its_own_and_a_watch_goes_along(path, log):
    records = [a_record(day=day) for day in range(1, 9)]
    for record in records:
        log.create(record)
    with contextlib.ExitStack() as opened:
        logs = [opened.enter_context(contextlib.closing(SqliteJobLog(path))) for _ in records]
        seen = Seen()
        opened.enter_context(contextlib.closing(log.watch(seen)))
        seen.wait_for(*((record.job_id, "pending") for record in records))
        for suffix in BESIDE:
            beside(path, suffix).unlink()
        outcomes = at_once(
            8, lambda i: logs[i].update(records[i].job_id, Change(status=Status.COMPLETE)).status
        )
        assert outcomes == [Status.COMPLETE] * 8
        assert records_in(path) == {record.job_id: "complete" for record in records}
        seen.wait_for(*((record.job_id, "complete") for record in records))


def test_a_job_that_runs_when_the_file_goes_is_on_record_as_what_it_became(tmp_path, path, log):
    for file in good_files():
        place = tmp_path / "in" / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.data)
    log.create(other := replace(a_record(), status=Status.FAILED))
    service = JobService(Settings(data_dir=path.parent), log)
    job_id = service.submit([str(tmp_path / "in")], str(tmp_path / "out")).job_id
    until(lambda: log.get(job_id).status is Status.RUNNING)
    pid = log.get(job_id).worker["pid"]
    os.kill(pid, signal.SIGSTOP)  # so that it has not ended before the file goes
    assert log.get(job_id).status is Status.RUNNING
    for suffix in BESIDE:
        beside(path, suffix).unlink()
    os.kill(pid, signal.SIGCONT)
    until(path.exists)
    record = service.wait(job_id, seconds=60)
    assert record.status is Status.COMPLETE
    assert record.summary["lines"] == len(expected_lines(good_files()))
    until(lambda: not psutil.pid_exists(pid))  # it too has let go of it
    assert records_in(path) == {job_id: "complete", other.job_id: "failed"}


# Locked


def test_who_looks_does_not_wait_for_who_writes_and_who_writes_is_told_who_is_in_the_way(
    path, log, monkeypatch
):
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.5)
    log.create(record := a_record())
    with (
        contextlib.closing(SqliteJobLog(path)) as hasty,
        contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        writing = threading.Thread(
            target=lambda: log.update(record.job_id, Change(status=Status.COMPLETE, logs=["done"]))
        )
        writing.start()
        assert hasty.get(record.job_id) == record
        assert log.get(record.job_id) == record  # while its own writer waits
        assert log.list().records == (record,)
        with pytest.raises(
            JobLogError, match="database is locked; another process held it for over 20 s: try again"
        ):
            hasty.update(record.job_id, Change(status=Status.RUNNING))
        assert writing.is_alive()
        other.execute("ROLLBACK")
        writing.join()
    assert log.get(record.job_id).status is Status.COMPLETE


# A full disk

FULL = """
import resource, signal, sys
from pathlib import Path
from chimera_nb.jobs.transitions import Change
from chimera_nb.jobs.record import Status
from chimera_nb.jobs.service import JobService
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.settings import Settings
from pipeline.errors import JobLogError

path, job_id, room = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = SqliteJobLog(path)
no_limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]


def let_files_grow_to(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, no_limit))


largest = max(file.stat().st_size for file in path.parent.iterdir())
let_files_grow_to(largest + room)
kept = 0
try:
    while True:
        log.update(job_id, Change(logs=[f"line {kept} " + "x" * 3000]))
        kept += 1
        print(kept, flush=True)
except JobLogError as e:
    print("refused:", e, flush=True)
refused = 0
for _ in range(3):
    try:
        log.update(job_id, Change(status=Status.COMPLETE))
    except JobLogError:
        refused += 1
lines = [line for line in log.get(job_id).logs if " line " in line]
print("read:", len(lines) == kept, log.get(job_id).status.value, refused, flush=True)
let_files_grow_to(no_limit)
log.update(job_id, Change(status=Status.COMPLETE, logs=["there is room again"]))
print("then:", log.get(job_id).status.value, flush=True)
log.close()
"""


@pytest.mark.parametrize("room", [0, 100, 5000, 40_000, 150_000])
def test_a_file_that_can_grow_no_more_refuses_what_is_new_and_keeps_what_it_has(path, log, room):
    """The system refuses to write beyond so many bytes, as on a full disk, and then lets it again."""
    log.create(record := a_record())
    log.close()
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path), record.job_id, str(room)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    *counted, refused, read, then = done.stdout.splitlines()
    assert refused.startswith(
        f"refused: {path}: disk I/O error; its disk is full or does not work: make room on it"
    )
    assert (read, then) == ("read: True pending 3", "then: complete")
    assert records_in(path) == {record.job_id: "complete"}
    with contextlib.closing(SqliteJobLog(path)) as again:
        lines = again.get(record.job_id).logs
    assert len([line for line in lines if " line " in line]) == len(counted)
    assert lines[-1].endswith("there is room again")


def test_a_full_database_says_to_make_room(path, log):
    log.create(record := a_record())
    (pages,) = log._file.writer.execute("PRAGMA page_count").fetchone()
    log._file.writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JobLogError, match="database or disk is full; make room on its disk"):
        log.update(record.job_id, Change(logs=["x" * 3000] * 20))
    log._file.writer.execute("PRAGMA max_page_count = 1000000")
    assert log.get(record.job_id) == record
    assert log.update(record.job_id, Change(status=Status.COMPLETE)).status is Status.COMPLETE
