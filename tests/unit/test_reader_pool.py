from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.ledger import FileRecord
from pipeline.read import pool as reader_pool
from pipeline.read.file import ReadFile
from pipeline.read.held_lines import HeldLines, Room
from pipeline.read.pool import ReaderPool

WAIT = 30  # seconds, for what should come at once


@pytest.fixture(autouse=True)
def pools(monkeypatch):
    """Pools of this test alone: one that a test has blocked must not reach another."""
    made: dict[tuple[int, int], ThreadPoolExecutor] = {}
    monkeypatch.setattr(reader_pool, "_pools", made)
    yield made
    for pool in made.values():
        pool.shutdown()


class Reader:
    """Reads at once, or when it is let; counts what it was asked for."""

    def __init__(self, room: Room | None = None, *, open_: bool = True) -> None:
        self.room = room or Room(1 << 20)
        self.gate = threading.Event()
        self.begun: list[str] = []
        self.running = threading.Semaphore(0)
        if open_:
            self.gate.set()

    def __call__(self, uri: str) -> ReadFile:
        self.begun.append(uri)
        self.running.release()
        assert self.gate.wait(WAIT)
        if uri.startswith("broken"):
            raise ZeroDivisionError(uri)
        file = ReadFile(FileRecord(uri, "complete"), HeldLines(room=self.room))
        file.lines.add(uri.encode() + b"\n")
        return file


def test_every_file_comes_out_once():
    pool = ReaderPool(Reader(), remote=False)
    uris = [f"file-{i}" for i in range(200)]
    got = [file.record.uri for uri in uris for file in pool.add(uri)]
    got += [file.record.uri for file in pool.drain()]
    assert sorted(got) == sorted(uris)
    assert list(pool.drain()) == []


@pytest.mark.parametrize("remote", [False, True])
def test_no_more_files_than_the_window_are_held(remote):
    pool = ReaderPool(Reader(), remote=remote)
    threads = reader_pool.REMOTE_THREADS if remote else reader_pool.LOCAL_THREADS
    taken = 0
    for given in range(1, 301):
        taken += len(list(pool.add(f"file-{given}")))
        assert given - taken < threads + reader_pool.ahead(threads)
    assert taken + len(list(pool.drain())) == 300


def test_a_full_window_waits_for_a_file():
    reader = Reader(open_=False)
    pool = ReaderPool(reader, remote=False)
    window = reader_pool.LOCAL_THREADS + reader_pool.ahead(reader_pool.LOCAL_THREADS)
    for i in range(window - 1):
        assert list(pool.add(f"file-{i}")) == []
    got: list[ReadFile] = []
    last = threading.Thread(target=lambda: got.extend(pool.add("last")))
    last.start()
    last.join(0.05)
    assert last.is_alive()
    reader.gate.set()
    last.join(WAIT)
    assert got
    assert len(got) + len(list(pool.drain())) == window


def test_an_unexpected_error_surfaces_and_the_other_files_can_be_let_go():
    room = Room(1000)
    pool = ReaderPool(Reader(room), remote=False)
    got: list[ReadFile] = []

    def read_all() -> None:
        for uri in ("a", "b", "broken", "c", "d"):
            got.extend(pool.add(uri))
        got.extend(pool.drain())

    with pytest.raises(ZeroDivisionError, match="broken"):
        read_all()
    pool.abandon()
    for pool_ in reader_pool._pools.values():
        pool_.shutdown()
    for file in got:
        file.lines.drop()
    assert room._free == 1000
    assert list(pool.drain()) == []


def test_abandon_lets_go_of_files_done_running_and_waiting():
    reader = Reader(Room(1000), open_=False)
    pool = ReaderPool(reader, remote=False)
    threads = reader_pool.LOCAL_THREADS
    for i in range(threads + 1):
        assert list(pool.add(f"file-{i}")) == []
    for _ in range(threads):
        assert reader.running.acquire(timeout=WAIT)
    pool.abandon()
    assert list(pool.drain()) == []
    reader.gate.set()
    (shared,) = reader_pool._pools.values()
    shared.shutdown()
    assert len(reader.begun) == threads  # the one that waited was never read
    assert reader.room._free == 1000


def test_abandon_lets_go_of_a_file_that_was_ready():
    reader = Reader(Room(1000))
    pool = ReaderPool(reader, remote=False)
    taken = list(pool.add("a"))
    (shared,) = reader_pool._pools.values()
    shared.shutdown()
    pool.abandon()
    for file in taken:
        file.lines.drop()
    assert reader.room._free == 1000


def test_a_broken_file_that_is_abandoned_disturbs_nobody():
    reader = Reader(open_=False)
    pool = ReaderPool(reader, remote=False)
    list(pool.add("broken"))
    assert reader.running.acquire(timeout=WAIT)
    pool.abandon()
    reader.gate.set()
    assert [file.record.uri for file in (*pool.add("a"), *pool.drain())] == ["a"]


def test_bundles_of_one_process_share_their_threads():
    pools = [ReaderPool(Reader(), remote=True) for _ in range(5)]
    assert len({id(pool._pool) for pool in pools}) == 1
    assert ReaderPool(Reader(), remote=False)._pool is not pools[0]._pool
