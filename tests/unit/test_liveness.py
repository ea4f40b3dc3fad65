"""Who has a job in hand: by what is on record, whatever the clocks of hosts say."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from chimera_nb.jobs import liveness, process, sightings
from chimera_nb.jobs.liveness import Liveness
from chimera_nb.jobs.record import JobRecord, Status, timestamp
from chimera_nb.machine.host_id import host_id
from pipeline.spec import JobSpec

CLOCKS = [timedelta(seconds=3), timedelta(hours=1), timedelta(days=-365 * 40), timedelta(days=365 * 40)]


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    host_id.cache_clear()
    yield tmp_path / "data"
    host_id.cache_clear()


class Counter:
    """The counter that only goes forward, as far as a test lets it."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(sightings.time, "monotonic", lambda: self.now)


@pytest.fixture
def counter(monkeypatch):
    return Counter(monkeypatch)


@pytest.fixture
def sleeper():
    running = subprocess.Popen(["sleep", "600"])
    yield running
    running.kill()
    running.wait()


def a_record(worker, ago=timedelta(0), **fields) -> JobRecord:
    spec = JobSpec(inputs=("gs://in/p/",), target="gs://out/p", job_id="2024-01-19-abc12345")
    record = JobRecord.from_spec(spec, runner="direct", now=timestamp(datetime.now(UTC) - ago))
    return JobRecord(**{**record.__dict__, "status": Status.RUNNING, "worker": worker, **fields})


@pytest.mark.parametrize("step", CLOCKS)
def test_no_clock_makes_a_living_process_dead(data_dir, sleeper, monkeypatch, step):
    worker = process.describe(sleeper.pid, data_dir)
    was_made = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: was_made(self) + step.total_seconds())
    assert Liveness(data_dir).gone(a_record(worker, ago=step)) is None
    sleeper.kill()
    sleeper.wait()
    assert "was killed or crashed" in Liveness(data_dir).gone(a_record(worker, ago=step))


@pytest.mark.parametrize("step", CLOCKS)
@pytest.mark.parametrize(
    "elsewhere",
    [None, {"hostId": "0" * 32}, {"bootId": "another"}, {"pidNamespace": "pid:[7]"}],
    ids=["not started yet", "another host", "another boot", "another container"],
)
def test_silence_is_what_was_seen_and_not_what_two_clocks_differ_by(
    data_dir, sleeper, counter, step, elsewhere
):
    worker = None if elsewhere is None else {**process.describe(sleeper.pid, data_dir), **elsewhere}
    limit = liveness.STARTS_WITHIN
    if elsewhere is not None:
        limit = liveness.SILENT_ELSEWHERE_FOR if "hostId" in elsewhere else liveness.SILENT_FOR
    looks = Liveness(data_dir)
    silent = a_record(worker, ago=step)
    assert looks.gone(silent) is None
    counter.now += limit
    assert looks.gone(silent) is None
    renewed = a_record(worker, ago=step - timedelta(milliseconds=1))
    assert looks.gone(renewed) is None
    counter.now += limit + 1
    assert looks.gone(a_record(worker, ago=step - timedelta(milliseconds=2))) is None
    assert looks.gone(a_record(worker, updated_at="2000-01-01T00:00:00.000Z")) is None
    counter.now += limit + 1
    gone = looks.gone(a_record(worker, updated_at="2000-01-01T00:00:00.000Z"))
    assert ("never started" if elsewhere is None else "there was no sign of the job's process on") in gone


def test_two_hosts_of_one_name_do_not_take_each_others_processes_for_their_own(
    data_dir, sleeper, monkeypatch, tmp_path
):
    worker = process.describe(sleeper.pid, data_dir)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another host's"))
    host_id.cache_clear()
    other = Liveness(tmp_path / "another host's data")
    record = a_record(worker)
    assert process.describe(sleeper.pid, data_dir)["host"] == worker["host"]
    assert other.is_alive(record) is None
    other.terminate(record, seconds=1)
    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()
    assert other.is_alive(record) is None
    assert other.gone(record) is None


def test_a_command_that_looks_once_goes_on_from_what_an_earlier_one_has_seen(data_dir, counter):
    silent = a_record(None)
    assert Liveness(data_dir).gone(silent) is None
    counter.now += liveness.STARTS_WITHIN + 1
    assert "never started" in Liveness(data_dir).gone(silent)


def test_what_was_seen_before_the_host_was_started_anew_counts_for_nothing(data_dir, counter, monkeypatch):
    silent = a_record(None)
    assert Liveness(data_dir).gone(silent) is None
    monkeypatch.setattr(sightings, "boot_id", lambda: "the next")
    counter.now += 10_000
    assert Liveness(data_dir).gone(silent) is None
    counter.now = 5.0
    assert Liveness(data_dir).unchanged_for(silent) == 0


@pytest.mark.parametrize("content", ["", "[]", '{"bootId": 1}', '{"bootId": "%s", "seen": {"a": 1}}'])
def test_a_file_that_cannot_be_read_is_as_none(data_dir, counter, content):
    path = data_dir / "jobs" / "sightings.json"
    path.parent.mkdir(parents=True)
    path.write_text(content.replace("%s", sightings.boot_id()))
    silent = a_record(None)
    assert Liveness(data_dir).unchanged_for(silent) == 0
    counter.now += 7
    assert Liveness(data_dir).unchanged_for(silent) == 7


def test_without_a_folder_a_process_goes_by_what_it_has_seen_itself(tmp_path, counter):
    (tmp_path / "file").touch()
    looks = Liveness(tmp_path / "file")
    silent = a_record(None)
    assert looks.unchanged_for(silent) == 0
    counter.now += 61
    assert "never started" in looks.gone(silent)


def test_the_file_stays_small(data_dir, counter):
    looks = Liveness(data_dir)
    for number in range(40):
        looks.unchanged_for(a_record(None, job_id=f"2024-01-19-{number:08}"))
        counter.now += 86_400 / 2
    kept = json.loads((data_dir / "jobs" / "sightings.json").read_text())["seen"]
    assert len(kept) < 20


def test_a_worker_of_an_earlier_version_or_edited_by_hand_is_unknown(data_dir):
    for worker in ({"host": "x", "pid": os.getpid(), "started": 1.0}, {"hostId": host_id(data_dir)}, {}):
        assert Liveness(data_dir).is_alive(a_record(worker)) is None


def test_a_process_that_ended_before_it_was_described_is_dead(data_dir):
    gone = subprocess.Popen(["true"])
    gone.wait()
    worker = process.describe(gone.pid, data_dir)
    assert Liveness(data_dir).is_alive(a_record(worker)) is False
