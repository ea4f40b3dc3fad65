from __future__ import annotations

import pytest

from pipeline.errors import CredentialsError, SettingsError, StoreUnavailableError, TransferError
from pipeline.storage import PERSON, Patience
from pipeline.storage.patience import JOB, Trials


@pytest.fixture
def clock(monkeypatch):
    """A clock that only pauses move; gives the pauses."""
    pauses: list[float] = []
    monkeypatch.setattr("pipeline.storage.patience.time.monotonic", lambda: sum(pauses))
    monkeypatch.setattr("pipeline.storage.patience.time.sleep", pauses.append)
    return pauses


def away() -> StoreUnavailableError:
    return StoreUnavailableError("gs://b/x", "the store does not answer")


def spend(trials: Trials, error=away) -> None:
    while True:
        trials.failed(error())


def test_a_job_has_ten_minutes_and_a_person_twenty_seconds():
    assert (JOB.seconds, PERSON.seconds) == (600, 20)


@pytest.mark.parametrize("patience", [JOB, PERSON])
def test_all_of_the_patience_is_used_and_no_more(clock, patience):
    with pytest.raises(StoreUnavailableError):
        spend(Trials(patience))
    assert sum(clock) == pytest.approx(patience.seconds)


def test_pauses_grow_to_half_a_minute_and_differ(clock):
    with pytest.raises(StoreUnavailableError):
        spend(Trials(JOB))
    first = list(clock)
    assert 0.5 <= first[0] <= 1.5
    assert max(first) <= 45
    assert len(first) > 10
    clock.clear()
    with pytest.raises(StoreUnavailableError):
        spend(Trials(JOB))
    assert clock != first


def test_what_has_been_tried_for_long_enough_is_not_tried_again_by_whoever_called(clock):
    error = away()
    with pytest.raises(StoreUnavailableError):
        spend(Trials(PERSON), lambda: error)
    spent = sum(clock)
    with pytest.raises(StoreUnavailableError):
        Trials(JOB).failed(error)
    assert sum(clock) == spent


def test_tries_can_be_counted(clock):
    with pytest.raises(TransferError):
        spend(Trials(JOB, most=3), lambda: TransferError("gs://b/x", "differs"))
    assert len(clock) == 2


def test_a_person_is_told_of_bad_credentials_at_once_and_a_job_waits_for_better_ones(clock):
    for patience, waits in ((PERSON, False), (JOB, True)):
        clock.clear()
        with pytest.raises(CredentialsError):
            spend(Trials(patience), lambda: CredentialsError("gs://b/x", "no credentials"))
        assert bool(clock) == waits


def test_no_patience_is_one_try(clock):
    with pytest.raises(StoreUnavailableError):
        spend(Trials(Patience(0)))
    assert clock == []


def test_a_deadline_is_for_the_whole_at_the_least_throughput():
    assert JOB.deadline(4 << 20) == 60 + (4 << 20) / (16 << 10)
    assert PERSON.deadline(0) == 20


@pytest.mark.parametrize("wrong", [{"seconds": -1}, {"seconds": float("nan")}, {"bytes_per_second": 0}])
def test_a_patience_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(SettingsError, match="patience"):
        Patience(**wrong)


def test_a_jobs_patience_is_found_in_its_environment():
    found = Patience.of_job({"CHIMERA_JOB_PATIENCE": "30", "CHIMERA_LEAST_THROUGHPUT": "1000"})
    assert (found.seconds, found.bytes_per_second) == (30, 1000)
    assert Patience.of_job({}) == JOB
    with pytest.raises(SettingsError, match="CHIMERA_JOB_PATIENCE is 'soon'; it is a number"):
        Patience.of_job({"CHIMERA_JOB_PATIENCE": "soon"})
