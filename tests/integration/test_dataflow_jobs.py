"""Jobs by the real DataflowRunner and the real client; only the endpoints are a local stack's."""

from __future__ import annotations

import bz2
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import psutil
import pytest

from chimera_nb.jobs.record import Stage, Status
from chimera_nb.jobs.runners import dataflow
from chimera_nb.jobs.runners.dataflow import LOCAL_PROJECT, LOCAL_REGION, job_name
from chimera_nb.jobs.runners.dataflow_client import DataflowApi
from chimera_nb.jobs.service import JobService
from chimera_nb.settings import Settings
from pipeline.errors import RefusedError, SettingsError
from pipeline.own_temporary import remove_left_behind
from pipeline.storage import PlainStore
from pipeline.target.results import ledger_records, output_shards
from tests.fixtures.files import REAL, bad_files, expected_lines, good_files, lines_of
from tests.fixtures.sources import install_source
from tests.fixtures.waiting import until

STORE = PlainStore()

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def service(on_stack, tmp_path, temporary, stack_temporary):
    service = JobService(Settings(data_dir=tmp_path / "data", dataflow_endpoint=on_stack.dataflow_endpoint))
    yield service
    service.log.close()
    assert list(stack_temporary.iterdir()) == []


@pytest.fixture
def api(on_stack):
    return DataflowApi(LOCAL_PROJECT, LOCAL_REGION, on_stack.dataflow_endpoint)


@pytest.fixture
def inputs(bucket):
    for file in [*good_files(), *bad_files()]:
        STORE.write_bytes(f"gs://{bucket}/in/{file.name}", file.data)
    return f"gs://{bucket}/in/"


