from __future__ import annotations

import errno
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import BadFileError, StorageError
from pipeline.read import held_lines
from pipeline.read.held_lines import DiskRoom, HeldLines, Room


@pytest.fixture(autouse=True)
def _as_they_are(monkeypatch):
    """Chunks of a few bytes are held as they are; otherwise they are joined first."""
    monkeypatch.setattr(held_lines, "_JOINED_BYTES", 1)


def disk(free: int = 1 << 30) -> DiskRoom:
    return DiskRoom(lambda: free)


def holding(*chunks: bytes, **rooms: object) -> HeldLines:
    held = HeldLines("file", **rooms)
    for chunk in chunks:
        held.add(chunk)
    held.complete()
    return held


def again(*chunks: bytes) -> Callable:
    return lambda: (chunk for chunk in chunks)


# In memory and on disk


def test_lines_beyond_the_room_go_to_disk_and_come_back_in_order():
    room, on_disk = Room(100), disk()
    blocks = [b"%03d" % i * 10 + b"\n" for i in range(10)]
    held = holding(*blocks, room=room, disk=on_disk)
    assert (room._free, on_disk._taken) == (100 - 3 * 31, 7 * 31)
    assert (held.size, held.lines) == (310, 10)
    assert b"".join(held.blocks()) == b"".join(blocks)
    assert (room._free, on_disk._taken, held._spool) == (100, 0, None)


def test_once_on_disk_later_lines_stay_behind_earlier_ones():
    room = Room(10)
    held, other = HeldLines(room=room), HeldLines(room=room)
    other.add(b"12345678\n")
    held.add(b"first\n")  # no room: to disk
    other.drop()
    held.add(b"next\n")  # there would be room now
    assert b"".join(held.blocks()) == b"first\nnext\n"
    assert room._free == 10


@given(st.binary(max_size=90), st.integers(0, 60), st.integers(0, 60), st.integers(1, 9), st.integers(1, 40))
def test_any_bytes_in_any_room_come_back_as_lines(data, size, free, step, joined):
    room, on_disk = Room(size), DiskRoom(lambda: free)
    chunks = [data[at : at + step] for at in range(0, len(data), step)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_lines, "_JOINED_BYTES", joined)
        held = holding(*chunks, again=again(*chunks), room=room, disk=on_disk)
    expected = data if not data or data.endswith(b"\n") else data + b"\n"
    assert (held.size, held.lines) == (len(expected), expected.count(b"\n"))
    assert b"".join(held.blocks()) == expected
    assert (room._free, on_disk._taken) == (size, 0)


@given(st.binary(max_size=60), st.integers(0, 30), st.integers(0, 30), st.integers(1, 9))
def test_of_a_file_that_is_not_complete_only_whole_lines_come(data, size, free, step):
    chunks = [data[at : at + step] for at in range(0, len(data), step)]

    def cut_off():
        yield from chunks
        raise BadFileError("cut off")

    held = HeldLines("file", cut_off, room=Room(size), disk=DiskRoom(lambda: free))
    for chunk in chunks:
        held.add(chunk)
    assert b"".join(held.blocks()) == data[: data.rfind(b"\n") + 1]
    assert (held.size, held.lines) == (data.rfind(b"\n") + 1, data.count(b"\n"))


@pytest.mark.parametrize("taken", [0, 1, 2, 3])
def test_a_taker_that_stops_early_leaves_nothing_behind(taken):
    room, on_disk = Room(12), disk()
    held = holding(b"aaaaa\n", b"bbbbb\n", b"ccccc\n", room=room, disk=on_disk)
    blocks = held.blocks()
    for _ in range(taken):
        next(blocks)
    blocks.close()
    if not taken:
        held.drop()  # nothing was begun, so nothing was let go of
    assert (room._free, on_disk._taken, held._spool) == (12, 0, None)
    held.drop()
    assert room._free == 12


def test_millions_of_tiny_chunks_are_held_as_few(monkeypatch):
    monkeypatch.undo()
    held = holding(*(b"%d\n" % i for i in range(100_000)), room=Room(1 << 20), disk=disk())
    assert len(held._chunks) < 12
    assert b"".join(held.blocks()) == b"".join(b"%d\n" % i for i in range(100_000))


