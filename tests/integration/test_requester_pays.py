"""A bucket whose requesters pay: nothing of it without a project that is billed, everything with one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import requests
from google.api_core import exceptions as api

from chimera_nb.data.output import read_output
from chimera_nb.data.preview import preview
from chimera_nb.data.proof import verify
from chimera_nb.jobs.record import Status
from chimera_nb.jobs.service import JobService
from chimera_nb.session import Session
from chimera_nb.settings import Settings
from pipeline.__main__ import main
from pipeline.errors import AccessDeniedError, SettingsError
from pipeline.storage import PERSON, PlainStore

PROJECT = "my-team-1234"
PAYS = PlainStore(patience=PERSON, user_project=PROJECT)
PAYS_NOT = PlainStore(patience=PERSON)
LINES = b'{"a":1}\n{"a":2}\n'

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def paying(storage_client, bucket):
    """A bucket that is made one whose requesters pay, with a file in it."""
    PAYS_NOT.write_bytes(f"gs://{bucket}/in/1.json", LINES)
    found = storage_client.bucket(bucket)
    found.requester_pays = True
    found.patch()
    return bucket


def asked_of(paying: str, tmp_path) -> dict[str, object]:
    """Each way of asking, given a store."""
    root = f"gs://{paying}"
    large = tmp_path / "large"
    large.write_bytes(os.urandom(9 << 20))  # sent in several requests
    return {
        "list": lambda store: [entry.uri for entry in store.list_objects(f"{root}/in/")],
        "pages": lambda store: list(store.list_folder(f"{root}/")),
        "versions": lambda store: list(store.list_versions(f"{root}/in/")),
        "there": lambda store: store.bucket_exists(paying),
        "keeps": lambda store: store.check_deletes(paying),
        "stat": lambda store: store.stat(f"{root}/in/1.json"),
        "read": lambda store: store.read_bytes(f"{root}/in/1.json"),
        "range": lambda store: store.read_range(f"{root}/in/1.json", 0, 3),
        "write": lambda store: store.write_bytes(f"{root}/new", b"x"),
        "upload": lambda store: store.upload_file(str(large), f"{root}/large"),
        "swap": lambda store: store.swap(f"{root}/new", b"y", store.look(f"{root}/new").generation),
        "move": lambda store: store.move(
            f"{root}/new", f"{root}/moved", generation=store.look(f"{root}/new").generation
        ),
        "delete version": lambda store: store.delete_version(
            f"{root}/moved", store.look(f"{root}/moved").generation
        ),
        "delete": lambda store: store.delete([f"{root}/large"]),
        "delete tree": lambda store: store.delete_tree(f"{root}/in/"),
    }


def test_every_request_names_the_project_or_is_refused(paying, tmp_path):
    for name, ask in asked_of(paying, tmp_path).items():
        with pytest.raises(AccessDeniedError, match=r"pays for it.*no user project provided.*--user-project"):
            ask(PAYS_NOT)
        ask(PAYS)
        assert name
    assert list(PAYS.list_objects(f"gs://{paying}/")) == []


def test_a_move_without_leave_is_a_copy_that_is_billed_as_well(paying, monkeypatch):
    from pipeline.storage import gcs_versions

    monkeypatch.setattr(gcs_versions, "_without_move", set())
    monkeypatch.setattr(gcs_versions, "_move", lambda *_: None)
    seen = PAYS.look(f"gs://{paying}/in/1.json")
    assert PAYS.move(seen.uri, f"gs://{paying}/copied", generation=seen.generation).size == len(LINES)
    assert PAYS.read_bytes(f"gs://{paying}/copied") == LINES


def test_the_stand_in_refuses_as_cloud_storage_does(on_stack, storage_client, paying):
    url = f"{on_stack.storage_endpoint}/storage/v1/b/{paying}/o"
    refused = requests.get(url, timeout=10)
    one = {
        "message": "Bucket is a requester pays bucket but no user project provided.",
        "domain": "global",
        "reason": "required",
    }
    assert (refused.status_code, refused.json()["error"]) == (
        400,
        {"code": 400, "message": one["message"], "errors": [one]},
    )
    assert requests.get(url, params={"userProject": "No Project"}, timeout=10).status_code == 400
    assert storage_client.bucket(paying, user_project=PROJECT).exists()
    with pytest.raises(api.BadRequest), storage_client.batch():
        storage_client.bucket(paying).blob("in/1.json").delete()
    found = storage_client.get_bucket(storage_client.bucket(paying, user_project=PROJECT))
    assert found.requester_pays
    found.requester_pays = False
    found.patch()
    assert PAYS_NOT.read_bytes(f"gs://{paying}/in/1.json") == LINES


def test_a_project_that_can_be_none_is_refused_before_anything_is_asked():
    with pytest.raises(SettingsError, match="user project 'My Team' is no project's id"):
        Settings(user_project="My Team")


def test_a_job_and_all_that_looks_at_it_are_billed_to_its_project(on_stack, paying, tmp_path, monkeypatch):
    """Read from and written to such a bucket, by a process of its own; the project is on record."""
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(tmp_path))
    service = JobService(Settings(data_dir=tmp_path))
    with pytest.raises(AccessDeniedError, match="--user-project"):
        service.submit(f"gs://{paying}/in/", f"gs://{paying}/out")
    record = service.submit(f"gs://{paying}/in/", f"gs://{paying}/out", user_project=PROJECT)
    assert service.wait(record.job_id).status is Status.COMPLETE
    assert record.spec["userProject"] == PROJECT
    assert list(read_output(record.job_id)["a"]) == [1, 2]
    assert verify(record.job_id, deep=True, session=Session(data_dir=tmp_path)).proved
    again = service.clone(record.job_id)
    assert again.spec["userProject"] == PROJECT
    assert service.wait(again.job_id).status is Status.COMPLETE
    service.log.close()
    with pytest.raises(AccessDeniedError):
        preview(f"gs://{paying}/in/1.json")
    monkeypatch.setenv("CHIMERA_USER_PROJECT", PROJECT)
    assert preview(f"gs://{paying}/in/1.json").complete


def test_workers_of_dataflow_are_handed_the_project_of_the_settings(on_stack, paying, tmp_path):
    settings = Settings(data_dir=tmp_path, dataflow_endpoint=on_stack.dataflow_endpoint, user_project=PROJECT)
    service = JobService(settings)
    record = service.submit(f"gs://{paying}/in/", f"gs://{paying}/out", runner="dataflow")
    record = service.wait(record.job_id)
    service.log.close()
    assert (record.status, record.error) == (Status.COMPLETE, None)
    assert record.spec["userProject"] == PROJECT


def test_the_bare_pipeline_takes_the_project(on_stack, paying, monkeypatch, capsys):
    arguments = ["--input", f"gs://{paying}/in/", "--target", f"gs://{paying}/out"]
    assert main(arguments) == 1
    assert "failed: whoever asks this bucket pays for it" in capsys.readouterr().err
    monkeypatch.setenv("CHIMERA_USER_PROJECT", "no-such-project-")
    assert main([*arguments, "--user-project", PROJECT]) == 0


def test_the_command_line_takes_the_project(on_stack, paying, tmp_path):
    def chimera(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "chimera_nb", *arguments, "--data-dir", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )

    refused = chimera("ls", f"gs://{paying}/in/")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: whoever asks this bucket pays for it")
    assert f"{paying}/in/1.json" in chimera("ls", f"gs://{paying}/in/", "--user-project", PROJECT).stdout
