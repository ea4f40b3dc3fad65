"""The storage stand-in as google-cloud-storage sees it, through the proxy."""

from __future__ import annotations

import gzip
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from google.api_core import exceptions as api

from tests.fixtures.stack import put

NAMES = [
    "a", "a/b", "a/b/c", "folder/", "folder/x", "a//b", "/lead", "../up", "a/../b", "./x", ".hidden",
    "star*?[a]{b,c}.bz2", "ünï—日本.bz2", "e\u0301", "trailing ", "trailing.", "a+b", "a%2Fb", "a%20b", "q?x=1&y#z",
    "back\\slash", "<img src=x onerror=alert(1)>.bz2", "tab\t", "what!", "x.metadata", "quote'\"",
    "y" * 256, "z" * 1024, "é" * 300, "/".join(["d" * 200] * 5), "in/" + "w" * 500 + "/deep",
]  # fmt: skip


def test_any_name_is_kept_as_it_is(objects):
    for name in NAMES:
        put(objects, name, f"data of {name}".encode())
    assert [blob.name for blob in objects.list_blobs()] == sorted(NAMES, key=str.encode)
    for name in NAMES:
        blob = objects.get_blob(name)
        assert blob.name == name
        assert blob.download_as_bytes(raw_download=True) == f"data of {name}".encode()
    for name in NAMES:
        objects.blob(name).delete()
    assert list(objects.list_blobs()) == []


def test_names_stay_inside_the_bucket_on_disk(stack, bucket, objects):
    put(objects, "../../../escaped")
    files = list(stack.data_dir.rglob("*escaped*"))
    assert [bucket in path.parts for path in files] == [True]


def test_a_resumable_upload_keeps_its_name(objects):
    blob = objects.blob("a+b/é%2F/" + "r" * 300, chunk_size=256 * 1024)
    blob.upload_from_string(b"0123456789abcdef" * 50_000)
    found = objects.get_blob(blob.name)
    assert found.size == 800_000
    assert found.download_as_bytes(raw_download=True) == b"0123456789abcdef" * 50_000


def test_a_name_that_real_storage_refuses_is_refused(stack, bucket):
    url = f"{stack.storage_endpoint}/upload/storage/v1/b/{bucket}/o"
    for name in ("..", "line\nbreak", "n" * 1025, ""):
        answer = requests.post(url, params={"uploadType": "media", "name": name}, data=b"x", timeout=10)
        assert answer.status_code == 400, name


def test_folders_are_listed_with_their_own_objects_and_prefixes(objects):
    for name in NAMES:
        put(objects, name)

    def folder(prefix):
        found = objects.list_blobs(prefix=prefix, delimiter="/")
        return [blob.name for blob in found], sorted(found.prefixes)

    assert folder("a/") == (["a/b"], ["a/../", "a//", "a/b/"])
    assert folder("folder/") == (["folder/", "folder/x"], [])
    assert folder("in/") == ([], ["in/" + "w" * 500 + "/"])
    assert folder("y") == (["y" * 256], [])
    expected = {name.partition("/")[0] + "/" for name in NAMES if "/" in name}
    assert folder("") == (
        sorted([name for name in NAMES if "/" not in name], key=str.encode),
        sorted(expected),
    )


def test_pages_hold_each_object_and_each_prefix_once(objects):
    for number in range(7):
        put(objects, f"file-{number}")
        put(objects, f"folder-{number}/x")
    pages = list(objects.list_blobs(page_size=3, delimiter="/").pages)
    assert [blob.name for page in pages for blob in page] == [f"file-{number}" for number in range(7)]
    assert [prefix for page in pages for prefix in page.prefixes] == [f"folder-{n}/" for n in range(7)]


def test_a_page_has_a_thousand_objects_at_most(stack, bucket, objects):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: put(objects, f"{number:04}", b""), range(1001)))
    url = f"{stack.storage_endpoint}/storage/v1/b/{bucket}/o"
    page = requests.get(url, timeout=30).json()
    assert len(page["items"]) == 1000
    rest = requests.get(url, params={"pageToken": page["nextPageToken"]}, timeout=30).json()
    assert [item["name"] for item in rest["items"]] == ["1000"]
    assert "nextPageToken" not in rest


