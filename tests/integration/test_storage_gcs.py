"""pipeline.storage on a bucket, by the real client."""

from __future__ import annotations

import os
import threading
import time
from functools import partial

import pytest
import requests
from google.api_core import exceptions as api
from google.cloud.storage import Blob
from msgspec.structs import replace

from pipeline.errors import (
    ObjectChangedError,
    ObjectExistsError,
    ObjectNotFoundError,
    StorageError,
    StoreUnavailableError,
)
from pipeline.storage import Patience, PlainStore, gcs_list, gcs_versions
from pipeline.storage.name_ranges import RangedListing

STORE = PlainStore()

NAMES = ["a", "a/b", "a//b", "日本語/🐎", "sp ace ", "[x]*?", "%2F+#&=?", "..x/.y"]


@pytest.fixture
def root(bucket):
    return f"gs://{bucket}"


def test_objects_of_any_name_are_listed_and_read(root):
    for name in NAMES:
        STORE.write_bytes(f"{root}/{name}", name.encode())
    entries = {entry.uri: entry for entry in STORE.list_objects(f"{root}/")}
    assert sorted(entries) == sorted(f"{root}/{name}" for name in NAMES)
    for name in NAMES:
        uri = f"{root}/{name}"
        assert STORE.read_bytes(uri) == name.encode()
        assert STORE.stat(uri) == entries[uri]
        assert entries[uri].size == len(name.encode())
        assert entries[uri].generation
        assert entries[uri].updated.endswith("Z")


def test_pages_of_a_long_listing_have_what_a_listing_has(root):
    names = [*NAMES, *(f"many/{n % 3}/{n}" for n in range(40)), "folder/"]
    for name in names:
        STORE.write_bytes(f"{root}/{name}", b"" if name == "folder/" else name.encode())
    for page_size in (1000, 3):
        with pytest.MonkeyPatch.context() as small:
            small.setattr(gcs_list, "RangedListing", partial(RangedListing, page=page_size, threads=4))
            for prefix in ("", "many/", "many/1/1", "folder", "none/"):
                found = [entry for page in STORE.list_pages(f"{root}/{prefix}") for entry in page]
                expected = [replace(entry, updated=None) for entry in STORE.list_objects(f"{root}/{prefix}")]
                assert sorted(found) == sorted(expected)
    with pytest.raises(ObjectNotFoundError):
        list(STORE.list_pages("gs://there-is-no-such-bucket/"))


def test_a_prefix_is_text_and_a_level_is_one_level(root):
    for name in ("p/1", "p/2/3", "pq", "q"):
        STORE.write_bytes(f"{root}/{name}", b"x")
    uris = lambda found: [entry.uri.removeprefix(f"{root}/") for entry in found]  # noqa: E731
    assert uris(STORE.list_objects(f"{root}/p")) == ["p/1", "p/2/3", "pq"]
    assert uris(STORE.list_objects(f"{root}/p", recursive=False)) == ["pq"]
    assert uris(STORE.list_objects(f"{root}/p/", recursive=False)) == ["p/1"]


def test_a_folder_comes_in_pages(root):
    for n in range(7):
        STORE.write_bytes(f"{root}/p/{n}", b"x")
        STORE.write_bytes(f"{root}/p/d{n}/x", b"x")
    pages = list(STORE.list_folder(f"{root}/p/", page_size=5))
    assert len(pages) >= 2
    assert [f for page in pages for f in page.folders] == [f"{root}/p/d{n}/" for n in range(7)]
    assert [e.uri for page in pages for e in page.objects] == [f"{root}/p/{n}" for n in range(7)]


def test_a_folders_own_marker_is_no_file(root):
    STORE.write_bytes(f"{root}/p/", b"")
    STORE.write_bytes(f"{root}/p/x", b"x")
    assert [entry.uri for entry in STORE.list_objects(f"{root}/")] == [f"{root}/p/x"]


@pytest.mark.parametrize("size", [0, 1, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, (9 << 20) + 5])
def test_a_stream_is_read_to_its_end_whatever_its_windows(root, size):
    data = os.urandom(size)
    STORE.write_bytes(f"{root}/x", data)
    with STORE.open_read(f"{root}/x") as stream:
        read = b"".join(iter(lambda: stream.read(1 << 19), b""))
        stream.verify()
    assert read == data
    assert (stream.size, stream.crc32c) == (size, STORE.stat(f"{root}/x").crc32c)
    assert stream.generation == STORE.stat(f"{root}/x").generation
    assert STORE.read_range(f"{root}/x", 1, 5) == data[1:5]
    assert STORE.read_range(f"{root}/x", size, size + 5) == b""


