"""Where the place is local, no request leaves the machine, whichever process makes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from chimera_nb.jobs.open_log import open_log
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.service import JobService
from chimera_nb.jobs.transitions import Change
from chimera_nb.settings import Settings, load_settings
from pipeline.errors import NoStackError, SettingsError, StackError, StorageError
from pipeline.spec import JobSpec
from pipeline.storage import Store

URI = "gs://bucket/name"
# Loaded by every Python that is started: one that asks a name server, or connects elsewhere, ends at once.
_GUARD = """
import os, socket
def ends(*_args, **_kwargs):
    os.write(2, b"ASKED THE NETWORK")
    os._exit(99)
socket.getaddrinfo = ends
socket.socket.connect = ends
socket.socket.connect_ex = ends
"""
CALLS = {
    "bucket_exists": lambda store: store.bucket_exists("bucket"),
    "check_deletes": lambda store: store.check_deletes("bucket"),
    "list_buckets": lambda store: store.list_buckets(),
    "make_bucket": lambda store: store.make_bucket("bucket"),
    "list_objects": lambda store: list(store.list_objects(URI)),
    "list_folder": lambda store: list(store.list_folder("gs://bucket/")),
    "list_pages": lambda store: list(store.list_pages(URI)),
    "stat": lambda store: store.stat(URI),
    "exists": lambda store: store.exists(URI),
    "check_gives": lambda store: store.check_gives(URI),
    "open_read": lambda store: store.open_read(URI),
    "read_range": lambda store: store.read_range(URI, 0, 1),
    "read_bytes": lambda store: store.read_bytes(URI),
    "open_write": lambda store: store.open_write(URI),
    "write_bytes": lambda store: store.write_bytes(URI, b"x"),
    "upload_file": lambda store: store.upload_file(__file__, URI),
    "look": lambda store: store.look(URI),
    "list_versions": lambda store: list(store.list_versions("gs://bucket/")),
    "read_version": lambda store: store.read_version(URI),
    "swap": lambda store: store.swap(URI, b"y", 1),
    "move": lambda store: store.move(URI, f"{URI}2", generation=1),
    "is_archive": lambda store: store.is_archive(URI),
    "delete_version": lambda store: store.delete_version(URI, 1),
    "delete": lambda store: store.delete([URI]),
    "delete_tree": lambda store: store.delete_tree("gs://bucket/"),
}
NEED_NO_STORE = {"with_patience", "run_each", "linked_folders", "remove_empty_folder", "is_local_folder"}


@pytest.fixture(autouse=True)
def no_stack(monkeypatch, tmp_path):
    for name in [*os.environ]:
        if name.startswith(("CHIMERA_", "GOOGLE_", "GCE_", "STORAGE_EMULATOR", "FIRESTORE_EMULATOR")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", CALLS)
def test_every_call_to_a_bucket_is_refused_in_one_line(name):
    with pytest.raises(NoStackError) as caught:
        CALLS[name](load_settings().store)
    said = str(caught.value)
    assert said.startswith("gs://")
    assert "`chimera up --detach`" in said
    assert "CHIMERA_PLACE=cloud" in said
    assert "\n" not in said
    assert isinstance(caught.value, StorageError)
    assert isinstance(caught.value, StackError)


def test_no_call_is_left_out():
    public = {name for name in vars(Store) if not name.startswith("_")} - {
        "access",
        "patience",
        "cloud",
        "user_project",
        "billed_to",
    }
    assert public - NEED_NO_STORE <= CALLS.keys()


def test_a_stack_or_another_place_is_asked(monkeypatch):
    local, cloud = Settings().store, Settings(place="cloud", job_log="sqlite").store
    asked = []
    monkeypatch.setattr(
        "google.auth.default", lambda **_: asked.append("credentials") or (_ for _ in ()).throw(KeyError)
    )
    with pytest.raises(KeyError):
        cloud.stat(URI)
    assert asked == ["credentials"]
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://localhost:1")
    monkeypatch.setenv("CHIMERA_RETRY_SECONDS", "0.01")
    with pytest.raises(StorageError, match="does not answer"):
        local.stat(URI)


def dead_job(settings: Settings) -> JobRecord:
    """A job over a bucket whose process is gone, on record."""
    spec = JobSpec(inputs=("gs://bucket/in/",), target="gs://bucket/out", job_id="2026-01-01-0badcafe")
    log = open_log(settings)
    log.create(JobRecord.from_spec(spec, runner="direct", runner_options={}, created_by="x"))
    gone = subprocess.Popen(["true"])
    gone.wait()
    from chimera_nb.jobs import process

    return log.update(
        spec.job_id, Change(status=Status.RUNNING, worker=process.describe(gone.pid, settings.folder))
    )


def test_looking_at_a_dead_job_asks_nobody(tmp_path):
    settings = Settings(data_dir=tmp_path / "data")
    record = dead_job(settings)
    found = JobService(settings).get(record.job_id)
    assert found.status is Status.RUNNING  # for the next look, with a stack
    assert "no local stack runs" in found.logs[-1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("chimera_nb", "jobs", "show", "2026-01-01-0badcafe"),
        ("chimera_nb", "jobs", "list"),
        ("chimera_nb", "jobs", "sync"),
        ("chimera_nb", "ls", "gs://"),
        ("chimera_nb", "submit", "gs://bucket/in/", "--target", "gs://bucket/out"),
        ("chimera_nb.jobs.runners.direct_worker", "2026-01-01-0badcafe"),
    ],
)
def test_no_process_of_a_local_place_asks_the_network(tmp_path, arguments):
    settings = Settings(data_dir=tmp_path / "data")
    dead_job(settings)
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(_GUARD)
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "guard"), **settings.to_environment()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 99, done.stderr
    assert "ASKED THE NETWORK" not in done.stderr
    logged = json.dumps(open_log(settings).get("2026-01-01-0badcafe").logs)
    assert "no local stack runs" in done.stdout + done.stderr + logged


def test_a_job_log_at_google_is_no_local_one(monkeypatch):
    settings = Settings(job_log="firestore", project="p")
    with pytest.raises(SettingsError, match="CHIMERA_PLACE=cloud"):
        open_log(settings)
