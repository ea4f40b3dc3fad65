"""Jobs by the real DataflowRunner and the real client; only the endpoints are a local stack's."""

from __future__ import annotations

import bz2
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter

import pytest

from chimera_nb.jobs.record import Status
from chimera_nb.jobs.runners.dataflow import job_name
from chimera_nb.jobs.service import JobService
from chimera_nb.settings import Settings
from pipeline.errors import RefusedError, SettingsError
from pipeline.graph.list_stages import LISTINGS_IN_GRAPH
from pipeline.storage import PlainStore
from pipeline.target.results import ledger_records, output_shards
from tests.fixtures.files import REAL, bad_files, expected_lines, good_files, lines_of, put_all
from tests.fixtures.sources import install_source
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


def test_a_job_goes_all_the_way_and_dataflow_agrees(on_stack, api, bucket, tmp_path):
    """By the command line, over real files where they are at hand."""
    real = (
        sorted(path for path in REAL.glob("1.*") if path.suffix in {".bz2", ".gz", ""})
        if REAL.is_dir()
        else []
    )
    for path in real:
        STORE.upload_file(str(path), f"gs://{bucket}/in/{path.name}")
    put_all(f"gs://{bucket}/in")
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


def test_more_paths_than_a_graph_has_submit_as_well_as_one(service, bucket):
    """The record and the request stay small; the list itself stands beside the output."""
    names = [f"gs://{bucket}/in/{n % 20}/{n}.ndjson" for n in range(LISTINGS_IN_GRAPH + 100)]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda uri: STORE.write_bytes(uri, uri.encode()), names))
    record = service.submit(names, f"gs://{bucket}/out", runner="dataflow")
    assert record.selected_paths_total == len(names)
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
