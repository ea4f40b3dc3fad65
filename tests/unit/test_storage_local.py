from __future__ import annotations

import base64
import contextlib
import errno
import fcntl
import os
import stat
import subprocess
import threading
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AccessDeniedError, ObjectExistsError, ObjectNotFoundError, StorageError
from pipeline.storage import Entry, ListingPage, PlainStore, ReadStream, Version, join, local
from pipeline.storage.local import LocalFiles

STORE = PlainStore()

ODD = ["a b", "日本", "a\nb", "\\", "*?[x]", "-rf", " ", "é", os.fsdecode(b"\xff\xfe"), ".hidden", "gs:x"]


def lay(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode("utf-8", "surrogateescape"))


def listed(prefix: object, *, recursive: bool = True) -> list[str]:
    return [entry.uri for entry in STORE.list_objects(str(prefix), recursive=recursive)]


def below(folder: Path, uris: list[str]) -> list[str]:
    return [uri.removeprefix(f"{folder}/") for uri in uris]


def crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


# Listing


def test_a_listing_is_in_the_order_of_whole_names(tmp_path):
    names = ["a.b", "a/x", "a/y/z", "a0", "b", "B"]
    lay(tmp_path, *names)
    assert below(tmp_path, listed(f"{tmp_path}/")) == sorted(names)


def test_a_prefix_is_a_prefix_of_the_name_not_a_folder(tmp_path):
    lay(tmp_path, "ab", "abc/d", "abd", "b/abc", "a")
    assert below(tmp_path, listed(f"{tmp_path}/ab")) == ["ab", "abc/d", "abd"]
    assert below(tmp_path, listed(f"{tmp_path}/ab", recursive=False)) == ["ab", "abd"]
    assert below(tmp_path, listed(f"{tmp_path}/abc/")) == ["abc/d"]
    assert below(tmp_path, listed(f"{tmp_path}/abc")) == ["abc/d"]


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_is_listed_and_read_as_it_is(tmp_path, name):
    lay(tmp_path, f"{name}/{name}")
    (uri,) = listed(f"{tmp_path}/")
    assert uri == f"{tmp_path}/{name}/{name}"
    assert STORE.read_bytes(uri) == os.fsencode(f"{name}/{name}")
    assert STORE.stat(uri).size == len(os.fsencode(f"{name}/{name}"))
    STORE.move(uri, f"{uri}2", generation=STORE.look(uri).generation)
    STORE.delete([f"{uri}2"])
    assert listed(f"{tmp_path}/") == []


@pytest.mark.parametrize("path", ["{}//", "{}//a/", "{}/a//", "{}/./a/", "{}/b/../a/"])
def test_a_path_is_listed_as_it_is_written(tmp_path, path):
    lay(tmp_path, "a/x", "b/y")
    prefix = path.format(tmp_path)
    found = listed(prefix)
    assert found
    assert all(uri.startswith(prefix) and STORE.exists(uri) for uri in found)
    (page,) = STORE.list_folder(prefix)
    assert all(uri.startswith(prefix) for uri in (*page.folders, *(entry.uri for entry in page.objects)))
    assert page.folders or page.objects


def test_relative_paths_are_listed_without_a_dot(tmp_path, monkeypatch):
    lay(tmp_path, "a/x", "ab")
    monkeypatch.chdir(tmp_path)
    assert listed("") == ["a/x", "ab"]
    assert listed("a") == ["a/x", "ab"]
    assert listed("./a/") == ["./a/x"]
    assert next(STORE.list_folder("")).folders == ("a/",)


def test_the_root_can_be_listed():
    assert f"{Path(__file__).resolve().parts[1]}" in "".join(next(STORE.list_folder("/")).folders)
    assert all(uri.startswith("/") and not uri.startswith("//") for uri in listed("/", recursive=False))


def test_what_is_absent_holds_nothing(tmp_path):
    lay(tmp_path, "file")
    assert listed(f"{tmp_path}/gone/") == listed(f"{tmp_path}/file/") == listed(f"{tmp_path}/gone/x/") == []
    assert list(STORE.list_folder(f"{tmp_path}/gone/")) == [ListingPage((), ())]


