"""The local Dataflow's API, as Google's unmodified client sees it."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from itertools import islice

import pytest
from google.api_core import exceptions

from pipeline.errors import StackError
from tests.fixtures.dataflow import PROJECT, REGION

_FIND_CREDENTIALS = """
import google.auth, google.auth.transport.requests as transport
found, project = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
found.refresh(transport.Request())
print(project, found.token)
"""


def test_jobs_are_listed_from_the_newest_by_pages_filter_and_name(waiting_dataflow):
    names = [f"listed-{number}" for number in range(5)]
    ids = [waiting_dataflow.queue(name).id for name in names]
    request = {"project_id": PROJECT, "location": REGION, "page_size": 2}
    pages = waiting_dataflow.jobs.list_jobs(request).pages
    assert [[job.name for job in page.jobs] for page in pages] == [
        ["listed-4", "listed-3"],
        ["listed-2", "listed-1"],
        ["listed-0"],
    ]
    assert waiting_dataflow.cancel(ids[1]).current_state.name == "JOB_STATE_CANCELLED"
    assert waiting_dataflow.listed(filter="TERMINATED") == ["listed-1"]
    assert waiting_dataflow.listed(filter="ACTIVE") == ["listed-4", "listed-3", "listed-2", "listed-0"]
    assert sorted(waiting_dataflow.listed(filter="ALL")) == names
    assert waiting_dataflow.listed(name="listed-2") == ["listed-2"]
    assert sorted(waiting_dataflow.listed()) == names
    aggregated = waiting_dataflow.jobs.aggregated_list_jobs({"project_id": PROJECT})
    assert sorted(job.name for job in aggregated) == names
    elsewhere = {"project_id": PROJECT, "location": "us-east1"}
    assert list(waiting_dataflow.jobs.list_jobs(elsewhere)) == []


def test_a_page_goes_on_where_the_last_ended_though_a_job_was_added(waiting_dataflow):
    for number in range(3):
        waiting_dataflow.queue(f"paged-{number}")
    pages = waiting_dataflow.jobs.list_jobs({"project_id": PROJECT, "location": REGION, "page_size": 1}).pages
    seen = [page.jobs[0].name for page in islice(pages, 1)]
    waiting_dataflow.queue("paged-3")
    seen += [page.jobs[0].name for page in islice(pages, 2)]
    assert seen == ["paged-2", "paged-1", "paged-0"]


def test_a_request_that_is_sent_twice_makes_one_job(waiting_dataflow):
    first = waiting_dataflow.queue("twice", client_request_id="20240119-1")
    assert waiting_dataflow.queue("twice", client_request_id="20240119-1").id == first.id
    with pytest.raises(exceptions.Conflict):
        waiting_dataflow.queue("twice", client_request_id="20240119-2")
    waiting_dataflow.cancel(first.id)
    assert waiting_dataflow.queue("twice", client_request_id="20240119-3").id != first.id


def test_the_summary_leaves_out_how_a_job_was_asked_for(waiting_dataflow):
    job_id = waiting_dataflow.queue("viewed", labels={"chimera-job": "one"}).id
    request = {"project_id": PROJECT, "location": REGION, "job_id": job_id}
    summary = waiting_dataflow.jobs.get_job(request)
    assert (summary.name, summary.project_id, summary.labels["chimera-job"]) == ("viewed", PROJECT, "one")
    assert summary.create_time is not None
    assert "environment" not in summary
    full = waiting_dataflow.jobs.get_job(request | {"view": "JOB_VIEW_ALL"})
    options = full.environment.sdk_pipeline_options["options"]
    assert options["pipelineUrl"] == "gs://nowhere/pipeline.pb"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "No Capitals"}, "job name 'No Capitals' is invalid"),
        ({"name": "streams", "type_": "JOB_TYPE_STREAMING"}, "is a streaming job"),
        ({"name": "updates", "replace_job_id": "2024-01-19_00"}, "updates no running job"),
    ],
)
def test_a_job_that_cannot_be_run_here_is_refused(waiting_dataflow, fields, message):
    with pytest.raises(exceptions.BadRequest, match=message):
        waiting_dataflow.queue(**fields)


def test_what_is_unknown_is_not_found_and_what_makes_no_sense_is_refused(waiting_dataflow):
    request = {"project_id": PROJECT, "location": REGION, "job_id": "2024-01-19_00_00_00-1"}
    for ask in (waiting_dataflow.jobs.get_job, waiting_dataflow.metrics.get_job_metrics):
        with pytest.raises(exceptions.NotFound, match="2024-01-19_00_00_00-1 could not be found"):
            ask(request)
    with pytest.raises(exceptions.NotFound):
        list(waiting_dataflow.messages.list_job_messages(request))
    job_id = waiting_dataflow.queue("elsewhere").id
    with pytest.raises(exceptions.NotFound):
        waiting_dataflow.jobs.get_job(request | {"job_id": job_id, "project_id": "another"})
    with pytest.raises(exceptions.BadRequest, match="pageToken"):
        waiting_dataflow.listed(page_token="junk")
    with pytest.raises(exceptions.BadRequest, match="JOB_STATE_DRAINING"):
        waiting_dataflow.jobs.update_job(
            request | {"job_id": job_id, "job": {"requested_state": "JOB_STATE_DRAINING"}}
        )


def test_messages_come_by_importance_time_and_pages(dataflow):
    job_id = dataflow.queue("messages").id
    dataflow.wait(job_id, "FAILED")
    folder = dataflow.data_dir / "dataflow" / job_id
    from chimera_nb.local.dataflow.store import add_message

    for number in range(3):
        add_message(folder, "BASIC", f"basic {number}")
    with (folder / "messages.jsonl").open("a") as file:
        file.write('{"cut off by a kill')
    assert "basic" not in dataflow.told(job_id)
    assert "basic 0\nbasic 1\nbasic 2" in dataflow.told(job_id, "JOB_MESSAGE_DEBUG")
    request = {"project_id": PROJECT, "location": REGION, "job_id": job_id, "page_size": 1}
    messages = list(dataflow.messages.list_job_messages(request))
    assert [message.message_text for message in messages[-3:]] == ["basic 0", "basic 1", "basic 2"]
    since = list(dataflow.messages.list_job_messages(request | {"start_time": messages[-1].time}))
    assert [message.message_text for message in since] == ["basic 2"]
    until = list(dataflow.messages.list_job_messages(request | {"end_time": messages[-1].time}))
    assert until == messages[:-1]


def test_default_credentials_are_found_at_once_and_without_google(waiting_dataflow):
    asked = subprocess.run(
        [
            sys.executable,
            "-c",
            _FIND_CREDENTIALS,
        ],
        env=waiting_dataflow.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert asked.stdout.split() == ["local", "local"]
    assert "iamcredentials" not in asked.stderr


def test_a_socket_that_the_network_can_reach_is_refused(tmp_path):
    from chimera_nb.local.dataflow.server import running_dataflow

    async def serve():
        with socket.create_server(("0.0.0.0", 0)) as listening:
            async with running_dataflow(listening, tmp_path, "http://localhost:1"):
                pass

    with pytest.raises(StackError, match=r"127\.0\.0\.1 alone"):
        asyncio.run(serve())


def test_web_pages_get_nothing(waiting_dataflow):
    import urllib.error
    import urllib.request

    url = f"{waiting_dataflow.endpoint}/v1b3/projects/{PROJECT}/locations/{REGION}/jobs"
    request = urllib.request.Request(url, headers={"Origin": "http://example.org"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    refused.value.close()
    assert refused.value.code == 403


def test_its_log_says_what_it_is_and_what_it_leaves_out(waiting_dataflow):
    log = (waiting_dataflow.data_dir / "dataflow.log").read_text()
    for word in (
        "The local Dataflow",
        "IAM",
        "Autoscaling",
        "Containers",
        "Bundle retries",
        "this machine alone",
    ):
        assert word in log
