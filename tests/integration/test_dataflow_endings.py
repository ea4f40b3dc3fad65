"""Jobs on Dataflow that are cancelled, lose their submitter, or are lost sight of: all but the service is real."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import psutil
import pytest

from chimera_nb.jobs.record import Stage, Status
from chimera_nb.jobs.runners import dataflow
from chimera_nb.jobs.runners.dataflow import LOCAL_PROJECT, LOCAL_REGION, job_name
from chimera_nb.jobs.service import JobService
from chimera_nb.settings import Settings
from pipeline.own_temporary import remove_left_behind
from pipeline.storage import PlainStore
from pipeline.target.results import output_shards
from tests.fixtures.files import expected_lines, good_files, lines_of, put_all
from tests.fixtures.waiting import until

STORE = PlainStore()

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def service(service_on_dataflow):
    return service_on_dataflow


@pytest.fixture
def api(dataflow_api):
    return dataflow_api


@pytest.fixture
def inputs(bucket):
    return put_all(f"gs://{bucket}/in")


def test_cancel_in_the_middle_leaves_nothing_behind(service, api, bucket, faults):
    files = [file for file in good_files() if file.codec != "zip"]  # one takes several requests to be opened
    for copy in range(10):
        for file in files:
            STORE.write_bytes(f"gs://{bucket}/in/{copy}/{file.name}", file.data)
    faults(latency_ms=3000, match="GET /download/.*/in%2F")
    try:
        job_id = service.submit([f"gs://{bucket}/in/"], f"gs://{bucket}/out", runner="dataflow").job_id
        until(lambda: service.get(job_id).progress.get("filesComplete"))
        of_ours = service.get(job_id).dataflow_job_id  # other stacks' jobs may run beside
        before = {p.pid for p in psutil.process_iter() if _works_for(p, of_ours)}
        assert before
        began = time.monotonic()
        service.cancel(job_id)
        record = service.wait(job_id, seconds=30)
        assert time.monotonic() - began < 10
    finally:
        faults()
    assert record.status is Status.CANCELLED
    assert api.get(record.dataflow_job_id).state == "CANCELLED"
    assert Stage.RUNNING not in record.stages.values()
    assert output_shards(STORE, f"gs://{bucket}/out") == []
    assert [e.uri for e in STORE.list_objects(f"gs://{bucket}/out/")] == []
    until(lambda: not any(psutil.pid_exists(pid) for pid in before), 10)
    assert service.cancel(job_id) == record


def _works_for(process: psutil.Process, dataflow_job_id: str) -> bool:
    try:
        return Path(process.cwd()).name == dataflow_job_id
    except psutil.Error:
        return False


def test_a_submitter_killed_at_any_moment_leaves_no_job_running_for_ever(
    service, inputs, bucket, monkeypatch
):
    monkeypatch.setattr(dataflow, "_APPEARS_WITHIN", 5.0)  # the local double's list does not lag
    moments = random.Random(7)
    jobs = []
    for number in range(5):
        record = service.submit([inputs], f"gs://{bucket}/out{number}", runner="dataflow")
        time.sleep(moments.uniform(0.1, 6.0))
        process = psutil.Process(record.worker["pid"]) if psutil.pid_exists(record.worker["pid"]) else None
        if process:
            process.send_signal(signal.SIGKILL)
        jobs.append(record.job_id)

    def all_ended() -> bool:
        service.sync()
        return all(service.log.get(job_id).status.is_final for job_id in jobs)

    until(all_ended, 200)
    for number, job_id in enumerate(jobs):
        record = service.log.get(job_id)
        if record.status is Status.COMPLETE:
            assert record.dataflow_job_id
            assert lines_of(f"gs://{bucket}/out{number}") == expected_lines(good_files())
        else:
            assert record.status is Status.FAILED
            assert "ended before Dataflow had the job" in record.error
            assert output_shards(STORE, f"gs://{bucket}/out{number}") == []
        remove_left_behind(
            job_id
        )  # a child that was building outlives its parent, and makes its folder again


def test_a_job_cancelled_while_it_is_submitted_is_never_sent(service, inputs, bucket, api):
    target = f"gs://{bucket}/out"
    job_id = service.submit([inputs], target, runner="dataflow").job_id
    record = service.cancel(job_id)
    assert record.status is Status.CANCELLED
    assert record.dataflow_requested_at is None
    assert api.find(job_name(job_id)) is None
    assert [e.uri for e in STORE.list_objects(f"{target}/")] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_submitter_that_is_told_to_end_gives_the_target_back(service, inputs, bucket, api, faults, number):
    """Told before it was through, however slow this test is: the bucket of what is staged does not answer."""
    target, staged = f"gs://{bucket}/out", f"{bucket}-staged"
    faults(outage_ms=300_000, match=f"/b/{staged}")
    options = {"temp_location": f"gs://{staged}/t"}
    job_id = service.submit([inputs], target, runner="dataflow", runner_options=options).job_id
    pid = service.log.get(job_id).worker["pid"]
    until(lambda: _listens(pid))
    os.kill(pid, number)
    os.kill(pid, number)
    until(lambda: service.log.get(job_id).status.is_final)  # by itself: nobody looks after it
    record = service.log.get(job_id)
    assert record.status is Status.CANCELLED
    assert f"cancelled before it was sent (ended by {number.name})" in record.logs[-1]
    assert api.find(job_name(job_id)) is None
    assert [e.uri for e in STORE.list_objects(f"{target}/")] == []


def _listens(pid: int) -> bool:
    """Whether the process has a handler for SIGTERM; for SIGINT Python itself has one from the start."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = next(line for line in lines if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def test_a_job_that_dataflow_does_not_know_ends_with_that_reason(service, inputs, bucket):
    from dataclasses import replace

    from chimera_nb.jobs.log.ids import new_job_id
    from chimera_nb.jobs.record import JobRecord
    from chimera_nb.jobs.transitions import Change
    from pipeline.spec import JobSpec

    spec = JobSpec(inputs=(inputs,), target=f"gs://{bucket}/lost", job_id=new_job_id())
    options = {"project": LOCAL_PROJECT, "region": LOCAL_REGION, "temp_location": "gs://t"}
    long_ago = "2026-01-01T00:00:00.000Z"
    record = JobRecord.from_spec(spec, runner="dataflow", runner_options=options, now=long_ago)
    service.log.create(replace(record, dataflow_job_id="no-such-job", status=Status.RUNNING))
    ended = service.sync()
    assert [r.job_id for r in ended] == [spec.job_id]
    assert ended[0].error.startswith("Dataflow does not know job no-such-job any more")
    assert Change(status=Status.RUNNING)
    assert service.log.get(spec.job_id).status is Status.FAILED


