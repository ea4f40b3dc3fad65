"""The doctor's checks of buckets, Dataflow and the job log, in each state that they can find."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from google.api_core import exceptions as api
from google.auth import exceptions as auth

from chimera_nb.doctor import buckets, credentials, services
from chimera_nb.doctor.buckets import READ, WRITE, bucket_checks, check_bucket
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
from tests.fixtures.doctor import CLOUD, FAULT, OFF, OK, only, set_nothing, states

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    set_nothing(monkeypatch, tmp_path)


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
