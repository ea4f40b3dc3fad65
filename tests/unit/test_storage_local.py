"""Files of this machine as a store reads and writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.errors import AccessDeniedError, ObjectExistsError, ObjectNotFoundError, StorageError
from pipeline.storage import Entry, PlainStore, ReadStream, join, local
from pipeline.storage.local import LocalFiles
from tests.fixtures.files import crc32c
from tests.fixtures.local_files import lay, race

STORE = PlainStore()


# Reading


def test_stat_tells_files_from_folders_and_from_nothing(tmp_path):
    lay(tmp_path, "file")
    os.utime(tmp_path / "file", (0, 1.5))
    assert STORE.stat(f"{tmp_path}/file") == Entry(f"{tmp_path}/file", 4, updated="1970-01-01T00:00:01.500Z")
    assert STORE.exists(f"{tmp_path}/file")
    for name in ("gone", "file/below", "x" * 300, ""):
        assert not STORE.exists(f"{tmp_path}/{name}")
    with pytest.raises(ObjectNotFoundError, match="is a folder"):
        STORE.stat(str(tmp_path))
    assert STORE.is_local_folder(str(tmp_path))
    assert not STORE.is_local_folder(f"{tmp_path}/file")


def test_a_stream_gives_bytes_size_and_checksum(tmp_path):
    lay(tmp_path, "file")
    with STORE.open_read(f"{tmp_path}/file") as stream:
        assert (stream.read(3), stream.size) == (b"fil", 3)
        with pytest.raises(StorageError, match="was not read to its end"):
            stream.verify()
        assert stream.read(10) == b""
        stream.verify()
        assert (stream.size, stream.crc32c, stream.generation) == (4, crc32c(b"file"), None)
    stream.close()


@pytest.mark.parametrize(
    ("start", "end", "data"),
    [(0, 4, b"file"), (1, 3, b"il"), (2, 99, b"le"), (4, 9, b""), (3, 3, b""), (3, 1, b"")],
)
def test_a_range_is_cut_where_the_file_ends(tmp_path, start, end, data):
    lay(tmp_path, "file")
    assert STORE.read_range(f"{tmp_path}/file", start, end) == data


@pytest.mark.parametrize(
    "call", [STORE.open_read, STORE.stat, STORE.read_bytes, lambda uri: STORE.read_range(uri, 0, 1)]
)
def test_what_is_not_there_is_said_to_be_so(tmp_path, call):
    with pytest.raises(ObjectNotFoundError, match="there is no such file") as caught:
        call(f"{tmp_path}/gone")
    assert caught.value.uri == f"{tmp_path}/gone"


def test_permission_denied_is_our_error(tmp_path, monkeypatch):
    lay(tmp_path, "file")

    def deny(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)
    with pytest.raises(AccessDeniedError, match="permission is denied"):
        STORE.open_read(f"{tmp_path}/file")


# Writing


def test_a_written_file_is_what_was_written(tmp_path):
    uri = f"{tmp_path}/new/folder/x"
    with STORE.open_write(uri) as out:
        out.write(b"ab")
        out.write(b"")
        out.write(b"c")
    assert (STORE.read_bytes(uri), out.size, out.crc32c) == (b"abc", 3, crc32c(b"abc"))


def test_a_write_that_fails_leaves_nothing(tmp_path):
    out = STORE.open_write(f"{tmp_path}/x")

    def fail() -> None:
        with out:
            out.write(b"ab")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    out.abort()
    assert list(tmp_path.iterdir()) == []


def test_a_small_file_appears_whole_and_with_ordinary_rights(tmp_path):
    uri = f"{tmp_path}/a/{'日' * 80}"
    STORE.write_bytes(uri, b"one")
    STORE.write_bytes(uri, b"two")
    assert STORE.read_bytes(uri) == b"two"
    assert Path(uri).stat().st_mode & 0o777 == 0o666 & ~local._UMASK
    assert len(list((tmp_path / "a").iterdir())) == 1


def test_create_only_refuses_what_is_there(tmp_path):
    uri = f"{tmp_path}/x"
    STORE.write_bytes(uri, b"one", create_only=True)
    with pytest.raises(ObjectExistsError, match="is there already"):
        STORE.write_bytes(uri, b"two", create_only=True)
    assert STORE.read_bytes(uri) == b"one"
    assert len(list(tmp_path.iterdir())) == 1


def test_of_many_that_create_one_does(tmp_path):
    for turn in range(20):
        uri = f"{tmp_path}/{turn}"
        results = race(6, lambda i, uri=uri: STORE.write_bytes(uri, b"%d" % i, create_only=True))
        (winner,) = [i for i, result in enumerate(results) if result is None]
        assert STORE.read_bytes(uri) == b"%d" % winner


def test_of_many_that_swap_one_does(tmp_path):
    for turn in range(20):
        uri = f"{tmp_path}/{turn}"
        seen = STORE.swap(uri, b"old", 0)
        results = race(6, lambda i, uri=uri, seen=seen: STORE.swap(uri, b"%d" % i, seen))
        (winner,) = [i for i, result in enumerate(results) if isinstance(result, int)]
        assert {type(result) for result in results} == {int, ObjectExistsError}
        assert STORE.read_version(uri)[0] == b"%d" % winner
    for gone in ("gone", "folder/gone"):
        with pytest.raises(StorageError):
            STORE.swap(f"{tmp_path}/{gone}", b"x", 17)
    assert not (tmp_path / "folder").exists()


def test_each_swap_gives_another_generation_also_within_a_tick_of_the_clock(tmp_path, monkeypatch):
    uri, seen = f"{tmp_path}/x", [STORE.swap(f"{tmp_path}/x", b"0", 0)]
    real = Path(uri).stat()
    write = LocalFiles().write_bytes

    def within_the_tick(*arguments, **options):
        write(*arguments, **options)
        os.utime(uri, ns=(real.st_atime_ns, real.st_mtime_ns))

    monkeypatch.setattr(LocalFiles, "write_bytes", staticmethod(within_the_tick))
    for i in range(50):
        seen.append(STORE.swap(uri, b"%d" % (i % 10), seen[-1]))
        assert STORE.read_version(uri) == (b"%d" % (i % 10), seen[-1])
        assert STORE.look(uri).generation == seen[-1]
        with pytest.raises(ObjectExistsError):
            STORE.swap(uri, b"late", seen[-2])
    assert len(set(seen)) == 51


def test_a_disk_that_is_full_is_our_error(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    out = STORE.open_write("/dev/full")
    with pytest.raises(StorageError, match="no space left"):
        out.write(b"x")
    out.close()


@pytest.mark.parametrize("below", ["file/x", "file/a/b"])
def test_a_file_in_the_way_of_a_folder_is_our_error(tmp_path, below):
    lay(tmp_path, "file")
    with pytest.raises(StorageError):
        STORE.open_write(f"{tmp_path}/{below}")
    with pytest.raises(StorageError):
        STORE.write_bytes(f"{tmp_path}/{below}", b"")


def test_an_upload_is_a_copy(tmp_path):
    lay(tmp_path, "here")
    entry = STORE.upload_file(f"{tmp_path}/here", f"{tmp_path}/there/x")
    assert (entry.uri, entry.size) == (f"{tmp_path}/there/x", 4)
    assert STORE.read_bytes(entry.uri) == b"here"


def test_an_upload_that_fails_leaves_nothing(tmp_path, monkeypatch):
    lay(tmp_path, "here")
    (tmp_path / "there").mkdir()
    with pytest.raises(ObjectNotFoundError):
        STORE.upload_file(f"{tmp_path}/gone", f"{tmp_path}/there/x")

    def changed(self):
        raise StorageError(self.uri, "was changed")

    monkeypatch.setattr(ReadStream, "verify", changed)
    with pytest.raises(StorageError, match="was changed"):
        STORE.upload_file(f"{tmp_path}/here", f"{tmp_path}/there/x")
    assert list((tmp_path / "there").iterdir()) == []


@pytest.mark.parametrize(
    ("parts", "joined"),
    [
        (("a", "b"), "a/b"),
        (("a/", "b"), "a/b"),
        (("/", "b"), "/b"),
        (("gs://b", "x"), "gs://b/x"),
        (("gs://b/", "x", "y"), "gs://b/x/y"),
    ],
)
def test_names_are_joined_by_one_slash(parts, joined):
    assert join(*parts) == joined


def test_local_files_are_always_there_to_be_asked():
    assert STORE.bucket_exists("")
