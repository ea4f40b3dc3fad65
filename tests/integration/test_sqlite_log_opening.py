"""A SQLite job log is made, opened, refused where the file is none, and closed."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys

import pytest

from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.record import Status
from chimera_nb.jobs.transitions import Change
from pipeline.errors import JobLogError
from tests.fixtures.job_logs import a_record

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
