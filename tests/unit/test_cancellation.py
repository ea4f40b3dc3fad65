"""A cancellation is a state of its own until both sides agree: the record, and whoever runs the job."""

from __future__ import annotations

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from google.api_core import exceptions as api

from chimera_nb.jobs import outcome, process, sightings
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.runners import dataflow, dataflow_client, dataflow_submit, direct_worker
from chimera_nb.jobs.runners.dataflow_client import DataflowJob
from chimera_nb.jobs.service import JobService
from chimera_nb.jobs.transitions import Change
from chimera_nb.machine.host_id import host_id
from chimera_nb.settings import Settings
from pipeline.errors import DataflowError, RefusedError, StoreUnavailableError
from pipeline.inputs.manifest import INPUTS_KEPT, all_inputs, with_manifest
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from tests.fixtures.lagging_dataflow import Dataflow

HOW = {"project": "p", "region": "r", "temp_location": "gs://t/t"}


@pytest.fixture
def there(monkeypatch):
    one = Dataflow()
    monkeypatch.setattr(dataflow, "DataflowApi", lambda *_: one)
    monkeypatch.setattr(dataflow, "_EVERY", dataflow.timedelta(0))
    return one


@pytest.fixture
def service(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    host_id.cache_clear()
    settings = Settings(data_dir=tmp_path / "data", dataflow_endpoint="http://localhost:1")
    with closing(SqliteJobLog(tmp_path / "jobs.sqlite")) as log:
        yield JobService(settings, log)
    host_id.cache_clear()


@pytest.fixture
def submitter():
    running = subprocess.Popen(["sleep", "600"])
    yield running
    running.kill()
    running.wait()


@pytest.fixture
def counter(monkeypatch):
    """Moves the counter that silence is counted by: call it with seconds."""
    now = [1000.0]
    monkeypatch.setattr(sightings.time, "monotonic", lambda: now[0])

    def forward(seconds: float) -> None:
        now[0] += seconds

    return forward


def on_record(service, tmp_path: Path, *changes: Change, runner="dataflow", job_id="2024-01-19-abc12345"):
    """A job with a part of its output at its target; its id."""
    spec = JobSpec(inputs=("gs://in/p/",), target=str(tmp_path / job_id), job_id=job_id)
    part = Path(spec.target, "_chimera", job_id, "output", "part-1")
    part.parent.mkdir(parents=True)
    part.write_text("{}\n")
    service.log.create(
        JobRecord.from_spec(spec, runner=runner, runner_options=HOW if runner == "dataflow" else {})
    )
    for change in changes:
        service.log.update(job_id, change)
    return job_id


def by(running, service) -> Change:
    return Change(worker=process.describe(running.pid, service.settings.folder))


def kill(running) -> None:
    running.kill()
    running.wait()


def parts(tmp_path: Path) -> list[str]:
    return [str(path) for path in tmp_path.rglob("part-*")]


SENDING = Change(dataflow_requested_at="2024-01-19T10:00:00.000Z")


def test_cancelled_within_the_lag_of_dataflows_list_it_is_cancelled_there_when_it_appears(
    service, there, submitter, tmp_path
):
    job_id = on_record(service, tmp_path, by(submitter, service), SENDING)
    found = there.take(job_id, listed=False)
    kill(submitter)  # before it could tell
    record = service.cancel(job_id)
    assert record.status is Status.PENDING
    assert record.status_word == "cancelling"
    assert service.get(job_id).is_cancelling
    assert there.states[found] == "RUNNING"
    assert parts(tmp_path)

    there.listed.add(found)
    assert service.sync() == ()  # by whoever looks later
    assert there.states[found] == "CANCELLING"
    assert service.log.get(job_id).dataflow_job_id == found
    assert service.get(job_id).is_cancelling

    there.states[found] = "CANCELLED"
    record = service.get(job_id)
    assert record.status is Status.CANCELLED
    assert there.asked == [found]
    assert parts(tmp_path) == []


def test_one_that_was_never_sent_is_cancelled_at_once_and_dataflow_is_not_asked(
    service, there, submitter, tmp_path
):
    job_id = on_record(service, tmp_path, by(submitter, service))
    record = service.cancel(job_id)
    assert record.status is Status.CANCELLED
    assert submitter.wait() < 0
    assert service.log.update(job_id, SENDING).dataflow_requested_at is None
    assert there.asked == []
    assert parts(tmp_path) == []


def test_a_submitter_that_cannot_be_reached_sends_nothing_after_a_cancellation(
    service, there, submitter, tmp_path
):
    elsewhere = {**process.describe(submitter.pid, service.settings.folder), "hostId": "0" * 32}
    job_id = on_record(service, tmp_path, Change(worker=elsewhere))
    assert service.cancel(job_id).status is Status.CANCELLED
    assert submitter.poll() is None
    noted = service.log.update(job_id, SENDING)
    assert noted.status.is_final
    assert there.asked == []


def test_a_submitter_in_the_middle_of_sending_is_left_to_tell(service, there, submitter, tmp_path):
    job_id = on_record(service, tmp_path, by(submitter, service), SENDING)
    assert service.cancel(job_id).is_cancelling
    assert submitter.poll() is None
    found = there.take(job_id, listed=True)
    service.log.update(job_id, dataflow.sent(service.log.get(job_id), found))
    assert service.get(job_id).is_cancelling
    assert there.states[found] == "CANCELLING"


def test_one_that_never_appears_is_cancelled_in_the_end(service, there, submitter, tmp_path, counter):
    job_id = on_record(service, tmp_path, by(submitter, service), SENDING)
    kill(submitter)
    assert service.cancel(job_id).is_cancelling
    counter(dataflow._APPEARS_WITHIN)
    assert service.get(job_id).is_cancelling
    counter(1)
    assert service.get(job_id).status is Status.CANCELLED
    assert there.asked == []
    assert parts(tmp_path) == []


def test_a_lost_answer_is_waited_for_without_a_cancellation_too(service, there, submitter, tmp_path, counter):
    job_id = on_record(service, tmp_path, by(submitter, service), SENDING)
    found = there.take(job_id, listed=False)
    kill(submitter)
    assert service.get(job_id).status is Status.PENDING
    counter(dataflow._APPEARS_WITHIN - 1)
    assert service.get(job_id).status is Status.PENDING
    there.listed.add(found)
    assert service.get(job_id).dataflow_job_id == found
    assert there.states[found] == "RUNNING"


def send(service, monkeypatch, error: Exception) -> None:
    """A submitter that asks Dataflow for the job, and is answered with that."""

    def submit(record, log, *_):
        log.update(record.job_id, SENDING)
        raise error

    monkeypatch.setattr(dataflow_submit, "load_settings", lambda: service.settings)
    monkeypatch.setattr(dataflow_submit, "open_log", lambda _: service.log)
    monkeypatch.setattr(dataflow_submit, "_submit", submit)


@pytest.mark.parametrize("error", [api.ServiceUnavailable("try later"), ConnectionResetError("reset")])
def test_a_job_that_dataflow_took_without_an_answer_is_followed_and_not_given_up(
    service, there, submitter, tmp_path, monkeypatch, counter, error
):
    job_id = on_record(service, tmp_path, by(submitter, service))
    kill(submitter)
    found = there.take(job_id, listed=False)
    send(service, monkeypatch, error)
    assert dataflow_submit.main(job_id) == 1
    record = service.get(job_id)
    assert record.status is Status.PENDING
    assert "could not be sent to Dataflow" in record.logs[-1]
    assert parts(tmp_path)
    counter(dataflow._APPEARS_WITHIN - 1)
    there.listed.add(found)
    assert service.get(job_id).dataflow_job_id == found


def test_a_job_that_dataflow_refuses_has_failed_at_once(service, there, submitter, tmp_path, monkeypatch):
    job_id = on_record(service, tmp_path, by(submitter, service))
    send(service, monkeypatch, api.Forbidden("no role"))
    assert dataflow_submit.main(job_id) == 1
    record = service.log.get(job_id)
    assert record.status is Status.FAILED
    assert "no role" in record.error
    assert parts(tmp_path) == []


def test_the_long_list_of_a_job_that_dataflow_refuses_stays_for_a_clone_of_it(
    service, submitter, tmp_path, monkeypatch
):
    inputs = tuple(f"gs://in/{n}" for n in range(INPUTS_KEPT + 1))
    full = JobSpec(inputs=inputs, target=str(tmp_path / "out"), job_id="2024-01-19-abc12345")
    spec = with_manifest(PlainStore(), full)
    service.log.create(JobRecord.from_spec(spec, runner="dataflow", runner_options=HOW))
    service.log.update(spec.job_id, by(submitter, service))
    send(service, monkeypatch, api.Forbidden("no role"))
    assert dataflow_submit.main(spec.job_id) == 1
    record = service.log.get(spec.job_id)
    assert record.status is Status.FAILED
    assert all_inputs(PlainStore(), JobSpec.from_json(record.spec)) == inputs
    left = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert [str(path) for path in left] == [spec.manifest]


def test_a_job_that_dataflow_has_just_taken_and_does_not_know_yet_is_not_ended_by_a_clock(
    service, there, submitter, tmp_path, counter
):
    job_id = on_record(service, tmp_path, by(submitter, service), SENDING, Change(dataflow_job_id="df-late"))
    old = service.log.get(job_id)
    stale = JobRecord(**{**old.__dict__, "updated_at": "1999-01-01T00:00:00.000Z"})
    jobs = dataflow.DataflowJobs(service.log, service.settings)
    assert jobs.settle(stale).status is Status.PENDING
    counter(dataflow._APPEARS_WITHIN + 1)
    assert "Dataflow does not know job df-late any more" in jobs.settle(stale).error


def test_what_dataflow_refuses_is_neither_on_record_nor_logged(service, there, tmp_path):
    job_id = on_record(service, tmp_path, SENDING, Change(dataflow_job_id="df-1", status=Status.RUNNING))
    there.states["df-1"] = "RUNNING"
    there.refuses = True
    with pytest.raises(DataflowError, match="cannot be cancelled"):
        service.cancel(job_id)
    record = service.log.get(job_id)
    assert record.cancel_requested_at is None
    assert not any("asked to cancel" in line for line in record.logs)
    there.refuses = False
    assert service.cancel(job_id).is_cancelling
    assert sum("asked to cancel" in line for line in service.cancel(job_id).logs) == 1


def test_a_cancellation_that_dataflow_did_not_keep_is_asked_for_again(service, there, tmp_path):
    job_id = on_record(service, tmp_path, SENDING, Change(dataflow_job_id="df-1", status=Status.RUNNING))
    there.states["df-1"] = "RUNNING"
    service.cancel(job_id)
    there.states["df-1"] = "RUNNING"
    assert service.get(job_id).is_cancelling
    assert there.states["df-1"] == "CANCELLING"


# Direct jobs


def test_a_direct_job_that_was_never_started_is_cancelled_and_does_not_start_later(
    service, tmp_path, monkeypatch
):
    job_id = on_record(service, tmp_path, runner="direct")
    assert service.cancel(job_id).status is Status.CANCELLED
    assert parts(tmp_path) == []
    monkeypatch.setattr(direct_worker, "load_settings", lambda: service.settings)
    monkeypatch.setattr(direct_worker, "open_log", lambda _: service.log)
    assert direct_worker.main(job_id) == 1
    assert service.log.get(job_id).started_at is None


def test_a_direct_job_whose_process_ends_as_it_is_told_is_cancelled_and_not_failed(
    service, submitter, tmp_path
):
    job_id = on_record(
        service, tmp_path, by(submitter, service), Change(status=Status.RUNNING), runner="direct"
    )
    assert service.cancel(job_id).status is Status.CANCELLED
    assert submitter.wait() < 0
    assert parts(tmp_path) == []


def test_a_direct_job_of_another_host_is_asked_to_end_by_its_record(service, submitter, tmp_path):
    elsewhere = {**process.describe(submitter.pid, service.settings.folder), "hostId": "0" * 32}
    job_id = on_record(service, tmp_path, Change(worker=elsewhere, status=Status.RUNNING), runner="direct")
    record = service.cancel(job_id)
    assert record.is_cancelling
    assert submitter.poll() is None
    assert parts(tmp_path)


@pytest.mark.parametrize(
    ("said", "why", "becomes"),
    [(Status.FAILED, "all 3 files failed", Status.FAILED), (Status.CANCELLED, "cancelled", Status.CANCELLED)],
)
def test_what_a_process_says_of_its_end_while_the_store_is_away_is_its_end_when_the_store_is_back(
    service, submitter, tmp_path, monkeypatch, said, why, becomes
):
    job_id = on_record(
        service, tmp_path, by(submitter, service), Change(status=Status.RUNNING), runner="direct"
    )

    def away(store, spec):
        raise StoreUnavailableError(spec.target, "the store does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(outcome, "abandon_target", away)
        for _ in range(3):  # its process, and whoever looks
            outcome.last_word(service.store, service.log, job_id, said, why)
        kill(submitter)
        assert service.get(job_id).status is Status.RUNNING
    waiting = service.log.get(job_id)
    assert waiting.target_unseen_since
    assert sum("cannot be looked at yet" in line for line in waiting.logs) == 1
    assert parts(tmp_path)
    record = service.get(job_id)
    assert (record.status, record.error) == (becomes, why if becomes is Status.FAILED else None)
    assert parts(tmp_path) == []


def test_a_job_that_said_why_it_failed_has_failed_whatever_is_asked_of_it_then(service, submitter, tmp_path):
    job_id = on_record(
        service,
        tmp_path,
        by(submitter, service),
        Change(status=Status.RUNNING, error="all 3 files failed"),
        runner="direct",
    )
    kill(submitter)
    with pytest.raises(RefusedError, match="is failed already"):
        service.cancel(job_id)
    assert service.log.get(job_id).error == "all 3 files failed"


def test_a_submitter_that_said_why_it_could_not_send_is_believed(service, there, submitter, tmp_path):
    job_id = on_record(service, tmp_path, by(submitter, service), Change(error="no such region"))
    kill(submitter)
    record = service.get(job_id)
    assert (record.status, record.error) == (Status.FAILED, "no such region")
    assert there.asked == []


def test_a_job_that_ends_between_the_look_and_the_request_is_refused_without_a_line(
    service, submitter, tmp_path, monkeypatch
):
    job_id = on_record(
        service, tmp_path, by(submitter, service), Change(status=Status.RUNNING), runner="direct"
    )
    get = service.get

    def then_it_ends(wanted):
        seen = get(wanted)
        service.log.update(wanted, Change(status=Status.COMPLETE))
        return seen

    monkeypatch.setattr(service, "get", then_it_ends)
    with pytest.raises(RefusedError, match="is complete already"):
        service.cancel(job_id)
    assert not any("asked to cancel" in line for line in service.log.get(job_id).logs)
    assert submitter.poll() is None


# Looks at many jobs


def test_jobs_are_looked_at_side_by_side_and_an_odd_one_holds_up_no_other(
    service, there, tmp_path, monkeypatch, caplog
):
    """Each look waits until all others are under way: one after the other would never end."""
    together = threading.Barrier(8, timeout=30)
    jobs = [
        on_record(
            service,
            tmp_path,
            Change(dataflow_job_id=f"df-{n}", status=Status.RUNNING),
            job_id=f"2024-01-19-{n:08}",
        )
        for n in range(8)
    ]

    def get(found):
        together.wait()
        if found == "df-3":
            raise ZeroDivisionError(found)
        return DataflowJob(found, "", "CANCELLED")

    monkeypatch.setattr(there, "get", get)
    ended = service.sync()
    assert [record.job_id for record in ended] == [job for job in reversed(jobs) if not job.endswith("3")]
    assert service.log.get(jobs[3]).status is Status.RUNNING
    assert f"job {jobs[3]} cannot be brought up to date: ZeroDivisionError: df-3" in caplog.text


def test_all_looks_of_a_service_use_one_client_for_each_project_and_region(
    service, tmp_path, monkeypatch, there
):
    made = []
    monkeypatch.setattr(dataflow, "DataflowApi", lambda *where: made.append(where) or there)
    for n in range(20):
        on_record(
            service,
            tmp_path,
            Change(dataflow_job_id=f"df-{n}", status=Status.RUNNING),
            job_id=f"2024-01-19-{n:08}",
        )
        there.states[f"df-{n}"] = "RUNNING"
    for _ in range(3):
        service.sync()
    assert made == [("p", "r", "http://localhost:1")]


def test_a_client_is_made_once_for_all_threads(monkeypatch):
    made = []
    monkeypatch.setattr(
        dataflow_client, "_made", lambda kind, endpoint: made.append((kind, endpoint)) or object()
    )
    api = dataflow_client.DataflowApi("p", "r", "http://localhost:1")
    together = threading.Barrier(16, timeout=30)

    def ask(number: int) -> int:
        together.wait()
        return id(api._client(("Jobs", "Messages")[number % 2]))

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(ask, range(16)))) == 2
    assert sorted(made) == [("Jobs", "http://localhost:1"), ("Messages", "http://localhost:1")]
