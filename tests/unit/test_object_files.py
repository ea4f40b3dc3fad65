"""The storage stand-in's files: what is listed, what is known of an object, what an upload may look like."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import google_crc32c
import psutil
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chimera_nb.local.storage.known import is_described
from chimera_nb.local.storage.multipart import parts_of_multipart
from chimera_nb.local.storage.names import from_disk, to_disk, to_disk_prefix
from chimera_nb.local.storage.object_files import ObjectFiles
from chimera_nb.local.storage.object_server import ObjectServer

BUCKET = "kept"
_PIECES = st.sampled_from([*"ab/!. -~\0\uffff\U0001f600", "x" * 199, "x" * 200])
NAMES = st.lists(_PIECES, min_size=1, max_size=6).map("".join).filter(lambda name: name not in {".", ".."})


@pytest.fixture
def files(tmp_path) -> ObjectFiles:
    made = ObjectFiles(tmp_path / "storage", tmp_path / "incoming")
    made.make_bucket(BUCKET)
    return made


@pytest.fixture(params=["attributes", "files beside"])
def any_files(request, files, monkeypatch):
    """The same where what is known of an object is an attribute of its file, and where it is a file beside it."""
    if request.param == "files beside":
        monkeypatch.setattr("chimera_nb.local.storage.known.sys.platform", "darwin")
    elif sys.platform != "linux":
        pytest.skip("has no extended attributes")
    return files


def put(files, path, data=b"x", **said):
    incoming = files.incoming()
    try:
        incoming.write(data)
        return files.commit(incoming, BUCKET, path, **said)
    finally:
        incoming.drop()


@given(st.sets(NAMES, max_size=12), NAMES | st.just(""), NAMES | st.just(""), NAMES | st.just(""))
@example({"a/z"}, "", "", "a/b")
@example({"a//b", "a/-b", "a/.b", "a b", "a", "x" * 200 + "/y", "x" * 200 + "y", "x" * 200 + "-"}, "", "", "")
def test_a_listing_has_the_order_of_names_on_all_its_pages(tmp_path_factory, names, prefix, start, end):
    folder = tmp_path_factory.mktemp("files")
    files = ObjectFiles(folder / "storage", folder / "incoming")
    files.make_bucket(BUCKET)
    for name in names:
        put(files, to_disk(name))
    wanted = sorted(
        (name for name in names if name.startswith(prefix) and start <= name and (not end or name < end)),
        key=str.encode,
    )
    given = {"prefix": prefix, "startOffset": start, "endOffset": end}
    given = {key: to_disk_prefix(value) for key, value in given.items() if value}
    assert list_all(files, **given) == wanted
    cut = len(prefix)
    folded = [name[: name.find("/", cut) + 1] if "/" in name[cut:] else name for name in wanted]
    assert list_all(files, delimiter="/", **given) == list(dict.fromkeys(folded))


def list_all(files, **query):
    """The names of objects and folders, one a page."""
    client, listed, token = Client(files), [], None
    while True:
        asked = {"maxResults": "1", **query, **({"pageToken": token} if token else {})}
        status, _, body = client("GET", f"/storage/v1/b/{BUCKET}/o?{urlencode(asked)}")
        assert status == 200
        page = json.loads(body)
        listed += [item["name"] for item in page.get("items", [])] + page.get("prefixes", [])
        token = page.get("nextPageToken")
        if token is None:
            return list(map(from_disk, listed))


def test_a_listing_says_of_objects_what_it_is_asked_for(files):
    known = put(files, "a!", metadata={"k": "v"})
    listing = f"/storage/v1/b/{BUCKET}/o?fields="
    some = Client(files)("GET", f"{listing}items(name,size,generation),nextPageToken")[2]
    assert json.loads(some)["items"] == [{"name": "a!", "size": "1", "generation": str(known.generation)}]
    assert json.loads(Client(files)("GET", f"{listing}items")[2])["items"][0]["metadata"] == {"k": "v"}


@pytest.fixture
def many_switches():
    """Threads that give way after 10 us instead of 5 ms, for which those that compute are else waited for each time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_what_is_listed_while_it_is_replaced_has_the_size_of_its_generation(files, many_switches):
    put(files, "a!")
    ended = threading.Event()

    def look():
        while not ended.is_set():
            known = files.find(BUCKET, "a!")
            if known.size != int(known.metadata.get("size", known.size)):
                return known
        return None

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        for number in range(2000):
            put(files, "a!", b"x" * (number % 7), metadata={"size": str(number % 7)})
        ended.set()
        assert looking.result() is None