def test_links_are_followed_and_loops_found(tmp_path, caplog):
    lay(tmp_path, "in/real/x", "out/y")
    (tmp_path / "in/link").symlink_to("../out/y")
    (tmp_path / "in/folder").symlink_to("../out")
    (tmp_path / "in/real/loop").symlink_to("..")
    assert below(tmp_path, listed(f"{tmp_path}/in/")) == ["in/folder/y", "in/link", "in/real/x"]
    assert STORE.read_bytes(f"{tmp_path}/in/link") == b"out/y"
    assert below(tmp_path, listed(f"{tmp_path}/in/folder/")) == ["in/folder/y"]  # named, it is followed
    assert not caplog.messages
    (tmp_path / "in/real/up").symlink_to("../..")
    assert below(tmp_path, listed(f"{tmp_path}/in/")) == ["in/folder/y", "in/link", "in/real/x"]
    assert caplog.messages == [
        f"{tmp_path}/in/real/up leads to a folder that holds the one that is listed; it is left out"
    ]


def test_a_folder_is_read_once_however_many_links_lead_to_it(tmp_path):
    lay(tmp_path, "in/2016/a", "in/z/b", "disk/2017/c", "disk/2017/deep/d", "disk/e")
    (tmp_path / "in/1-inner").symlink_to(tmp_path / "disk/2017/deep")
    (tmp_path / "in/2017").symlink_to(tmp_path / "disk/2017")
    (tmp_path / "in/2018").symlink_to(tmp_path / "disk/2017")
    (tmp_path / "in/all").symlink_to(tmp_path / "disk")
    (tmp_path / "in/latest").symlink_to("2016")
    (tmp_path / "disk/back").symlink_to(tmp_path / "in")
    (tmp_path / "disk/2017/self").symlink_to(tmp_path / "disk/2017")
    found = listed(f"{tmp_path}/in/")
    assert below(tmp_path, found) == ["in/1-inner/d", "in/2016/a", "in/2017/c", "in/all/e", "in/z/b"]
    assert len({os.path.realpath(uri) for uri in found}) == len(found)
    assert below(tmp_path, listed(f"{tmp_path}/in/latest/")) == ["in/latest/a"]
    assert below(tmp_path, listed(f"{tmp_path}/in/20")) == ["in/2016/a", "in/2017/c", "in/2017/deep/d"]


def test_links_that_lead_nowhere_are_listed_and_stop_no_listing(tmp_path):
    lay(tmp_path, "file", "z")
    (tmp_path / "dangling").symlink_to("gone")
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "under-a-file").symlink_to("file/below")
    (tmp_path / "too-long").symlink_to("x" * 300)
    links = ["dangling", "self", "too-long", "under-a-file"]
    assert below(tmp_path, listed(f"{tmp_path}/")) == sorted([*links, "file", "z"])
    (page,) = STORE.list_folder(f"{tmp_path}/")
    assert below(tmp_path, [entry.uri for entry in page.objects]) == sorted([*links, "file", "z"])
    for link in links:
        with pytest.raises(StorageError):
            STORE.open_read(f"{tmp_path}/{link}")


def test_pipes_and_sockets_are_not_data(tmp_path):
    lay(tmp_path, "x")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to-a-pipe").symlink_to("pipe")
    assert below(tmp_path, listed(f"{tmp_path}/")) == ["x"]
    for name in ("pipe", "to-a-pipe"):
        with pytest.raises(StorageError, match="is not a regular file"):
            STORE.open_read(f"{tmp_path}/{name}")


def test_a_folder_that_may_not_be_read_is_an_error_that_names_it(tmp_path, monkeypatch):
    lay(tmp_path, "a/x", "locked/y")
    real = os.scandir

    def scandir(path):
        if "locked" in str(path):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(AccessDeniedError, match=r"permission is denied: .*locked/; check its owner and mode"):
        listed(f"{tmp_path}/")
    with pytest.raises(AccessDeniedError):
        list(STORE.list_folder(f"{tmp_path}/locked/"))


def test_a_file_that_goes_while_it_is_listed_is_listed_all_the_same(tmp_path, monkeypatch):
    lay(tmp_path, "a", "b")
    entries = STORE.list_objects(f"{tmp_path}/")
    first = next(entries)
    (tmp_path / "b").unlink()
    assert below(tmp_path, [first.uri, *(entry.uri for entry in entries)]) == ["a", "b"]


