"""What Dataflow says of a job, as a change to its record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chimera_nb.jobs.record import JobRecord, Stage, Status
from chimera_nb.jobs.runners.dataflow_client import DataflowJob, Message, Messages
from chimera_nb.jobs.runners.dataflow_progress import failure, log_line, running_change, since
from chimera_nb.jobs.transitions import Change, advance
from pipeline.spec import JobSpec

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
QUIET = Messages((), None)
TRACEBACK = """Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1498, in process
  File "/x/lib/python3.11/site-packages/tiny_source.py", line 7, in chunks
    import no_such_module
ModuleNotFoundError: No module named 'no_such_module' [while running 'ReadAndDecompress-ptransform-12']
"""


def at(second: int) -> str:
    return f"2026-01-31T12:00:{second:02d}.000Z"


@pytest.fixture
def record():
    spec = JobSpec(inputs=("gs://b/in/",), target="gs://b/out", job_id="2026-01-31-aaaaaaaa")
    made = JobRecord.from_spec(spec, runner="dataflow", now=at(0))
    return advance(made, Change(status=Status.RUNNING, dataflow_job_id="df"), at(0))


def job(state: str) -> DataflowJob:
    return DataflowJob("df", "chimera-x", state)


@pytest.mark.parametrize(
    ("counters", "stages"),
    [
        ({}, {"read": "running", "decompress": "waiting", "write": "waiting"}),
        ({"list-files": 5}, {"read": "running", "decompress": "waiting", "write": "waiting"}),
        ({"list-files": 5, "raw-bytes": 1}, {"read": "running", "decompress": "running", "write": "waiting"}),
        (
            {"list-files": 5, "raw-bytes": 1, "write-bytes": 1, "read-files": 3, "failed-files": 1},
            {"read": "running", "decompress": "running", "write": "running"},
        ),
        (
            {"list-files": 5, "raw-bytes": 1, "write-bytes": 1, "read-files": 4, "failed-files": 1},
            {"read": "complete", "decompress": "complete", "write": "running"},
        ),
    ],
)
def test_stages_follow_the_counters(record, counters, stages):
    change = running_change(record, job("RUNNING"), QUIET, counters, NOW + timedelta(seconds=5))
    assert advance(record, change, at(5)).stages == {name: Stage(word) for name, word in stages.items()}


@pytest.mark.parametrize("state", ["PENDING", "QUEUED", "UNKNOWN"])
def test_a_job_that_waits_does_not_run(record, state):
    change = running_change(record, job(state), QUIET, {}, NOW)
    assert change.status is None
    assert change.stages == {}


def test_throughput_is_that_of_now_and_the_time_left_is_by_files(record):
    counters = {"list-files": 10, "raw-bytes": 1000, "read-files": 2}
    first = advance(
        record, running_change(record, job("RUNNING"), QUIET, counters, NOW + timedelta(seconds=10)), at(10)
    )
    assert first.progress["rawBytesPerSecond"] == 100
    assert first.progress["secondsLeft"] == 40
    counters = {"list-files": 10, "raw-bytes": 5000, "read-files": 5}
    change = running_change(first, job("RUNNING"), Messages((), 3), counters, NOW + timedelta(seconds=12))
    second = advance(first, change, at(12))
    assert second.progress["rawBytesPerSecond"] == 2000
    assert second.progress["secondsLeft"] == 12
    assert second.progress["workers"] == 3
    assert second.progress["seconds"] == 12


def test_each_message_is_taken_in_once_whoever_brings_it(record):
    told = Messages((Message(at(1), "BASIC", "Starting"), Message(at(2), "WARNING", "slow")), None)
    change = running_change(record, job("RUNNING"), told, {}, NOW + timedelta(seconds=3))
    moved = advance(record, change, at(3))
    assert moved.logs == (f"[{at(1)}] Starting", f"[{at(2)}] WARNING: slow")
    assert since(moved) == datetime.fromisoformat(at(2)).timestamp()
    again = advance(moved, running_change(moved, job("RUNNING"), told, {}, NOW + timedelta(seconds=4)), at(4))
    assert again.logs == moved.logs


def test_a_traceback_is_shortened_to_its_cause_and_place():
    line = log_line(Message(at(1), "ERROR", TRACEBACK))
    assert line.format() == (
        f"[{at(1)}] ERROR: ModuleNotFoundError: No module named 'no_such_module' "
        "(in ReadAndDecompress-ptransform-12) (at tiny_source.py:7)"
    )


def test_the_reason_of_a_failure_is_the_error_that_names_a_cause():
    last = Message(at(3), "ERROR", "Workflow failed. Causes: the step failed 4 times.")
    told = Messages((Message(at(1), "ERROR", TRACEBACK), Message(at(2), "BASIC", "Cleaning up"), last), None)
    assert "No module named 'no_such_module'" in failure(told)
    assert failure(Messages((last,), None)) == last.text
    assert "gives no reason" in failure(QUIET)
