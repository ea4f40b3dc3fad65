"""What a job form makes of what is typed: fields, problems, button, plan, code. No browser, no service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chimera_nb.settings import Settings
from chimera_nb.widgets.job_form.model import ANY_ID, Fields, check, split_target, suggest_prefix
from chimera_nb.widgets.job_form.selected import selection
from chimera_nb.widgets.job_form.widget import JobForm
from chimera_nb.widgets.job_form.words import button, hints
from pipeline.errors import RefusedError
from pipeline.job_options import JobOptions
from pipeline.options import table
from pipeline.spec import JobSpec

SOURCES = ("betfair", "ndjson")
GOOD = Fields(bucket="results", prefix="jobs/a")
CHOSEN = selection(["gs://history/2016/"])
CLOUD = Settings(place="cloud", job_log="sqlite", project="p")


def problems(form=GOOD, chosen=CHOSEN, **options):
    return check(form, chosen, SOURCES, **options).problems


def test_a_form_that_is_filled_in_is_what_submit_takes():
    form = replace(
        GOOD,
        source="betfair",
        shards="1,200",
        max_failures="0",
        max_ratio="0",
        spool_mb="500",
        user_project=" my-team-1234 ",
        keep_partial=True,
    )
    checked = check(form, CHOSEN, SOURCES)
    assert checked.problems == {}
    assert checked.job == {option.name: option.default for option in table(JobOptions)} | {
        "target": "gs://results/jobs/a",
        "source": "betfair",
        "shards": 1200,
        "max_failures": 0,
        "max_ratio": 0,
        "spool_mb": 500,
        "keep_partial": True,
        "overwrite": False,
        "user_project": "my-team-1234",
    }
    JobSpec(CHOSEN.inputs, job_id=ANY_ID, **checked.job)


def test_bounds_that_are_left_open_are_those_of_a_job_by_itself():
    job = check(GOOD, CHOSEN, SOURCES).job
    assert (job["max_ratio"], job["spool_mb"]) == (1000, None)


@pytest.mark.parametrize(
    ("bucket", "prefix", "target"),
    [
        ("results", "a/b/", "gs://results/a/b"),
        (" gs://results/ ", "/a", "gs://results/a"),
        ("gs://results/all", "a", "gs://results/all/a"),
        ("results", "", "gs://results"),
        ("/data/out/", "a", "/data/out/a"),
        ("", "a", ""),
    ],
)
def test_bucket_and_prefix_make_a_target_however_they_are_written(bucket, prefix, target):
    assert Fields(bucket=bucket, prefix=prefix).target == target


def test_a_target_splits_into_the_fields_that_make_it():
    for target in ("gs://results/a/b", "gs://results", "/data/out"):
        bucket, prefix = split_target(target)
        assert Fields(bucket=bucket, prefix=prefix).target == target


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({"bucket": "Results"}, "bucket", "cannot be a bucket"),
        ({"bucket": ""}, "bucket", "Name the bucket"),
        ({"prefix": "a*"}, "prefix", "stand for other characters"),
        ({"prefix": "a//b"}, "prefix", "empty folder name"),
        ({"shards": "0"}, "shards", "a whole number from 1 to 99,999"),
        ({"shards": "many"}, "shards", "'many'"),
        ({"shards": "٣"}, "shards", "a whole number"),
        ({"shards": "9" * 300}, "shards", "a whole number"),
        ({"max_failures": "-1"}, "max_failures", "a whole number from 0"),
        ({"max_ratio": "lots"}, "max_ratio", "a whole number from 0"),
        ({"spool_mb": "1.5"}, "spool_mb", "a whole number from 0"),
        ({"user_project": "My Team"}, "user_project", "User project 'My Team' is no project's id"),
        ({"source": "csv"}, "source", "No source is named 'csv'; there are: betfair, ndjson"),
        ({"runner": "spark"}, "runner", "No runner is named"),
        ({"runner": "dataflow", "region": "europe-west1-b"}, "region", "it is a zone: write europe-west1"),
        ({"runner": "dataflow", "region": "Europe"}, "region", "no region's name"),
        ({"runner": "dataflow", "machine_type": "--big"}, "machine_type", "no type's name"),
        ({"runner": "dataflow", "max_workers": "0"}, "max_workers", "from 1 to 4,000"),
        ({"runner": "dataflow", "max_workers": "2", "num_workers": "3"}, "num_workers", "more than the 2"),
        ({"runner": "dataflow", "temp_location": "/tmp"}, "temp_location", "it is a gs:// folder"),
        ({"runner": "dataflow", "bucket": "/data/out"}, "runner", "Dataflow's workers cannot read"),
    ],
)
def test_what_does_not_do_is_a_sentence_at_its_field(changed, field, says):
    found = check(replace(GOOD, **changed), CHOSEN, SOURCES)
    assert says in found.problems[field]
    assert found.job is None


def test_dataflow_fields_do_not_matter_to_a_job_on_this_machine():
    assert problems(replace(GOOD, region="nowhere", machine_type="?")) == {}


def test_a_selection_of_several_buckets_is_refused_with_their_names():
    assert "gs://a-one, gs://b-two" in problems(chosen=selection(["gs://a-one/x", "gs://b-two/x"]))["inputs"]


def test_nothing_selected_is_missing_and_not_bad():
    empty = replace(GOOD, bucket=" ", shards="0")
    found = check(empty, selection(()), ["ndjson"])
    said = hints(empty, found.problems, None, {}, missing=found.missing)
    assert said["inputs"].text.startswith("Nothing is selected yet")
    assert {name for name, hint in said.items() if hint.bad} == {"shards"}
    assert found.missing == {"inputs", "bucket"}


def test_folders_of_this_machine_are_refused_where_only_buckets_may_be_used():
    assert "it reads buckets" in problems(chosen=selection(["/etc/"], local=False), local=False)["inputs"]
    assert "writes to buckets" in problems(replace(GOOD, bucket="/etc"), local=False)["bucket"]


def test_only_the_buckets_that_are_allowed_can_be_written():
    assert "not among the ones that may be written here: other" in problems(buckets=("other",))["bucket"]
    assert problems(buckets=("results",)) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("__class__", "x"),
        ("target", "x"),
        ("shards", 3),
        ("overwrite", "yes"),
        ("bucket", "x" * 3000),
        ("prefix", "\0"),
    ],
)
def test_what_a_page_sends_is_a_field_and_of_its_kind_or_is_refused(name, value):
    with pytest.raises(RefusedError):
        Fields().having(name, value)


@pytest.mark.parametrize(("name", "value"), [("bucket", "other"), ("prefix", "jobs/b")])
def test_what_may_be_replaced_is_said_of_one_target_and_not_of_the_next(name, value):
    replacing = GOOD.having("overwrite", True)
    assert replacing.having("source", "betfair").overwrite
    assert not replacing.having(name, value).overwrite
    assert not replacing.beside("2026-01-31").overwrite


def test_a_suggested_prefix_is_new_each_time_and_stays_beside_one_that_was_chosen():
    assert suggest_prefix("2026-11-24") != suggest_prefix("2026-11-24")
    assert suggest_prefix("2026-11-24", "jobs/2026-11-23-00ff").startswith("jobs/2026-11-24-")
    once = suggest_prefix("2026-11-24", "all/")
    again = suggest_prefix("2026-11-24", once)
    assert once[:4] == again[:4] == "all-"
    assert len(again) == len(once)


# The button


def test_the_button_is_alive_only_when_nothing_is_wrong_unknown_or_under_way():
    assert button(GOOD, {}).alive
    assert not button(GOOD, {}, checking=True).alive
    assert not button(GOOD, {}, launching=True).alive
    assert not button(GOOD, {}, launched="2026-11-24-00000000").alive
    assert not button(GOOD, {"shards": "shards is 0"}).alive


def test_the_button_tells_the_first_problem_and_a_launched_job_by_its_name():
    said = button(GOOD, {"shards": "Shards is 0.", "inputs": "Nothing is selected."}).says
    assert said == "Nothing is selected."
    assert "2026-11-24-00000000" in button(GOOD, {}, launched="2026-11-24-00000000").says


# The widget, as far as it needs no service


def test_a_misspelt_argument_is_refused_and_an_unknown_runner_is_told():
    with pytest.raises(TypeError, match="takes no buckt"):
        JobForm(buckt="x")
    assert "No runner is named" in JobForm(["gs://a-b/"], runner="spark", target="gs://results/x")._go["says"]


def test_messages_that_make_no_sense_change_nothing():
    form = JobForm(["gs://history/"], target="gs://results/x")
    before = form._fields
    for content in [
        {"kind": "edit"},
        {"kind": "edit", "field": "inputs", "value": "gs://other/", "view": "v", "number": 1},
        {"kind": "edit", "field": "shards", "value": ["1"], "view": "v", "number": 1},
        {"kind": "edit", "field": "shards", "value": "1", "view": "v", "number": "x"},
        {"kind": "pick", "job": "2026-11-24-00000000", "whole": True},
        {"kind": "launch"},
        {"kind": "launch", "token": None},
        {"kind": "changed"},
    ]:
        form._on_message(None, content, None)
    assert form._fields == before
    assert form.inputs == ("gs://history/",)
    assert form.job_id == ""


def test_a_page_cannot_set_what_is_read():
    form = JobForm(["gs://history/"])
    assert not {"inputs", "job_id"} & set(form.get_state())
    form.set_state({"inputs": ["/etc/"], "_selected": {"inputs": ["/etc/"], "total": 1}})
    assert form._selection.inputs == ("gs://history/",)
