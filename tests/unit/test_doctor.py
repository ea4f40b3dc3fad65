"""Each check of the doctor, in each state that it can find."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from google.api_core import exceptions as api
from google.auth import exceptions as auth

from chimera_nb.doctor import buckets, credentials, host, installed, services, stack
from chimera_nb.doctor.buckets import READ, WRITE, bucket_checks, check_bucket
from chimera_nb.doctor.examine import examine, side_by_side
from chimera_nb.doctor.finding import State, fault, ok
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.settings import Settings
from pipeline.errors import (
    AccessDeniedError,
    CredentialsError,
    DataflowError,
    JobLogError,
    ObjectNotFoundError,
    RefusedError,
    StoreUnavailableError,
)

ROOT = Path(__file__).parents[2]
OK, OFF, FAULT = State.OK, State.OFF, State.FAULT
CLOUD = Settings(place="cloud", job_log="sqlite", project="p", region="r", temp_location="gs://temp/dataflow")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    for name in [*os.environ]:
        if name.startswith(
            ("CHIMERA_", "GOOGLE_", "GCE_", "CLOUDSDK", "STORAGE_EMULATOR", "FIRESTORE_EMULATOR")
        ):
            monkeypatch.delenv(name)
    for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def states(findings) -> dict[str, State]:
    found = list(findings)
    assert all(finding.remedy for finding in found if finding.state is FAULT)
    assert all("\n" not in f"{finding.says}{finding.remedy}" for finding in found)
    return {finding.check: finding.state for finding in found}


def only(findings):
    (found,) = findings
    assert "\n" not in f"{found.says}{found.remedy}"
    assert found.remedy or found.state is not FAULT
    return found


# What is installed


def test_python_is_named():
    assert only(installed.check_python()).says.startswith(".".join(map(str, sys.version_info[:3])))


def test_the_packages_of_this_installation_are_in_order():
    assert states(installed.check_packages()) == {"packages": OK}


@pytest.mark.parametrize(
    ("required", "expected"),
    [
        (["zstandard>=0.1"], {"packages": OK}),
        (["zstandard>=999"], {"packages": FAULT}),
        (["no-such-package"], {"packages": FAULT}),
        (["no-such-package; extra == 'local'"], {"packages": OK, "packages local": OFF}),
        (
            ["no-such-package; extra == 'notebook'", "zstandard; extra == 'notebook'"],
            {"packages": OK, "packages notebook": FAULT},
        ),
        (["zstandard>=999; extra == 'local'"], {"packages": OK, "packages local": FAULT}),
        (["no-such-package; extra == 'dev'"], {"packages": OK}),
        (["no-such-package; python_version < '3'"], {"packages": OK}),
    ],
)
def test_packages_are_held_against_what_is_required(required, expected):
    found = list(installed.check_packages(required))
    assert states(found) == expected
    for finding in found:
        if finding.remedy:
            assert re.fullmatch(r"pip install --upgrade 'chimera-nb(\[(notebook|local)\])?'", finding.remedy)


def test_chimera_that_is_only_on_the_path_is_told(monkeypatch):
    monkeypatch.setattr(installed, "NAME", "no-such-package")
    assert "is not installed" in only(installed.check_packages()).says


# This machine


def test_the_data_folder_is_in_order_where_it_can_be_made_or_is_there(tmp_path):
    for folder in (tmp_path, tmp_path / "to" / "be" / "made"):
        found = states(host.check_data_folder(Settings(data_dir=folder)))
        assert found == {"data folder": OK, "disk": OK, "temporary folder": OK}
    assert not (tmp_path / "to").exists()


def test_a_data_folder_below_a_file_or_that_may_not_be_written_is_a_fault(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    found = host.check_data_folder(Settings(data_dir=tmp_path / "file" / "data"))
    assert states(found)["data folder"] is FAULT
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert states(host.check_data_folder(Settings(data_dir=tmp_path)))["data folder"] is FAULT


def test_a_data_folder_that_others_may_write_is_a_fault(tmp_path):
    (tmp_path / ".chimera").mkdir(mode=0o777)
    (tmp_path / ".chimera").chmod(0o777)
    found = only(host.check_data_folder(Settings()))
    assert found.state is FAULT
    assert "everybody may write it" in found.says


def test_a_current_folder_that_is_gone_is_a_fault(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert only(host.check_data_folder(Settings())).remedy == "export CHIMERA_DATA_DIR=~/chimera-data"


def test_little_room_is_a_fault(tmp_path, monkeypatch):
    usage = SimpleNamespace(free=999_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    found = states(host.check_data_folder(Settings(data_dir=tmp_path)))
    assert found == {"data folder": OK, "disk": FAULT, "temporary folder": FAULT}


def test_no_temporary_folder_is_a_fault(tmp_path, monkeypatch):
    def none():
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    assert states(host.check_data_folder(Settings(data_dir=tmp_path)))["temporary folder"] is FAULT


@pytest.mark.parametrize(("available", "expected"), [(8_000_000_000, OK), (300_000_000, FAULT)])
def test_memory(monkeypatch, available, expected):
    monkeypatch.setattr(
        host.psutil, "virtual_memory", lambda: SimpleNamespace(available=available, total=16_000_000_000)
    )
    assert only(host.check_memory()).state is expected


@pytest.mark.parametrize(
    ("environment", "place", "state", "says"),
    [
        ({}, "local", OFF, "none is set"),
        ({"HTTPS_PROXY": ""}, "cloud", OFF, "none is set"),
        (
            {"https_proxy": "http://proxy:3128", "NO_PROXY": "localhost"},
            "cloud",
            OK,
            "Google is asked through it",
        ),
        ({"HTTP_PROXY": "http://proxy:3128", "no_proxy": "*"}, "cloud", OK, "Google is asked directly"),
        (
            {"ALL_PROXY": "proxy:3128", "NO_PROXY": ".googleapis.com, localhost"},
            "cloud",
            OK,
            "Google is asked directly",
        ),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "localhost"}, "local", OK, "Google is not asked"),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "local", OFF, "other programs cannot reach a local stack"),
        ({"https_proxy": "://nonsense"}, "local", FAULT, "https_proxy names no host"),
        ({"HTTPS_PROXY": "http://[::1:x"}, "local", FAULT, "HTTPS_PROXY names no host"),
    ],
)
def test_proxies(environment, place, state, says):
    found = only(host.check_proxies(Settings(place=place, job_log="sqlite"), environment))
    assert found.state is state
    assert says in found.says


def test_a_proxys_password_is_not_printed():
    found = only(host.check_proxies(Settings(), {"HTTPS_PROXY": "http://me:secret@proxy:3128"}))
    assert "secret" not in found.says
    assert "http://proxy:3128" in found.says
    assert found.remedy == "export NO_PROXY=localhost,127.0.0.1 no_proxy=localhost,127.0.0.1"


# The local stack


def test_no_stack_is_no_fault_and_says_how_to_start_one():
    found = only(stack.check_stack(Settings()))
    assert (found.state, found.remedy) == (OFF, "chimera up --detach")
    assert only(stack.check_stack(CLOUD)).state is OFF


def test_a_stack_that_does_not_answer_is_a_fault_of_each_service(monkeypatch, tmp_path):
    port = _closed_port()
    dead = SimpleNamespace(
        data_dir=tmp_path,
        storage_endpoint=f"http://localhost:{port}",
        dataflow_endpoint=f"http://localhost:{port}",
        started_at="2026-01-31",
    )
    monkeypatch.setattr(stack.stack, "find", lambda _: dead)
    found = list(stack.check_stack(Settings()))
    assert states(found) == {
        "local stack": OK,
        "stack storage": FAULT,
        "stack dataflow": FAULT,
        "stack metadata": FAULT,
    }
    assert f"chimera up --detach --data-dir {tmp_path}" in found[1].remedy


def test_several_stacks_are_a_fault(monkeypatch):
    from pipeline.errors import StackError

    def several(_):
        raise StackError("2 local stacks are running (/a, /b); say which with --data-dir")

    monkeypatch.setattr(stack.stack, "find", several)
    assert "CHIMERA_DATA_DIR" in only(stack.check_stack(Settings())).remedy


def _closed_port() -> int:
    import socket

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


# Credentials


def test_where_the_place_is_local_nobody_is_asked_for_credentials(monkeypatch):
    monkeypatch.setattr("google.auth.default", lambda **_: pytest.fail("asked"))
    assert (
        only(credentials.check_credentials(Settings(), {"GOOGLE_APPLICATION_CREDENTIALS": "/none"})).state
        is OFF
    )


def named(path: Path) -> dict[str, str]:
    return {"GOOGLE_APPLICATION_CREDENTIALS": str(path)}


KEY = {"type": "service_account", "client_email": "me@p.iam.gserviceaccount.com"}


def with_refresh(monkeypatch, error: Exception | None = None, **attributes) -> None:
    def refresh(_):
        if error:
            raise error

    found = SimpleNamespace(refresh=refresh, **attributes)
    monkeypatch.setattr("google.auth.default", lambda **_: (found, "p"))


@pytest.mark.parametrize(
    ("error", "state", "remedy"),
    [
        (None, OK, None),
        (auth.RefreshError("invalid_grant: expired"), FAULT, credentials.LOGIN),
        (auth.TransportError("no route"), FAULT, credentials.NETWORK),
        (auth.DefaultCredentialsError("it has no private key"), FAULT, credentials.LOGIN),
    ],
)
def test_a_key_file_is_named_and_tried(monkeypatch, tmp_path, error, state, remedy):
    (tmp_path / "key.json").write_text(json.dumps(KEY))
    with_refresh(monkeypatch, error)
    found = only(credentials.check_credentials(CLOUD, named(tmp_path / "key.json")))
    assert (found.state, found.remedy) == (state, remedy)
    assert f"a service account's key me@p.iam.gserviceaccount.com ({tmp_path / 'key.json'})" in found.says
    assert str(error or "").split(":")[0] in found.says


def test_a_key_file_that_is_not_there_or_no_json_is_a_fault(monkeypatch, tmp_path):
    monkeypatch.setattr("google.auth.default", lambda **_: pytest.fail("asked"))
    gone = only(credentials.check_credentials(CLOUD, named(tmp_path / "gone.json")))
    assert gone.says == f"GOOGLE_APPLICATION_CREDENTIALS names {tmp_path / 'gone.json'}, which is no file"
    assert gone.remedy.startswith("unset GOOGLE_APPLICATION_CREDENTIALS")
    for text in ("no json", "[1]"):
        (tmp_path / "bad.json").write_text(text)
        assert (
            "holds no credentials"
            in only(credentials.check_credentials(CLOUD, named(tmp_path / "bad.json"))).says
        )


def test_gclouds_own_credentials_are_found_by_its_folder(monkeypatch, tmp_path):
    (tmp_path / "application_default_credentials.json").write_text('{"type": "authorized_user"}')
    with_refresh(monkeypatch)
    found = only(credentials.check_credentials(CLOUD, {"CLOUDSDK_CONFIG": str(tmp_path)}))
    assert found.says.startswith("your own, of gcloud (")


def test_without_a_file_the_metadata_server_is_asked(monkeypatch):
    with_refresh(monkeypatch, service_account_email="vm@p")
    found = only(credentials.check_credentials(CLOUD, {}))
    assert (found.state, found.says) == (OK, "the metadata server's, vm@p")

    def none(**_):
        raise auth.DefaultCredentialsError("Your default credentials were not found.")

    monkeypatch.setattr("google.auth.default", none)
    found = only(credentials.check_credentials(CLOUD, {}))
    assert (found.state, found.says, found.remedy) == (FAULT, "none were found", credentials.LOGIN)


def test_whom_a_role_is_given_to(tmp_path):
    (tmp_path / "key.json").write_text(json.dumps(KEY))
    assert credentials.member(named(tmp_path / "key.json")) == "serviceAccount:me@p.iam.gserviceaccount.com"
    assert credentials.member(named(tmp_path / "gone.json")) == "user:YOUR-ADDRESS"
    assert credentials.member({}) == "user:YOUR-ADDRESS"


# Buckets


def raising(error):
    def granted(name, wanted):
        raise error

    return granted


@pytest.mark.parametrize(
    ("needs", "granted", "state", "says", "remedy"),
    [
        (READ, lambda *_: READ, OK, "may be read", ""),
        (WRITE, lambda *_: WRITE, OK, "may be read and written", ""),
        (READ, lambda *_: READ[:1], FAULT, "storage.objects.list missing", "roles/storage.objectViewer"),
        (
            WRITE,
            lambda *_: READ,
            FAULT,
            "storage.objects.create, storage.objects.delete",
            "roles/storage.objectAdmin",
        ),
        (READ, raising(ObjectNotFoundError("gs://b", "no")), FAULT, "is not there", "buckets create gs://b"),
        (READ, raising(CredentialsError("gs://b", "no")), FAULT, "credentials", credentials.LOGIN),
        (READ, raising(StoreUnavailableError("gs://b", "is away")), FAULT, "is away", credentials.NETWORK),
        (READ, raising(AccessDeniedError("gs://b", "the reason")), FAULT, "the reason", "gs://b --member="),
    ],
)
def test_a_bucket(needs, granted, state, says, remedy):
    found = only(check_bucket("b", needs, is_local=False, granted=granted))
    assert found.check == "bucket b"
    assert found.state is state
    assert says in found.says
    assert remedy in (found.remedy or "")
    assert bool(remedy) == bool(found.remedy)


def test_a_bucket_that_google_cannot_be_asked_about_is_the_networks_fault():
    error = CredentialsError("gs://b", "no")
    error.__cause__ = auth.TransportError("no route")
    found = only(check_bucket("b", READ, is_local=False, granted=raising(error)))
    assert found.remedy == credentials.NETWORK
    assert "no route" in found.says


def test_on_a_local_stack_a_missing_target_is_made_by_a_job_and_missing_inputs_are_put():
    gone = raising(ObjectNotFoundError("gs://b", "no"))
    assert only(check_bucket("b", WRITE, is_local=True, granted=gone)).state is OFF
    assert only(check_bucket("b", READ, is_local=True, granted=gone)).remedy == "chimera put FILES gs://b/"


def test_the_buckets_of_the_settings_are_asked_about_once_by_what_they_are_for(monkeypatch):
    asked = {}

    def granted(_store, name, wanted):
        asked[name] = wanted
        return wanted

    monkeypatch.setattr(buckets, "permissions", granted)
    settings = Settings(
        read_buckets=("history", "both/part", "/local"),
        write_buckets=("both/out",),
        temp_location="gs://temp/x",
    )
    checks = bucket_checks(settings, ["gs://more/a/b"], ["gs://out"], has_store=True)
    assert set().union(*(states(check()) for check in checks)) == {f"bucket {name}" for name in asked}
    assert asked == {"history": READ, "more": READ, "both": WRITE, "out": WRITE, "temp": WRITE}


def test_without_a_store_or_a_bucket_nothing_is_asked(monkeypatch):
    monkeypatch.setattr(buckets, "permissions", lambda *_: pytest.fail("asked"))
    (check,) = bucket_checks(Settings(), [], [], has_store=True)
    assert only(check()).state is OFF
    (check,) = bucket_checks(Settings(), ["gs://b"], [], has_store=False)
    assert only(check()).remedy == "chimera up --detach"


def test_what_is_no_bucket_is_refused():
    for uri in ("/local", "gs://", "b"):
        with pytest.raises(RefusedError, match="write gs://bucket"):
            bucket_checks(Settings(), [uri], [], has_store=True)


# Dataflow and the job log


class Api:
    def __init__(self, cause=None):
        self.cause = cause

    def find(self, _):
        if self.cause:
            raise DataflowError("no") from self.cause


@pytest.mark.parametrize(
    ("cause", "state", "remedy"),
    [
        (None, OK, ""),
        (
            api.Forbidden("Dataflow API has not been used in project 1 before"),
            FAULT,
            "services enable dataflow",
        ),
        (api.PermissionDenied("SERVICE_DISABLED"), FAULT, "services enable dataflow"),
        (api.Forbidden("dataflow.jobs.list denied"), FAULT, "roles/dataflow.developer"),
        (auth.RefreshError("expired"), FAULT, credentials.LOGIN),
        (api.Unauthorized("expired"), FAULT, credentials.LOGIN),
        (auth.TransportError("no route"), FAULT, credentials.NETWORK),
        (api.ServiceUnavailable("away"), FAULT, credentials.NETWORK),
    ],
)
def test_dataflow(cause, state, remedy):
    found = only(services.check_dataflow(CLOUD, Api(cause)))
    assert found.state is state
    assert remedy in (found.remedy or "")


def test_dataflow_that_is_not_set_up_is_off_and_half_set_up_is_a_fault():
    never = Api(RuntimeError("asked"))
    assert only(services.check_dataflow(Settings(), never)).state is OFF
    none = Settings(place="cloud", job_log="sqlite", project="p")
    assert only(services.check_dataflow(none, never)).state is OFF
    half = Settings(place="cloud", job_log="sqlite", project="p", region="r")
    found = only(services.check_dataflow(half, never))
    assert (found.state, found.says) == (FAULT, "CHIMERA_TEMP_LOCATION not set, so no job can go there")
    no_project = Settings(place="cloud", job_log="sqlite", region="r", temp_location="gs://t/x")
    assert "GOOGLE_CLOUD_PROJECT" in only(services.check_dataflow(no_project, never)).remedy


def test_the_log_in_a_file(tmp_path):
    settings = Settings(data_dir=tmp_path)
    assert "made with the first job" in only(services.check_job_log(settings)).says
    assert not (tmp_path / "jobs.sqlite").exists()
    SqliteJobLog(tmp_path / "jobs.sqlite").close()
    assert only(services.check_job_log(settings)).state is OK
    (tmp_path / "jobs.sqlite").write_bytes(b"this is no database" * 100)
    found = only(services.check_job_log(settings))
    assert found.state is FAULT
    subprocess.run(found.remedy.partition("    (")[0].split(), check=True)
    assert only(services.check_job_log(settings)).state is OK


FIRESTORE = Settings(place="cloud", job_log="firestore", project="p")


class Log:
    """A job log that answers each list by its filters."""

    def __init__(self, causes=None):
        self.causes = causes or {}
        self.closed = False

    def list(self, *, limit, statuses=(), source=None, created_by=None):
        key = ("createdBy",) * bool(created_by) + ("sourceType",) * bool(source)
        key += ("status",) * bool(statuses)
        if key in self.causes:
            raise JobLogError("no") from self.causes[key]

    def close(self):
        self.closed = True


def test_firestore_with_its_indexes():
    log = Log()
    assert states(services.check_job_log(FIRESTORE, log)) == {"job log": OK, "indexes": OK}
    assert log.closed


def test_an_index_that_is_missing_is_a_fault_with_the_command_that_makes_it():
    missing = api.FailedPrecondition("The query requires an index.")
    found = list(services.check_job_log(FIRESTORE, Log({("sourceType",): missing})))
    assert states(found) == {"job log": OK, "index sourceType+createdAt": FAULT}
    assert found[-1].remedy == (
        "gcloud firestore indexes composite create --project=p --database='(default)' "
        "--collection-group=dataflow-jobs --field-config=field-path=sourceType,order=ascending "
        "--field-config=field-path=createdAt,order=descending"
    )


@pytest.mark.parametrize(
    ("cause", "remedy"),
    [
        (api.PermissionDenied("denied"), "roles/datastore.user"),
        (
            api.PermissionDenied("Cloud Firestore API has not been used in project p"),
            "services enable firestore",
        ),
        (api.NotFound("The database (default) does not exist"), "databases create --project=p"),
        (auth.RefreshError("expired"), credentials.LOGIN),
        (api.ServiceUnavailable("away"), credentials.NETWORK),
    ],
)
def test_firestore_that_does_not_answer_well(cause, remedy):
    found = only(services.check_job_log(FIRESTORE, Log({(): cause})))
    assert found.state is FAULT
    assert remedy in found.remedy


def test_the_indexes_are_those_of_the_file_that_is_deployed():
    document = json.loads((ROOT / "docs" / "firestore.indexes.json").read_text())
    deployed = {
        tuple(field["fieldPath"] for field in index["fields"]): [
            f"order={field['order'].lower()}" if "order" in field else "array-config=contains"
            for field in index["fields"]
        ]
        for index in document["indexes"]
    }
    assert deployed.keys() == services.INDEXES.keys() | {services.SEARCH_INDEX}
    for fields, orders in deployed.items():
        command = services.create_index(fields, FIRESTORE)
        assert re.findall(r"field-path=(\w+),(\S+)", command) == list(zip(fields, orders, strict=True))


# All of them


def test_a_check_that_breaks_or_waits_hides_no_other_and_is_waited_for_no_longer():
    never = threading.Event()

    def breaks():
        raise ValueError("odd")

    def waits():
        never.wait()
        return []

    began = time.monotonic()
    checks = [
        ("a", lambda: [ok("a", "fine")]),
        ("b", breaks),
        ("c", waits),
        ("d", lambda: [fault("d", "no", "do")]),
    ]
    found = side_by_side(checks, 0.2)
    assert time.monotonic() - began < 90
    never.set()
    assert [(finding.check, finding.state) for finding in found] == [
        ("a", OK),
        ("b", FAULT),
        ("c", FAULT),
        ("d", FAULT),
    ]
    assert found[1].says == "cannot be looked at: ValueError: odd"
    assert found[2].says == "no answer within 0.2 s"


def test_checks_run_side_by_side():
    together = threading.Barrier(3, timeout=10)

    def check():
        together.wait()
        return [ok("x", "")]

    assert [finding.state for finding in side_by_side([("x", check)] * 3, 20)] == [OK] * 3


def test_settings_that_cannot_be_read_are_a_fault_and_the_rest_is_looked_at(tmp_path):
    (tmp_path / "chimera.toml").write_text("nonsense = 1")
    found = states(examine())
    assert found == {"python": OK, "packages": OK, "settings": FAULT}


def run(tmp_path, *arguments, **environment):
    """`chimera doctor` in a process that ends at once where it asks a name server or connects anywhere."""
    guard = (
        "import os, socket\ndef ends(*_a, **_k):\n    os.write(2, b'ASKED THE NETWORK')\n    os._exit(99)\n"
    )
    guard += "socket.getaddrinfo = socket.socket.connect = socket.socket.connect_ex = ends\n"
    (tmp_path / "guard").mkdir(exist_ok=True)
    (tmp_path / "guard" / "sitecustomize.py").write_text(guard)
    return subprocess.run(
        [sys.executable, "-m", "chimera_nb", "doctor", *arguments],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "guard"), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_on_a_laptop_without_account_or_stack_nothing_is_asked_and_all_is_in_order(tmp_path):
    done = run(tmp_path, "--json", HTTPS_PROXY="http://u:secret@proxy:3128")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ASKED THE NETWORK" not in done.stderr
    document = json.loads(done.stdout)
    assert document["ok"] is True
    found = {finding["check"]: finding["state"] for finding in document["findings"]}
    assert found["credentials"] == found["local stack"] == found["dataflow"] == "off"
    assert found["python"] == found["packages"] == found["job log"] == "ok"
    assert "secret" not in done.stdout


def test_a_fault_ends_it_with_1_and_the_remedy_on_the_next_line(tmp_path):
    (tmp_path / "chimera.toml").write_text("nonsense = 1")
    done = run(tmp_path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    (at,) = [n for n, line in enumerate(lines) if line.startswith("fault  settings")]
    assert "unknown setting nonsense" in lines[at]
    assert lines[at + 1].strip().startswith("remedy: ")
    assert lines[-1] == "1 thing to mend"


def test_what_is_asked_about_and_is_no_bucket_is_refused(tmp_path):
    done = run(tmp_path, "/no/bucket")
    assert done.returncode == 2
    assert "write gs://bucket" in done.stderr


def test_the_versions_shown_are_those_installed():
    (found,) = installed.check_packages()
    assert f"apache-beam {version('apache-beam')}" in found.says