def test_a_job_goes_all_the_way_and_dataflow_agrees(on_stack, api, bucket, tmp_path):
    """By the command line, over real files where they are at hand."""
    real = (
        sorted(path for path in REAL.glob("1.*") if path.suffix in {".bz2", ".gz", ""})
        if REAL.is_dir()
        else []
    )
    for path in real:
        STORE.upload_file(str(path), f"gs://{bucket}/in/{path.name}")
    for file in [*good_files(), *bad_files()]:
        STORE.write_bytes(f"gs://{bucket}/in/{file.name}", file.data)
    arguments = ["submit", f"gs://{bucket}/in/", "--target", f"gs://{bucket}/out", "--runner", "dataflow"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "chimera_nb",
            *arguments,
            "--max-workers",
            "2",
            "--label",
            "a=b",
            "--wait",
            "--json",
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **on_stack.exports()},
        timeout=250,
    )
    document = json.loads(done.stdout)
    assert done.returncode == 0, document
    assert document["status"] == "complete"
    assert document["stages"] == {"read": "complete", "decompress": "complete", "write": "complete"}
    assert document["dataflowUrl"].startswith("https://console.cloud.google.com/dataflow/jobs/")
    assert document["runnerOptions"]["max_workers"] == 2
    assert api.get(document["dataflowJobId"]).state == "DONE"
    assert api.find(job_name(document["jobId"])).id == document["dataflowJobId"]

    expected = Counter(expected_lines(good_files()))
    for path in real:
        command = {".bz2": "bzip2 -dc", ".gz": "gzip -dc"}.get(path.suffix, "cat")
        raw = subprocess.run([*command.split(), str(path)], capture_output=True, check=True).stdout
        expected.update(raw.splitlines(keepends=True))
    assert Counter(lines_of(f"gs://{bucket}/out")) == expected

    records = list(ledger_records(STORE, f"gs://{bucket}/out"))
    progress = document["progress"]
    assert progress["workers"] == 2
    assert progress["filesListed"] == len(records)
    assert progress["filesFailed"] == sum(record.status == "failed" for record in records) == 8
    assert progress["lines"] == sum(record.lines for record in records)
    assert progress["rawBytes"] == sum(record.raw_bytes for record in records)
    assert progress["compressedBytes"] == sum(record.size for record in records)

    shown = subprocess.run(
        [sys.executable, "-m", "chimera_nb", "jobs", "show", document["jobId"], "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **on_stack.exports()},
    )
    again = json.loads(shown.stdout)
    slowness = again.pop("slowness")
    assert again == document
    assert len(slowness["slowest"]) == 10


def test_the_same_with_firestore_as_the_job_log(
    on_stack, firestore_emulator, monkeypatch, inputs, bucket, tmp_path
):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    settings = Settings(
        data_dir=tmp_path / "data",
        job_log="firestore",
        project="demo-chimera",
        firestore_collection=tmp_path.name,
        dataflow_endpoint=on_stack.dataflow_endpoint,
    )
    service = JobService(settings)
    record = service.submit([inputs], f"gs://{bucket}/out", runner="dataflow", shards=2)
    record = service.wait(record.job_id, seconds=200)
    assert record.status is Status.COMPLETE, record.logs
    assert record.dataflow_job_id
    assert record.progress["lines"] == record.summary["lines"]
    assert len(output_shards(STORE, f"gs://{bucket}/out")) == 2
    assert lines_of(f"gs://{bucket}/out") == expected_lines(good_files())
    service.log.close()


def test_numbers_move_while_the_job_runs_and_each_message_is_told_once(service, bucket, faults):
    for copy in range(10):
        for file in good_files():
            STORE.write_bytes(f"gs://{bucket}/in/{copy}/{file.name}", file.data)
    faults(latency_ms=2000, match="GET /download/.*/in%2F")
    seen = []
    try:
        job_id = service.submit([f"gs://{bucket}/in/"], f"gs://{bucket}/out", runner="dataflow").job_id
        record = service.wait(job_id, seen.append, seconds=200)
    finally:
        faults()
    assert record.status is Status.COMPLETE, record.logs
    files = {r.progress.get("filesComplete") for r in seen if r.status is Status.RUNNING}
    assert files - {None, 0, 140}
    assert len(record.logs) == len(set(record.logs))
    times = sorted({r.updated_at for r in seen if r.status is Status.RUNNING})
    assert len(times) < 2 * (record.progress["seconds"] + 5)


def test_workers_wait_for_a_bucket_that_is_away_as_long_as_a_job_does(on_stack, bucket, faults, tmp_path):
    settings = Settings(data_dir=tmp_path, dataflow_endpoint=on_stack.dataflow_endpoint, patience=1)
    service = JobService(settings)
    for file in good_files():
        STORE.write_bytes(f"gs://{bucket}/in/{file.name}", file.data)
    faults(fail_next=1_000_000, status=503, match="GET /download/.*/in%2F")
    began: list[float] = []

    def lasted() -> bool:
        with urllib.request.urlopen(f"{on_stack.storage_endpoint}/_chimera/faults") as answer:
            met = json.load(answer)["fail_next"] < 1_000_000
        began.extend([time.monotonic()] if met and not began else [])
        return bool(began) and time.monotonic() - began[0] > 4

    try:
        job_id = service.submit([f"gs://{bucket}/in/"], f"gs://{bucket}/out", runner="dataflow").job_id
        until(lasted)
    finally:
        faults()
    record = service.wait(job_id, lambda _: None, seconds=200)
    assert record.status is Status.COMPLETE, record.logs
    assert lines_of(f"gs://{bucket}/out") == expected_lines(good_files())
    assert list(ledger_records(STORE, f"gs://{bucket}/out", status="failed")) == []
    service.log.close()


def submitted(on_stack, bucket: str, site) -> subprocess.CompletedProcess[str]:
    """A job by the command line with the source that is installed in `site`."""
    STORE.write_bytes(f"gs://{bucket}/in/a.rot", b"uryyb\n")
    arguments = ["submit", f"gs://{bucket}/in/", "--target", f"gs://{bucket}/out", "--source", "tiny"]
    return subprocess.run(
        [sys.executable, "-m", "chimera_nb", *arguments, "--runner", "dataflow", "--wait", "--json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **on_stack.exports(), "PYTHONPATH": str(site)},
        timeout=200,
    )


def test_a_module_that_is_missing_on_the_worker_is_named_in_the_log(on_stack, bucket, tmp_path):
    began = time.monotonic()
    done = submitted(on_stack, bucket, install_source(tmp_path, imports="no_such_module_anywhere"))
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert document["status"] == "failed"
    assert "No module named 'no_such_module_anywhere'" in document["error"]
    assert any("no_such_module_anywhere" in line for line in document["logs"])
    assert not any("Traceback" in line for line in document["logs"])
    assert time.monotonic() - began < 90
    assert output_shards(STORE, f"gs://{bucket}/out") == []


def test_a_plugin_of_another_package_works_on_a_worker(on_stack, bucket, tmp_path):
    done = submitted(on_stack, bucket, install_source(tmp_path))
    assert done.returncode == 0, done.stdout
    assert lines_of(f"gs://{bucket}/out") == [b"hello\n"]


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
        command = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "chimera_nb.local.dataflow" in command and dataflow_job_id in command


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


def test_retry_reads_just_the_failures_and_clone_all_of_it(service, inputs, bucket):
    first = service.wait(service.submit([inputs], f"gs://{bucket}/out", shards=3, source="ndjson").job_id)
    assert first.progress["filesFailed"] == 8
    good = good_files()[0]
    for file in bad_files()[:3]:
        STORE.write_bytes(f"gs://{bucket}/in/{file.name}", good.data)
    again = service.wait(service.retry(first.job_id).job_id)
    assert again.status is Status.COMPLETE
    assert again.progress["filesListed"] == 8
    assert again.progress["filesComplete"] == 3
    assert again.output_prefix.startswith("out-retry-")
    assert lines_of(f"gs://{bucket}/{again.output_prefix}") == sorted(expected_lines([good]) * 3)
    copy = service.wait(service.clone(first.job_id, f"gs://{bucket}/copy").job_id)
    assert copy.progress["filesListed"] == 23
    assert {**copy.spec, "jobId": 0, "target": 0} == {**first.spec, "jobId": 0, "target": 0}
    with pytest.raises(RefusedError, match=r"no file of job .* is on record as failed"):
        service.retry(
            service.wait(service.submit([f"{inputs}top.ndjson"], f"gs://{bucket}/one").job_id).job_id
        )


def test_workers_read_the_same_records_once_and_a_clone_reads_every_file_where_the_job_did(service, bucket):
    event = f"gs://{bucket}/in/PRO/2020/Jan/1/29614797"
    for name in ("1.1.bz2", "29614797.bz2", "notes.txt"):
        STORE.write_bytes(f"{event}/{name}", bz2.compress(f'{{"of":"{name}"}}\n'.encode()))
    STORE.write_bytes(f"gs://{bucket}/in/BASIC/1.1.bz2", bz2.compress(b"{}\n"))
    job = service.submit([f"gs://{bucket}/in/"], f"gs://{bucket}/out", source="betfair", runner="dataflow")
    done = service.wait(job.job_id)
    assert lines_of(f"gs://{bucket}/out") == [b'{"of":"1.1.bz2"}\n']
    assert done.summary["files"] == {"listed": 3, "complete": 1, "failed": 0, "skipped": 2, "noted": 0}
    assert done.summary["unmatched"]["first"] == [f"{event}/notes.txt"]
    names = (
        "filesListed",
        "filesComplete",
        "filesSkipped",
        "skippedBytes",
        "filesUnmatched",
        "unmatchedBytes",
    )
    size = STORE.stat(f"{event}/notes.txt").size
    assert [done.progress[name] for name in names] == [3, 1, 2, done.summary["skippedBytes"], 1, size]

    again = service.wait(service.clone(job.job_id, f"gs://{bucket}/every", every_file=True).job_id)
    assert again.summary["files"]["complete"] == 4
    clone = service.clone(again.job_id, f"gs://{bucket}/clone")
    assert clone.spec["everyFile"] is True
    service.wait(clone.job_id)


def test_thousands_of_paths_submit_as_well_as_one(service, bucket):
    """The record and the request stay small; the list itself stands beside the output."""
    names = [f"gs://{bucket}/in/{n % 20}/{n}.ndjson" for n in range(2000)]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda uri: STORE.write_bytes(uri, uri.encode()), names))
    record = service.submit(names, f"gs://{bucket}/out", runner="dataflow")
    assert record.selected_paths_total == 2000
    assert len(json.dumps(record.to_document())) < 200_000
    record = service.wait(record.job_id, seconds=200)
    assert record.status is Status.COMPLETE, record.logs
    assert lines_of(f"gs://{bucket}/out") == sorted(uri.encode() + b"\n" for uri in names)


def test_what_only_dataflow_takes_is_refused_elsewhere(service, inputs, bucket, tmp_path):
    with pytest.raises(RefusedError, match="max_workers: only for --runner dataflow"):
        service.submit([inputs], f"gs://{bucket}/out", runner_options={"max_workers": 2})
    with pytest.raises(RefusedError, match="is on this machine, where Dataflow's workers cannot read"):
        service.submit([str(tmp_path)], f"gs://{bucket}/out", runner="dataflow")
    with pytest.raises(SettingsError, match="no local stack with a Dataflow runs"):
        JobService(Settings(data_dir=tmp_path / "d")).submit(
            [inputs], f"gs://{bucket}/out", runner="dataflow"
        )