def test_a_job_whose_submitter_died_before_it_could_tell_is_found_by_its_name(
    service, inputs, bucket, tmp_path
):
    """The same job in another log, in which nothing came after its first record."""
    from dataclasses import replace

    from chimera_nb.jobs.log.sqlite import SqliteJobLog

    done = service.wait(service.submit([inputs], f"gs://{bucket}/out", runner="dataflow").job_id, seconds=200)
    dead = {**done.worker, "startTicks": 1}
    first = replace(
        done,
        status=Status.PENDING,
        dataflow_job_id=None,
        summary=None,
        worker=dead,
        logs=(),
        finished_at=None,
    )
    other = JobService(service.settings, SqliteJobLog(tmp_path / "other.sqlite"))
    other.log.create(
        replace(first, updated_at="2199-01-01T00:00:00.000Z")
    )  # and by a clock that was far ahead
    found = other.wait(done.job_id, seconds=30)
    assert found.status is Status.COMPLETE
    assert found.dataflow_job_id == done.dataflow_job_id
    assert found.summary == done.summary
    other.log.close()


def test_while_dataflow_is_away_nothing_is_concluded_and_after_a_while_the_log_says_so(
    inputs, bucket, tmp_path, on_stack, monkeypatch
):
    from dataclasses import replace

    from chimera_nb.jobs.log.ids import new_job_id
    from chimera_nb.jobs.record import JobRecord
    from chimera_nb.jobs.runners import dataflow
    from pipeline.spec import JobSpec

    service = JobService(Settings(data_dir=tmp_path / "data", dataflow_endpoint="http://localhost:1"))
    spec = JobSpec(inputs=(inputs,), target=f"gs://{bucket}/away", job_id=new_job_id())
    options = {"project": LOCAL_PROJECT, "region": LOCAL_REGION, "temp_location": "gs://t"}
    record = JobRecord.from_spec(
        spec, runner="dataflow", runner_options=options, now="2026-01-01T00:00:00.000Z"
    )
    record = replace(record, dataflow_job_id="a-job", status=Status.RUNNING)
    service.log.create(record)
    assert service.get(spec.job_id) == record
    monkeypatch.setattr(dataflow, "_SAID_AFTER", 0.0)
    for _ in range(2):
        found = service.get(spec.job_id)
        assert found.status is Status.RUNNING
        assert [line.partition("] ")[2][:56] for line in found.logs] == [
            "WARNING: how it stands at Dataflow cannot be asked from "
        ]
    service.log.close()
