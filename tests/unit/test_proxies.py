"""What goes past a proxy, and what is told of one that stands between."""

from __future__ import annotations

import http.server
import os
import threading

import pytest
import requests

from chimera_nb.environment import job_environment
from chimera_nb.local.stack import Stack
from chimera_nb.settings import Settings
from pipeline.errors import CredentialsError, StorageError, StoreUnavailableError
from pipeline.proxies import direct_environment, is_of_proxy, is_on_loopback, reach_directly, through_proxy
from pipeline.storage import Cloud, gcs_client

_NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_STORE = "https://storage.googleapis.com"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("http://localhost:4443", True),
        ("localhost:8080", True),
        ("127.0.0.1:8080", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:9000/x", True),
        ("http://localhost.example.com:80", False),
        ("http://10.0.0.1:80", False),
        (_STORE, False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_what_is_on_this_machine(address, own):
    assert is_on_loopback(address) is own


def test_what_was_exempt_stays_exempt_and_nothing_is_named_twice():
    before = {"no_proxy": "corp.example, 10.0.0.0/8", "NO_PROXY": "localhost,.internal"}
    direct = direct_environment(before)
    assert direct["no_proxy"] == "corp.example,10.0.0.0/8,localhost,.internal,127.0.0.1,::1"
    assert direct["NO_PROXY"] == direct["no_proxy"]
    assert direct_environment(direct) == direct


def test_a_jobs_process_has_it(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", ".internal")
    made = job_environment(Settings(data_dir=tmp_path))
    assert made["NO_PROXY"] == made["no_proxy"] == ".internal,localhost,127.0.0.1,::1"


def test_the_exports_of_a_stack_have_it(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "corp.example")
    exports = Stack(tmp_path, "http://localhost:1", "http://localhost:2", 1, "then").exports()
    assert exports["NO_PROXY"] == exports["no_proxy"] == "corp.example,localhost,127.0.0.1,::1"


class _Proxy(http.server.BaseHTTPRequestHandler):
    """Answers whatever it is asked with a page of its own."""

    def do_GET(self) -> None:
        body = b"<html>Blocked by policy</html>"
        self.send_response(403)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy():
    """The address of a proxy that lets nothing through."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_session_for_this_machine_takes_no_proxy(proxy, monkeypatch):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as there:
        threading.Thread(target=there.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{there.server_port}/"
        monkeypatch.setenv("http_proxy", proxy)
        session = requests.Session()
        assert session.get(address).status_code == 403
        reach_directly(session, address)
        assert session.get(address).status_code == 501  # of the server itself
        there.shutdown()


def test_the_client_of_a_store_on_this_machine_takes_no_proxy(monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://localhost:1")
    assert not gcs_client.client(Cloud())._http.trust_env
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://store.example:1")
    assert gcs_client.client(Cloud())._http.trust_env


def test_the_client_of_a_dataflow_on_this_machine_takes_no_proxy():
    from chimera_nb.jobs.runners.dataflow_client import _made

    assert not _made("Jobs", "http://localhost:1").transport._session.trust_env
    assert _made("Jobs", "http://localhost.example:1").transport._session.trust_env


def test_a_proxy_is_named_by_its_variable_and_without_its_password(monkeypatch):
    assert through_proxy(_STORE) == ""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example:3128")
    assert through_proxy(_STORE) == " through the proxy http://proxy.example:3128 that HTTPS_PROXY names"
    assert through_proxy("http://localhost:1") == ""
    monkeypatch.setenv("NO_PROXY", ".googleapis.com")
    assert through_proxy(_STORE) == ""


def test_a_store_behind_a_proxy_that_is_away_is_told_so(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(StoreUnavailableError) as caught, gcs_client.mapped("gs://b/x"):
        requests.get(_STORE, timeout=10)
    assert str(caught.value).startswith(
        "the store does not answer through the proxy http://127.0.0.1:9 that HTTPS_PROXY names (ProxyError: "
    )
    assert "NO_PROXY" in str(caught.value)


def test_an_answer_of_the_proxy_is_not_taken_for_the_stores(proxy, monkeypatch):
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://store.example:1")
    client = storage.Client(project="p", credentials=AnonymousCredentials())
    with (
        pytest.raises(StorageError) as caught,
        gcs_client.mapped("gs://b/x", endpoint="http://store.example:1"),
    ):
        client.get_bucket("b")
    assert f"403 was answered through the proxy {proxy} that http_proxy names" in str(caught.value)
    assert "bucket's owner" not in str(caught.value)


def test_what_google_answers_is_not_taken_for_the_proxys():
    answer = requests.Response()
    answer.status_code, answer.headers["Content-Type"] = 404, "text/html; charset=UTF-8"
    assert is_of_proxy(answer)
    answer.headers["X-GUploader-UploadID"] = "x"
    assert not is_of_proxy(answer)
    assert not is_of_proxy(None)


def test_a_proxy_between_here_and_the_credentials_is_named(monkeypatch):
    from google.auth.exceptions import TransportError

    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with (
        pytest.raises(
            CredentialsError, match=r"does not answer through the proxy http://127.0.0.1:9 that https_proxy"
        ),
        gcs_client.mapped("gs://b"),
    ):
        raise TransportError("refused")


@pytest.mark.parametrize("address", ["rubbish::x", "http://[::1", "socks5://127.0.0.1:9"])
def test_an_address_that_is_none_is_not_tried_again(address, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
    with (
        pytest.raises(StorageError, match="correct STORAGE_EMULATOR_HOST") as caught,
        gcs_client.mapped("gs://b"),
    ):
        requests.get(os.environ["STORAGE_EMULATOR_HOST"], timeout=10)
    assert not isinstance(caught.value, StoreUnavailableError)
