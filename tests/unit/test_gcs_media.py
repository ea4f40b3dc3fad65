"""Bodies of objects go out as the client's own requests do: proxies, certificates, credentials, billing, forks."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import google_crc32c
import pytest
from google.auth import credentials, impersonated_credentials

from pipeline import uri
from pipeline.archives.store import store_of_archives
from pipeline.errors import StoreUnavailableError, TransferError
from pipeline.inputs.packets import ListedFile, pack, unpack
from pipeline.read.file import read_file
from pipeline.storage import Cloud, Patience, PlainStore, bounded, gcs_media, gcs_read
from pipeline.storage.access_policy import AccessLists
from pipeline.storage.patience import PERSON
from pipeline.uri import written
from tests.fixtures.certificates import make_certificate

ENVIRONMENT = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")


class Asked(ThreadingHTTPServer):
    """Gives objects by the JSON API, also as a proxy; `asked` has what came."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.objects: dict[str, bytes] = {}
        self.crc32c: str | None = None
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Asked

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        name = unquote(urlsplit(self.path).path.rpartition("/o/")[2])
        data = self.server.objects.get(name)
        if data is None:
            self.send_error(404)
            return
        crc = self.server.crc32c or base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Goog-Generation", "7")
        self.send_header("X-Goog-Stored-Content-Length", str(len(data)))
        self.send_header("X-Goog-Hash", f"crc32c={crc}")
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        """A token, as the service gives them that lets one act for another."""
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.rfile.read(int(self.headers["Content-Length"]))
        until = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
        body = json.dumps(
            {"accessToken": "of-another", "expireTime": until.strftime("%Y-%m-%dT%H:%M:%SZ")}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch) -> None:
    for name in (*ENVIRONMENT, *map(str.upper, ENVIRONMENT), "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Asked]:
    made = Asked()
    made.objects["x"] = b"of x"
    yield made
    made.shutdown()
    made.server_close()
    gcs_media._transport.cache_clear()


def store(endpoint: str, **fields: object) -> PlainStore:
    return PlainStore(patience=Patience(seconds=0), cloud=Cloud(endpoint), **fields)


@pytest.mark.parametrize("name", ["x", "trail/", "a//b", "a/../b", "..x", "sp ace %2F+?#", "日本語", "q=1&y"])
def test_an_object_of_any_name_is_one_request(server, name):
    server.objects[name] = name.encode()
    read = store(f"http://{server.address}", user_project="the-payer")
    assert read.read_bytes(f"gs://b/{name}") == name.encode()
    ((path, headers),) = server.asked
    assert path.endswith("?alt=media&userProject=the-payer")
    assert (headers["accept-encoding"], headers["range"]) == ("gzip", "bytes=0-1048575")
    assert "authorization" not in headers


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_that_the_environment_names_is_asked(server, monkeypatch, variable):
    monkeypatch.setenv(variable, f"http://me:secret@{server.address}")
    read = store("http://store.invalid:4443")
    assert read.read_bytes("gs://b/x") == b"of x"
    ((path, headers),) = server.asked
    assert path.startswith("http://store.invalid:4443/download/storage/v1/b/b/o/x?")
    assert headers["proxy-authorization"] == "Basic " + base64.b64encode(b"me:secret").decode()
    monkeypatch.setenv("NO_PROXY", "store.invalid")
    with pytest.raises(StoreUnavailableError, match="does not answer"):
        read.read_bytes("gs://b/x")
    assert len(server.asked) == 1


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    assert store(f"http://{server.address}").read_bytes("gs://b/x") == b"of x"


def test_certificates_that_the_environment_names_are_trusted_and_no_others(tmp_path, monkeypatch):
    certificate = make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server = Asked(tls)
    server.objects["x"] = b"of x"
    read = store(f"https://{server.address}")
    try:
        with pytest.raises(StoreUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
            read.read_bytes("gs://b/x")
        for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            with monkeypatch.context() as named:
                named.setenv(variable, certificate)
                assert read.read_bytes("gs://b/x") == b"of x"
    finally:
        gcs_media._transport.cache_clear()
        server.shutdown()
        server.server_close()


class Mine(credentials.Credentials):
    """Credentials of whoever asks."""

    def __init__(self) -> None:
        super().__init__()
        self.token = "mine"

    def refresh(self, request: object) -> None:
        del request


def test_who_acts_for_another_asks_with_the_others_token(server, monkeypatch):
    acting = impersonated_credentials.Credentials(
        source_credentials=Mine(),
        target_principal="other@p.iam.gserviceaccount.com",
        target_scopes=["https://www.googleapis.com/auth/devstorage.read_only"],
        iam_endpoint_override=f"http://{server.address}/token",
        quota_project_id="billed",
    )
    client = SimpleNamespace(
        _credentials=acting, _connection=SimpleNamespace(API_BASE_URL=f"http://{server.address}")
    )
    for module in (gcs_media, gcs_read):
        monkeypatch.setattr(module, "client", lambda _: client)
    read = PlainStore(patience=PERSON)
    assert [read.read_bytes("gs://b/x") for _ in range(2)] == [b"of x"] * 2
    (token, mine), (_, first), (_, second) = server.asked
    assert (token, mine["authorization"]) == ("/token", "Bearer mine")
    assert first["authorization"] == second["authorization"] == "Bearer of-another"
    assert first["x-goog-user-project"] == "billed"


def test_a_forked_child_asks_by_connections_of_its_own(server):
    read = store(f"http://{server.address}")
    assert read.read_bytes("gs://b/x") == b"of x"
    child = os.fork()
    if not child:  # pragma: no cover
        try:
            os._exit(0 if read.read_bytes("gs://b/x") == b"of x" else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert read.read_bytes("gs://b/x") == b"of x"
    assert len(server.asked) == 3


def test_a_body_that_is_not_what_the_bucket_keeps_is_no_body(server):
    server.crc32c = "AAAAAA=="
    with pytest.raises(TransferError, match="AAAAAA== in the bucket"):
        store(f"http://{server.address}").read_bytes("gs://b/x")


@pytest.mark.parametrize("is_local", [False, True])
def test_a_file_that_was_listed_is_read_without_a_look_at_its_text(server, tmp_path, monkeypatch, is_local):
    folder = f"{tmp_path}/in" if is_local else "gs://b/in"
    plain = store(f"http://{server.address}")
    for name in ("1", "2", "odd!/3"):
        server.objects[f"in/{name}"] = b"{}\n"
        plain.write_bytes(written("", f"{tmp_path}/in/{name}"), b"{}\n")
    bucket = "" if is_local else "b"
    paths = [f"{folder.removeprefix('gs://b/')}/{name}" for name in ("1", "2", "odd!/3")]
    packet = pack([ListedFile(written(bucket, path), 3) for path in paths])
    files = store_of_archives(bounded(plain, AccessLists.of([str(tmp_path) if is_local else "b/in"], None)))
    parsed, split = [], uri._split
    monkeypatch.setattr(uri, "_split", lambda text: parsed.append(text) or split(text))
    listed = list(unpack(packet))
    # What they begin with, and the name that is written otherwise than it is.
    assert parsed == [f"{folder}/", f"{folder}/odd!!/3"]
    assert [read_file(files, file.uri, size=file.size).record.status for file in listed] == ["complete"] * 3
    assert parsed[2:] == []
