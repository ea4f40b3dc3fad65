"""What a form's job comes to, the same job as code, and jobs of before to begin with. No browser, no service."""

from __future__ import annotations

import ast
import shlex
from dataclasses import replace

import pytest

from chimera_nb.data.preview import preview_bytes
from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.jobs.forecast.machine import machine_of, machine_vcpus
from chimera_nb.jobs.forecast.model import Work, forecast
from chimera_nb.jobs.record import JobRecord
from chimera_nb.settings import Settings
from chimera_nb.widgets.browser.counting import Tally
from chimera_nb.widgets.job_form.as_code import MAX_INPUTS, as_code, notebook_cell, shell_command
from chimera_nb.widgets.job_form.foretold import ratio_of
from chimera_nb.widgets.job_form.model import ANY_ID, Fields, check
from chimera_nb.widgets.job_form.plan import make_plan
from chimera_nb.widgets.job_form.recent_jobs import (
    begun_as,
    fields_of,
    recent_configurations,
    recent_selections,
)
from chimera_nb.widgets.job_form.selected import selection
from pipeline.spec import JobSpec

SOURCES = ("betfair", "ndjson")
CHOSEN = selection(["gs://history/2016/"])
CLOUD = Settings(place="cloud", job_log="sqlite", project="p")


# The plan


@pytest.mark.parametrize(
    ("name", "vcpus"),
    [
        ("n1-standard-4", 4),
        ("n2-highmem-96", 96),
        ("c3-standard-8-lssd", 8),
        ("e2-medium", 1),
        ("n2-custom-6-3072", 6),
        ("custom-2-2048", 2),
        ("a2-megagpu-16g", None),
        ("", None),
        ("n1-standard-0", None),
    ],
)
def test_vcpus_are_told_by_the_name_of_a_machine_type(name, vcpus):
    assert machine_vcpus(name) == vcpus


def planned(files: int, size: int, ratio: float, on, **more):
    work = Work(files, size, round(size * ratio))
    return make_plan(Tally(files, size), forecast(work, on), on, **more)


def test_a_plan_is_the_forecast_in_a_persons_units_with_what_it_rests_on():
    on = machine_of("dataflow", {"machine_type": "n1-standard-4", "max_workers": 10}, CLOUD)
    plan = planned(1000, 10**11, 9.6, on, sampled=5)
    told = forecast(Work(1000, 10**11, 960_000_000_000), on)
    assert plan.raw_bytes == 960_000_000_000
    assert plan.minutes == pytest.approx(told.seconds / 60)
    assert plan.worker_hours == pytest.approx(told.worker_hours) == 10 * told.seconds / 3600
    assert "n1-standard-4 (4 vCPUs), most of it for codec" in plan.assumes
    assert "USD by the prices of the settings" in plan.assumes
    assert "with FlexRS" in plan.assumes


def test_without_a_number_of_workers_the_time_is_unknown_and_the_work_is_not():
    plan = planned(100, 10**9, 5.0, machine_of("dataflow", {}, CLOUD))
    assert plan.minutes is None
    assert plan.worker_hours > 0
    assert "give max workers" in plan.assumes
    assert make_plan(Tally(5, 100), None, machine_of("direct", {})).worker_hours is None


def test_what_the_settings_say_of_workers_counts_where_the_form_says_nothing():
    settings = replace(CLOUD, dataflow=DataflowOptions(machine_type="n2-standard-8", max_workers=3))
    on = machine_of("dataflow", {}, settings)
    assert (on.cores, on.workers) == (8, 3)
    assert machine_of("dataflow", {"max_workers": 5}, settings).workers == 5


def test_the_ratio_is_that_of_all_bytes_that_were_looked_into_and_none_of_broken_files():
    plain = preview_bytes("a.ndjson", b"{}\n" * 10, 30)
    broken = preview_bytes("b.bz2", b"BZh9 is no bz2", 14)
    assert ratio_of([plain, broken]) == 1.0
    assert ratio_of([broken]) is None
    assert ratio_of([]) is None


# Code

HOSTILE = "gs://history/it's `$(reboot)` \"&\n; rm -rf '\\ \u202e%{x}/"


@pytest.mark.parametrize("uris", [[HOSTILE], [HOSTILE, *(f"gs://history/{n}'$x" for n in range(30))]])
def test_hostile_names_are_data_in_both_kinds_of_code(uris):
    spec = JobSpec(tuple(uris), "gs://results/it's $HOME", ANY_ID, overwrite=True)
    tree = ast.parse(notebook_cell(spec, "direct", {}))
    submit = next(
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args and len(node.args) == 2
    )
    assert ast.literal_eval(submit.args[0]) == list(spec.inputs)
    command, *listed = shell_command(spec, "direct", {}).split(" - <<'PATHS'\n")
    words = shlex.split(command.replace(" \\\n", " "))
    names = listed[0].split("\n")[:-1] if listed else []
    given = words[2 : words.index("--target")]
    assert sorted(given + names) == sorted(spec.inputs)
    assert words[words.index("--target") + 1] == spec.target
    assert "--overwrite" in words