@pytest.mark.parametrize("size", [10, (5 << 20) + 3])
def test_any_place_of_a_stream_is_read_beside_it(root, size):
    data = os.urandom(size)
    STORE.write_bytes(f"{root}/x", data)
    with STORE.open_read(f"{root}/x") as stream:
        assert stream.length() == size
        begun = stream.read(4)
        for start, end in [(0, 3), (2, 9), (size - 3, size), (size - 3, size + 9), (size, size + 1)]:
            assert stream.read_at(start, end - start) == data[start:end]
        rest = b"".join(iter(lambda: stream.read(1 << 19), b""))
        stream.verify()
    assert begun + rest == data


def test_a_stream_is_read_again_of_the_same_version_or_not_at_all(root):
    data = os.urandom(3 << 20)
    STORE.write_bytes(f"{root}/x", data)
    with STORE.open_read(f"{root}/x") as stream:
        assert stream.read(9) == data[:9]
    with stream.again() as second:
        assert b"".join(iter(lambda: second.read(1 << 19), b"")) == data
        second.verify()
    assert second.generation == stream.generation
    STORE.write_bytes(f"{root}/x", data)  # the same bytes, but who would know
    with pytest.raises(ObjectChangedError, match="was replaced or deleted"):
        stream.again()
    STORE.delete([f"{root}/x"])
    with pytest.raises(ObjectChangedError, match="was replaced or deleted"):
        stream.again()


@pytest.mark.parametrize("size", [1, 8 << 20, (17 << 20) + 3])
def test_a_stream_is_written_and_is_there_once_it_is_closed(root, size):
    data = os.urandom(size)
    with STORE.open_write(f"{root}/x") as stream:
        for at in range(0, size, 1 << 20):
            stream.write(data[at : at + (1 << 20)])
        assert not STORE.exists(f"{root}/x")
    assert STORE.read_bytes(f"{root}/x") == data
    assert stream.crc32c == STORE.stat(f"{root}/x").crc32c


def test_a_stream_that_is_given_up_leaves_nothing(root):
    stream = STORE.open_write(f"{root}/x")
    stream.write(bytes(9 << 20))
    stream.abort()
    stream.abort()
    assert list(STORE.list_objects(f"{root}/")) == []


def test_an_object_replaced_while_it_is_read_is_an_error(root):
    STORE.write_bytes(f"{root}/x", os.urandom(9 << 20))
    with STORE.open_read(f"{root}/x") as stream:
        stream.read(1 << 20)
        STORE.write_bytes(f"{root}/x", os.urandom(9 << 20))
        with pytest.raises(StorageError, match="was replaced or deleted while it was being read"):
            list(iter(lambda: stream.read(1 << 20), b""))


def test_a_move_is_of_what_was_seen_to_where_nothing_stands(root):
    with STORE.open_write(f"{root}/old", owner="job-1") as out:
        out.write(b"text")
    old = STORE.look(f"{root}/old")
    assert (old.generation, old.size, old.crc32c, old.owner) == (out.generation, 4, out.crc32c, "job-1")
    STORE.write_bytes(f"{root}/there", b"there")
    there = STORE.look(f"{root}/there")
    assert there.owner is None
    for generation, target in ((old.generation - 1, f"{root}/new"), (old.generation, there.uri)):
        with pytest.raises(ObjectExistsError, match="is there already, or has changed meanwhile"):
            STORE.move(old.uri, target, generation=generation)
    with pytest.raises(ObjectNotFoundError):
        STORE.move(f"{root}/gone", f"{root}/new", generation=1)
    moved = STORE.move(old.uri, f"{root}/new", generation=old.generation)
    assert moved == STORE.look(f"{root}/new")
    assert (moved.size, moved.crc32c, moved.owner) == (4, old.crc32c, "job-1")
    STORE.move(moved.uri, there.uri, generation=moved.generation, over=there.generation)
    assert [(version.uri, version.owner) for version in STORE.list_versions(f"{root}/")] == [
        (there.uri, "job-1")
    ]


@pytest.mark.parametrize("known", [False, True])
def test_where_there_are_no_moves_an_object_is_copied_on_the_same_conditions(root, monkeypatch, known):
    asked = []

    def no_such_request(self, blob, *_arguments, **_options):
        asked.append(blob.name)
        raise api.MethodNotImplemented("no move")

    monkeypatch.setattr("google.cloud.storage.bucket.Bucket.move_blob", no_such_request)
    monkeypatch.setattr(gcs_versions, "_without_move", set())
    if known:
        STORE.swap(f"{root}/first", b"", 0)
        STORE.move(f"{root}/first", f"{root}/second", generation=STORE.look(f"{root}/first").generation)
        STORE.delete([f"{root}/second"])
        asked.clear()
    generation = STORE.swap(f"{root}/old", b"text", 0, owner="job-1")
    STORE.write_bytes(f"{root}/there", b"there")
    for seen, target in ((generation - 1, f"{root}/new"), (generation, f"{root}/there")):
        with pytest.raises(ObjectExistsError):
            STORE.move(f"{root}/old", target, generation=seen)
    moved = STORE.move(f"{root}/old", f"{root}/new", generation=generation)
    assert moved == STORE.look(f"{root}/new")
    assert (moved.size, moved.owner) == (4, "job-1")
    assert sorted(version.uri for version in STORE.list_versions(f"{root}/")) == [
        f"{root}/new",
        f"{root}/there",
    ]
    assert asked == ([] if known else ["old"] * 3)


