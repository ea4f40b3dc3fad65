"""What a job will come to: the model, the prices, the budget, and what jobs that ran teach the next forecast."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.cli import job_display
from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.jobs.forecast.actual import actual_of, error_of, learnt
from chimera_nb.jobs.forecast.budget import Budget, passed_budget
from chimera_nb.jobs.forecast.machine import Machine, machine_of
from chimera_nb.jobs.forecast.model import DECODES, STAGES, Work, forecast
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.transitions import Change, advance
from chimera_nb.prices import Prices
from chimera_nb.settings import Settings, load_settings
from chimera_nb.widgets.job_form.foretold import in_words
from pipeline.errors import RefusedError, SettingsError
from pipeline.spec import JobSpec

CLOUD = Settings(place="cloud", job_log="sqlite", project="p")
HERE = Machine("here", 2, 1, 3.0)
TEN = machine_of("dataflow", {"machine_type": "n1-standard-4", "max_workers": 10}, CLOUD)
LATER = "2026-01-31T10:00:00.000Z"


def record(told=None, *, runner: str = "direct", budget=None, **change) -> JobRecord:
    spec = JobSpec(("/in/",), "/out", "j", budget=budget)
    made = JobRecord.from_spec(spec, runner=runner, forecast=told and told.to_json(), now=LATER)
    return advance(made, Change(**{"status": Status.RUNNING, **change}), LATER)


@given(
    st.integers(0, 10**9),
    st.integers(0, 10**15),
    st.floats(0, 100),
    st.booleans(),
    st.sampled_from([*DECODES, "odd"]),
    st.sampled_from(["direct", "dataflow"]),
    st.none() | st.integers(1, 4000),
)
def test_no_forecast_is_negative_or_no_number(files, size, ratio, remote, codec, runner, workers):
    on = machine_of(runner, {"max_workers": workers}, CLOUD)
    told = forecast(Work(files, size, round(size * ratio), remote, codec), on)
    numbers = [told.worker_hours, told.core_seconds, told.money, *told.stages.values()]
    numbers += [value for value in (told.seconds, told.with_flexrs) if value is not None]
    assert all(math.isfinite(value) and value >= 0 for value in numbers)
    assert tuple(told.stages) == STAGES
    assert told.seconds is None or told.seconds == pytest.approx(sum(told.stages.values()))
    assert told.to_json()["limit"] == told.limit


@pytest.mark.parametrize(
    ("work", "on", "limit"),
    [
        (Work(10, 1000, 1000), HERE, "start"),
        (Work(10**6, 10**8, 10**9, remote=False), HERE, "files"),
        (Work(100, 10**9, 10**10, remote=False), HERE, "codec"),
        (Work(1000, 10**12, 10**12, codec="plain"), replace(HERE, cores=64), "wire"),
        (Work(32_000, 10**6, 10**6, shards=1), replace(TEN, workers=100, start=0.1), "listing"),
        (Work(1000, 10**9, 10**9, shards=90_000), replace(TEN, start=1.0), "publishing"),
    ],
)
def test_the_stage_that_limits_is_named(work, on, limit):
    assert forecast(work, on).limit == limit


def test_a_long_listing_is_all_workers_and_a_report_takes_no_request():
    long, short = Work(10**8, 10**12, 10**13), Work(10_000, 10**9, 10**10)
    one, two = (replace(TEN, workers=workers, cores=1) for workers in (1, 2))
    assert forecast(long, one).stages["listing"] == pytest.approx(2 * forecast(long, two).stages["listing"])
    assert forecast(short, one).stages["listing"] == forecast(short, two).stages["listing"]
    told = forecast(replace(long, inventory=True), two)
    assert 60 < told.stages["listing"] < 600  # ten minutes, two workers of a core each
    assert told.operations["classA"] == forecast(long, two).operations["classA"] - 100_000


def test_more_work_takes_longer_and_more_workers_less():
    work = Work(10**6, 10**12, 10**13)
    told = forecast(work, TEN)
    assert forecast(replace(work, raw_bytes=2 * 10**13), TEN).worker_hours > told.worker_hours
    assert forecast(work, replace(TEN, workers=100)).seconds < told.seconds / 5
    few = forecast(Work(1, 10**9, 10**10, remote=False), replace(HERE, cores=64))
    assert few.stages["reading"] == pytest.approx(10**10 / DECODES["bz2"], rel=0.01)


def test_money_is_by_the_prices_and_flexrs_is_offered_where_it_costs_less():
    work = Work(10**6, 10**12, 10**13)
    told = forecast(work, TEN, Prices(vcpu_hour=1.0, gb_hour=0.0, shuffle_gb=0.0, class_a=0.0, class_b=0.0))
    assert told.money == pytest.approx(told.worker_hours * 4)
    assert told.with_flexrs == pytest.approx(told.money * 0.6)
    assert any("--flexrs-goal COST_OPTIMIZED" in line for line in in_words(told))
    chosen = machine_of("dataflow", {"max_workers": 10, "flexrs_goal": "COST_OPTIMIZED"}, CLOUD)
    assert forecast(work, chosen).with_flexrs is None
    read = Prices(vcpu_hour=0.0, gb_hour=0.0, shuffle_gb=0.0, class_a=0.0, class_b=2.0)
    assert forecast(work, TEN, read).money == pytest.approx(2000.0)
    assert forecast(replace(work, remote=False), HERE).money == 0
    assert DataflowOptions(flexrs_goal="COST_OPTIMIZED").arguments() == ["--flexrs_goal=COST_OPTIMIZED"]
    with pytest.raises(SettingsError, match="COST_OPTIMIZED or SPEED_OPTIMIZED"):
        DataflowOptions(flexrs_goal="cheap")


def test_prices_come_of_the_settings_and_go_to_other_processes(tmp_path, monkeypatch):
    named = tmp_path / "chimera.toml"
    named.write_text('[prices]\nvcpu_hour = 0.1\ncurrency = "EUR"\n')
    monkeypatch.setenv("CHIMERA_CONFIG", str(named))
    settings = load_settings(tmp_path / "data")
    assert (settings.prices.vcpu_hour, settings.prices.currency) == (0.1, "EUR")
    monkeypatch.delenv("CHIMERA_CONFIG")
    monkeypatch.setenv("CHIMERA_PRICES", settings.to_environment()["CHIMERA_PRICES"])
    assert load_settings(tmp_path / "data").prices == settings.prices
    for text in ("vcpu_hour=x", "vcpu_hour=-1", "hours=1", "currency=1"):
        with pytest.raises(SettingsError, match="prices: "):
            Prices.from_text(text)
    named.write_text("prices = 3\n")
    monkeypatch.setenv("CHIMERA_CONFIG", str(named))
    with pytest.raises(SettingsError, match="write a table"):
        load_settings(tmp_path / "data")


def test_a_budget_is_money_or_worker_hours_and_a_forecast_beyond_it_is_told():
    told = forecast(Work(10**6, 10**12, 10**13), TEN)
    assert Budget.of(None, "USD") is None
    assert Budget.of("5h", "USD") == Budget(5.0, None, "USD")
    assert str(Budget.of("12.5", "EUR")) == "12.50 EUR"
    assert "worker-hours, and the budget is 5 worker-hours" in Budget.of("5h", "USD").passed_by(told)
    assert "USD, and the budget is 1.00 USD" in Budget.of("1", "USD").passed_by(told)
    assert Budget.of("99999h", "USD").passed_by(told) is None
    for text in ("", "0", "-1", "5 h", "h", "1e3", "five"):
        with pytest.raises(RefusedError, match="hours of one machine"):
            JobSpec(("/in/",), "/out", "j", budget=text)


def test_a_running_job_passes_its_budget_when_it_is_spent_or_will_be():
    def said(seconds, done, budget="1h", told=None, **more):
        numbers = {"seconds": seconds, "filesListed": 100, "filesComplete": done}
        job = record(told, budget=budget, progress=numbers | more)
        return passed_budget(job, "USD")

    assert said(600, 20) is None
    assert "is spent" in said(3700, 99)
    assert "about 2 worker-hours" in said(1440, 20)
    assert said(1440, 5) is None  # too early to tell
    assert "is spent" in said(600, 1, workers=10)
    assert said(9e9, 99, budget=None) is None
    paid = forecast(Work(10**6, 10**12, 10**13), TEN)
    assert "the budget of 0.01 USD is spent" in said(3600, 1, budget="0.01", told=paid)
    assert said(3600, 1, budget="0.01") is None  # nothing is known of what an hour costs
    done = record(budget="1h", progress={"seconds": 9e9}, status=Status.COMPLETE)
    assert passed_budget(done, "USD") is None


def test_forecast_and_actual_stand_side_by_side_with_the_error():
    told = forecast(Work(1000, 10**6, 10**7, remote=False), HERE)
    came = {"seconds": told.seconds * 2, "coreSeconds": told.core_seconds, "rawBytes": 10**7}
    job = record(told, status=Status.COMPLETE, progress=came, summary={"files": {"listed": 1000}})
    assert actual_of(job)["files"] == 1000
    assert error_of(job, "seconds") == pytest.approx(-0.5, abs=0.01)
    assert error_of(job, "coreSeconds") == pytest.approx(0, abs=0.01)
    shown = job_display.forecast_text(job)
    assert "(-50%)" in shown
    assert "core-seconds, came to" in shown
    assert job_display.document_of(job)["actual"]["rawBytes"] == 10**7
    assert (actual_of(record(told)), job_display.forecast_text(record())) == (None, None)


def test_the_last_jobs_of_this_machine_teach_the_next_forecast():
    told = forecast(Work(1000, 10**6, 10**7, remote=False), HERE)

    def job(factor, host="me", **more):
        numbers = {"coreSeconds": told.core_seconds * factor}
        done = {"status": Status.COMPLETE, "worker": {"hostId": host}, "progress": numbers}
        return record(told, **{**done, **more})

    assert learnt([], "me") == 1.0
    assert learnt([job(2.0), job(9.0, "other"), job(3.0), job(2.5)], "me") == pytest.approx(
        2.5**0.75, rel=0.01
    )
    assert learnt([job(2.0)] * 5 + [job(4.0)] * 20, "me") == pytest.approx(2 ** (5 / 6), rel=0.01)
    assert learnt([job(1000.0)], "me") == pytest.approx(5**0.5)
    assert learnt([job(2.0, status=Status.FAILED)], "me") == 1.0
    twice = told.scaled(2.0)
    assert twice.to_json()["plainCoreSeconds"] == told.to_json()["coreSeconds"]
    assert (twice.core_seconds, twice.seconds) == (2 * told.core_seconds, 2 * told.seconds)
