"""The local Dataflow runs what Beam's unmodified runner submits."""

from __future__ import annotations

import json
import os
import py_compile
import signal
import socket
import subprocess
import sys
import zipfile
from importlib.machinery import SourceFileLoader

import psutil
import pytest
from google.api_core import exceptions

from chimera_nb.local.dataflow import staging, worker
from pipeline import uri
from pipeline.errors import JobError
from pipeline.storage import PlainStore
from tests.fixtures.dataflow import PROJECT, REGION, LocalDataflow, eventually

pytestmark = pytest.mark.timeout(300)  # a submission takes seconds, and machines are shared


def test_a_job_runs_on_two_workers_that_see_what_was_staged_and_shows_its_counters_meanwhile(
    dataflow, bucket, staged_wheel, tmp_path
):
    gate, results = tmp_path / "gate", tmp_path / "results.json"
    submitted = dataflow.submit(
        "counted=counted",
        bucket=bucket,
        path=[staged_wheel],
        options=[
            *(f"--gate={gate}", f"--results={results}"),
            *(f"--extra_package={staged_wheel}", "--num_workers=2"),
        ],
    )
    job_id = submitted["counted"]

    # Each worker has counted its first element, and waits at the gate with it.
    workers = min(2, len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else 2)
    eventually(
        lambda: dataflow.counters(job_id, tentative=True).get("read-files") == workers,
        otherwise=lambda: f"{dataflow.state(job_id)}: {dataflow.told(job_id, 'JOB_MESSAGE_BASIC')}",
    )
    assert "read-files" not in dataflow.counters(job_id, tentative=False)
    assert dataflow.state(job_id) == "RUNNING"
    # What its process and its workers say to each other goes over no port that another user could come to.
    connections = [c for p in dataflow.processes(job_id) for c in p.net_connections()]
    assert [c for c in connections if c.status == psutil.CONN_LISTEN] == []

    gate.touch()
    assert dataflow.wait(job_id, "DONE", "FAILED") == "DONE", dataflow.told(job_id)
    assert dataflow.counters(job_id, tentative=False) == {"read-files": 8}
    assert dataflow.counters(job_id, tentative=True) == {"read-files": 8}
    found = json.loads(results.read_text())
    assert sorted(each["element"] for each in found) == list(range(8))
    assert {each["greeting"] for each in found} == {"hello from the wheel"}
    assert {tuple(each["hidden"]) for each in found} == {("chimera_nb", "pipeline")}
    assert len({each["pid"] for each in found}) == workers
    assert len({tuple(each["cores"]) for each in found}) == workers
    assert dataflow.processes(job_id) == []


def test_metrics_name_their_step_as_the_staged_pipeline_does(dataflow, bucket, staged_wheel, tmp_path):
    gate = tmp_path / "gate"
    gate.touch()
    job_id = dataflow.submit(
        "counted=named",
        bucket=bucket,
        options=[*(f"--gate={gate}", f"--results={tmp_path / 'results'}", f"--extra_package={staged_wheel}")],
    )["named"]
    dataflow.wait(job_id, "DONE")
    request = {"project_id": PROJECT, "location": REGION, "job_id": job_id}
    metrics = list(dataflow.metrics.get_job_metrics(request).metrics)
    assert all(metric.name.context["step"].startswith("ref_AppliedPTransform_Count_") for metric in metrics)
    sizes = next(metric for metric in metrics if metric.name.name == "sizes")
    assert {key: sizes.distribution[key] for key in ("count", "min", "max", "sum")} == {
        "count": 8,
        "min": 0,
        "max": 7,
        "sum": 28,
    }
    last = max(metric.update_time for metric in metrics)
    later = dataflow.metrics.get_job_metrics(request | {"start_time": last.replace(year=last.year + 1)})
    assert list(later.metrics) == []


def test_an_exception_in_a_worker_fails_the_job_with_its_traceback(dataflow, bucket):
    job_id = dataflow.submit("failing=failing", bucket=bucket)["failing"]
    assert dataflow.wait(job_id, "DONE", "FAILED") == "FAILED"
    told = dataflow.told(job_id)
    assert "Traceback (most recent call last)" in told
    assert "ZeroDivisionError" in told
    assert "[while running 'Divide" in told
    assert "Workflow failed." in told


