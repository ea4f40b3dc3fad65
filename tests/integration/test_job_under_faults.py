"""Whole jobs while the bucket fails: complete and exact, or failed with the reason. Never a good file called bad."""

from __future__ import annotations

import bz2
import json
import time
import urllib.request

import pytest

from chimera_nb.jobs.record import Status
from chimera_nb.jobs.service import JobService
from chimera_nb.settings import load_settings
from pipeline.__main__ import main
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import ledger_records, output_shards

STORE = PlainStore()
DOWNLOADS = "^GET /download/.*/in%2F"

pytestmark = pytest.mark.timeout(180)


def lines_of(n):
    return b"".join(b'{"file":%d,"line":%d}\n' % (n, line) for line in range(500))


@pytest.fixture
def place(bucket):
    return f"gs://{bucket}"


@pytest.fixture
def short_pauses(monkeypatch):
    """The first pause is a second for the store's sake; here nobody else asks it."""
    monkeypatch.setattr("pipeline.storage.patience._FIRST_PAUSE", 0.1)


def put(place, count):
    for n in range(count):
        STORE.write_bytes(f"{place}/in/{n:03}.bz2", bz2.compress(lines_of(n)))


def check_whole(place, count):
    """The output has each line of each file once, the ledger each file as complete, and no more stands there."""
    summary = read_summary(STORE, f"{place}/out")
    assert summary["files"] == {"listed": count, "complete": count, "failed": 0, "skipped": 0, "noted": 0}
    output = b"".join(STORE.read_bytes(uri) for uri in output_shards(STORE, f"{place}/out"))
    assert sorted(output.splitlines(keepends=True)) == sorted(
        line for n in range(count) for line in lines_of(n).splitlines(keepends=True)
    )
    assert [e.uri for e in STORE.list_objects(f"{place}/out/_chimera/")] == []


def run(place):
    return main(["--input", f"{place}/in/", "--target", f"{place}/out"])


def faults_left(stack):
    with urllib.request.urlopen(f"{stack.storage_endpoint}/_chimera/faults") as answer:
        return json.load(answer)["fail_next"]


def wait_until(true, what):
    give_up = time.monotonic() + 120
    while not true():
        assert time.monotonic() < give_up, f"still not so: {what}"
        time.sleep(0.05)


@pytest.mark.parametrize("status", [503, 0])
def test_a_store_away_for_longer_than_a_person_waits_costs_a_job_no_file(
    on_stack, place, faults, monkeypatch, tmp_path, status
):
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CHIMERA_PATIENCE", "1")  # of whoever submits, and of none of the job's requests
    put(place, 200)
    service = JobService(load_settings())
    faults(fail_next=1_000_000, status=status, match=DOWNLOADS)
    job = service.submit([f"{place}/in/"], f"{place}/out", source="ndjson", runner="direct")
    wait_until(lambda: faults_left(on_stack) <= 1_000_000 - 24, "the job's readers have met the outage")
    away = time.monotonic()
    wait_until(lambda: time.monotonic() - away > 4, "the outage has lasted four times a person's patience")
    assert service.get(job.job_id).status is Status.RUNNING
    faults()
    wait_until(lambda: service.get(job.job_id).status.is_final, "the job has ended")
    record = service.get(job.job_id)
    assert (record.status, record.error) == (Status.COMPLETE, None)
    check_whole(place, 200)


def test_a_store_that_stays_away_fails_the_job_with_the_reason_and_no_file(
    on_stack, place, faults, monkeypatch, tmp_path
):
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CHIMERA_JOB_PATIENCE", "2")
    put(place, 30)
    service = JobService(load_settings())
    faults(fail_next=1_000_000, status=503, match=DOWNLOADS)
    job = service.submit([f"{place}/in/"], f"{place}/out", source="ndjson", runner="direct")
    wait_until(lambda: service.get(job.job_id).status.is_final, "the job has ended")
    record = service.get(job.job_id)
    assert record.status is Status.FAILED
    assert record.error.startswith("the store answered 503 (a fault on purpose): ")
    assert f": {place}/in/0" in record.error
    assert list(ledger_records(STORE, f"{place}/out")) == []
    assert [e.uri for e in STORE.list_objects(f"{place}/out/")] == []


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize("kind", ["cut", "flip"])
def test_bodies_that_are_not_what_is_stored_cost_no_file(stack, place, faults, kind):
    put(place, 60)
    faults(fail_next=14, every=4, kind=kind, match=DOWNLOADS)
    assert run(place) == 0
    assert faults_left(stack) == 0
    check_whole(place, 60)


@pytest.mark.usefixtures("short_pauses")
def test_a_fifth_of_all_requests_failing_costs_nothing(place, faults):
    put(place, 60)
    faults(outage_ms=120_000, every=5, status=503, match=place.removeprefix("gs://"))
    assert run(place) == 0
    faults()
    check_whole(place, 60)


def test_sockets_that_drip_do_not_keep_a_job_running(stack, place, faults, monkeypatch):
    monkeypatch.setenv("CHIMERA_JOB_PATIENCE", "3")
    monkeypatch.setenv("CHIMERA_LEAST_THROUGHPUT", str(16 << 20))
    put(place, 5)
    faults(fail_next=2, kind="drip", drip_ms=1000, match=DOWNLOADS)
    assert run(place) == 0
    assert faults_left(stack) == 0
    check_whole(place, 5)


def test_a_store_that_only_drips_fails_the_job_in_time(place, faults, monkeypatch, capsys):
    monkeypatch.setenv("CHIMERA_JOB_PATIENCE", "2")
    monkeypatch.setenv("CHIMERA_LEAST_THROUGHPUT", str(16 << 20))
    put(place, 5)
    faults(fail_next=1_000_000, kind="drip", drip_ms=1000, match=DOWNLOADS)
    assert run(place) == 1
    assert "not done within 2 s" in capsys.readouterr().err
    assert [e.uri for e in STORE.list_objects(f"{place}/out/")] == []


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize("every", [2, 3, 5])
def test_a_job_whose_writes_lose_their_answers_is_complete(stack, place, faults, every):
    put(place, 8)
    faults(fail_next=1_000_000, every=every, kind="lose", match="^(POST|PUT|DELETE) ")
    assert run(place) == 0
    assert faults_left(stack) <= 1_000_000 - 2  # of a dozen writes
    faults()
    check_whole(place, 8)


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize("what", ["^POST /upload/", "rewriteTo|moveTo", "^DELETE"])
def test_a_job_that_loses_the_answer_to_each_kind_of_write_is_complete(stack, place, faults, what):
    put(place, 3)
    faults(fail_next=2, kind="lose", match=what)
    assert run(place) == 0
    assert faults_left(stack) == 0
    check_whole(place, 3)
