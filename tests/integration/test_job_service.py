"""Jobs in processes of their own, by the service that the command line and the widgets call."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from chimera_nb.jobs import process
from chimera_nb.jobs.record import Stage, Status
from chimera_nb.jobs.service import JobService
from chimera_nb.jobs.transitions import Change
from chimera_nb.settings import Settings
from pipeline.errors import JobLogError, NothingMatchesError, RefusedError, TargetError, UnknownNameError
from pipeline.inputs.manifest import INPUTS_KEPT
from pipeline.storage import PlainStore
from pipeline.target.results import ledger_records
from tests.fixtures.files import bad_files, expected_lines, good_files, lines_of, put_all
from tests.fixtures.waiting import until

STORE = PlainStore()

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def service(tmp_path, temporary):
    service = JobService(Settings(data_dir=tmp_path / "data"))
    yield service
    service.log.close()


@pytest.fixture
def inputs(bucket):
    return put_all(f"gs://{bucket}/in")


@pytest.fixture
def many_inputs(bucket):
    """Enough that a job over a slow store is at work for long."""
    for copy in range(8):
        for file in [*good_files(), *bad_files()]:
            STORE.write_bytes(f"gs://{bucket}/in/{copy}/{file.name}", file.data)
    return f"gs://{bucket}/in/"


def names(target: str) -> list[str]:
    return [entry.uri.removeprefix(target) for entry in STORE.list_objects(f"{target}/")]


def test_a_job_is_on_record_from_its_first_to_its_last_moment(service, inputs, bucket):
    target = f"gs://{bucket}/out"
    first = service.submit([inputs], target)
    assert first.status in (Status.PENDING, Status.RUNNING)  # its process may have begun by now
    assert first.created_by
    seen = []
    last = service.wait(first.job_id, seen.append)
    assert seen[0].status in (Status.PENDING, Status.RUNNING)
    assert any(line.endswith("started on this machine, in one process") for line in last.logs)
    assert last.status is Status.COMPLETE
    assert set(last.stages.values()) == {Stage.COMPLETE}
    assert last.progress["filesListed"] == 23
    assert last.progress["filesComplete"] == 15
    assert last.progress["filesFailed"] == 8
    assert last.progress["lines"] == last.summary["lines"] == len(lines_of(target))
    assert lines_of(target) == expected_lines([*good_files(), *bad_files()])
    assert service.get(first.job_id) == last
    assert service.list().records == (last,)


def test_a_job_that_fails_says_why(service, inputs, bucket):
    record = service.wait(service.submit([f"{inputs}bad/"], f"gs://{bucket}/out").job_id)
    assert record.status is Status.FAILED
    assert record.error == f"all 8 files failed; gs://{bucket}/out/ledger/ has the reason for each"
    assert any(record.error in line for line in record.logs)
    assert len(list(ledger_records(STORE, f"gs://{bucket}/out"))) == 8
    assert Stage.RUNNING not in record.stages.values()


@pytest.mark.parametrize(
    ("inputs_", "options", "error"),
    [
        (["gs://{bucket}/none/"], {}, NothingMatchesError),
        (["gs://{bucket}/in/"], {"source": "nope"}, UnknownNameError),
        (["gs://{bucket}/in/"], {"runner": "nope"}, UnknownNameError),
        (["gs://{bucket}/"], {}, TargetError),
    ],
)
def test_what_is_refused_leaves_nothing(service, inputs, bucket, inputs_, options, error):
    with pytest.raises(error):
        service.submit([uri.format(bucket=bucket) for uri in inputs_], f"gs://{bucket}/out", **options)
    assert service.list().records == ()
    assert names(f"gs://{bucket}/out") == []


def test_a_job_that_comes_on_no_record_leaves_nothing_of_its_long_list(service, place, monkeypatch):
    """`place` is local or in a bucket."""
    inputs = [f"{place}/in/{n}.ndjson" for n in range(INPUTS_KEPT + 1)]
    for uri in inputs:
        STORE.write_bytes(uri, b"{}\n")
    written = []

    def refuses(record):
        written.extend(entry.uri for entry in STORE.list_objects(f"{place}/out/"))
        raise JobLogError("the job log is away")

    monkeypatch.setattr(service.log, "create", refuses)
    with pytest.raises(JobLogError, match="is away"):
        service.submit(inputs, f"{place}/out")
    assert any("/_chimera/inputs/" in uri for uri in written)
    assert list(STORE.list_objects(f"{place}/out/")) == []
    assert not Path(place, "out", "_chimera").exists()


@pytest.fixture
def slow_store(faults):
    """A store that takes its time over each file of a job, so that the job can be caught in the middle."""
    faults(latency_ms=500, match="GET /download/")


def test_a_killed_job_leaves_nothing_that_looks_whole_and_can_be_run_again(service, bucket, slow_store):
    # An archive takes several requests to be opened.
    files = [file for file in (*good_files(), *bad_files()) if not file.name.endswith(".zip")]
    for copy in range(8):
        for file in files:
            STORE.write_bytes(f"gs://{bucket}/in/{copy}/{file.name}", file.data)
    target = f"gs://{bucket}/out"
    job_id = service.submit([f"gs://{bucket}/in/"], target).job_id
    until(lambda: service.log.get(job_id).progress.get("filesComplete"))
    record = service.log.get(job_id)
    assert record.status is Status.RUNNING
    os.kill(record.worker["pid"], signal.SIGKILL)

    record = service.wait(job_id)
    assert record.status is Status.FAILED
    assert "was killed or crashed; submit it again with --overwrite" in record.error
    assert names(target) == []

    again = service.wait(service.submit([f"gs://{bucket}/in/"], target, overwrite=True).job_id)
    assert again.status is Status.COMPLETE
    assert lines_of(target) == sorted(expected_lines(files) * 8)


def test_a_job_cancelled_in_the_middle_leaves_nothing(service, inputs, bucket, slow_store):
    target = f"gs://{bucket}/out"
    job_id = service.submit([inputs], target).job_id
    until(lambda: service.log.get(job_id).progress.get("filesListed"))
    record = service.cancel(job_id)
    assert record.status is Status.CANCELLED
    until(lambda: not psutil.pid_exists(record.worker["pid"]))
    assert names(target) == []
    assert service.cancel(job_id) == record
    done = service.wait(service.clone(job_id).job_id)
    assert done.status is Status.COMPLETE
    with pytest.raises(RefusedError, match="is complete already; there is nothing to cancel"):
        service.cancel(done.job_id)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_job_whose_process_is_told_to_end_is_cancelled_and_gives_its_target_back(
    service, many_inputs, bucket, slow_store, number
):
    """By whatever runs this machine: nobody has asked for it on record."""
    target = f"gs://{bucket}/out"
    job_id = service.submit([many_inputs], target).job_id
    until(lambda: service.log.get(job_id).progress.get("filesListed"))
    os.kill(service.log.get(job_id).worker["pid"], number)
    until(lambda: service.log.get(job_id).status.is_final)  # by itself: nobody looks after it
    record = service.log.get(job_id)
    assert record.status is Status.CANCELLED
    assert record.cancel_requested_at is None
    assert names(target) == []


def test_a_job_of_another_host_is_cancelled_through_its_record(
    service, many_inputs, bucket, slow_store, monkeypatch
):
    target = f"gs://{bucket}/out"
    job_id = service.submit([many_inputs], target).job_id
    until(lambda: service.log.get(job_id).progress.get("filesListed"))
    with monkeypatch.context() as patch:
        patch.setattr(process, "host_id", lambda _: "f" * 32)
        assert service.cancel(job_id).is_cancelling
        assert service.get(job_id).status_word == "cancelling"
        until(lambda: service.log.get(job_id).status.is_final)
    assert service.log.get(job_id).status is Status.CANCELLED
    assert names(target) == []


def test_a_job_that_was_taken_for_dead_ends_when_it_sees_that(service, many_inputs, bucket, slow_store):
    target = f"gs://{bucket}/out"
    job_id = service.submit([many_inputs], target).job_id
    until(lambda: service.log.get(job_id).progress.get("filesListed"))
    pid = service.log.get(job_id).worker["pid"]
    service.log.update(job_id, Change(status=Status.FAILED, error="taken for dead"))
    until(lambda: not psutil.pid_exists(pid))
    record = service.log.get(job_id)
    assert (record.status, record.error) == (Status.FAILED, "taken for dead")
    assert "its process has ended: cancelled" in record.logs[-1]
    assert names(target) == []


def test_a_job_whose_clock_was_set_runs_on(service, many_inputs, bucket, slow_store, monkeypatch):
    """3 s: the times of processes move by as much, to whoever looks."""
    target = f"gs://{bucket}/out"
    job_id = service.submit([many_inputs], target).job_id
    until(lambda: service.log.get(job_id).progress.get("filesListed"))
    was_made = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: was_made(self) + 3)
    assert service.get(job_id).status is Status.RUNNING
    assert service.sync() == ()
    assert service.wait(job_id).status is Status.COMPLETE
    assert lines_of(target) == sorted(expected_lines(good_files()) * 8)


def test_a_job_outlives_the_process_that_submitted_it(service, inputs, bucket, slow_store):
    code = (
        "import sys; from pathlib import Path\n"
        "from chimera_nb.jobs.service import JobService; from chimera_nb.settings import Settings\n"
        "service = JobService(Settings(data_dir=Path(sys.argv[1])))\n"
        "print(service.submit([sys.argv[2]], sys.argv[3]).job_id)\n"
    )
    arguments = [str(service.settings.data_dir), inputs, f"gs://{bucket}/out"]
    submitted = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    record = service.wait(submitted.stdout.strip())
    assert record.status is Status.COMPLETE
    assert lines_of(f"gs://{bucket}/out") == expected_lines(good_files())


def test_a_target_is_written_by_one_job_at_a_time(service, inputs, bucket, slow_store):
    target = f"gs://{bucket}/out"
    job_id = service.submit([inputs], target).job_id
    with pytest.raises(TargetError, match=f"is being written by job {job_id}; wait for it"):
        service.submit([inputs], target, overwrite=True)
    assert service.wait(job_id).status is Status.COMPLETE


def test_a_job_whose_process_ends_at_once_does_not_stay_pending(service, inputs, bucket, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    record = service.wait(service.submit([inputs], f"gs://{bucket}/out").job_id)
    assert record.status is Status.FAILED
    assert "ended before the job did" in record.error
    assert names(f"gs://{bucket}/out") == []


def test_a_job_killed_after_its_summary_is_complete(service, inputs, bucket):
    """The output is whole then, whatever the process had still to say."""
    target = f"gs://{bucket}/out"
    record = service.wait(service.submit([inputs], target).job_id)
    document = record.to_document() | {
        "status": "running",
        "jobId": "2026-01-01-aaaaaaaa",
        "finishedAt": None,
    }
    document["worker"] = {**record.worker, "pid": _no_such_pid()}
    summary = dict(record.summary) | {"jobId": "2026-01-01-aaaaaaaa"}
    STORE.write_bytes(f"{target}/summary.json", json.dumps(summary).encode())
    document["spec"] = json.dumps(dict(record.spec) | {"jobId": "2026-01-01-aaaaaaaa"})
    service.log.create(type(record).from_document(document))
    assert service.sync()[0].status is Status.COMPLETE
    assert service.get("2026-01-01-aaaaaaaa").summary == summary
    assert len(lines_of(target)) == summary["lines"]


def _no_such_pid() -> int:
    return next(pid for pid in range(400_000, 4_000_000) if not psutil.pid_exists(pid))


def test_a_job_is_on_record_in_firestore_just_so(firestore_emulator, monkeypatch, inputs, bucket, tmp_path):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    settings = Settings(
        data_dir=tmp_path / "data",
        job_log="firestore",
        project="demo-chimera",
        firestore_collection=tmp_path.name,
    )
    service = JobService(settings)
    record = service.wait(service.submit([inputs], f"gs://{bucket}/out").job_id)
    assert record.status is Status.COMPLETE
    assert lines_of(f"gs://{bucket}/out") == expected_lines(good_files())
    document = _document(firestore_emulator, tmp_path.name, record.job_id)
    assert document["status"] == "complete"
    assert document["stages"] == {"read": "complete", "decompress": "complete", "write": "complete"}
    assert document["targetBucket"] == bucket
    assert document["progress"]["lines"] == record.summary["lines"]
    assert not (tmp_path / "data" / "jobs.sqlite").exists()
    service.log.close()


def _document(emulator: str, collection: str, job_id: str) -> dict:
    """The document as any other client of Firestore sees it."""
    from google.cloud import firestore

    assert os.environ["FIRESTORE_EMULATOR_HOST"] == emulator
    client = firestore.Client(project="demo-chimera")
    found = client.collection(collection).document(job_id).get().to_dict()
    client.close()
    return found


def test_on_a_local_stack_the_targets_bucket_is_made_for_a_job_that_has_inputs_and_for_no_other(
    service, inputs, bucket
):
    with pytest.raises(NothingMatchesError):
        service.submit([f"{inputs}nothing/*.bz2"], f"gs://{bucket}-new/out")
    assert not STORE.bucket_exists(f"{bucket}-new")
    record = service.submit([inputs], f"gs://{bucket}-new/out")
    assert service.wait(record.job_id).status is Status.COMPLETE


def test_what_a_later_job_left_is_not_retried_for_the_one_before(service, bucket):
    for name in ("a", "b"):
        STORE.write_bytes(f"gs://{bucket}/{name}/good.ndjson", b"{}\n")
        STORE.write_bytes(f"gs://{bucket}/{name}/bad.bz2", b"no bz2")
    target = f"gs://{bucket}/out"
    first = service.wait(service.submit([f"gs://{bucket}/a/"], target).job_id)
    second = service.wait(service.submit([f"gs://{bucket}/b/"], target, overwrite=True).job_id)
    with pytest.raises(RefusedError, match=f"now holds the output of job {second.job_id}"):
        service.retry(first.job_id)


def test_a_retry_reads_the_failures_of_its_own_job_only(service, bucket):
    for name in ("a", "b"):
        STORE.write_bytes(f"gs://{bucket}/{name}/bad.bz2", b"no bz2")
    target = f"gs://{bucket}/out"
    first = service.wait(service.submit([f"gs://{bucket}/a/"], target).job_id)
    second = service.wait(service.submit([f"gs://{bucket}/b/"], target, overwrite=True).job_id)
    assert (first.status, second.status) == (Status.FAILED, Status.FAILED)
    with pytest.raises(
        RefusedError, match=f"now holds the ledger of job {second.job_id}, not of {first.job_id}"
    ):
        service.retry(first.job_id)
    again = service.retry(second.job_id)
    assert list(again.selected_paths) == ["b/bad.bz2"]
    service.wait(again.job_id)
