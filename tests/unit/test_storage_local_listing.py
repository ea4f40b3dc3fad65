"""Folders of this machine as a store lists them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AccessDeniedError, StorageError
from pipeline.storage import ListingPage, PlainStore
from tests.fixtures.local_files import below, lay, listed, lock_folder

STORE = PlainStore()


ODD = ["a b", "日本", "a\nb", "\\", "*?[x]", "-rf", " ", "é", os.fsdecode(b"\xff\xfe"), ".hidden", "gs:x"]


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
    lock_folder(monkeypatch, "locked")
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
