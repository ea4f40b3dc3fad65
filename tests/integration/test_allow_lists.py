"""Jobs where places are listed: in the store, in the job's own process, and with what Dataflow stages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from functools import partial

import pytest

from chimera_nb.jobs.log.ids import new_job_id
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.runners import dataflow
from chimera_nb.jobs.runners.dataflow import DataflowJobs
from chimera_nb.jobs.runners.direct import DirectJobs
from chimera_nb.jobs.service import JobService
from chimera_nb.settings import Settings
from pipeline.errors import NotAllowedError
from pipeline.inputs.manifest import write_patterns
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import prepare_target
from pipeline.target.results import ledger_records
from tests.fixtures.command import run_chimera
from tests.fixtures.files import expected_lines, good_files, lines_of

STORE = PlainStore()

pytestmark = pytest.mark.timeout(200)


@pytest.fixture
def results(storage_client) -> str:
    """A second bucket."""
    name = f"results-{uuid.uuid4().hex[:12]}"
    storage_client.create_bucket(name)
    return name


@pytest.fixture
def history(bucket) -> str:
    for folder in ("in", "secret"):
        for file in good_files()[:4]:
            STORE.write_bytes(f"gs://{bucket}/{folder}/{file.name}", file.data)
    return bucket


def names(bucket: str) -> list[str]:
    return [entry.uri for entry in STORE.list_objects(f"gs://{bucket}/")]


@pytest.fixture
def chimera(on_stack, tmp_path, history, results):
    """The command line, on the stack, where history/in may be read and results be written."""
    lists = {"CHIMERA_READ_BUCKETS": f"{history}/in", "CHIMERA_WRITE_BUCKETS": results}
    places = {**on_stack.exports(), "CHIMERA_DATA_DIR": str(on_stack.data_dir)}
    return partial(run_chimera, tmp_path, code=None, **places, **lists)


def test_a_job_inside_the_lists_runs_to_its_end(chimera, history, results):
    target = f"gs://{results}/out"
    done = chimera("submit", f"gs://{history}/in/", "--target", target, "--wait", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "complete"
    assert lines_of(target) == expected_lines(good_files()[:4])
    assert len(list(ledger_records(STORE, target))) == 4
    assert not [name for name in names(results) if "_chimera" in name]


def test_a_dataflow_job_stages_inside_the_lists(chimera, history, results):
    arguments = ["submit", f"gs://{history}/in/", "--target", f"gs://{results}/out", "--runner", "dataflow"]
    done = chimera(*arguments, "--wait", "--json", CHIMERA_TEMP_LOCATION=f"gs://{results}/temp")
    assert done.returncode == 0, done.stderr
    assert lines_of(f"gs://{results}/out") == expected_lines(good_files()[:4])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["gs://{history}/secret/", "--target", "gs://{results}/out"],
            "gs://{history}/secret/: may not be read",
        ),
        (
            ["gs://{history}/*/2016/**", "--target", "gs://{results}/out"],
            "gs://{history}/*/2016/**: may not be read",
        ),
        (["gs://{history}/in/../secret/", "--target", "gs://{results}/out"], "may not be read"),
        (["/etc/passwd", "--target", "gs://{results}/out"], "/etc/passwd: may not be read"),
        (
            ["gs://{history}/in/", "--target", "gs://{history}/in/out"],
            "may not be written here, as the target",
        ),
        (["gs://{history}/in/", "--target", "/tmp/out"], "/tmp/out/: may not be written here, as the target"),
        (
            ["gs://{history}/in/", "--target", "gs://{results}/out", "--runner", "dataflow"],
            "gs://chimera-temp/dataflow/: may not be written here, as the temp_location of Dataflow",
        ),
        (
            [
                *("gs://{history}/in/", "--target", "gs://{results}/out", "--runner", "dataflow"),
                *(
                    "--temp-location=gs://{results}/t",
                    "--beam-option=--template_location=gs://{history}/in/t",
                ),
            ],
            "only the settings give Beam's own options",
        ),
    ],
)
def test_what_is_outside_is_refused_and_nothing_is_touched(chimera, history, results, arguments, says):
    before = names(history), names(results)
    given = [argument.format(history=history, results=results) for argument in arguments]
    done = chimera("submit", *given)
    assert done.returncode == 2
    refused = done.stderr.splitlines()[-1]
    assert refused.startswith("refused: ")
    assert says.format(history=history, results=results) in refused
    assert (names(history), names(results)) == before


def test_the_bare_pipeline_keeps_to_the_lists_too(stack, history, results):
    lists = {"CHIMERA_READ_BUCKETS": f"{history}/in", "CHIMERA_WRITE_BUCKETS": results}
    for folder, target in [("secret", results), ("in", history)]:
        asked = ["--input", f"gs://{history}/{folder}/", "--target", f"gs://{target}/out"]
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *asked],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **lists},
        )
        assert done.returncode == 2
        assert "refused: " in done.stderr
        assert names(results) == []


def test_ls_shows_the_listed_buckets_and_the_way_in(chimera, history, results):
    shown = json.loads(chimera("ls", "gs://", "--json").stdout)["folders"]
    assert shown == sorted([f"gs://{history}/", f"gs://{results}/"])
    assert json.loads(chimera("ls", f"gs://{history}", "--json").stdout)["folders"] == [f"gs://{history}/in/"]
    assert chimera("ls", f"gs://{history}/secret").returncode == 2


@pytest.mark.parametrize("forged", ["input", "target"])
def test_a_forged_job_is_refused_in_its_own_process(stack, tmp_path, history, results, forged):
    """It was put on record behind the service's back: the process that runs it has the lists all the same."""
    settings = Settings(
        data_dir=tmp_path, read_buckets=(f"{history}/in",), write_buckets=(results,), place="local"
    )
    inputs = f"gs://{history}/{'secret' if forged == 'input' else 'in'}/"
    target = f"gs://{results if forged == 'input' else history}/out"
    spec = JobSpec((inputs,), target, new_job_id())
    prepare_target(STORE, spec, lambda _: None)
    write_patterns(STORE, spec, [f"{inputs}**/*"])
    before = names(history), names(results)
    service = JobService(Settings(data_dir=tmp_path))
    try:
        record = JobRecord.from_spec(spec, runner="direct", created_by="mallory")
        service.log.create(record)
        DirectJobs(service.log, settings).launch(record)
        ended = service.wait(record.job_id, seconds=60)
    finally:
        service.log.close()
    said = (tmp_path / "jobs" / f"{record.job_id}.log").read_text()
    assert ended.status is Status.FAILED, said
    assert "WARNING pipeline.storage.access_policy: refused: gs://" in said
    if forged == "input":
        assert f"gs://{history}/secret/: may not be read here" in ended.error
    assert ended.progress.get("filesComplete", 0) == 0
    after = names(history), names(results)
    assert [name for there in after for name in there if "/output/" in name] == []
    assert set(after[0]) <= set(before[0])