def test_what_is_known_of_an_object_is_what_was_written(any_files):
    known = put(any_files, "a!", b"0123456789", content_encoding="gzip", metadata={"k": "v"})
    assert any_files.find(BUCKET, "a!") == known
    assert known.size == 10
    assert known.crc32c == base64.b64encode(google_crc32c.value(b"0123456789").to_bytes(4, "big")).decode()
    assert known.md5 == base64.b64encode(hashlib.md5(b"0123456789").digest()).decode()
    changed = any_files.change(BUCKET, "a!", known, metadata={"k": "w"})
    assert any_files.find(BUCKET, "a!") == changed
    assert (changed.generation, changed.metadata) == (known.generation, {"k": "w"})
    assert list(any_files.paths(BUCKET)) == ["a!"]


def test_an_object_that_is_replaced_has_a_later_generation_and_its_readers_read_on(any_files):
    first = put(any_files, "a!", b"first")
    known, reading = any_files.open(BUCKET, "a!")
    with reading:
        second = put(any_files, "a!", b"second")
        assert reading.read() == b"first"
    assert known == first
    assert second.generation > first.generation
    assert any_files.find(BUCKET, "a!") == second


def test_a_deleted_object_leaves_no_file_and_no_folder(any_files, tmp_path):
    put(any_files, "a/b/c!")
    put(any_files, "a/d!")
    any_files.delete(BUCKET, "a/b/c!")
    assert list(any_files.paths(BUCKET)) == ["a/d!"]
    assert not any_files.delete_bucket(BUCKET)
    any_files.delete(BUCKET, "a/d!")
    assert list((tmp_path / "storage" / BUCKET).iterdir()) == []
    assert any_files.delete_bucket(BUCKET)
    assert any_files.buckets() == []


def test_a_write_that_is_dropped_leaves_nothing(files, tmp_path):
    incoming = files.incoming()
    incoming.write(b"half")
    incoming.drop()
    assert list(files.paths(BUCKET)) == []
    assert list((tmp_path / "incoming").iterdir()) == []


def test_what_a_killed_service_left_half_written_is_gone_with_the_next(files, tmp_path):
    half = files.incoming()
    half.write(b"half")
    again = ObjectFiles(tmp_path / "storage", tmp_path / "incoming")
    assert list((tmp_path / "incoming").iterdir()) == []
    assert put(again, "a!").size == 1
    half.drop()


@pytest.mark.parametrize("path", ["../a!", "a/../../b!", "/etc/a!", "a//b!", ""])
def test_no_path_leads_out_of_the_bucket(files, path):
    with pytest.raises(ValueError, match="not a path"):
        put(files, path)
    for bucket in ("..", "../x", "a/b", "."):
        assert not files.has_bucket(bucket)
        with pytest.raises(ValueError, match="not a name"):
            files.make_bucket(bucket)


@pytest.mark.skipif(sys.platform != "linux", reason="needs extended attributes")
def test_what_fake_gcs_server_wrote_is_read(files, tmp_path):
    file = tmp_path / "storage" / BUCKET / "old!"
    file.write_bytes(b"content")
    said = (  # by version 1.52.3
        '{"StorageClass":"STANDARD","ContentType":"text/x-test","ContentEncoding":"gzip","ContentDisposition":"",'
        '"Crc32c":"Ya91Mw==","Md5Hash":"mgNkuembtIDdJeHwKEyFVQ==","Etag":"mgNkuembtIDdJeHwKEyFVQ==","Metadata":null,'
        '"Created":"2026-11-25T21:14:28.277577Z","Updated":"2026-11-25T21:14:28.277582Z","Generation":1795641268277583}'
    )
    os.setxattr(file, "user.metadata", said.encode())
    known = files.find(BUCKET, "old!")
    assert (known.size, known.generation, known.content_encoding) == (7, 1795641268277583, "gzip")
    assert is_described(file)