# The disk's budget


def test_the_disk_is_taken_up_to_a_limit_that_all_files_share():
    on_disk = disk()
    assert on_disk.take(60, 100)
    assert not on_disk.take(41, 100)
    assert on_disk.take(40, 100)
    on_disk.give_back(60)
    assert on_disk.take(60, 100)


def test_processes_on_one_disk_leave_room_whatever_the_others_take():
    total = 1000
    rooms: list[DiskRoom] = []

    def free() -> int:
        return total - sum(room._taken for room in rooms)

    rooms += [DiskRoom(free) for _ in range(4)]
    for _ in range(total):
        for room in rooms:
            room.take(1)
    assert [room._taken for room in rooms] == [200] * 4  # and a fifth is free


def test_what_others_write_to_the_disk_counts():
    left = [100]
    on_disk = DiskRoom(lambda: left[0])
    assert on_disk.take(40)
    left[0] = 50  # 40 are ours, and 10 somebody else's
    assert not on_disk.take(20)


# Neither memory nor disk


def test_lines_that_fit_nowhere_are_read_again_and_nothing_is_held():
    chunks = [b"one\n", b"two\nth", b"ree"]
    room, on_disk = Room(5), disk()
    held = holding(*chunks, again=again(*chunks), on_disk=4, room=room, disk=on_disk)
    assert (room._free, on_disk._taken, held._spool) == (5, 0, None)
    assert list(held.blocks()) == [b"one\n", b"two\n", b"three\n"]


@pytest.mark.parametrize(
    "others",
    [[b"one\n", b"owt\n"], [b"one\n"], [b"one\n", b"two\n", b"more\n"], [], [b"one\n", b"two\n", b"x"]],
)
def test_other_bytes_the_second_time_raise(others):
    held = holding(b"one\n", b"two\n", again=again(*others), on_disk=0, room=Room(0))
    with pytest.raises(StorageError, match="file: gave other bytes when it was read again"):
        list(held.blocks())


class FullDisk(io.RawIOBase):
    """A file of a disk that has so many bytes left."""

    def __init__(self, left: int, code: int) -> None:
        self.left, self.code = left, code
        self.closed_at_last = False

    def write(self, data) -> int:
        if not self.left:
            raise OSError(self.code, os.strerror(self.code))
        taken = min(self.left, len(data))
        self.left -= taken
        return taken

    def close(self) -> None:
        self.closed_at_last = True
        super().close()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
@pytest.mark.parametrize("left", [0, 3, 10])
def test_a_disk_that_fills_up_in_spite_of_all_makes_the_file_one_that_is_read_again(monkeypatch, left, code):
    file = FullDisk(left, code)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: file)
    chunks = [b"12345678\n"] * 5
    on_disk = disk()
    held = holding(*chunks, again=again(*chunks), room=Room(9), disk=on_disk)
    assert (file.closed_at_last, on_disk._taken, held._spool) == (True, 0, None)
    assert b"".join(held.blocks()) == b"".join(chunks)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_of_the_kernels_own_is_no_fault_of_the_file(monkeypatch):
    with Path("/dev/full").open("r+b", buffering=0) as full:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full)
        held = holding(b"a\n", b"b\n", again=again(b"a\n", b"b\n"), room=Room(0), disk=disk())
        assert b"".join(held.blocks()) == b"a\nb\n"


def test_no_temporary_folder_at_all_is_no_fault_of_the_file(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    held = holding(b"a\n", again=again(b"a\n"), room=Room(0), disk=DiskRoom())
    assert b"".join(held.blocks()) == b"a\n"


def test_a_disk_that_gives_other_bytes_than_it_took_raises():
    held = holding(b"one\n", b"two\n", room=Room(0), disk=disk())
    held._spool.seek(0)
    held._spool.write(b"X")
    with pytest.raises(StorageError, match="or the temporary disk did"):
        list(held.blocks())