@pytest.mark.parametrize("forged", ["patterns", "temp_location"])
def test_a_forged_dataflow_job_is_not_sent(on_stack, tmp_path, history, results, forged):
    """Beam's own clients, which stage it, know no lists: so the process that sends it looks again."""
    lists = {"read_buckets": (f"{history}/in",), "write_buckets": (results,)}
    settings = Settings(data_dir=tmp_path, dataflow_endpoint=on_stack.dataflow_endpoint, **lists)
    spec = JobSpec((f"gs://{history}/in/",), f"gs://{results}/out", new_job_id())
    write_patterns(STORE, spec, [f"gs://{history}/{'secret' if forged == 'patterns' else 'in'}/**/*"])
    temp = f"gs://{history if forged == 'temp_location' else results}/temp"
    how = dataflow.options_of(settings, temp_location=temp)
    service = JobService(Settings(data_dir=tmp_path, dataflow_endpoint=on_stack.dataflow_endpoint))
    try:
        record = JobRecord.from_spec(spec, runner="dataflow", runner_options=how, created_by="mallory")
        service.log.create(record)
        DataflowJobs(service.log, settings).launch(record)
        ended = service.wait(record.job_id, seconds=60)
    finally:
        service.log.close()
    assert ended.status is Status.FAILED
    wanted = "may not be read here" if forged == "patterns" else "as the temp_location of Dataflow"
    assert wanted in ended.error
    assert ended.dataflow_job_id is None
    assert [name for name in (*names(history), *names(results)) if "/temp/" in name] == []


def test_who_asks_is_on_record_for_a_copy_as_well(stack, tmp_path, history, results):
    asking = ["ada"]
    service = JobService(Settings(data_dir=tmp_path), user=lambda: asking[0])
    try:
        first = service.wait(service.submit([f"gs://{history}/in/"], f"gs://{results}/out").job_id)
        assert (first.status, first.created_by) == (Status.COMPLETE, "ada")
        asking[0] = "grace"
        copy = service.wait(service.clone(first.job_id).job_id)
        assert (copy.status, copy.created_by) == (Status.COMPLETE, "grace")
        asking[0] = ""
        assert service.wait(service.clone(first.job_id).job_id).created_by == "unknown"
        assert service.get(first.job_id).created_by == "ada"
    finally:
        service.log.close()


def test_a_copy_of_a_job_from_before_the_lists_is_refused(stack, tmp_path, history, results):
    lists = {"read_buckets": (f"{history}/in",), "write_buckets": (results,)}
    service, listed = (
        JobService(Settings(data_dir=tmp_path)),
        JobService(Settings(data_dir=tmp_path, **lists)),
    )
    try:
        first = service.wait(service.submit([f"gs://{history}/secret/"], f"gs://{results}/out").job_id)
        with pytest.raises(NotAllowedError, match=f"gs://{history}/secret/: may not be read"):
            listed.clone(first.job_id)
        assert listed.list().records == (first,)
        again = service.wait(
            service.clone(first.job_id).job_id
        )  # the other service in this process has no lists
        assert again.status is Status.COMPLETE
    finally:
        service.log.close()
        listed.log.close()