@given(st.binary(max_size=200), st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_a_multipart_upload_is_its_data_however_the_body_is_cut(data, cuts):
    body = (
        b'--==b==\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n{"name": "a"}\r\n'
        b"--==b==\r\ncontent-type: text/x-test\r\n\r\n" + data + b"\r\n--==b==--"
    )

    async def pieces():
        at = 0
        for size in (cuts * len(body))[: len(body)]:
            if at < len(body):
                yield body[at : at + size]
                at += size

    async def read(stream):
        document, kind, data = await parts_of_multipart('multipart/related; boundary="==b=="', stream)
        return document, kind, b"".join([piece async for piece in data])

    assert asyncio.run(read(pieces())) == ({"name": "a"}, "text/x-test", data)
    body = body[:-4]
    with pytest.raises(ValueError, match="multipart"):
        asyncio.run(read(pieces()))


class Client:
    """Calls a server, each time on a loop of its own."""

    def __init__(self, files):
        self._server = ObjectServer(files, "localhost:1")

    def __call__(self, method, target, body=b"", **headers):
        async def call():
            async with self._server.request(
                method, target, {name.replace("_", "-"): value for name, value in headers.items()}, body
            ) as answer:
                return answer.status, dict(answer.headers), await answer.read()

        return asyncio.run(call())


def begin(client, name="r!"):
    status, headers, _ = client(
        "POST", f"/upload/storage/v1/b/{BUCKET}/o?uploadType=resumable&name={name}", b"{}"
    )
    assert status == 200
    return headers["Location"].removeprefix("http://localhost:1")


def test_an_upload_in_pieces_goes_on_where_the_server_says_and_takes_a_piece_that_comes_twice_once(files):
    client = Client(files)
    where = begin(client)
    assert client("PUT", where, Content_Range="bytes */*")[:2] == (308, {})
    assert client("PUT", where, b"0123", Content_Range="bytes 0-3/*")[:2] == (308, {"Range": "bytes=0-3"})
    assert client("PUT", where, b"234567", Content_Range="bytes 2-7/10")[:2] == (308, {"Range": "bytes=0-7"})
    assert client("PUT", where, b"x", Content_Range="bytes 9-9/10")[0] == 503  # a piece is missing before it
    assert files.find(BUCKET, "r!") is None
    status, _, body = client("PUT", where, b"89", Content_Range="bytes 8-9/10")
    assert (status, json.loads(body)["size"]) == (200, "10")
    _, file = files.open(BUCKET, "r!")
    with file:
        assert file.read() == b"0123456789"
    assert client("PUT", where, Content_Range="bytes */10")[0] == 404


def test_an_upload_that_is_not_what_its_author_says_it_is_is_refused(files):
    client = Client(files)

    def upload(**said):
        async def body():
            head = f"--b\r\nContent-Type: application/json\r\n\r\n{json.dumps(said)}\r\n--b\r\n"
            yield f"{head}Content-Type: text/plain\r\n\r\ndata\r\n--b--".encode()

        target = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=multipart&name=a!"
        return client("POST", target, body(), **{"Content-Type": "multipart/related; boundary=b"})[0]

    assert upload(crc32c="AAAAAA==") == 400
    assert upload(md5Hash="AAAAAA==") == 400
    assert files.find(BUCKET, "a!") is None
    right = base64.b64encode(google_crc32c.value(b"data").to_bytes(4, "big")).decode()
    assert upload(crc32c=right) == 200


def test_what_calls_itself_gzip_is_unpacked_for_who_does_not_take_it(files):
    import gzip

    packed = gzip.compress(b"hello" * 100_000)
    put(files, "a!", packed, content_encoding="gzip")
    client, target = Client(files), f"/storage/v1/b/{BUCKET}/o/a%21?alt=media"
    assert client("GET", target, Accept_Encoding="gzip, deflate")[2] == packed
    status, headers, body = client("GET", target)
    assert (status, body) == (200, b"hello" * 100_000)
    assert "Content-Encoding" not in headers
    assert client("GET", target, Range="bytes=0-3")[2] == packed[:4]


def test_gzip_of_several_members_is_unpacked_whole_and_what_is_cut_off_is_told(files):
    import gzip

    packed = gzip.compress(b"one") + gzip.compress(b"two")
    client, target = Client(files), f"/storage/v1/b/{BUCKET}/o/a%21?alt=media"
    put(files, "a!", packed, content_encoding="gzip")
    assert client("GET", target)[2] == b"onetwo"
    put(files, "a!", packed[:-3], content_encoding="gzip")
    with pytest.raises(EOFError):
        client("GET", target)


def test_null_takes_away_what_was_said_of_an_object(files):
    put(files, "a!", metadata={"k": "v", "l": "w"}, cache_control="private")
    client, target = Client(files), f"/storage/v1/b/{BUCKET}/o/a%21"

    def change(**said):
        status, _, body = client("PATCH", target, json.dumps(said).encode())
        shown = json.loads(body)
        return status, shown.get("metadata"), shown.get("cacheControl")

    assert change(metadata={"k": None}) == (200, {"l": "w"}, "private")
    assert change(metadata=None, cacheControl=None) == (200, None, None)


def test_uploads_that_nobody_ends_keep_no_file_open(files):
    client = Client(files)
    before = psutil.Process().num_fds()
    for number in range(20):
        client("PUT", begin(client, f"r{number}!"), b"0123", Content_Range="bytes 0-3/*")
    assert psutil.Process().num_fds() == before


def test_a_generation_that_is_no_more_is_not_found(files):
    old = put(files, "a!", b"old").generation
    client, target = Client(files), f"/storage/v1/b/{BUCKET}/o/a%21"
    assert client("GET", f"{target}?alt=media&generation={old}")[2] == b"old"
    new = put(files, "a!", b"new").generation
    assert client("GET", f"{target}?alt=media&generation={old}")[0] == 404
    assert client("GET", f"{target}?generation={old}")[0] == 404
    copy = f"{target}/rewriteTo/b/{BUCKET}/o/b%21?sourceGeneration="
    assert client("POST", f"{copy}{old}")[0] == 404
    assert client("POST", f"{copy}{new}")[0] == 200
    assert files.find(BUCKET, "b!").size == 3


def test_a_moved_object_is_the_same_bytes_under_another_path_with_a_later_generation(any_files, tmp_path):
    put(any_files, "there/new!", b"before")
    known = put(any_files, "a/b/old!", b"0123456789", metadata={"k": "v"})
    moved = any_files.move((BUCKET, "a/b/old!"), known, (BUCKET, "there/new!"))
    assert list(any_files.paths(BUCKET)) == ["there/new!"]
    assert any_files.find(BUCKET, "there/new!") == moved
    assert moved.generation > known.generation
    assert (moved.size, moved.crc32c, moved.md5, moved.metadata) == (10, known.crc32c, known.md5, {"k": "v"})
    assert not any(path.name == "a" for path in tmp_path.rglob("*"))  # the folders that it left


def test_an_upload_has_the_md5_that_its_fields_ask_for(files):
    client = Client(files)
    for fields, expected in (("", True), ("&fields=size,md5Hash", True), ("&fields=size,crc32c", False)):
        where = begin(client, f"r!{fields}")
        client("PUT", where, b"0123", Content_Range="bytes 0-3/4")
        _, _, body = client("GET", f"/storage/v1/b/{BUCKET}/o/r!")
        assert ("md5Hash" in json.loads(body)) == expected
        _, headers, _ = client("GET", f"/download/storage/v1/b/{BUCKET}/o/r!")
        assert ("md5=" in headers["X-Goog-Hash"]) == expected
