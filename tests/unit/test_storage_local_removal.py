"""Files of this machine are renamed and deleted."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from pathlib import Path

import pytest

from pipeline.errors import ObjectExistsError, ObjectNotFoundError
from pipeline.storage import PlainStore, Version
from tests.fixtures.local_files import below, lay, listed, race

STORE = PlainStore()


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