def test_a_time_that_no_calendar_has_stops_no_listing(tmp_path, monkeypatch):
    lay(tmp_path, "a")
    real = Path.stat

    def stat(self, **options):
        found = real(self, **options)
        if self.name != "a":
            return found
        return os.stat_result([*found[:7], 0, 10**12, 0], {"st_mtime": 1e12})

    monkeypatch.setattr(Path, "stat", stat)
    (entry,) = STORE.list_objects(f"{tmp_path}/")
    assert (entry.size, entry.updated) == (1, None)


def test_folders_nested_deeper_than_calls_may_be_are_listed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(1200):
        Path("d").mkdir()
        os.chdir("d")
    Path("x").touch()
    try:
        os.chdir(tmp_path)
        assert listed("") == ["d/" * 1200 + "x"]
    finally:
        subprocess.run(["rm", "-r", "d"], cwd=tmp_path, check=True)  # shutil.rmtree calls itself too often


NAMES = st.lists(st.sampled_from(["a", "b", "a.b", "ab", "a b"]), min_size=1, max_size=4).map("/".join)


@settings(deadline=None)  # a shared disk has slow moments
@given(st.sets(NAMES, max_size=8), st.sampled_from(["", "a", "a/", "a.", "ab/", "a/b"]), st.booleans())
def test_a_listing_is_that_of_a_brute_force_walk(tmp_path_factory, names, prefix, recursive):
    folder = tmp_path_factory.mktemp("tree")
    for name in names:
        path = folder / name
        if not any(parent.is_file() for parent in path.parents) and not path.exists():
            lay(folder, name)
    there = [f"{at}/{file}" for at, _, files in os.walk(folder) for file in files]
    wanted = [uri for uri in there if uri.startswith(f"{folder}/{prefix}")]
    if not recursive:
        wanted = [uri for uri in wanted if "/" not in uri.removeprefix(f"{folder}/{prefix}")]
    assert listed(f"{folder}/{prefix}", recursive=recursive) == sorted(wanted)


def test_a_folder_is_shown_a_page_at_a_time(tmp_path):
    lay(tmp_path, "f1/x", "f2/x", "f3/x", "a", "b", "c", "d", "e")
    pages = list(STORE.list_folder(f"{tmp_path}/", page_size=2))
    assert [len(page.objects) for page in pages] == [2, 2, 1]
    assert [folder for page in pages for folder in page.folders] == [f"{tmp_path}/f{i}/" for i in (1, 2, 3)]
    (page,) = STORE.list_folder(f"{tmp_path}/f")
    assert (len(page.folders), page.objects) == (3, ())


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


def race(count: int, act) -> list[object]:
    """What `act(i)` gave or raised in so many threads at once."""
    barrier, results = threading.Barrier(count), [None] * count

    def run(i: int) -> None:
        barrier.wait(10)
        try:
            results[i] = act(i)
        except StorageError as e:
            results[i] = e

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


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


# Renaming and deleting


def test_a_move_is_of_what_was_seen_to_where_nothing_stands(tmp_path):
    lay(tmp_path, "old", "there")
    old, there = STORE.look(f"{tmp_path}/old"), STORE.look(f"{tmp_path}/there")
    assert (old.size, old.crc32c, old.owner) == (3, None, None)
    target = f"{tmp_path}/sub/new"
    for source, generation, onto in (
        (old.uri, there.generation, target),
        (old.uri, old.generation, there.uri),
    ):
        with pytest.raises(ObjectExistsError, match="is there already, or has changed meanwhile"):
            STORE.move(source, onto, generation=generation)
    with pytest.raises(ObjectExistsError):
        STORE.move(old.uri, target, generation=old.generation, over=there.generation)
    with pytest.raises(ObjectNotFoundError, match="gone: there is no such file"):
        STORE.move(f"{tmp_path}/gone", target, generation=old.generation)
    moved = STORE.move(old.uri, target, generation=old.generation)
    assert (moved.uri, moved.size) == (target, 3)
    assert moved == STORE.look(target)
    STORE.move(target, there.uri, generation=moved.generation, over=there.generation)
    assert below(tmp_path, listed(f"{tmp_path}/")) == ["there"]
    assert STORE.read_bytes(there.uri) == b"old"