def test_a_raw_read_is_what_was_written_whatever_its_encoding(objects):
    packed = gzip.compress(b"hello" * 100)
    blob = objects.blob("packed")
    blob.content_encoding = "gzip"
    blob.upload_from_string(packed)
    assert blob.download_as_bytes(raw_download=True) == packed
    assert blob.download_as_bytes(raw_download=True, start=5, end=9) == packed[5:10]
    assert blob.download_as_bytes() == b"hello" * 100


def test_a_download_says_what_is_stored(stack, bucket, objects):
    blob = put(objects, "one", b"0123456789")
    url = f"{stack.storage_endpoint}/download/storage/v1/b/{bucket}/o/one"
    for method, span in (("GET", "bytes=2-4"), ("GET", None), ("HEAD", None)):
        answer = requests.request(method, url, headers={"Range": span} if span else {}, timeout=10)
        assert answer.headers["X-Goog-Generation"] == str(blob.generation)
        assert f"crc32c={blob.crc32c}" in answer.headers["X-Goog-Hash"]
        assert answer.headers["X-Goog-Stored-Content-Length"] == "10"
        assert answer.headers["X-Goog-Stored-Content-Encoding"] == "identity"
        assert answer.content == {("GET", "bytes=2-4"): b"234", ("GET", None): b"0123456789"}.get(
            (method, span), b""
        )


@pytest.mark.parametrize(("data", "span"), [(b"abc", "bytes=3-"), (b"", "bytes=0-"), (b"", "bytes=-4")])
def test_a_range_beyond_the_end_is_416(stack, bucket, objects, data, span):
    put(objects, "short", data)
    url = f"{stack.storage_endpoint}/download/storage/v1/b/{bucket}/o/short"
    assert requests.get(url, headers={"Range": span}, timeout=10).status_code == 416


def test_an_upload_that_breaks_off_leaves_nothing(stack, bucket, objects):
    host, port = stack.storage_endpoint.removeprefix("http://").split(":")
    target = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name=broken"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"POST {target} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 10)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):  # until the proxy has let go of it
            pass
    put(objects, "whole", b"x")
    assert [blob.name for blob in objects.list_blobs()] == ["whole"]


def test_what_is_not_there_is_404(storage_client, objects):
    nowhere = storage_client.bucket("no-such-bucket")
    assert objects.get_blob("gone") is None
    assert not nowhere.exists()
    for attempt in (
        lambda: objects.blob("gone").download_as_bytes(),
        lambda: objects.blob("gone").delete(),
        lambda: objects.blob("gone").delete(if_generation_match=1),
        lambda: nowhere.blob("gone").download_as_bytes(),
        lambda: nowhere.blob("gone").upload_from_string(b"x"),
        lambda: list(nowhere.list_blobs()),
    ):
        with pytest.raises(api.NotFound):
            attempt()


def test_preconditions_hold_for_every_kind_of_request(objects):
    old = put(objects, "old", b"old")
    stale = old.generation - 1
    long = objects.blob("old", chunk_size=256 * 1024)
    for attempt in (
        lambda: put(objects, "old", if_generation_match=0),
        lambda: put(objects, "old", if_generation_match=stale),
        lambda: long.upload_from_string(b"x" * 10**6, if_generation_match=0),
        lambda: objects.copy_blob(old, objects, "old", if_generation_match=0),
        lambda: objects.blob("old").rewrite(old, if_generation_match=0),
        lambda: objects.blob("old").compose([old], if_generation_match=stale),
        lambda: objects.blob("old").delete(if_generation_match=stale),
        lambda: objects.blob("old").reload(if_generation_match=stale),
        lambda: objects.blob("old").download_as_bytes(if_generation_match=stale),
    ):
        with pytest.raises(api.PreconditionFailed):
            attempt()
    with pytest.raises(api.NotFound):
        objects.blob("old", generation=stale).delete()
    assert objects.blob("old").download_as_bytes(if_generation_match=old.generation) == b"old"
    objects.blob("old").delete(if_generation_match=old.generation)


