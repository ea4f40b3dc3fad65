"""The dashboard's widgets hear of each other."""

from __future__ import annotations

import pytest

from chimera_nb.jobs.record import JobRecord
from chimera_nb.local.demo.files import demo_files
from chimera_nb.widgets import Dashboard
from pipeline.spec import JobSpec


@pytest.fixture
def dashboard():
    return Dashboard("gs://history/")


def test_the_browser_and_the_form_are_of_one_mind_whoever_is_asked(dashboard):
    dashboard.browser.selected = ["gs://history/2016/"]
    assert dashboard.form.inputs == ("gs://history/2016/",)
    dashboard.form.inputs = ("gs://history/ADV/",)  # a selection of before was picked
    assert dashboard.browser.selected == ("gs://history/ADV/",)
    dashboard.browser.selected = ()
    assert dashboard.form.inputs == ()


def test_the_file_one_stands_on_is_the_one_looked_inside_of(dashboard):
    dashboard.browser.current = "gs://history/2016/a.bz2"
    assert dashboard.preview.uri == "gs://history/2016/a.bz2"


def test_a_job_that_is_launched_chosen_or_retried_is_the_one_that_is_open(dashboard):
    dashboard.form.job_id = "2026-01-31-00000001"
    assert (dashboard.steps.page, dashboard.monitor.job_id) == ("jobs", "2026-01-31-00000001")
    dashboard.steps.page, dashboard.steps.job_id = "new", ""
    assert dashboard.monitor.job_id == ""
    dashboard.monitor.job_id = "2026-01-31-00000002"
    assert (dashboard.steps.page, dashboard.history.job_id) == ("jobs", "2026-01-31-00000002")


def test_what_is_selected_is_in_sight_and_undone_from_there(dashboard):
    dashboard.browser.selected = ["gs://history/2016/"]
    assert dashboard.steps._chosen["selected"] == 1
    assert dashboard.steps._chosen["canUndo"]
    dashboard.steps._on_message(dashboard.steps, {"kind": "undo"}, [])
    assert dashboard.browser.selected == dashboard.form.inputs == ()
    assert (dashboard.steps._chosen["selected"], dashboard.steps._chosen["canUndo"]) == (0, False)
    dashboard.steps._on_message(dashboard.steps, {"kind": "undo"}, [])
    assert "no change" in dashboard.browser.error


def test_what_is_to_run_again_is_seen_in_the_form_before_it_runs(dashboard, monkeypatch):
    begun = []
    monkeypatch.setattr(dashboard.form, "begin_with", begun.append)
    job = "2026-01-31-00000001"
    dashboard.steps.open_job(job)
    spec = JobSpec(("gs://history/2016/",), "gs://results/first", job)
    dashboard.monitor._record = JobRecord.from_spec(spec, runner="direct")
    ask = {"kind": "clone", "job": job}
    dashboard.monitor._on_message(dashboard.monitor, ask, [])
    assert begun == [job]
    assert (dashboard.steps.page, dashboard.monitor.job_id) == ("new", "")


def test_the_example_is_of_files_that_the_demo_has(dashboard):
    dashboard.steps._on_message(dashboard.steps, {"kind": "example"}, [])
    made = {f"gs://chimera-demo/{file.name}" for file in demo_files()}
    assert dashboard.browser.selected
    assert {*dashboard.browser.selected, dashboard.preview.uri} <= made
    assert all(uri.startswith(dashboard.browser.path) for uri in dashboard.browser.selected)


@pytest.mark.parametrize("address", ["../x", "<img>", "a b", "a" * 101, "é"])
def test_an_address_that_names_no_job_opens_none(dashboard, address):
    dashboard.steps.job_id = address
    assert dashboard.monitor.job_id == ""