def test_of_many_moves_of_one_file_and_onto_one_name_one_succeeds(tmp_path):
    for turn in range(10):
        lay(tmp_path, "one")
        one = STORE.look(f"{tmp_path}/one")
        results = race(
            6,
            lambda i, one=one, turn=turn: STORE.move(
                one.uri, f"{tmp_path}/{turn}/{i}", generation=one.generation
            ),
        )
        assert [type(result) for result in results].count(Version) == 1
        many = list(STORE.list_versions(f"{tmp_path}/{turn}/"))
        assert [Path(version.uri).read_bytes() for version in many] == [b"one"]
    lay(tmp_path, *(f"many/{i}" for i in range(6)))
    many = list(STORE.list_versions(f"{tmp_path}/many/"))
    results = race(6, lambda i: STORE.move(many[i].uri, f"{tmp_path}/single", generation=many[i].generation))
    assert [type(result) for result in results].count(Version) == 1


@pytest.fixture(params=["a disk that locks folders", "a disk that locks only files"])
def locks(request, monkeypatch):
    real = fcntl.flock

    def flock(handle: int, how: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode) and request.param == "a disk that locks only files":
            raise OSError(errno.EBADF, "Bad file descriptor")
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.usefixtures("locks")
def test_a_folder_that_is_removed_and_made_again_is_locked_as_it_is_now(tmp_path):
    def turn(i: int) -> None:
        uri = f"{tmp_path}/folder/claim"
        for n in range(60):
            with contextlib.suppress(ObjectExistsError, ObjectNotFoundError):
                mine = STORE.swap(uri, b"%d %d" % (i, n), 0)
                assert STORE.read_version(uri) == (b"%d %d" % (i, n), mine)
                mine = STORE.swap(uri, b"again", mine)
                assert STORE.delete_version(uri, mine)
                STORE.remove_empty_folder(f"{tmp_path}/folder")

    assert race(6, turn) == [None] * 6
    assert list(tmp_path.rglob("*")) in ([], [tmp_path / "folder"])


def test_only_the_version_that_was_seen_is_deleted(tmp_path):
    lay(tmp_path, "x")
    old = STORE.look(f"{tmp_path}/x")
    STORE.write_bytes(old.uri, b"another")
    assert not STORE.delete_version(old.uri, old.generation)
    assert STORE.read_bytes(old.uri) == b"another"
    assert STORE.delete_version(old.uri, STORE.look(old.uri).generation)
    assert not STORE.delete_version(old.uri, old.generation)
    assert not STORE.delete_version(f"{tmp_path}/no/folder", old.generation)


def test_deleting_what_is_not_there_is_fine(tmp_path):
    lay(tmp_path, "a", "b")
    STORE.delete(f"{tmp_path}/{name}" for name in ("a", "gone", "gone/x", "b/x"))
    STORE.delete([])
    assert below(tmp_path, listed(f"{tmp_path}/")) == ["b"]


def test_a_link_is_deleted_and_not_what_it_leads_to(tmp_path):
    lay(tmp_path, "real", "folder/x", "tree/y")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "tree/link").symlink_to("../folder")
    STORE.delete([f"{tmp_path}/link"])
    STORE.delete_tree(f"{tmp_path}/tree/")
    assert below(tmp_path, listed(f"{tmp_path}/")) == ["folder/x", "real"]


def test_a_tree_goes_with_all_in_it_and_may_be_gone_already(tmp_path):
    lay(tmp_path, "t/a", "t/b/c", "ta")
    for _ in range(2):
        STORE.delete_tree(f"{tmp_path}/t/")
    assert [path.name for path in tmp_path.iterdir()] == ["ta"]


def test_a_tree_goes_whole_when_another_takes_some_of_it_away_at_the_same_time(tmp_path, monkeypatch):
    lay(tmp_path, "t/a", "t/b", "t/c/d", "t/e")
    real, taken = os.unlink, []

    def unlink(name, **where):
        if not taken:
            taken.append(name)
            real(name, **where)
        real(name, **where)

    monkeypatch.setattr(os, "unlink", unlink)
    STORE.delete_tree(f"{tmp_path}/t/")
    assert taken
    assert list(tmp_path.iterdir()) == []


def test_only_an_empty_folder_is_removed(tmp_path):
    lay(tmp_path, "full/x")
    (tmp_path / "empty").mkdir()
    for name in ("full", "empty", "gone"):
        STORE.remove_empty_folder(f"{tmp_path}/{name}")
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


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