def test_a_move_is_one_request(root, monkeypatch):
    generation = STORE.swap(f"{root}/old", b"text", 0)
    asked, real = [], requests.Session.request

    def watched(self, method, url, *arguments, **options):
        asked.append((method, url))
        return real(self, method, url, *arguments, **options)

    monkeypatch.setattr(requests.Session, "request", watched)
    STORE.move(f"{root}/old", f"{root}/new", generation=generation)
    ((method, url),) = asked
    assert method == "POST"
    assert "/moveTo/o/" in url


def test_a_swap_whose_answer_was_lost_is_done(root, monkeypatch):
    seen = STORE.swap(f"{root}/x", b"old", 0)
    real = Blob.upload_from_string

    def twice(self, *arguments, **options):
        real(self, *arguments, **options)
        real(self, *arguments, **options)

    monkeypatch.setattr(Blob, "upload_from_string", twice)
    new = STORE.swap(f"{root}/x", b"new", seen)
    assert STORE.read_version(f"{root}/x") == (b"new", new)
    with pytest.raises(ObjectExistsError):
        STORE.swap(f"{root}/x", b"newer", seen)


def test_only_the_version_that_was_seen_is_deleted(root):
    old = STORE.swap(f"{root}/x", b"old", 0)
    new = STORE.swap(f"{root}/x", b"new", old)
    assert not STORE.delete_version(f"{root}/x", old)
    assert STORE.read_bytes(f"{root}/x") == b"new"
    assert STORE.delete_version(f"{root}/x", new)
    assert not STORE.delete_version(f"{root}/x", new)


def test_deletes_are_many_and_may_be_repeated(root):
    for n in range(40):
        STORE.write_bytes(f"{root}/d/{n}", b"x")
    STORE.write_bytes(f"{root}/dd", b"x")
    for _ in range(2):
        STORE.delete([f"{root}/d/1", f"{root}/d/2"])
    assert len(list(STORE.list_objects(f"{root}/"))) == 39
    for _ in range(2):
        STORE.delete_tree(f"{root}/d/")
        assert [entry.uri for entry in STORE.list_objects(f"{root}/")] == [f"{root}/dd"]


def test_only_one_of_many_makes_an_object_or_swaps_it(root):
    def race(act) -> int:
        won: list[int] = []

        def run(number: int) -> None:
            try:
                act(number)
            except ObjectExistsError:
                return
            won.append(number)

        threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        return won[0]

    first = race(lambda number: STORE.write_bytes(f"{root}/x", b"%d" % number, create_only=True))
    assert STORE.read_bytes(f"{root}/x") == b"%d" % first
    seen = STORE.look(f"{root}/x").generation
    second = race(lambda number: STORE.swap(f"{root}/x", b"new %d" % number, seen))
    assert STORE.read_bytes(f"{root}/x") == b"new %d" % second


def test_what_is_not_there_is_named(root):
    for act in (STORE.stat, STORE.open_read, STORE.read_bytes):
        with pytest.raises(ObjectNotFoundError, match=f"there is no such object or bucket: {root}/none"):
            act(f"{root}/none")
    assert not STORE.exists(f"{root}/none")
    assert STORE.bucket_exists(root.removeprefix("gs://"))
    assert not STORE.bucket_exists("there-is-no-such-bucket")


def test_a_store_that_fails_now_and_then_is_asked_again(root, faults):
    data = os.urandom(5 << 20)
    STORE.write_bytes(f"{root}/x", data)
    faults(fail_next=2, status=503, match=root.removeprefix("gs://"))
    assert STORE.read_bytes(f"{root}/x") == data
    faults(fail_next=1, status=0, match=root.removeprefix("gs://"))
    assert STORE.read_bytes(f"{root}/x") == data


def test_a_store_that_does_not_answer_is_an_error_in_bounded_time(root, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://localhost:1")
    began = time.monotonic()
    with pytest.raises(StoreUnavailableError, match="the store does not answer"):
        PlainStore(patience=Patience(2)).read_bytes(f"{root}/x")
    assert 2 <= time.monotonic() - began < 20
