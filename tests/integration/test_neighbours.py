"""What other users of the machine, and web pages, can do to a local stack: nothing."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest
import requests

from tests.fixtures.neighbours import asked_by_another_user, only_as_root


def listening_ports(pid: int) -> set[int]:
    """The TCP ports that a process and all below it listen on."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return {
        connection.laddr.port
        for process in processes
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }


def port_of(endpoint: str) -> int:
    return int(endpoint.rpartition(":")[2])


@only_as_root
def test_another_user_is_refused_on_every_port_of_a_stack(stack):
    ports = listening_ports(stack.pid)
    assert {port_of(stack.storage_endpoint), port_of(stack.dataflow_endpoint)} <= ports
    paths = ("/storage/v1/b?project=local", "/computeMetadata/v1/project/project-id", "/", "/none")
    answers = asked_by_another_user(*(("127.0.0.1", port, "GET", path) for port in ports for path in paths))
    assert {status for status, _ in answers} == {403}
    assert all("owner" in text for _, text in answers)


@only_as_root
def test_another_user_uploads_nothing_and_posts_no_job(stack, bucket, storage_client):
    storage, dataflow = port_of(stack.storage_endpoint), port_of(stack.dataflow_endpoint)
    answers = asked_by_another_user(
        ("127.0.0.1", storage, "POST", f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name=evil"),
        ("127.0.0.1", storage, "POST", "/_chimera/faults"),
        ("127.0.0.1", storage, "POST", "/batch/storage/v1"),
        ("127.0.0.1", dataflow, "POST", "/v1b3/projects/p/locations/r/jobs"),
        ("127.0.0.1", dataflow, "GET", "/computeMetadata/v1/instance/service-accounts/default/token"),
    )
    assert [status for status, _ in answers] == [403] * 5
    assert list(storage_client.list_blobs(bucket)) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {
            "Sec-Fetch-Site": "cross-site"
        },  # a picture or a script of a page: browsers send no origin for these
        {"Host": "rebound.example"},
    ],
)
def test_a_web_page_is_refused_on_every_port_of_a_stack(stack, headers):
    for port in listening_ports(stack.pid):
        for path in ("/storage/v1/b?project=local", "/v1b3/projects/p/jobs:aggregated", "/"):
            answer = requests.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=10)
            assert answer.status_code == 403
            assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_person_who_follows_a_link_to_an_object_gets_it(stack, bucket, storage_client):
    storage_client.bucket(bucket).blob("x").upload_from_string(b"data")
    link = f"{stack.storage_endpoint}/download/storage/v1/b/{bucket}/o/x?alt=media"
    follows = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert requests.get(link, headers=follows, timeout=10).content == b"data"
    for headers in (follows | {"Sec-Fetch-Dest": "iframe"}, follows | {"Sec-Fetch-Mode": "no-cors"}):
        assert requests.get(link, headers=headers, timeout=10).status_code == 403
    assert requests.delete(link, headers=follows, timeout=10).status_code == 403


_DASHBOARD = """
import sys
from chimera_nb.server.options import DashboardOptions
from chimera_nb.server.server import serve
serve(DashboardOptions(host=sys.argv[1], port=0, token=sys.argv[2] or None, warm=0), lambda url: print(url, flush=True))
"""


@only_as_root
@pytest.mark.parametrize(
    ("host", "token", "status"), [("localhost", "", 403), ("localhost", "a-token-of-length", 200)]
)
def test_a_dashboard_without_a_token_answers_its_owner_only(host, token, status):
    with subprocess.Popen(
        [sys.executable, "-c", _DASHBOARD, host, token], stdout=subprocess.PIPE, text=True
    ) as serving:
        try:
            url = serving.stdout.readline().strip().partition("?")[0].rstrip("/")
            assert requests.get(f"{url}/healthz", timeout=30).json() == {"serves": True}
            answers = asked_by_another_user(
                *((one, port_of(url), "GET", "/healthz") for one in ("127.0.0.1", "::1"))
            )
            assert {found for found, _ in answers if found} == {status}
        finally:
            serving.terminate()