def test_bounds_are_in_both_kinds_of_code_where_they_are_not_those_of_a_job_by_itself():
    spec = JobSpec(("gs://history/",), "gs://results/x", ANY_ID, max_ratio=0, spool_mb=0)
    words = shlex.split(shell_command(spec, "direct", {}).replace("\\\n", ""))
    assert words[-4:] == ["--max-ratio", "0", "--spool-mb", "0"]
    assert "    max_ratio=0,\n    spool_mb=0,\n" in notebook_cell(spec, "direct", {})
    assert "max" not in shell_command(JobSpec(("gs://history/",), "gs://results/x", ANY_ID), "direct", {})


def test_the_project_that_is_billed_is_in_both_kinds_of_code_and_in_a_form_that_is_filled_in():
    spec = JobSpec(("gs://history/",), "gs://results/x", ANY_ID, user_project="my-team-1234")
    words = shlex.split(shell_command(spec, "direct", {}).replace("\\\n", ""))
    assert words[-2:] == ["--user-project", "my-team-1234"]
    assert "    user_project='my-team-1234',\n" in notebook_cell(spec, "direct", {})
    last = JobRecord.from_spec(spec, runner="direct")
    assert fields_of(last, CLOUD)[0].user_project == "my-team-1234"
    same = replace(CLOUD, user_project="my-team-1234")
    assert fields_of(last, same)[0].user_project == ""  # as the settings say


def test_runner_options_are_in_both_kinds_of_code_as_they_are_taken():
    spec = JobSpec(("gs://history/",), "gs://results/x", ANY_ID, shards=3)
    options = {"region": "europe-west1", "max_workers": 5, "labels": ["a=b", "c=d"]}
    words = shlex.split(shell_command(spec, "dataflow", options).replace("\\\n", ""))
    assert words[-6:] == [
        "--runner",
        "dataflow",
        "--region=europe-west1",
        "--max-workers=5",
        "--label=a=b",
        "--label=c=d",
    ]
    assert f"runner_options={options!r}" in notebook_cell(spec, "dataflow", options)


def test_very_many_single_names_are_no_code_and_say_what_to_do():
    many = [f"gs://history/{n}" for n in range(MAX_INPUTS + 1)]
    job = {"target": "gs://results/x", "source": "ndjson"}
    assert "select their folder" in as_code(many, job, "direct", {}).says


# Jobs of before


def record(number, inputs=("gs://history/2016/",), target="gs://results/x", **options):
    runner, how = options.pop("runner", "direct"), options.pop("how", {})
    spec = JobSpec(tuple(inputs), target, f"2026-11-24-{number:08x}", **options)
    return JobRecord.from_spec(spec, runner=runner, runner_options=how)


def test_jobs_that_are_the_same_are_offered_once_and_newest_first():
    records = [record(3, source="betfair"), record(2), record(1), record(0, inputs=["gs://history/2017/"])]
    assert [recent.job_id[-1] for recent in recent_configurations(records)] == ["3", "2", "0"]
    assert [recent.label for recent in recent_selections(records)] == [
        "gs://history/2016/",
        "gs://history/2017/",
    ]


def test_a_job_of_before_fills_in_the_fields_and_what_has_none_is_carried_along():
    how = {"project": "p", "region": "europe-west1", "max_workers": 7, "labels": ["a=b"], "network": "n"}
    settings = replace(CLOUD, region="europe-west1", dataflow=DataflowOptions(network="n"))
    fields, carried = fields_of(record(1, runner="dataflow", how=how, shards=4), settings)
    assert (fields.shards, fields.max_workers, fields.region) == ("4", "7", "")  # the settings say the region
    assert carried == {"labels": ["a=b"]}
    checked = check(fields, CHOSEN, SOURCES, carried=carried)
    assert checked.options == {"max_workers": 7, "labels": ["a=b"]}


def test_a_form_begins_with_what_the_last_job_had_but_not_with_its_local_folder():
    last = record(1, inputs=["/data/"], target="/data-out", source="betfair")
    begun = begun_as(Fields(), [last], CLOUD, kept=())
    assert (begun.runner, begun.bucket) == ("direct", "")
    assert begun_as(Fields(), [], CLOUD, kept=()) == Fields()


def test_the_source_of_the_last_job_is_not_that_of_the_next():
    last = record(1, source="betfair", target="gs://out/weather")
    begun = begun_as(Fields(), [last], CLOUD, ())
    assert (begun.source, begun.bucket) == (Fields().source, "out")