def test_a_copy_is_one_of_the_source_that_was_meant(objects):
    source = put(objects, "source", b"new")
    stale = source.generation - 1
    for wrong in (
        {"if_source_generation_match": stale},
        {"if_source_generation_not_match": source.generation},
        {"if_source_metageneration_match": 2},
        {"if_source_metageneration_not_match": 1},
    ):
        for attempt in (
            lambda wrong=wrong: objects.blob("target").rewrite(source, **wrong),
            lambda wrong=wrong: objects.copy_blob(source, objects, "target", **wrong),
            lambda wrong=wrong: objects.move_blob(source, "target", **wrong),
        ):
            with pytest.raises(api.PreconditionFailed):
                attempt()
    with pytest.raises(api.NotFound):
        objects.copy_blob(source, objects, "target", source_generation=stale)
    assert [blob.name for blob in objects.list_blobs()] == ["source"]
    right = {"if_source_generation_match": source.generation, "if_source_metageneration_match": 1}
    objects.blob("target").rewrite(source, if_generation_match=0, **right)
    objects.copy_blob(source, objects, "copy", **right)
    assert {blob.download_as_bytes() for blob in objects.list_blobs()} == {b"new"}


@pytest.mark.parametrize("name", ["moved", "a/b c?d=1%2F", "é" * 300, "../up"])
def test_a_move_takes_all_that_is_known_to_another_name(objects, name):
    source = objects.blob("from/" + name)
    source.content_encoding, source.metadata = "gzip", {"k": "v"}
    source.upload_from_string(gzip.compress(b"x"), content_type="text/x-test")
    moved = objects.move_blob(source, name, if_generation_match=0)
    assert [blob.name for blob in objects.list_blobs()] == [name]
    found = objects.get_blob(name)
    assert (moved.name, moved.size, moved.generation) == (name, source.size, found.generation)
    assert found.generation != source.generation
    assert (found.crc32c, found.content_encoding, found.content_type, found.metadata) == (
        source.crc32c, "gzip", "text/x-test", {"k": "v"},
    )  # fmt: skip


def test_a_move_without_a_source_or_onto_what_must_not_be_there_changes_nothing(objects):
    there, source = put(objects, "there", b"there"), put(objects, "source", b"source")
    with pytest.raises(api.PreconditionFailed):
        objects.move_blob(source, "there", if_generation_match=0)
    with pytest.raises(api.BadRequest):
        objects.move_blob(source, "source")
    with pytest.raises(api.NotFound):
        objects.move_blob(objects.blob("gone"), "there")
    assert {blob.name: blob.download_as_bytes() for blob in objects.list_blobs()} == {
        "source": b"source",
        "there": b"there",
    }
    objects.move_blob(source, "there", if_generation_match=there.generation)
    assert {blob.name: blob.download_as_bytes() for blob in objects.list_blobs()} == {"there": b"source"}


def test_of_many_moves_of_one_object_and_onto_one_name_one_succeeds(objects):
    def move(pair):
        try:
            objects.move_blob(objects.blob(pair[0]), pair[1], if_generation_match=0)
        except (api.NotFound, api.PreconditionFailed):
            return 0
        return 1

    put(objects, "one")
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(move, [("one", f"to/{n}") for n in range(16)])) == 1
        for n in range(16):
            put(objects, f"many/{n}")
        assert sum(pool.map(move, [(f"many/{n}", "single") for n in range(16)])) == 1
        # In a ring: no two wait for each other.
        list(pool.map(move, [(f"many/{n}", f"many/{(n + 1) % 16}") for n in range(16)]))
    assert len(list(objects.list_blobs())) == 17


def test_a_resumable_upload_whose_object_came_meanwhile_is_refused(objects):
    blob = objects.blob("mine")
    session = blob.create_resumable_upload_session(if_generation_match=0)
    put(objects, "mine", b"other")
    assert requests.put(session, data=b"mine", timeout=10).status_code == 412
    assert blob.download_as_bytes() == b"other"


