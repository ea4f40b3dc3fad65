"""What a job's own process has to ask or tell is tried until the job log is back."""

from __future__ import annotations

from contextlib import closing
from types import SimpleNamespace

import pytest

from chimera_nb.jobs.log import patience
from chimera_nb.jobs.log.patience import until_log_answers
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.runners import dataflow_submit, direct_worker
from chimera_nb.machine.host_id import host_id
from chimera_nb.settings import Settings
from pipeline.errors import JobLogError, JobNotFoundError
from pipeline.inputs.manifest import write_patterns
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import prepare_target

JOB = "2024-01-19-abc12345"


@pytest.fixture
def clock(monkeypatch):
    """Seconds that go by in pauses alone."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(patience, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    return now


def away_for(seconds: float, clock: list[float], call):
    """A call of the job log, which is away until then."""

    def called(*arguments, **options):
        if clock[0] < seconds:
            raise JobLogError("the job log is away")
        return call(*arguments, **options)

    return called


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    host_id.cache_clear()
    yield Settings(data_dir=tmp_path / "data", dataflow_endpoint="http://localhost:1")
    host_id.cache_clear()


@pytest.fixture
def log(tmp_path, settings, monkeypatch):
    with closing(SqliteJobLog(tmp_path / "jobs.sqlite")) as opened:
        for module in (direct_worker, dataflow_submit):
            monkeypatch.setattr(module, "load_settings", lambda: settings)
            monkeypatch.setattr(module, "open_log", lambda _: opened)
        yield opened


def on_record(log: SqliteJobLog, tmp_path, runner: str) -> JobSpec:
    (tmp_path / "a.ndjson").write_text('{"a":1}\n')
    spec = JobSpec(inputs=(f"{tmp_path}/a.ndjson",), target=f"{tmp_path}/out", job_id=JOB)
    prepare_target(PlainStore(), spec, lambda _: None)
    write_patterns(PlainStore(), spec, spec.inputs)
    how = {"project": "p", "region": "r", "temp_location": "gs://t/t"} if runner == "dataflow" else {}
    log.create(JobRecord.from_spec(spec, runner=runner, runner_options=how))
    return spec


def test_what_is_away_for_less_is_waited_for(clock):
    assert until_log_answers(away_for(10, clock, lambda: "there"), 10) == "there"
    assert clock == [10]


def test_what_is_away_for_longer_is_an_error(clock):
    with pytest.raises(JobLogError, match="is away"):
        until_log_answers(away_for(12, clock, lambda: "there"), 10)


def test_an_answer_is_no_reason_to_ask_again(clock):
    def no_such_job():
        raise JobNotFoundError(JOB)

    with pytest.raises(JobNotFoundError):
        until_log_answers(no_such_job, 10)
    assert clock == [0]


def test_a_direct_job_whose_log_is_away_as_it_starts_waits_and_runs(
    tmp_path, settings, log, monkeypatch, clock
):
    def failed(_job_id, _status, why, _progress):
        pytest.fail(why)  # the real one makes another program of this process

    monkeypatch.setattr(direct_worker, "come_to_nothing", failed)
    on_record(log, tmp_path, "direct")
    monkeypatch.setattr(log, "get", away_for(60, clock, log.get))  # each try gives up after 20 s of its own
    assert direct_worker.main(JOB) == 0
    record = log.get(JOB)
    assert (record.status, record.summary["lines"]) == (Status.COMPLETE, 1)


def test_a_job_that_dataflow_has_taken_is_told_when_the_log_is_back(tmp_path, log, monkeypatch, clock):
    on_record(log, tmp_path, "dataflow")

    def submit(*_arguments):
        monkeypatch.setattr(log, "update", away_for(clock[0] + 60, clock, log.update))
        return "df-1"

    monkeypatch.setattr(dataflow_submit, "_submit", submit)
    assert dataflow_submit.main(JOB) == 0
    assert log.get(JOB).dataflow_job_id == "df-1"


def test_a_job_that_could_not_be_sent_is_told_when_the_log_is_back(tmp_path, log, monkeypatch, clock):
    on_record(log, tmp_path, "dataflow")

    def submit(*_arguments):
        monkeypatch.setattr(log, "get", away_for(clock[0] + 1000, clock, log.get))
        raise ValueError("no such region")

    monkeypatch.setattr(dataflow_submit, "_submit", submit)
    assert dataflow_submit.main(JOB) == 1
    record = log.get(JOB)
    assert record.status is Status.FAILED
    assert "could not be sent to Dataflow: ValueError: no such region" in record.error