def test_a_module_that_was_not_staged_fails_the_job_by_its_name(dataflow, bucket, tmp_path):
    (tmp_path / "only_here.py").write_text("def shout(text):\n    return text.upper()\n")
    job_id = dataflow.submit("missing=missing", bucket=bucket, path=[tmp_path])["missing"]
    assert dataflow.wait(job_id, "DONE", "FAILED") == "FAILED"
    assert "ModuleNotFoundError: No module named 'only_here'" in dataflow.told(job_id)


def test_a_worker_that_dies_fails_the_job(dataflow, bucket):
    job_id = dataflow.submit("dying=dying", bucket=bucket)["dying"]
    assert dataflow.wait(job_id, "DONE", "FAILED") == "FAILED"
    assert "was killed by signal 9" in dataflow.told(job_id)


def test_cancelling_ends_a_jobs_processes_and_lets_the_next_one_run(dataflow, bucket, staged_wheel, tmp_path):
    gate = tmp_path / "gate"
    submitted = dataflow.submit(
        *("counted=held", "failing=next"),
        bucket=bucket,
        options=[f"--gate={gate}", f"--results={tmp_path / 'results'}", f"--extra_package={staged_wheel}"],
    )
    held, queued = submitted["held"], submitted["next"]
    eventually(lambda: dataflow.counters(held, tentative=True).get("read-files"))
    assert dataflow.state(queued) == "QUEUED"
    assert "Waiting for its turn: 1 job runs at once" in dataflow.told(queued, "JOB_MESSAGE_BASIC")
    assert dataflow.listed(filter="ACTIVE") == ["next", "held"]
    with pytest.raises(exceptions.Conflict, match=f"active job named held with id: {held}"):
        dataflow.queue("held")

    assert dataflow.cancel(held).current_state.name == "JOB_STATE_CANCELLING"
    dataflow.wait(held, "CANCELLED", seconds=10)
    assert dataflow.processes(held) == []
    assert dataflow.wait(queued, "DONE", "FAILED") == "FAILED"
    with pytest.raises(exceptions.BadRequest, match="has ended with JOB_STATE_CANCELLED"):
        dataflow.cancel(held)


def test_a_killed_service_leaves_no_process_and_on_restart_a_failed_job_and_the_queued_one_run(
    stack, bucket, staged_wheel, tmp_path
):
    gate, data_dir = tmp_path / "gate", tmp_path / "data"
    data_dir.mkdir()
    first = LocalDataflow.start(data_dir, stack.storage_endpoint, 1)
    try:
        submitted = first.submit(
            *("counted=cut-off", "counted=waits"),
            bucket=bucket,
            options=[
                f"--gate={gate}",
                f"--results={tmp_path / 'results'}",
                f"--extra_package={staged_wheel}",
            ],
        )
        cut_off, waits = submitted["cut-off"], submitted["waits"]
        eventually(lambda: first.counters(cut_off, tentative=True).get("read-files"))
    finally:
        first.end(signal.SIGKILL)
    eventually(lambda: not first.processes(cut_off), 20)

    gate.touch()
    second = LocalDataflow.start(data_dir, stack.storage_endpoint, 1)
    try:
        assert second.state(cut_off) == "FAILED"
        assert "was stopped while the job was running" in second.told(cut_off)
        assert second.wait(waits, "DONE", "FAILED") == "DONE", second.told(waits)
    finally:
        second.end()


def test_a_service_that_is_stopped_takes_its_jobs_with_it(tmp_path):
    with socket.create_server(
        ("127.0.0.1", 0)
    ) as silent:  # a storage that never answers: the job waits for it
        running = LocalDataflow.start(tmp_path, f"http://localhost:{silent.getsockname()[1]}", 1)
        try:
            job_id = running.queue("waits-for-storage").id
            eventually(lambda: running.processes(job_id))
        finally:
            running.end()
        assert running.processes(job_id) == []


def test_the_service_imports_no_beam():
    code = "import sys, chimera_nb.local.dataflow.server; sys.exit('apache_beam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_a_pipeline_that_is_not_where_the_job_says_fails_it_with_its_uri(dataflow):
    job_id = dataflow.queue("nowhere").id
    assert dataflow.wait(job_id, "FAILED", "DONE") == "FAILED"
    assert "gs://nowhere/pipeline.pb" in dataflow.told(job_id)