def test_of_many_who_take_a_name_one_gets_it(objects):
    source = put(objects, "source")

    def take(number):
        try:
            if number % 2:
                put(objects, "taken", if_generation_match=0)
            else:
                objects.blob("taken").rewrite(source, if_generation_match=0)
        except api.PreconditionFailed:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(16))) == 1


def test_copy_compose_and_rename_carry_what_is_known(objects):
    source = objects.blob("a")
    source.content_encoding, source.metadata = "gzip", {"k": "v"}
    source.upload_from_string(gzip.compress(b"x"), content_type="text/x-test")
    objects.rename_blob(source, "b/c")
    moved = objects.get_blob("b/c")
    assert not objects.blob("a").exists()
    assert (moved.crc32c, moved.content_encoding, moved.content_type, moved.metadata) == (
        source.crc32c, "gzip", "text/x-test", {"k": "v"},
    )  # fmt: skip
    put(objects, "one/", b"1")
    put(objects, "two", b"2")
    objects.blob("both").compose([objects.blob("one/"), objects.blob("two")])
    assert objects.blob("both").download_as_bytes() == b"12"


def test_a_batch_copies_and_deletes_as_beam_does_it(storage_client, objects):
    names = [f"x/{number}" for number in range(3)] + ["x"]
    for name in names:
        put(objects, name, name.encode())
    with storage_client.batch():
        for name in names:
            objects.copy_blob(objects.blob(name), objects, f"y/{name}")
    with storage_client.batch(raise_exception=False) as batch:
        for name in [*names, "gone"]:
            objects.blob(name).delete()
    assert [answer.status_code for answer in batch._responses] == [204, 204, 204, 204, 404]
    assert [blob.name for blob in objects.list_blobs()] == sorted(f"y/{name}" for name in names)


def test_a_resumable_upload_tells_how_far_it_is_takes_a_chunk_once_and_is_remembered(stack, objects):
    url = f"{stack.storage_endpoint}/upload/storage/v1/b/{objects.name}/o?uploadType=resumable"
    session = requests.post(url, json={"name": "x"}, timeout=10).headers["Location"]

    def put(span, body=b""):
        answer = requests.put(
            session, body, headers={"Content-Range": span}, timeout=10, allow_redirects=False
        )
        return answer.status_code, answer.headers.get("Range"), answer

    size = 256 << 10
    assert put("bytes */*")[:2] == (308, None)
    for _ in range(2):
        assert put(f"bytes 0-{size - 1}/*", b"a" * size)[:2] == (308, f"bytes=0-{size - 1}")
        assert put(f"bytes */{size + 1}")[:2] == (308, f"bytes=0-{size - 1}")
    for span, body in ((f"bytes {size}-{size}/{size + 1}", b"b"), (f"bytes */{size + 1}", b"")):
        status, _, answer = put(span, body)
        assert (status, answer.json()["name"], int(answer.json()["size"])) == (200, "x", size + 1)
    assert objects.blob("x").download_as_bytes() == b"a" * size + b"b"


@pytest.mark.parametrize("headers", [{"Origin": "http://example.com"}, {"Host": "rebound.example.com"}])
def test_web_pages_are_kept_out(stack, headers):
    url = f"{stack.storage_endpoint}/storage/v1/b"
    assert requests.get(url, headers=headers, timeout=10).status_code == 403
    assert "Access-Control-Allow-Origin" not in requests.get(url, timeout=10).headers


def test_large_objects_pass_without_growing_the_proxy(stack, bucket, tmp_path):
    size = 200_000_000
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
    host, before = stack.storage_endpoint, peak_memory(stack.pid)
    with (tmp_path / "large").open("rb") as file:
        upload = f"{host}/upload/storage/v1/b/{bucket}/o?uploadType=media&name=large"
        assert requests.post(upload, data=file, timeout=120).json()["size"] == str(size)
    with requests.get(f"{host}/download/storage/v1/b/{bucket}/o/large", stream=True, timeout=120) as answer:
        assert sum(map(len, answer.iter_content(1 << 20))) == size
    assert peak_memory(stack.pid) - before < 32_000_000


def peak_memory(pid):
    """The most memory, in bytes, that a process has had resident."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("reads /proc")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
