"""SIGTERM and SIGINT to `python -m pipeline`: the target is given back, and the next job may have it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from chimera_nb.jobs.runners.dataflow import LOCAL_PROJECT, LOCAL_REGION
from chimera_nb.jobs.runners.dataflow_client import DataflowApi
from chimera_nb.jobs.runners.wheels import build_worker_wheel
from pipeline.__main__ import main
from pipeline.storage import PlainStore
from pipeline.target.results import output_shards
from tests.fixtures.files import put_all
from tests.fixtures.waiting import until

pytestmark = [pytest.mark.timeout(180), pytest.mark.starts]
STORE = PlainStore()
IN_PROCESS = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"


@pytest.fixture
def inputs(bucket):
    for copy in range(6):
        put_all(f"gs://{bucket}/in/{copy}")
    return f"gs://{bucket}/in/"


@pytest.fixture
def start(temporary):
    """Starts `python -m pipeline` with arguments; what still runs at the end is killed."""
    running = []

    def started(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "pipeline", *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        )
        return running[-1]

    yield started
    for process in running:
        process.kill()
        process.communicate()


def names(target: str) -> list[str]:
    return [entry.uri.removeprefix(target) for entry in STORE.list_objects(f"{target}/")]


def has_begun(target: str) -> bool:
    return any("/_chimera/" in name and "/output/" in name for name in names(target))


@pytest.mark.parametrize("runner", [(), (IN_PROCESS,)], ids=["no runner named", "a runner named"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_job_that_is_ended_in_the_middle_gives_its_target_back(
    start, inputs, bucket, faults, number, runner
):
    target = f"gs://{bucket}/out"
    faults(latency_ms=400, match="GET /download/.*/in%2F")
    job = start("--input", inputs, "--target", target, *runner)
    until(lambda: has_begun(target))
    job.send_signal(number)
    job.send_signal(number)  # a second one breaks nothing off
    said = job.communicate(timeout=60)[1]
    assert job.returncode == 128 + number, said
    assert f"ended by {number.name}\ntarget {target} is given back\n" in said
    assert names(target) == []
    faults()
    assert main(["--input", inputs, "--target", target]) == 0
    assert output_shards(STORE, target)


def test_a_job_that_is_ended_before_it_has_begun_gives_its_target_back(start, inputs, bucket):
    target = f"gs://{bucket}/out"
    job = start("--input", inputs, "--target", target)
    until(lambda: names(target))
    job.send_signal(signal.SIGTERM)
    said = job.communicate(timeout=60)[1]
    assert job.returncode == 143, said
    assert names(target) == []


def test_signals_that_go_on_coming_do_not_break_off_the_clearing_up(start, inputs, bucket, faults):
    target = f"gs://{bucket}/out"
    faults(latency_ms=400, match="GET /download/.*/in%2F")
    job = start("--input", inputs, "--target", target)
    until(lambda: has_begun(target))
    job.send_signal(signal.SIGTERM)
    while job.poll() is None:
        job.send_signal(signal.SIGTERM)
        time.sleep(0.01)
    said = job.communicate()[1]
    assert job.returncode == 143, said
    assert names(target) == []


def test_a_job_at_another_service_is_cancelled_there(start, on_stack, inputs, bucket, faults, tmp_path):
    target = f"gs://{bucket}/out"
    faults(latency_ms=3000, match="GET /download/.*/in%2F")
    endpoint = on_stack.dataflow_endpoint
    job = start(
        *("--input", inputs, "--target", target, "--runner=DataflowRunner"),
        *(f"--project={LOCAL_PROJECT}", f"--region={LOCAL_REGION}", f"--dataflow_endpoint={endpoint}"),
        *(f"--temp_location=gs://{bucket}/temp", f"--staging_location=gs://{bucket}/staging"),
        *(f"--job_name=given-back-{bucket}", "--sdk_location=container"),
        f"--extra_package={build_worker_wheel(tmp_path)}",
        **on_stack.exports(),
    )
    api = DataflowApi(LOCAL_PROJECT, LOCAL_REGION, endpoint)
    found = until(lambda: api.find(f"given-back-{bucket}"))
    until(lambda: api.get(found.id).state == "RUNNING" and api.counters(found.id).get("list-files"))
    job.send_signal(signal.SIGTERM)
    said = job.communicate(timeout=60)[1]
    assert job.returncode == 143, said
    until(lambda: api.get(found.id).state == "CANCELLED")
    assert "/_chimera/claim.json" not in names(target)
    assert output_shards(STORE, target) == []