def test_a_package_that_is_installed_for_good_is_hidden_from_workers_unless_it_was_staged(tmp_path):
    site, installed = tmp_path / "site", tmp_path / "site-packages"
    for folder, says in ((installed, "installed"), (site, "staged")):
        (folder / "projekt").mkdir(parents=True)
        (folder / "projekt" / "__init__.py").write_text(f"WHERE = {says!r}\n")
        (folder / "projekt" / "part.py").write_text("")
    code = (
        f"import runpy, sys; staged_only = runpy.run_path({worker.__file__!r})['StagedOnly']\n"
        f"sys.meta_path.insert(0, staged_only(['projekt'], {str(site)!r}))\n"
        "import projekt, projekt.part; print(projekt.WHERE)"
    )

    def run():
        environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{installed}"}
        return subprocess.run(
            [sys.executable, "-S", "-P", "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert run().stdout.strip() == "staged"
    (site / "projekt" / "part.py").unlink()
    assert "No module named 'projekt.part'" in run().stderr
    (site / "projekt").rename(site / "another")
    assert "ModuleNotFoundError: No module named 'projekt'" in run().stderr


def test_a_wheel_is_unpacked_with_its_data_and_what_is_no_wheel_is_refused(tmp_path):
    wheel = tmp_path / "odd-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("odd/__init__.py", "")
        archive.writestr("odd-1.0.data/purelib/odd/more.py", "")
    (tmp_path / "extra_packages.txt").write_text(wheel.name)
    site = tmp_path / "site"
    assert staging.install([wheel, tmp_path / "extra_packages.txt"], site) == [wheel.name]
    assert (site / "odd" / "__init__.py").is_file()
    assert (site / "odd" / "more.py").is_file()
    wheel.write_bytes(b"junk")
    with pytest.raises(JobError, match=r"odd-1\.0-py3-none-any\.whl is no wheel"):
        staging.install([wheel], tmp_path / "another")


def test_staged_modules_that_are_this_environments_too_need_not_be_compiled(tmp_path, monkeypatch):
    py_compile.compile(uri.__file__)
    wheel = tmp_path / "odd-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(uri.__file__, "pipeline/uri.py")
        archive.writestr("pipeline/errors.py", "changed = True\n")
    staging.install([wheel], tmp_path / "site")
    same, changed = (tmp_path / "site" / "pipeline" / name for name in ("uri.py", "errors.py"))
    loader = SourceFileLoader("uri", str(same))
    monkeypatch.setattr(loader, "source_to_code", None)
    assert loader.get_code("uri").co_filename == str(same)
    assert "changed" in SourceFileLoader("errors", str(changed)).get_code("errors").co_names


def test_a_staged_file_that_was_changed_is_refused(tmp_path):
    staged = tmp_path / "staged.txt"
    staged.write_text("changed")
    with pytest.raises(JobError, match="is not what was staged"):
        staging.fetch(
            PlainStore(), [staging.Artifact(str(staged), "staged.txt", "0" * 64)], tmp_path / "there"
        )
    with pytest.raises(JobError, match="does not say its SHA-256"):
        staging.fetch(PlainStore(), [staging.Artifact(str(staged), "staged.txt", "")], tmp_path / "again")


@pytest.mark.parametrize(("suffix", "changed"), [("pipeline.pb", b"\n"), (".whl", b"another wheel")])
def test_what_is_exchanged_after_a_job_was_submitted_is_not_run(
    dataflow, bucket, staged_wheel, tmp_path, storage_client, suffix, changed
):
    gate = tmp_path / "gate"
    held = [f"--gate={gate}", f"--results={tmp_path / 'results'}", f"--extra_package={staged_wheel}"]
    # Two run at a time: the third waits, and what it was staged with is exchanged meanwhile.
    first = [f"first{n}" for n in range(2)]
    names = dataflow.submit(
        *(f"counted={name}" for name in (*first, "exchanged")),
        bucket=bucket,
        path=[staged_wheel],
        options=held,
    )
    assert dataflow.state(names["exchanged"]) == "QUEUED"
    for blob in storage_client.list_blobs(bucket, prefix="staging/exchanged"):
        if blob.name.endswith(suffix):
            blob.upload_from_string(changed)
    gate.touch()
    assert dataflow.wait(names["exchanged"], "DONE", "FAILED") == "FAILED"
    assert "is not what was staged (its SHA-256 differs)" in dataflow.told(names["exchanged"])
    assert [dataflow.wait(names[name], "DONE", "FAILED") for name in first] == ["DONE"] * 2
