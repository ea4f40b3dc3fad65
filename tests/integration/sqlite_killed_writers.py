"""A process for `test_sqlite_log_kills`: forks writers of one job log and kills them at random moments.

`python -m tests.integration.sqlite_killed_writers FOLDER ROUNDS SEED` prints what it found, as JSON. All is imported
once and then forked, so that a writer is at work within a millisecond or two.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from chimera_nb.jobs.log.ids import new_job_id
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.transitions import Change
from pipeline.spec import JobSpec

WRITERS = 4  # at once
ROUNDS_OF_A_FILE = 10
AT_ONCE_EVERY = (
    5  # one round in so many does not wait until a job has ended: so that a file's making is hit too
)


def write(path: Path, told: int) -> None:
    """Job after job, each from its first to its last state; tells of one only when that is on record."""
    log = SqliteJobLog(path)
    for number in range(1_000_000):
        spec = JobSpec(inputs=("gs://in/p/",), target="gs://out/x", job_id=new_job_id())
        log.create(JobRecord.from_spec(spec, runner="direct"))
        log.update(spec.job_id, Change(status=Status.RUNNING, logs=["x" * 3000]))
        log.update(
            spec.job_id, Change(status=Status.COMPLETE, summary={"number": number, "text": "y" * 20_000})
        )
        os.write(told, f"{spec.job_id} {number}\n".encode())


def kill_writers(path: Path, chance: random.Random, *, at_once: bool) -> dict[str, int]:
    """Have writers at work, kill each at a random moment; the jobs that they told of."""
    reading, writing = os.pipe()
    pids = []
    for _ in range(WRITERS):
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            with contextlib.suppress(BaseException):
                write(path, writing)
            os._exit(99)  # a writer that ends by itself has met an error
        pids.append(pid)
    os.close(writing)
    if not at_once:
        assert select.select([reading], [], [], 20)[0], "no writer got anywhere"
    for pid in pids:
        time.sleep(chance.uniform(0, 0.01))
        os.kill(pid, signal.SIGKILL)
    ends = [os.waitpid(pid, 0)[1] for pid in pids]
    with os.fdopen(reading, "rb") as told:
        lines = told.read().decode().splitlines()
    assert all(os.WIFSIGNALED(end) for end in ends), f"a writer failed: {ends}"
    return {job_id: int(number) for job_id, number in map(str.split, lines)}


def main(folder: str, rounds: int, seed: int) -> dict[str, int]:
    chance = random.Random(seed)
    found = dict.fromkeys(("kills", "told", "unfinished"), 0)
    expected: dict[str, int] = {}
    for number in range(rounds):
        if number % ROUNDS_OF_A_FILE == 0:
            path, expected = Path(folder) / f"{number}.sqlite", {}
        expected |= kill_writers(path, chance, at_once=number % AT_ONCE_EVERY == 0)
        found["kills"] += WRITERS
        with contextlib.closing(SqliteJobLog(path)) as log:
            assert log._file.reader.execute("PRAGMA quick_check").fetchall() == [("ok",)]
            for job_id, told in expected.items():
                record = log.get(job_id)
                assert (record.status, record.summary["number"]) == (Status.COMPLETE, told), record
        if number % ROUNDS_OF_A_FILE == ROUNDS_OF_A_FILE - 1 or number == rounds - 1:
            with contextlib.closing(SqliteJobLog(path)) as log:
                (total,) = log._file.reader.execute("SELECT count(*) FROM jobs").fetchone()
                entries = log.list(limit=1000).entries
                assert all(isinstance(entry, JobRecord) for entry in entries)
            found["told"] += len(expected)
            found["unfinished"] += total - len(expected)
    return found


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
