"""The doctor's check of who one is to Google, in each state that it can find."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from google.auth import exceptions as auth

from chimera_nb.doctor import credentials
from chimera_nb.settings import Settings
from tests.fixtures.doctor import CLOUD, FAULT, OFF, OK, only, set_nothing


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    set_nothing(monkeypatch, tmp_path)


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
